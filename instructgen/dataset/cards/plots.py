"""Small plots of a version as SVG text, for its card: types, lengths of answers, reasons of rejections.

Each brings its own ground and inks, and others where the reader's system is dark, so that it can be read on either.
"""

from collections.abc import Mapping, Sequence
from html import escape

from instructgen.dataset.cards.statistics import Lengths, Statistics
from instructgen.dataset.manifest import Counts, Manifest

FOLDER = "assets"
_WIDTH = 720
_LABEL_WIDTH = 190
_BAR_HEIGHT, _BAR_STEP = 18, 28
_HEAD_HEIGHT = 44
_PAD = 16
_CHAR_WIDTH = 7.0  # of the 12 px letters, wide ones counted in
_MAX_REASONS = 15
_NUM_BINS = 30
_PANEL_HEIGHT, _PANEL_GAP = 96, 46
_TAIL_SHARE = 0.01  # what is longer than all but this share is drawn in the last bin

_STYLE = """
.ground{fill:#ffffff}.line{stroke:#d0d7de}.text{fill:#1f2328}.soft{fill:#59636e}
.a{fill:#1a7f5a}.b{fill:#c2571a}.c{fill:#6e7781}
text{font:12px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
.title{font-size:14px;font-weight:600}
@media (prefers-color-scheme:dark){
.ground{fill:#0d1117}.line{stroke:#3d444d}.text{fill:#f0f6fc}.soft{fill:#9198a1}
.a{fill:#3fb68b}.b{fill:#f0883e}.c{fill:#8b949e}}
"""


def make_plots(manifest: Manifest, statistics: Statistics) -> dict[str, str]:
    """Return SVG text by path ("assets/types.svg"); a plot of nothing is left out."""
    plots = {
        "types": plot_types(manifest.counts),
        "lengths": plot_lengths({name: found.answer_words for name, found in statistics.types.items()}),
        "reasons": plot_reasons(manifest.counts),
    }
    return {f"{FOLDER}/{name}.svg": svg for name, svg in plots.items() if svg}


def plot_types(counts: Counts) -> str:
    """Return bars of accepted, rejected and failed units by type."""
    series = (("a", "accepted", counts.accepted), ("b", "rejected", counts.rejected), ("c", "failed", counts.failed))
    rows = [
        (name, [(style, by_type.get(name, 0)) for style, _, by_type in series], f"{counts.accepted.get(name, 0):,}")
        for name in counts.planned
    ]
    legend = [(style, label) for style, label, by_type in series if any(by_type.values())]
    return _draw_bars("Units by type and outcome (the number is of accepted ones)", rows, legend)


def plot_reasons(counts: Counts) -> str:
    """Return bars of the most frequent reasons for which units were not published."""
    totals: dict[str, int] = {}
    for by_reason in counts.reasons.values():
        for reason, count in by_reason.items():
            totals[reason] = totals.get(reason, 0) + count
    ranked = sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = [(reason, [("b", count)], f"{count:,}") for reason, count in ranked[:_MAX_REASONS] if count]
    left = len(ranked) - _MAX_REASONS
    more = f" (the {_MAX_REASONS} most frequent, {left} more are not shown)" if left > 0 else ""
    return _draw_bars(f"Why units were not published{more}", rows, [])


def plot_lengths(by_type: Mapping[str, Lengths]) -> str:
    """Return a histogram of the words of answers for each type, all on one scale."""
    shown = {name: found for name, found in by_type.items() if found.num}
    if not shown:
        return ""
    ends = [_find_end(found) for found in shown.values()]
    bin_words = -(-max(*ends, 1) // _NUM_BINS)
    height = _HEAD_HEIGHT + len(shown) * (_PANEL_HEIGHT + _PANEL_GAP) - _PANEL_GAP + 15 + _PAD
    parts: list[str] = []
    top = _HEAD_HEIGHT
    for name, found in shown.items():
        parts += _draw_histogram(name, found, bin_words, top)
        top += _PANEL_HEIGHT + _PANEL_GAP
    title = f"Words of an answer, by type ({bin_words} a bar, the last bar is open)"
    return _frame(title, height, parts)


def _find_end(found: Lengths) -> int:
    """Return the number of words that all but a small share of the texts stay below."""
    left = int(found.num * _TAIL_SHARE)
    for words, count in reversed(found.counts.items()):
        left -= count
        if left < 0:
            return int(words) + 1
    return 1


def _draw_histogram(name: str, found: Lengths, bin_words: int, top: int) -> list[str]:
    bins = [0] * _NUM_BINS
    for words, count in found.counts.items():
        bins[min(int(words) // bin_words, _NUM_BINS - 1)] += count
    base, width = top + _PANEL_HEIGHT, (_WIDTH - 2 * _PAD) / _NUM_BINS
    said = f"{found.num:,} answers, median {found.median:,} words, longest {found.high:,}"
    parts = [_text(_PAD, top + 12, name, "text", 250), _text(_WIDTH - _PAD, top + 12, said, "soft", 400, "end")]
    for number, count in enumerate(bins):
        if count:
            bar = max(1.0, count / max(bins) * (_PANEL_HEIGHT - 24))
            hint = f"{number * bin_words} to {(number + 1) * bin_words - 1} words: {count:,}"
            parts.append(_bar(_PAD + number * width, base - bar, width - 2, bar, "a", hint))
    parts.append(_line(_PAD, base, _WIDTH - _PAD, base))
    for number in range(0, _NUM_BINS + 1, 10):
        label = f"{number * bin_words:,}" + ("+" if number == _NUM_BINS else "")
        anchor = {0: "start", _NUM_BINS: "end"}.get(number, "middle")
        parts.append(_text(_PAD + number * width, base + 15, label, "soft", 100, anchor))
    return parts


def _draw_bars(
    title: str, rows: Sequence[tuple[str, list[tuple[str, int]], str]], legend: Sequence[tuple[str, str]]
) -> str:
    """Return stacked bars: each row has a label, its pieces' styles and numbers, and what stands behind it."""
    longest = max((sum(number for _, number in pieces) for _, pieces, _ in rows), default=0)
    if not longest:
        return ""
    left, right = _PAD + _LABEL_WIDTH, _WIDTH - _PAD - 70
    top = _HEAD_HEIGHT + (22 if legend else 0)
    parts = _draw_legend(legend, _HEAD_HEIGHT)
    for label, pieces, said in rows:
        middle = top + _BAR_HEIGHT - 5
        parts.append(_text(left - 8, middle, label, "text", _LABEL_WIDTH - 8, "end"))
        at = float(left)
        for style, number in pieces:
            if number:
                width = number / longest * (right - left)
                parts.append(_bar(at, top, max(width, 1.0), _BAR_HEIGHT, style, f"{label}: {number:,}"))
                at += width
        parts.append(_text(at + 6, middle, said, "soft", 100))
        top += _BAR_STEP
    return _frame(title, top + _PAD // 2, parts)


def _draw_legend(legend: Sequence[tuple[str, str]], top: int) -> list[str]:
    parts: list[str] = []
    at = _PAD + _LABEL_WIDTH
    for style, label in legend:
        parts += [_bar(at, top - 2, 12, 12, style, label), _text(at + 17, top + 9, label, "soft", 100)]
        at += 17 + round(len(label) * _CHAR_WIDTH) + 16
    return parts


def _frame(title: str, height: int, parts: Sequence[str]) -> str:
    ground = f'<rect class="ground" width="{_WIDTH}" height="{height}" rx="6"/>'
    head = _text(_PAD, 26, title, "text title", _WIDTH - 2 * _PAD)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" role="img" aria-label="{escape(title)}">'
    )
    return "\n".join([opening, f"<style>{_STYLE}</style>", ground, head, *parts, "</svg>", ""])


def _bar(x: float, y: float, width: float, height: float, style: str, hint: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{style}" {place}><title>{_clean(hint)}</title></rect>'


def _line(x0: float, y0: float, x1: float, y1: float) -> str:
    return f'<line class="line" x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}"/>'


def _text(x: float, y: float, text: str, style: str, width: float, anchor: str = "start") -> str:
    """Return a text that is cut where it would pass the width; the whole is shown on pointing."""
    max_chars = int(width / _CHAR_WIDTH)
    shown = text if len(text) <= max_chars else text[: max_chars - 1] + "…"
    hint = f"<title>{_clean(text)}</title>" if shown != text else ""
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_clean(shown)}{hint}</text>'


def _clean(text: str) -> str:
    """Return the text as XML takes it: without controls, which no escape makes well-formed."""
    return escape("".join(char if char.isprintable() else " " for char in text))
