"""A long description by a model that sees the picture (MiniGPT-4, arXiv 2304.10592, section 3.2)."""

import random
from collections.abc import Sequence

from instructgen.records import Decoding, Fault, Message
from instructgen.sample_types.description import description_schema, parse_description, write_description


class Caption:
    name = "caption"

    def write(self, turns: Sequence[Message], decoding: Decoding) -> str:
        return write_description(turns, decoding)

    def parse(self, text: str, questions: Sequence[str], draw: random.Random) -> tuple[Message, ...] | Fault:
        return parse_description(text, questions, draw)

    def json_schema(self) -> dict[str, object]:
        return description_schema()
