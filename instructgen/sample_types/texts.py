"""A document of texts, each beside a picture: the reply has them as blocks, parted by lines of equals signs."""

import random
import re
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from instructgen.records import Decoding, Fault, Message
from instructgen.sample_types.blocks import make_detail, strip_fence

_SEPARATOR = re.compile(r"\n[ \t]*={3,}[ \t]*\n")


class _Texts(Struct):
    texts: list[str]


class Texts(Struct):
    """A sample type whose turns are all the assistant's: nobody asks anything."""

    name: str

    def write(self, turns: Sequence[Message], decoding: Decoding) -> str:
        texts = [turn.content for turn in turns]
        if decoding.output_format == "json":
            return msgspec.json.encode(_Texts(texts)).decode()
        return "\n===\n".join(texts)

    def parse(
        self,
        text: str,
        questions: Sequence[str],  # noqa: ARG002  nothing is asked
        draw: random.Random,  # noqa: ARG002
    ) -> tuple[Message, ...] | Fault:
        body = strip_fence(text)
        if not body:
            return Fault("empty_reply")
        try:
            texts = msgspec.json.decode(body, type=_Texts).texts if body.startswith("{") else _SEPARATOR.split(body)
        except msgspec.ValidationError as error:
            return Fault("json_wrong_shape", make_detail(str(error)))
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            return Fault("invalid_json", make_detail(str(error)))
        if not texts or not all(one.strip() for one in texts):
            return Fault("empty_turn", make_detail(body))
        return tuple(Message("assistant", one.strip()) for one in texts)

    def json_schema(self) -> dict[str, object]:
        return {
            "type": "object",
            "properties": {"texts": {"type": "array", "items": {"type": "string"}}},
            "required": ["texts"],
            "additionalProperties": False,
        }
