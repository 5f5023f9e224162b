"""Several questions about one image, each with its answer (LLaVA, arXiv 2304.08485, section 3)."""

import random
from collections.abc import Sequence

from msgspec import Struct

from instructgen.records import Decoding, Fault, Message
from instructgen.sample_types.blocks import pairs_schema, parse_turns, write_turns


class Conversation(Struct):
    """A sample type whose reply is one or more questions with their answers."""

    name: str

    def write(self, turns: Sequence[Message], decoding: Decoding) -> str:
        return write_turns(turns, decoding)

    def parse(
        self,
        text: str,
        questions: Sequence[str],  # noqa: ARG002  the reply brings its own questions
        draw: random.Random,  # noqa: ARG002
    ) -> tuple[Message, ...] | Fault:
        return parse_turns(text)

    def json_schema(self) -> dict[str, object]:
        return pairs_schema()
