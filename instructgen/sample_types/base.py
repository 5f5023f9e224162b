"""What every sample type offers."""

import random
from collections.abc import Sequence
from typing import Protocol

from instructgen.records import Decoding, Fault, Message


class SampleType(Protocol):
    """A kind of sample: how its turns are written as a reply, and read back from one."""

    name: str
    """The key in `instructgen.sample_types.SAMPLE_TYPES`, and the name of its prompt folder."""

    def write(self, turns: Sequence[Message], decoding: Decoding) -> str:
        """Return the reply that a perfect teacher would give for the turns, in the asked output format."""
        ...

    def parse(self, text: str, questions: Sequence[str], draw: random.Random) -> tuple[Message, ...] | Fault:
        """Return alternating user and assistant turns, none empty, or why the reply is not usable.

        `questions` is the prompt's own list, for types whose reply is the answer alone.
        """
        ...

    def json_schema(self) -> dict[str, object]:
        """Return what a server's `response_format` wants for `output_format = "json"`."""
        ...
