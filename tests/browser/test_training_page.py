"""The reports of training and of evaluation in a browser: every width, both themes, the keyboard, hostile text."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from instructgen.config import SourceConfig
from instructgen.evaluate.results import Model
from instructgen.jobs.evaluate import EvaluateOptions, Evaluation
from instructgen.student.ask import Ask
from tests.browser.conftest import (
    WIDTHS_PX,
    OpenPage,
    assert_accessible,
    assert_no_errors,
    assert_no_network,
    assert_no_sideways_scroll,
)
from tests.support.students import ScriptedStudent

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = (
    "Yes, a dog sits there. </div></details></script><script>document.title = 'stolen'</script>"
    "<img src='http://127.0.0.1:9/x' onerror='document.title = \"stolen\"'>" + "no-break" * 60
)
DRAWN = "html[data-charts=drawn]"


@pytest.fixture(scope="module")
def evaluation(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of a student whose every answer is hostile, and who fails at some."""

    def speak(ask: Ask) -> str | None:
        return None if "cat" in ask.turns[-1].content else HOSTILE

    options = EvaluateOptions(
        ("pope", "chair", "qa"), tmp_path_factory.mktemp("evaluation"), SourceConfig(), limit=8, batch=1
    )
    done = Evaluation(options)
    done.run(ScriptedStudent(speak), Model("a <b>model</b>", "0" * 64))
    assert done.report is not None
    return done.report


@pytest.fixture(scope="module")
def training(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("transformers", reason="transformers is not installed")
    from instructgen.jobs.training import train
    from tests.support.training import make_options
    from tests.support.training_kills import QuietWatch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    options = make_options(tmp_path_factory.mktemp("training"), "run", train={"steps": 12}, rows={"max_tokens": 88})
    train(replace(options, recipe_notes={"train.steps": HOSTILE, "rows.batch": "a paper, table 5"}), QuietWatch())
    torch.set_num_threads(before)
    return options.out / "report.html"


def check_page(page: "Page") -> None:
    page.wait_for_selector(DRAWN)
    assert_no_sideways_scroll(page)
    assert page.title() != "stolen"
    assert page.locator("figure[data-chart] canvas").count() == page.locator("figure[data-chart]").count() > 0
    assert_no_network(page)
    assert_no_errors(page)


@pytest.mark.parametrize(
    ("width_px", "scheme"), [(WIDTHS_PX[0], "light"), (WIDTHS_PX[1], "dark"), (WIDTHS_PX[2], "light")]
)
def test_evaluation_stays_in_its_window_and_runs_nothing_of_an_answer(
    open_page: OpenPage, evaluation: Path, width_px: int, scheme: str
) -> None:
    page = open_page(evaluation, width_px, scheme)
    check_page(page)
    assert page.locator("article.panel img").count() > 20
    assert page.locator("article .said img, article .said script").count() == 0
    assert page.get_by_role("heading", level=1).inner_text() == "Evaluation of a <b>model</b>"
    if width_px == WIDTHS_PX[0]:
        assert_accessible(page)


def test_evaluation_is_walked_through_by_keys(open_page: OpenPage, evaluation: Path) -> None:
    page = open_page(evaluation, WIDTHS_PX[1])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    group = page.locator("#suite-3 details").last
    assert not group.locator("article").first.is_visible()
    group.locator("summary").focus()
    page.keyboard.press("Enter")
    assert group.locator("article").first.is_visible()
    mark = page.locator("mark.contradicted").first
    evidence = page.locator(f"#{mark.get_attribute('aria-describedby')}")
    assert not evidence.is_visible()
    mark.focus()
    assert evidence.is_visible()
    assert "no box of dog" in evidence.inner_text()
    page.keyboard.press("Escape")
    assert not evidence.is_visible()


def test_numbers_behind_the_bars_are_in_the_page_with_their_errors(open_page: OpenPage, evaluation: Path) -> None:
    page = open_page(evaluation, WIDTHS_PX[1])
    figure = page.locator("#suite-3 figure").first
    summary = figure.locator("summary")
    summary.focus()
    page.keyboard.press("Enter")
    head = figure.locator("thead th").all_inner_texts()
    assert head == ["", "with its picture", "with another picture", "with an image of zeros", "chance"]
    cells = figure.locator("tbody tr").first.locator("td").all_inner_texts()
    assert cells[0] == "all"
    assert all("±" in cell for cell in cells[1:])
    failures = page.locator("#suite-1 .wide", has_text="reason").first
    assert failures.locator("td.num").first.inner_text() != "0"


@pytest.mark.parametrize(("width_px", "scheme"), [(WIDTHS_PX[0], "dark"), (WIDTHS_PX[2], "light")])
def test_training_stays_in_its_window_and_shows_all_curves(
    open_page: OpenPage, training: Path, width_px: int, scheme: str
) -> None:
    page = open_page(training, width_px, scheme)
    check_page(page)
    titles = page.locator("#curves figcaption strong").all_inner_texts()
    assert titles == ["Loss", "Learning rate", "Norm of the gradient", "Throughput"]
    assert "14 turns were left out" in page.locator("#dropped").inner_text()
    assert page.locator("#recipe td", has_text="a paper, table 5").is_visible()
    if width_px == WIDTHS_PX[0]:
        assert_accessible(page)


def test_theme_is_switched_by_key_and_the_curves_follow(open_page: OpenPage, training: Path) -> None:
    page = open_page(training, WIDTHS_PX[1])
    page.wait_for_selector(DRAWN)
    canvas = page.locator("#curves canvas").first
    light = canvas.evaluate("one => one.toDataURL()")
    button = page.locator("[data-set-theme]")
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert button.inner_text() == "Theme: dark"
    assert page.locator("#curves canvas").first.evaluate("one => one.toDataURL()") != light
    page.locator("#curves summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#curves table").first.locator("tbody tr").count() == 12
