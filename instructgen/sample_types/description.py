"""Replies that are the answer alone: a description, as text or JSON. The question is drawn from a list."""

import random
import re
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from instructgen.records import Decoding, Fault, Message
from instructgen.sample_types.blocks import make_detail, strip_fence

# A heading that some models put in front although nothing asks for it.
_HEADING = re.compile(
    r"(?:\#{1,6}[ \t]*)?(?P<bold>\*{2,3})?(?:detailed |image |scene )?description[ \t]*"
    r"(?(bold)(?:\*{2,3}[ \t]*:|:[ \t]*\*{2,3}|\*{2,3}[ \t]*(?=\n))|:)\s*",
    re.IGNORECASE,
)


class _Description(Struct):
    description: str


class Description(Struct):
    """A sample type whose reply is a description of the whole image."""

    name: str

    def write(self, turns: Sequence[Message], decoding: Decoding) -> str:
        """Return the description as the reply of a perfect teacher."""
        answer = turns[-1].content
        if decoding.output_format == "json":
            return msgspec.json.encode(_Description(answer)).decode()
        return answer

    def parse(self, text: str, questions: Sequence[str], draw: random.Random) -> tuple[Message, ...] | Fault:
        """Read the description and put a question drawn from `questions`, which must not be empty, before it."""
        body = strip_fence(text)
        if not body:
            return Fault("empty_reply")
        answer = _read_json(body) if body.startswith("{") else body
        if isinstance(answer, Fault):
            return answer
        if '"description"' in answer:
            # JSON with words around it: where the description ends cannot be told.
            return Fault("invalid_json", make_detail(answer))
        heading = _HEADING.match(answer)
        answer = answer[heading.end() :].strip() if heading else answer.strip()
        if not answer:
            return Fault("empty_turn", "assistant turn without text")
        return Message("user", draw.choice(questions)), Message("assistant", answer)

    def json_schema(self) -> dict[str, object]:
        """Return the JSON schema of a reply that is a description."""
        return {
            "type": "object",
            "properties": {"description": {"type": "string"}},
            "required": ["description"],
            "additionalProperties": False,
        }


def _read_json(body: str) -> str | Fault:
    try:
        return msgspec.json.decode(body, type=_Description).description
    except msgspec.ValidationError as error:
        return Fault("json_wrong_shape", make_detail(str(error)))
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        return Fault("invalid_json", make_detail(str(error)))
