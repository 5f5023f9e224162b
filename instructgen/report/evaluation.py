"""report.html of an evaluation: one page that needs nothing but itself."""

import io
from collections.abc import Iterable
from pathlib import Path

from instructgen.dataset.pictures import PICTURE_FORMATS
from instructgen.disk import replace_text
from instructgen.evaluate.questions import ShownAnswer
from instructgen.pages.render import render_static
from instructgen.report.error_bars import Measured
from instructgen.report.evaluation_facts import EvaluationFacts, collect_evaluation
from instructgen.report.evaluation_suites import GAIN, main_score, view_suite
from instructgen.report.names import REPORT_NAME, RUN_NAME

_NAME_IN_RUN = "evaluation.html"  # a run of training has a report.html of its own
MOST_PICTURE_BYTES = 8_000_000  # of 15 MB in all: base64 makes 10.7 of them, and ECharts takes 1.1


def write_evaluation_report(folder: Path) -> Path:
    """Write OUT/report.html of what the folder holds now, and return its path.

    Raises InstructgenError where it holds no evaluation.
    """
    path = folder / (_NAME_IN_RUN if (folder / RUN_NAME).is_file() else REPORT_NAME)
    replace_text(path, make_evaluation_page(collect_evaluation(folder)))
    return path


def make_evaluation_page(facts: EvaluationFacts) -> str:
    sizes, num_left_out = choose_pictures(
        (one for suite in facts.suites for one in suite.answers), MOST_PICTURE_BYTES
    )
    tiles = []
    for suite in facts.suites:
        name, score, digits = main_score(suite)
        about = f"{suite.parts[0].num_samples:,} samples"
        tiles.append(_make_tile(f"{suite.name}: {name.replace('_', ' ')}", score, digits, about))
        if GAIN in suite.parts[0].scores:
            gain = suite.parts[0].scores[GAIN]
            tiles.append(_make_tile(f"{suite.name}: gain", gain, digits, "over the best blind control"))
    suites = [view_suite(suite, sizes) for suite in facts.suites]
    return render_static(
        "report/evaluation.html",
        has_charts=any(suite.charts for suite in suites),
        model=facts.model,
        tiles=tiles,
        suites=suites,
        num_pictures_left_out=num_left_out,
    )


def _make_tile(name: str, score: Measured, digits: int, about: str) -> tuple[str, str, str]:
    value, _, spread = score.say(digits).partition("±")
    return name, value.strip(), f"± {spread.strip()}, {about}" if spread else about


def choose_pictures(answers: Iterable[ShownAnswer], most_bytes: int) -> tuple[dict[bytes, tuple[int, int]], int]:
    """Return the thumbnails that fit with their sizes in pixels, and how many do not; one that many share is one."""
    sizes: dict[bytes, tuple[int, int]] = {}
    num_bytes = num_left_out = 0
    for one in answers:
        if not one.picture:
            continue
        size = sizes.get(one.picture) or _find_size(one.picture)
        # Each is in the page as often as it is shown.
        if size is None or num_bytes + len(one.picture) > most_bytes:
            num_left_out += 1
            continue
        num_bytes += len(one.picture)
        sizes[one.picture] = size
    return sizes, num_left_out


def _find_size(picture: bytes) -> tuple[int, int] | None:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture), formats=PICTURE_FORMATS) as image:
            return image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
