"""What the lines of a live display are made of: bars, numbers, parts that fit."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

Part = tuple[str, str]
"""A text, harmless already, and its style."""

_LABEL_CELLS = 9
_THOUSAND = 10_000  # from here on a number is shown with three digits and a letter
_EIGHTHS = " ▏▎▍▌▋▊▉"
_SPINS_PER_S = 4


@dataclass(frozen=True, slots=True)
class Marks:
    """The signs that lines are drawn with: some terminals have ASCII alone."""

    is_ascii: bool = False

    @property
    def end(self) -> str:
        """What stands for a text's rest."""
        return "..." if self.is_ascii else "…"

    @property
    def done(self) -> str:
        return "+" if self.is_ascii else "✓"

    def spin(self, now_s: float) -> str:
        signs = "|/-\\" if self.is_ascii else "⠋⠙⠸⠴⠦⠇"
        return signs[int(now_s * _SPINS_PER_S) % len(signs)]


def make_line(parts: Sequence[Part], width: int, marks: Marks) -> Text:
    """Return the parts as one line of at most `width` cells."""
    line = Text.assemble(*parts, no_wrap=True, end="")
    if line.cell_len > width:
        line.truncate(max(0, width - len(marks.end)))
        line.append(marks.end[:width])
    return line


def make_labelled(label: str, parts: Sequence[Part], width: int, marks: Marks) -> Text:
    """Return a line that begins with what it is about; parts at the end that do not fit are left out."""
    fitted = fit_parts(parts, width - _LABEL_CELLS, "  ")
    return make_line([(f"{label:<{_LABEL_CELLS}}", "dim"), *fitted], width, marks)


def spread_line(left: Sequence[Part], right: Part, width: int, marks: Marks) -> Text:
    """Put the two at both ends; the left one is cut where they do not fit."""
    room = max(0, width - cell_len(right[0]) - 2)
    line = make_line(left, room, marks)
    line.append(" " * (room + 2 - line.cell_len))
    line.append(*right)
    return line if line.cell_len <= width else make_line([right], width, marks)


def fit_parts(parts: Sequence[Part], width: int, gap: str) -> list[Part]:
    """Return the first part and as many after it as fit, with the gap between them."""
    fitted: list[Part] = []
    used = 0
    for part in parts:
        size = cell_len(part[0]) + (len(gap) if fitted else 0)
        if fitted and used + size > width:
            break
        fitted += [(gap, ""), part] if fitted else [part]
        used += size
    return fitted


def draw_bar(share: float, num_cells: int, marks: Marks) -> list[Part]:
    """Return a bar that is filled for a share, 0 to 1; it can be read without colour."""
    num_full = int(max(0.0, min(1.0, share)) * num_cells)
    full, rest = ("=", "-") if marks.is_ascii else ("━", "┈")
    return [(full * num_full, "green"), (rest * (num_cells - num_full), "dim")]


def draw_block(share: float, num_cells: int, marks: Marks) -> str:
    """Return a solid bar as long as its share, 0 to 1, of the cells; never nothing, for nothing has no bar."""
    eighths = max(1, round(share * num_cells * 8))
    if marks.is_ascii:
        return "#" * max(1, eighths // 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def show_number(number: float) -> str:
    """Return 9,999 as it is, 12.3k, 4.56M; digits after the point only below a hundred."""
    if number < _THOUSAND:
        return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:.1f}"
    for letter in "kMG":
        number /= 1000
        if number < 1000 or letter == "G":
            break
    return f"{number:.3g}{letter}" if number < 1000 else f"{number:,.0f}{letter}"


def show_usd(usd: float) -> str:
    return f"${usd:.4f}" if usd < 1 else f"${usd:,.2f}"


def show_time(seconds: float) -> str:
    """Return 0:07, 12:34, 3:07:00 or, from a hundred hours on, days."""
    whole = int(seconds)
    if whole >= 360_000:
        return f"{whole / 86_400:.0f} days"
    minutes, rest = divmod(whole, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
