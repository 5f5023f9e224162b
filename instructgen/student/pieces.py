"""From tokens to text, piece by piece: no half characters, nothing of a stop, no white space at the ends."""

from collections.abc import Callable, Sequence

_HALF = "\ufffd"  # what tokenizers write for bytes that are no whole character (yet)


class Pieces:
    """Takes tokens and gives the text that is certain by now. The pieces joined are `text`.

    `decode` turns tokens into text; `stops` are texts that end the answer and do not belong to it.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], stops: Sequence[str] = ()) -> None:
        self._decode = decode
        self._stops = [stop for stop in stops if stop]
        self._longest = max(map(len, self._stops), default=0)
        self._ids: list[int] = []
        self._starts: list[int] = []
        self._raw = ""
        # A window over the last tokens: decoding all of them for each new one would take time in its square.
        self._from = self._to = 0
        self._given = 0
        self._searched = 0
        self._end: int | None = None

    def is_stopped(self) -> bool:
        """Return whether a stop has been found."""
        return self._end is not None

    @property
    def text(self) -> str:
        """The answer as far as it has been given."""
        return self._raw[: self._given].strip()

    @property
    def num_tokens(self) -> int:
        """How many tokens took part in the text before the stop, white space included."""
        end = self._end
        return len(self._ids) if end is None else sum(start < end for start in self._starts)

    def push(self, token: int) -> str:
        """Return what can be shown now that this token is there."""
        assert not self.is_stopped(), "a token came after the stop"
        self._ids.append(token)
        self._starts.append(len(self._raw))
        before = self._decode(self._ids[self._from : self._to])
        after = self._decode(self._ids[self._from :])
        if len(after) > len(before) and not after.endswith(_HALF):
            self._raw += after[len(before) :]
            self._from, self._to = self._to, len(self._ids)
        self._find_stop()
        return self._give(len(self._raw) - self._held())

    def finish(self) -> str:
        """Return what was held back; bytes that never became a character are dropped."""
        if not self.is_stopped():
            before = self._decode(self._ids[self._from : self._to])
            self._raw += self._decode(self._ids[self._from :])[len(before) :].rstrip(_HALF)
            self._from = self._to = len(self._ids)
            self._find_stop()
        return self._give(len(self._raw))

    def _find_stop(self) -> None:
        start = max(0, self._searched - self._longest + 1)
        found = [place for stop in self._stops if (place := self._raw.find(stop, start)) >= 0]
        self._searched = len(self._raw)
        if found:
            self._end = min(found)

    def _held(self) -> int:
        """Return how many characters at the end may be the beginning of a stop."""
        longest = 0
        for stop in self._stops:
            for length in range(min(len(stop) - 1, len(self._raw)), longest, -1):
                if self._raw.endswith(stop[:length]):
                    longest = length
                    break
        return longest

    def _give(self, end: int) -> str:
        if self._end is not None:
            end = self._end
        if not self._raw[: self._given].strip():
            self._given += len(self._raw[self._given : end]) - len(self._raw[self._given : end].lstrip())
        end = max(self._given, len(self._raw[:end].rstrip()))  # white space waits for what follows it
        piece = self._raw[self._given : end]
        self._given = end
        return piece
