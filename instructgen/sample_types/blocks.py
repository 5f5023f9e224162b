"""Replies made of questions and answers: written as text or JSON, and read back from either.

The text format is LLaVA's: blocks parted by a line of three equals signs, each opened by the line
"Question:" or "Answer:". Models bend it, so the reader goes by the labels at the start of a line and needs no
separators; it never guesses where a label is missing.
"""

import re
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from instructgen.records import Decoding, Fault, Message, Role

_SEPARATOR = re.compile(r"[ \t]*={3,}[ \t]*")
_FENCE = re.compile(r"\s*```[\w-]*[ \t]*\n(?P<body>.*?)\n?[ \t]*```\s*", re.DOTALL)
# "Question:", "**Answer:**", "**Question**:", "### Question 2:", "**Question: Why?**". What opens with ** must
# close with **, so that bold text which follows a plain label stays whole.
# Runs of spaces are bounded, or a line of nothing but spaces would take minutes.
_LABEL = re.compile(
    r"(?:\#{1,6} {0,4})?(?P<bold>\*{2,3})? {0,4}(?P<name>Question|Answer)(?: {0,4}\d{1,3})? {0,4}"
    r"(?(bold)(?:\*{2,3} {0,4}:?|: {0,4}\*{2,3}|:(?P<bold_line>(?=.*\*\*$)))|:?)[ \t]*(?P<rest>.*)",
    re.IGNORECASE,
)
_MAX_DETAIL_CHARS = 80


class _Pair(Struct):
    question: str
    answer: str


class _Conversation(Struct):
    turns: list[_Pair]


class _Section(Struct):
    """What follows one label, up to the next."""

    role: Role
    lines: list[str]


def write_turns(turns: Sequence[Message], decoding: Decoding) -> str:
    """Return the turns as the reply of a perfect teacher; `parse_turns` reads the same turns back."""
    if decoding.output_format == "json":
        pairs = [
            _Pair(question=asked.content, answer=answered.content)
            for asked, answered in zip(turns[::2], turns[1::2], strict=True)
        ]
        return msgspec.json.encode(_Conversation(turns=pairs)).decode()
    labels = {"user": "Question:", "assistant": "Answer:"}
    return "\n===\n".join(f"{labels[turn.role]}\n{turn.content}" for turn in turns)


def parse_turns(text: str) -> tuple[Message, ...] | Fault:
    """Return alternating user and assistant turns, at least one pair, none empty, or why there are none."""
    body = strip_fence(text)
    if not body:
        return Fault("empty_reply")
    turns = _read_json(body) if body.startswith("{") else _read_labels(body)
    if isinstance(turns, Fault):
        return turns
    return _find_order_fault(turns) or turns


def strip_fence(text: str) -> str:
    """Return the reply with line ends as "\\n", without outer white space and the code fence around it."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    fenced = _FENCE.fullmatch(unified)
    return fenced["body"].strip() if fenced else unified


def make_detail(text: str) -> str:
    """Return the start of the reply, for the detail of a fault."""
    return text[:_MAX_DETAIL_CHARS]


def pairs_schema(max_pairs: int | None = None) -> dict[str, object]:
    """Return the JSON schema of a reply of questions and answers."""
    pair = {
        "type": "object",
        "properties": {"question": {"type": "string"}, "answer": {"type": "string"}},
        "required": ["question", "answer"],
        "additionalProperties": False,
    }
    turns: dict[str, object] = {"type": "array", "items": pair, "minItems": 1}
    if max_pairs is not None:
        turns["maxItems"] = max_pairs
    return {
        "type": "object",
        "properties": {"turns": turns},
        "required": ["turns"],
        "additionalProperties": False,
    }


def _read_json(body: str) -> tuple[Message, ...] | Fault:
    try:
        conversation = msgspec.json.decode(body, type=_Conversation)
    except msgspec.ValidationError as error:
        return Fault("json_wrong_shape", make_detail(str(error)))
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        return Fault("invalid_json", make_detail(str(error)))
    turns: list[Message] = []
    for pair in conversation.turns:
        turns.append(Message("user", pair.question.strip()))
        turns.append(Message("assistant", pair.answer.strip()))
    return tuple(turns)


def _read_labels(body: str) -> tuple[Message, ...] | Fault:
    sections: list[_Section] = []
    starts_block = True
    for line in body.split("\n"):
        role, rest = _read_label(line, starts_block=starts_block)
        if role is not None:
            sections.append(_Section(role, [rest]))
        elif sections:
            sections[-1].lines.append(line)
        elif line.strip() and not _SEPARATOR.fullmatch(line):
            return Fault(_reason_without_label(body), make_detail(body))
        starts_block = _SEPARATOR.fullmatch(line) is not None or (starts_block and not line.strip())
    return _join_sections(sections)


def _read_label(line: str, *, starts_block: bool) -> tuple[Role | None, str]:
    """Return whose turn the line opens and the text behind the label; a label without colon opens a block only."""
    line = line.strip()
    match = _LABEL.fullmatch(line)
    if match is None:
        return None, ""
    has_colon = ":" in line[: match.start("rest")]
    if not has_colon and (match["rest"] or not starts_block):
        return None, ""
    role: Role = "user" if match["name"].lower() == "question" else "assistant"
    return role, match["rest"].rstrip("* ") if match["bold_line"] is not None else match["rest"]


def _reason_without_label(body: str) -> str:
    """Name what is wrong with a reply whose first line carries no label."""
    if any(_read_label(line, starts_block=True)[0] == "user" for line in body.split("\n")):
        return "text_before_first_question"
    return "no_question_found"


def _join_sections(sections: Sequence[_Section]) -> tuple[Message, ...] | Fault:
    turns: list[Message] = []
    for section in sections:
        lines = section.lines
        while len(lines) > 1 and (not lines[-1].strip() or _SEPARATOR.fullmatch(lines[-1])):
            lines.pop()
        if any(_SEPARATOR.fullmatch(line) for line in lines):
            # A block without a label: whose turn it is cannot be told.
            return Fault("turns_do_not_alternate", make_detail("\n".join(lines)))
        turns.append(Message(section.role, "\n".join(lines).strip()))
    return tuple(turns)


def _find_order_fault(turns: Sequence[Message]) -> Fault | None:
    if not any(turn.role == "user" for turn in turns):
        return Fault("no_question_found", make_detail("\n".join(turn.content for turn in turns)))
    for index, turn in enumerate(turns):
        if turn.role != ("user" if index % 2 == 0 else "assistant"):
            return Fault("turns_do_not_alternate", make_detail(turn.content))
    for turn in turns:
        if not turn.content:
            return Fault("empty_turn", f"{turn.role} turn without text")
    if len(turns) % 2:
        return Fault("dangling_question", make_detail(turns[-1].content))
    return None
