"""A description of the whole image by a teacher that reads its surrogate (LLaVA, arXiv 2304.08485, section 3)."""

import random
from collections.abc import Sequence

from instructgen.records import Decoding, Fault, Message
from instructgen.sample_types.description import description_schema, parse_description, write_description


class Detail:
    name = "detail"

    def write(self, turns: Sequence[Message], decoding: Decoding) -> str:
        return write_description(turns, decoding)

    def parse(self, text: str, questions: Sequence[str], draw: random.Random) -> tuple[Message, ...] | Fault:
        return parse_description(text, questions, draw)

    def json_schema(self) -> dict[str, object]:
        return description_schema()
