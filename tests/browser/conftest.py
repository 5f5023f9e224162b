"""One Chromium for all page tests, what a page is opened with, and what every page of ours must pass."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS_PX = (360, 820, 1440)
_ARGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
_NAMES = ("chromium", "chromium-browser", "google-chrome")
OpenPage = Callable[..., "Page"]


class Watch:
    """What a page asked for beside itself, and what went wrong in it."""

    def __init__(self, page: "Page") -> None:
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)


_WATCHES: dict[int, Watch] = {}


@pytest.fixture(scope="package")
def browser() -> Iterator["Browser"]:
    """Chromium, and Playwright's event loop, which would be in the way of every test elsewhere that runs one."""
    playwright = pytest.importorskip("playwright.sync_api", reason="pages are tested where playwright is installed")
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("pages are tested where Chromium is installed")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=list(_ARGS))
        yield running
        running.close()


@pytest.fixture
def open_page(browser: "Browser") -> Iterator[OpenPage]:
    """Open a file or an address: open_page(target, width_px=820, scheme="light"); every page closes by itself."""
    contexts = []

    def open_one(
        target: Path | str, width_px: int = 820, scheme: Literal["light", "dark"] = "light", height_px: int = 900
    ) -> "Page":
        context = browser.new_context(viewport={"width": width_px, "height": height_px}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        _WATCHES[id(page)] = Watch(page)
        page.goto(target.as_uri() if isinstance(target, Path) else target)
        return page

    yield open_one
    for context in contexts:
        context.close()
    _WATCHES.clear()


def watch_of(page: "Page") -> Watch:
    return _WATCHES[id(page)]


def assert_accessible(page: "Page") -> None:
    """Fail on what axe-core calls serious or critical."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")
    found = axe.Axe().run(page).response["violations"]
    bad = [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['html'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]
    assert not bad, "\n".join(bad)


def assert_no_sideways_scroll(page: "Page") -> None:
    wide, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= room, f"the page is {wide} px wide in a window of {room} px"


def assert_no_network(page: "Page", allowed: str = "file:") -> None:
    """Fail where the page asked for anything but itself, pictures that it holds, and what begins with `allowed`."""
    asked = [url for url in watch_of(page).requests if not url.startswith((allowed, "data:", "blob:"))]
    assert not asked, asked


def assert_no_errors(page: "Page") -> None:
    """Fail on exceptions and on console errors, which is where the browser says what a policy stopped."""
    assert not watch_of(page).errors, watch_of(page).errors
