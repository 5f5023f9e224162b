"""The part of a large file that is in memory while it is read from front to back."""

import re
from io import FileIO
from pathlib import Path

from instructgen.errors import InstructgenError

MAX_VALUE_BYTES = 1 << 26  # the largest genuine COCO record, a crowd's mask, has under 100 KB

_NOT_SPACE = re.compile(rb"[^ \t\n\r]")


class Window:
    """The part of the file that is in memory: `text`, of which the part before `at` is done with.

    The last character that is done with is kept, so that a reader can put a bracket there (json_stream).
    """

    def __init__(self, file: FileIO, path: Path, block_bytes: int) -> None:
        self.file = file
        self.path = path
        self.block_bytes = block_bytes
        self.text = bytearray()
        self.at = 0
        self.dropped_bytes = 0

    def grow(self) -> bool:
        """Forget what is done with and read on, more each time nothing was done with; False at the file's end."""
        first = max(self.at - 1, 0)
        num_kept = len(self.text) - first
        if num_kept > MAX_VALUE_BYTES:
            raise self.error(f"one value is longer than {MAX_VALUE_BYTES >> 20} MB; a quote is missing or lost")
        text = bytearray(num_kept + max(self.block_bytes, num_kept))
        text[:num_kept] = memoryview(self.text)[first:]
        with memoryview(text) as view:
            num_read = self.file.readinto(view[num_kept:])
        del text[num_kept + num_read :]
        self.dropped_bytes += first
        self.text, self.at = text, self.at - first
        return num_read > 0

    @property
    def end_byte(self) -> int:
        """How much of the file has been read."""
        return self.dropped_bytes + len(self.text)

    def error(self, what: str, at: int | None = None) -> InstructgenError:
        offset = self.dropped_bytes + (self.at if at is None else at)
        return InstructgenError(f"{self.path} byte {offset}: {what}")

    def truncated(self) -> InstructgenError:
        return InstructgenError(f"{self.path} ends too early, at byte {self.end_byte}; copy or download it again")

    def shown(self) -> str:
        """What stands here, for a message."""
        while len(self.text) - self.at < 20 and self.grow():
            pass
        return repr(self.text[self.at : self.at + 20].decode("utf-8", "replace"))

    def peek(self) -> bytes:
        """Move to the next character that is not white space and return it; empty at the file's end."""
        while not (found := _NOT_SPACE.search(self.text, self.at)):
            self.at = len(self.text)
            if not self.grow():
                return b""
        self.at = found.start()
        return bytes(self.text[self.at : self.at + 1])

    def expect(self, allowed: bytes, place: str) -> bytes:
        """Step over one of the allowed characters and return it."""
        found = self.peek()
        if not found:
            raise self.truncated()
        if found not in allowed:
            wanted = " or ".join(chr(character) for character in allowed)
            raise self.error(f"not JSON: wants {wanted} {place}, found {self.shown()}")
        self.at += 1
        return found

    def take_match(self, pattern: re.Pattern[bytes]) -> bytes:
        """Return what matches here, read to its end, and step over it."""
        while not (found := pattern.match(self.text, self.at)) or found.end() == len(self.text):
            if not self.grow():
                raise self.truncated()
        self.at = found.end()
        return found[0]
