"""The documentation in a browser, opened from the disk: at a phone's width and a desk's, in light and dark."""

from pathlib import Path

import pytest

from tests.browser.conftest import (
    OpenPage,
    assert_accessible,
    assert_no_errors,
    assert_no_network,
    assert_no_sideways_scroll,
    watch_of,
)
from tests.support.site import build_site

PAGES = (
    "index.html",
    "tutorial/first-dataset.html",
    "reference/commands.html",
    "reference/python.html",
    "training.html",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory)


def test_pages_fit_a_phone_and_ask_nobody_for_anything(site: Path, open_page: OpenPage) -> None:
    page = open_page(site / PAGES[0], width_px=360, scheme="dark")
    for name in PAGES:
        page.goto((site / name).as_uri())
        assert_no_sideways_scroll(page)
    assert len(watch_of(page).requests) > len(PAGES)
    assert_no_network(page)
    assert_no_errors(page)
    assert_accessible(page)  # last, for axe asks for the page's styles once more


def test_search_answers_without_a_server_and_leads_to_a_page(site: Path, open_page: OpenPage) -> None:
    page = open_page(site / "index.html", width_px=1440)
    page.keyboard.press("s")  # the theme's key for the search
    page.keyboard.type("surrogate")
    found = page.locator(".md-search-result__link").first
    found.wait_for(state="visible", timeout=20_000)
    title = found.locator("h1, h2").first.inner_text()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/*surrogate*", timeout=20_000)
    assert "surrogate" in title.lower()
    assert_no_network(page)
    assert_no_errors(page)
    page.goto((site / "guides" / "new-sample-type.html").as_uri())
    assert_accessible(page)
