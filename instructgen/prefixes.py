"""What is made of the messages that all requests of a type begin with is made once."""

from collections.abc import Callable
from typing import Generic, TypeVar

from instructgen.records import Message

T = TypeVar("T")
# A build has one prefix for each type and teacher; more are no build's.
_MAX_PREFIXES = 64


class PrefixMemo(Generic[T]):
    """Remembers `make(prefix)` of a chat without its last message.

    Prefixes are compared, not hashed: those of one prompt hold the same message objects, which is seen at once,
    while hashing them would walk through all their fields for each request.
    """

    __slots__ = ("_known", "_make")

    def __init__(self, make: Callable[[tuple[Message, ...]], T]) -> None:
        self._make = make
        self._known: list[tuple[tuple[Message, ...], T]] = []

    def find(self, messages: tuple[Message, ...]) -> T:
        """Return what was made of the messages before the last one."""
        prefix = messages[:-1]
        for known, made in self._known:
            if known == prefix:
                return made
        if len(self._known) >= _MAX_PREFIXES:
            self._known.clear()
        made = self._make(prefix)
        self._known.append((prefix, made))
        return made
