"""A progress bar on stderr, where somebody looks."""

import sys
from types import TracebackType
from typing import NoReturn, Self

from tqdm import tqdm


class Bar:
    """Counts steps; shown on a terminal only, and gone when it ends."""

    def __init__(self, what: str, total: int | None, *, is_shown: bool) -> None:
        self._bar: tqdm[NoReturn] = tqdm(
            total=total, desc=what, file=sys.stderr, leave=False, disable=not (is_shown and sys.stderr.isatty())
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def tell(self, _what: str) -> None:
        """Count one more."""
        self._bar.update()

    def reach(self, done: int, total: int | None = None) -> None:
        """Show that so many of all are done."""
        if total is not None:
            self._bar.total = total
        self._bar.update(done - self._bar.n)
