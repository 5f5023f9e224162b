"""Draws a running build on a terminal, on lines that are drawn again some times a second."""

import math
import sys

from rich.console import Console
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType
from rich.text import Text

from instructgen.cli.live_layout import View, make_lines
from instructgen.cli.live_parts import Marks
from instructgen.cli.progress_counts import BuildCounts
from instructgen.cli.terminal_text import clean_text
from instructgen.records import Sample

_FRAMES_PER_S = 4
_SAMPLE_S = 3.0  # long enough to read a question and an answer


class LiveDisplay:
    """Draws from a thread of its own, which only reads the counts. The last drawing stays on the screen."""

    def __init__(self, counts: BuildCounts, title: str, console: Console | None = None) -> None:
        self._counts = counts
        self._title = title
        self._console = console or Console(file=sys.stderr, force_terminal=True, highlight=False)
        self._marks = Marks(is_ascii=not self._console.encoding.lower().startswith("utf"))
        self._started_s = counts.now()
        self._sample: Sample | None = None
        self._sample_since_s = -math.inf
        self._drawn_cells: list[int] = []
        self._is_over = False
        self._live = Live(
            console=self._console,
            get_renderable=self._draw,
            refresh_per_second=_FRAMES_PER_S,
            redirect_stdout=False,  # it may go to a file, and what is drawn goes to stderr
            vertical_overflow="crop",
        )

    def start(self) -> None:
        """Begin to draw, or go on."""
        if not self._live.is_started:
            self._live.start(refresh=True)

    def say(self, text: str) -> None:
        """Print something above what is drawn."""
        if self._live.is_started:
            self._live.refresh()  # the terminal may have another width by now
        self._console.print(Text("\n".join(clean_text(line) for line in text.splitlines())))

    def close(self) -> None:
        """Draw what the build came to, and give the terminal back."""
        self._is_over = True
        self._live.stop()

    def _draw(self) -> Text:
        now_s, (width, height) = self._counts.now(), self._console.size
        self._erase_wrapped(width)
        if self._counts.latest is not self._sample and now_s - self._sample_since_s >= _SAMPLE_S:
            self._sample, self._sample_since_s = self._counts.latest, now_s
        view = View(self._title, self._started_s, now_s, self._sample, self._is_over)
        # A full line wraps in some terminals, and a full screen scrolls.
        lines = make_lines(self._counts, view, max(1, width - 1), max(1, height - 1), self._marks)
        self._drawn_cells = [line.cell_len for line in lines]
        return Text("\n", no_wrap=True, overflow="crop", end="").join(lines)

    def _erase_wrapped(self, width: int) -> None:
        """Erase the lines that a terminal has made of ours by becoming narrower; it is unknown to rich."""
        num_more = sum((cells - 1) // width for cells in self._drawn_cells if cells > width)
        if num_more:
            erase_up = ((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2))
            self._console.control(Control((ControlType.ERASE_IN_LINE, 2), *erase_up * num_more))
