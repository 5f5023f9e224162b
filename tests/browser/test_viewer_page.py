"""The viewer in a browser: keys, filters without a reload, what a policy stops, three widths, light and dark."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from instructgen.jobs.review import Evidence, find_reviewed
from instructgen.review.decisions import read_decisions
from tests.browser.conftest import (
    WIDTHS_PX,
    OpenPage,
    assert_accessible,
    assert_no_errors,
    assert_no_network,
    assert_no_sideways_scroll,
)
from tests.support.coco_folder import make_coco
from tests.support.versions import make_row_of
from tests.support.viewer import make_picture, viewing, write_store

pytest.importorskip("duckdb", reason="the viewer's extra is not installed")
pytest.importorskip("uvicorn", reason="the viewer's extra is not installed")

from instructgen.viewer.serve import ViewServer

if TYPE_CHECKING:
    from playwright.sync_api import Page

PLANTED = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
LONG = "An answer that is long enough to be wrapped at every width, about a dog and a ball in the park. " * 3
NUM_ROWS = 40


class Served:
    """A server in a thread of this process."""

    def __init__(self, server: ViewServer, first_path: str) -> None:
        self.base, self.start = server.base, server.address(first_path)
        self.word = server.address().partition("?")[2]

    def address(self, path: str) -> str:
        return f"{self.base}{path}{'&' if '?' in path else '?'}{self.word}"


@contextmanager
def serving(*versions: Path, **options: Any) -> Iterator[Served]:
    with viewing(*versions, **options) as view:
        server = ViewServer(view.app, 0, view.token)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        while not server.server.started:
            time.sleep(0.01)
        yield Served(server, view.first_path)
        server.server.should_exit = True
        thread.join(10)


def make_dataset(folder: Path) -> Path:
    rows = []
    for number in range(10, 10 + NUM_ROWS):
        pairs = [("What is there?", f"There is a dog beside a zebra, number {number}."), ("And?", LONG)]
        if number == 11:
            pairs = [(f"Is it {PLANTED}?", f"It is {PLANTED}")]
        row = make_row_of(
            number, ("conv", "detail")[number % 2], pairs, make_picture((number * 4, 90, 140), side_px=160)
        )
        rows.append({**row, "scores": {"grounding": number / 100}})
    line = {"unit_id": f"x/{PLANTED}", "outcome": "rejected", "stage": "filter", "reason": "too_short",
            "detail": PLANTED, "image_id": "x", "sample_type": "conv", "text": PLANTED}  # fmt: skip
    write_store(folder, rows, rejected=json.dumps(line).encode() + b"\n", config={"source": {"split": "val2017"}})
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("viewer")


@pytest.fixture(scope="module")
def served(browser: object, folder: Path) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        make_coco(folder / "coco", NUM_ROWS)
        dataset = make_dataset(folder / "ds")
        with serving(dataset, evidence=Evidence(root=folder / "coco")) as found:
            yield found


def check(page: "Page", served: Served) -> None:
    assert_no_errors(page)
    assert_no_network(page, allowed=served.base)


def test_list_fits_each_width_and_is_accessible(served: Served, open_page: OpenPage) -> None:
    for width_px, scheme in zip(WIDTHS_PX, ("light", "dark", "light"), strict=True):
        page = open_page(served.address("/?q=dog&sort=doubt"), width_px, scheme)
        assert page.title() == "a test, version " + page.title()[-12:]
        assert page.locator("a.card").count() == 24
        assert page.evaluate("[...document.images].filter(one => one.complete && !one.naturalWidth).length") == 0
        assert_no_sideways_scroll(page)
        check(page, served)
        if scheme == "dark":
            assert_accessible(page)


def test_sample_fits_each_width_and_is_accessible(served: Served, open_page: OpenPage) -> None:
    for width_px, scheme in zip(WIDTHS_PX, ("dark", "light", "dark"), strict=True):
        page = open_page(served.address("/sample/coco/000000000012/conv/0"), width_px, scheme)
        assert page.locator("main img").evaluate("one => one.naturalWidth") == 160
        assert page.locator("mark.claim.contradicted").first.inner_text() == "a zebra"
        assert_no_sideways_scroll(page)
        check(page, served)
        if scheme == "light":
            assert_accessible(page)


def test_planted_script_is_shown_and_never_run(served: Served, open_page: OpenPage) -> None:
    for path in ("/?outcome=all&image=coco/000000000011", "/sample/coco/000000000011/detail/0", "/?outcome=rejected"):
        page = open_page(served.address(path))
        assert page.title() != "taken"
        assert "<script>document.title" in page.locator("main").inner_text()
        check(page, served)
    page.locator("a.card").click()
    page.wait_for_url("**/sample/x/**")
    assert page.title() != "taken"
    # Even an element that got in would be stopped by the policy.
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=x onerror=\"document.title=1\">')"
    )
    page.evaluate(
        "document.head.appendChild(Object.assign(document.createElement('script'), {text: 'document.title = 2'}))"
    )
    page.wait_for_timeout(100)
    assert page.title() not in ("1", "2")


def test_keys_lead_through_list_pages_and_samples(served: Served, open_page: OpenPage) -> None:
    page = open_page(served.address("/?sort=doubt"), 1440)
    focus = "document.activeElement.querySelector('.name')?.textContent"
    page.keyboard.press("j")
    assert page.evaluate(focus) == "coco/000000000049/detail/0"
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate(focus) == "coco/000000000048/conv/0"
    page.keyboard.press("Enter")
    page.wait_for_url("**/sample/coco/000000000048/conv/0?sort=doubt")
    page.keyboard.press("j")
    page.wait_for_url("**/sample/coco/000000000047/**")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**/sample/coco/000000000048/**")
    page.keyboard.press("l")
    page.wait_for_url("**/?sort=doubt")
    assert page.evaluate(focus) == "coco/000000000048/conv/0"  # where one was
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**after=**")
    assert page.locator("a.card .name").first.inner_text() == "coco/000000000025/detail/0"
    page.keyboard.press("?")
    assert page.locator("dialog#keys").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("jjk?")  # typing is no key
    assert page.locator("#q").input_value() == "jjk?"
    check(page, served)


def test_filters_change_list_address_and_what_is_read_out_without_a_reload(
    served: Served, open_page: OpenPage
) -> None:
    page = open_page(served.address("/"), 1440)
    page.evaluate("window.same = true")
    page.fill("#q", "number 1")
    page.locator("#told", has_text="of 9 samples").wait_for(state="attached")  # 10, 12 to 19
    page.select_option("#type", "conv")
    page.locator("#told", has_text="of 5 samples").wait_for(state="attached")
    assert page.url.endswith("/?q=number%201&type=conv")
    assert page.evaluate("document.activeElement.id") in ("q", "type", "")
    assert page.evaluate("window.same")
    page.go_back()
    page.locator("#told", has_text="of 9 samples").wait_for(state="attached")
    assert page.locator("a.card").count() == 9
    assert page.input_value("#type") == ""
    page.go_back()  # leaving the search field, which was a change again, made no step of its own
    page.locator("#told", has_text=f"of {NUM_ROWS} samples").wait_for(state="attached")
    assert page.input_value("#q") == ""
    check(page, served)


def test_pages_work_without_scripts(served: Served, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served.address("/"))
    page.fill("#q", "number 1")
    page.locator("summary", has_text="Filters").click()
    page.select_option("#type", "conv")
    page.get_by_role("button", name="Search").click()
    assert "q=number+1" in page.url
    assert page.locator("a.card").count() == 5
    page.locator("a.card").first.click()
    page.get_by_role("link", name="Next").click()
    assert "/sample/coco/000000000012/conv/0" in page.url
    context.close()


def test_review_by_keys_stores_each_decision(
    open_page: OpenPage, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    dataset = make_dataset(tmp_path / "ds")
    with serving(dataset, is_review=True, by="ann") as served:
        page = open_page(served.start, 820)
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/000000000049/**")
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        page.keyboard.press("a")
        page.wait_for_url("**/000000000048/**")
        page.keyboard.press("r")
        assert page.evaluate("document.activeElement.name") == "own_why"
        page.keyboard.press("2")
        page.wait_for_url("**/000000000047/**")
        page.keyboard.press("r")
        page.keyboard.type("blurred 2")
        page.keyboard.press("Enter")
        page.wait_for_url("**/000000000046/**")
        page.keyboard.press("e")
        page.keyboard.press("Control+a")
        page.keyboard.type("Only a dog, a e r s u.")
        page.keyboard.press("Control+Enter")
        page.wait_for_url("**/000000000045/**")
        page.keyboard.press("s")
        page.wait_for_url("**/000000000044/**")
        page.keyboard.press("r")
        page.keyboard.press("Enter")
        page.wait_for_url("**/000000000043/**")
        page.keyboard.press("u")
        page.wait_for_url("**/000000000044/**")
        assert page.get_by_text("no decision yet").is_visible()
        check(page, served)
    lines = read_decisions(find_reviewed(dataset).folder / "ann.jsonl")
    short = [(one.sample_id.split("/")[1][-2:], one.decision, one.why) for one in lines]
    assert short == [
        ("49", "accept", ""),
        ("48", "reject", "wrong_count"),
        ("47", "reject", "blurred 2"),
        ("46", "edit", ""),
        ("44", "reject", ""),
        ("44", "undo", ""),
    ]
    assert lines[3].answers[0] == "Only a dog, a e r s u."
    assert all(one.seconds > 0 for one in lines[:5])


def test_two_versions_side_by_side_fit_and_are_accessible(
    browser: object, open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, words in (("a", "a black dog and a ball"), ("b", "a brown dog and two balls")):
        write_store(tmp_path / name, [make_row_of(1, "conv", [("What is there?", f"There is {words}. {LONG}")])])
    with serving(tmp_path / "a", tmp_path / "b") as served:
        for width_px, scheme in zip(WIDTHS_PX, ("light", "dark", "light"), strict=True):
            page = open_page(served.start, width_px, scheme)
            page.locator("a.card").click()
            assert page.locator("del").all_inner_texts() == ["black", "a ball."]
            assert page.locator("ins").all_inner_texts() == ["brown", "two balls."]
            line = page.locator("ins").first.evaluate("one => getComputedStyle(one).textDecorationLine")
            assert line == "underline"
            assert_no_sideways_scroll(page)
            check(page, served)
        assert_accessible(page)
