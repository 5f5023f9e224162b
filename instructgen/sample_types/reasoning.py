"""One hard question and its answer: look first, then reason (LLaVA, arXiv 2304.08485, section 3)."""

import random
from collections.abc import Sequence

from instructgen.records import Decoding, Fault, Message
from instructgen.sample_types.blocks import make_detail, pairs_schema, parse_turns, write_turns


class Reasoning:
    name = "reasoning"

    def write(self, turns: Sequence[Message], decoding: Decoding) -> str:
        return write_turns(turns, decoding)

    def parse(
        self,
        text: str,
        questions: Sequence[str],  # noqa: ARG002  the reply brings its own question
        draw: random.Random,  # noqa: ARG002
    ) -> tuple[Message, ...] | Fault:
        turns = parse_turns(text)
        if not isinstance(turns, Fault) and len(turns) > 2:
            return Fault("more_than_one_pair", make_detail(turns[2].content))
        return turns

    def json_schema(self) -> dict[str, object]:
        return pairs_schema(max_pairs=1)
