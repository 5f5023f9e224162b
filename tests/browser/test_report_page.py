"""The report of a build as people meet it: by eye, by keyboard, on a phone, with hostile texts in it."""

from pathlib import Path

import pytest

from instructgen.report.write import ReportOptions, write_report
from tests.browser.conftest import (
    WIDTHS_PX,
    assert_accessible,
    assert_no_errors,
    assert_no_network,
    assert_no_sideways_scroll,
)
from tests.support.reports import Annotations, make_dataset, make_picture


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    version = make_dataset(folder / "out", make_picture())
    write_report(version, ReportOptions(out=folder / "report.html", source=Annotations()), print)
    return folder / "report.html"


def test_report_fits_every_width_and_passes_axe_in_both_themes(open_page, report: Path) -> None:
    page = open_page(report, WIDTHS_PX[0])
    assert page.locator(".chart:has(canvas)").count() == page.locator("figure[data-chart]").count() > 5
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    for width_px in WIDTHS_PX:
        page.set_viewport_size({"width": width_px, "height": 900})
        assert_no_sideways_scroll(page)
    assert_accessible(page)
    page.emulate_media(color_scheme="dark")
    assert_accessible(page)
    assert_no_network(page)
    assert_no_errors(page)


def test_planted_script_does_not_run_and_the_policy_would_stop_it(open_page, report: Path, tmp_path: Path) -> None:
    page = open_page(report)
    assert page.title() != "stolen"
    assert "document.title = 'stolen'" in page.locator("#gallery").inner_text()
    assert page.locator("img[src='x']").count() == 0
    assert_no_errors(page)
    # As if an escape were forgotten: the policy alone still stops the script and the handler.
    html = report.read_text(encoding="utf-8")
    planted = "<script>document.title = 'stolen'</script><img src='data:,' onerror=\"document.title='stolen'\">"
    (tmp_path / "planted.html").write_text(html.replace("</main>", f"{planted}</main>"), encoding="utf-8")
    page = open_page(tmp_path / "planted.html")
    page.wait_for_timeout(100)
    assert page.title() != "stolen"


def test_evidence_opens_by_keyboard_lights_its_boxes_and_closes(open_page, report: Path) -> None:
    page = open_page(report, 360)
    claim = page.locator("#gallery mark.contradicted").first
    evidence = page.locator(f"#{claim.get_attribute('aria-describedby')}")
    assert not evidence.is_visible()
    page.locator("#gallery .chip").first.focus()
    while page.evaluate("document.activeElement.matches('mark.contradicted')") is False:
        page.keyboard.press("Tab")
    assert evidence.is_visible()
    assert "no box of cat" in evidence.inner_text()
    box = evidence.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    page.keyboard.press("Escape")
    assert not evidence.is_visible()
    page.set_viewport_size({"width": 1440, "height": 900})
    claim = page.locator("#gallery mark.contradicted", has_text="a cat").first
    claim.hover()
    below = page.locator(f"#{claim.get_attribute('aria-describedby')}").bounding_box()
    words = claim.bounding_box()
    assert words is not None
    assert below is not None
    assert abs(below["x"] - words["x"]) < 2
    assert 0 <= below["y"] - (words["y"] + words["height"]) < 8
    supported = page.locator("#gallery mark.supported[data-subjects='dog']").first
    supported.focus()
    sample = supported.locator("xpath=ancestor::article")
    assert sample.locator("g.lit").evaluate_all("all => all.map(one => one.dataset.label)") == ["dog"]


def test_boxes_go_and_come_by_key_and_button(open_page, report: Path) -> None:
    page = open_page(report)
    box = page.locator("#gallery g[data-label='dog']").first
    button = page.locator("[data-set-boxes]")
    assert (box.is_visible(), button.get_attribute("aria-pressed")) == (True, "true")
    page.keyboard.press("b")
    assert (box.is_visible(), button.get_attribute("aria-pressed")) == (False, "false")
    button.focus()
    page.keyboard.press("Enter")
    assert (box.is_visible(), button.get_attribute("aria-pressed")) == (True, "true")
    chip = page.locator("#gallery .chip", has_text="sports ball").first
    chip.press("Space")
    sample = page.locator("#gallery .sample").first
    assert chip.get_attribute("aria-pressed") == "true"
    assert sample.locator("g.lit").evaluate_all("all => all.map(one => one.dataset.label)") == ["sports ball"]


def test_theme_switch_changes_page_and_charts(open_page, report: Path) -> None:
    page = open_page(report)
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    drawn = page.evaluate("document.querySelector('figure canvas').toDataURL()")
    switch = page.locator("[data-set-theme]")
    assert switch.inner_text() == "Theme: auto"
    switch.press("Enter")
    switch.press("Enter")
    assert switch.inner_text() == "Theme: dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    assert page.evaluate("document.querySelector('figure canvas').toDataURL()") != drawn
    page.reload()
    assert page.locator("[data-set-theme]").inner_text() == "Theme: dark"
