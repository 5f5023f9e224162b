"""The tokenizer's own chat template, as control strings.

The template is rendered for chats whose texts are marks that no template and no data has. What stands between the
marks are its control strings; nothing of a sample is ever searched. A template that writes a turn differently once
others follow it (one that takes out earlier thoughts, or moves the system text) is refused: what a model learned
there would not be what it is shown when it answers.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.train.templates import AUTO, TEMPLATES, Template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_MARKS = {"system": "\ue000s\ue001", "user": "\ue000u{}\ue001", "assistant": "\ue000a{}\ue001"}
_GAP = " \n "  # around a mark, to see whether the template takes white space away
# Templates that write the date get a fixed one, for what is learned must not depend on the day of a run.
_DATE = {"%d": "26", "%b": "Jul", "%B": "July", "%m": "07", "%Y": "2024", "%y": "24", "%A": "Friday", "%a": "Fri"}
_CLOCK = {"%H": "12", "%I": "12", "%M": "00", "%S": "00", "%p": "PM"}
_FIXED_DAY = (
    "{%- macro strftime_now(form) -%}{{- form"
    + "".join(f".replace('{code}', '{value}')" for code, value in {**_DATE, **_CLOCK}.items())
    + " -}}{%- endmacro -%}"
)


class _Rendered(Struct, frozen=True):
    """What stands before, between and after the texts, in order, and the roles whose white space went."""

    controls: tuple[str, ...]
    strips: frozenset[str]


class _RefusedError(Exception):
    """The template cannot be followed; the message says why, after "which"."""


def read_template(tokenizer: "PreTrainedTokenizerBase") -> Template:
    """Return the tokenizer's own template; InstructgenError where there is none, or one that cannot be followed."""
    if not tokenizer.chat_template:
        raise InstructgenError(
            f"the tokenizer {tokenizer.name_or_path} has no chat template; choose one of ours: "
            f'template = "vicuna_v1" (or {", ".join(name for name in TEMPLATES if name != "vicuna_v1")})'
        )
    try:
        return _read(tokenizer)
    except _RefusedError as refused:
        raise InstructgenError(
            f"the tokenizer {tokenizer.name_or_path} has a chat template which {refused}, so that what is learned "
            'would not be what is shown when the model answers; choose one of ours, as template = "chatml"'
        ) from None


def _read(tokenizer: "PreTrainedTokenizerBase") -> Template:
    one, three = (_render(tokenizer, has_system=False, num_pairs=count) for count in (1, 3))
    bare, answer_all, tail = one.controls
    check = three.controls
    next_all = check[2]
    if check[0] != bare or {check[1], check[3], check[5]} != {answer_all} or check[4] != next_all:
        raise _RefusedError("writes an earlier turn differently once others follow")
    asked = _render(tokenizer, has_system=False, num_pairs=0)
    answer_before = asked.controls[1]
    if asked.controls[0] != bare or not answer_all.startswith(answer_before):
        raise _RefusedError("asks for an answer with other words than it writes before one")
    stop = _find_stop(tokenizer, tail)
    if not next_all.startswith(stop):
        raise _RefusedError("ends the last answer differently from those before")
    system = _read_system(tokenizer, answer_all, next_all)
    return Template(
        name=AUTO,
        bare=bare,
        system_before="" if system is None else system.controls[0],
        system_after="" if system is None else system.controls[1],
        answer_before=answer_before,
        answer_lead=answer_all.removeprefix(answer_before),
        stop=stop,
        next_before=next_all.removeprefix(stop),
        has_system=system is not None,
        strips=three.strips if system is None else system.strips,
        begins_itself=True,
    )


def _read_system(tokenizer: "PreTrainedTokenizerBase", answer_all: str, next_all: str) -> _Rendered | None:
    """Return a chat that begins with a system text, rendered; None where the template has no place for one.

    That is so where it takes none, and where it writes it anywhere but first.
    """
    try:
        one, three = (_render(tokenizer, has_system=True, num_pairs=count) for count in (1, 3))
    except _RefusedError:
        return None
    is_same = three.controls[:2] == one.controls[:2]
    if not is_same or set(three.controls[2:7:2]) != {answer_all} or set(three.controls[3:6:2]) != {next_all}:
        return None
    return three


def _find_stop(tokenizer: "PreTrainedTokenizerBase", tail: str) -> str:
    """Return what ends an answer: up to the first control token after it, or all where there is none."""
    ends = [tail.index(token) + len(token) for token in tokenizer.get_added_vocab() if token and token in tail]
    stop = tail[: min(ends)] if ends else tail
    if not stop:
        raise _RefusedError("writes nothing after an answer, so that no model could learn to end one")
    return stop


def _render(tokenizer: "PreTrainedTokenizerBase", *, has_system: bool, num_pairs: int) -> _Rendered:
    """Return the control strings of a chat; `num_pairs` 0 is a question that waits for its answer."""
    marks = [("system", _MARKS["system"])] if has_system else []
    for number in range(max(num_pairs, 1)):
        marks.append(("user", _MARKS["user"].format(number)))
        if num_pairs:
            marks.append(("assistant", _MARKS["assistant"].format(number)))
    plain = _apply(tokenizer, marks, "", is_asking=num_pairs == 0)
    spaced = _apply(tokenizer, marks, _GAP, is_asking=num_pairs == 0)
    controls = _split(plain, [mark for _, mark in marks])
    strips = {role for role, mark in marks if f"{_GAP}{mark}{_GAP}" not in spaced}
    rest = spaced
    for role, mark in marks:
        rest = rest.replace(mark if role in strips else f"{_GAP}{mark}{_GAP}", mark)
    if rest != plain:
        raise _RefusedError("rewrites the texts of a chat")
    return _Rendered(controls, frozenset(strips))


def _split(text: str, marks: Sequence[str]) -> tuple[str, ...]:
    controls: list[str] = []
    for mark in marks:
        if text.count(mark) != 1:
            raise _RefusedError("leaves out or repeats a text of the chat, or writes them in another order")
        before, _, text = text.partition(mark)
        controls.append(before)
    return (*controls, text)


def _apply(
    tokenizer: "PreTrainedTokenizerBase", marks: Sequence[tuple[str, str]], gap: str, *, is_asking: bool
) -> str:
    from jinja2 import TemplateError

    messages = [{"role": role, "content": f"{gap}{mark}{gap}"} for role, mark in marks]
    try:
        return str(
            tokenizer.apply_chat_template(
                messages,
                chat_template=_FIXED_DAY + tokenizer.get_chat_template(),
                tokenize=False,
                add_generation_prompt=is_asking,
            )
        )
    except (TemplateError, ValueError, TypeError) as error:  # whatever its author wrote
        raise _RefusedError(f"refuses an ordinary chat ({error})") from None
