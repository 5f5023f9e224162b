"""A chat as segments: what the template says, what people said, where an image goes, what is learned."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from instructgen.records import Fault, Message
from instructgen.train.templates import Template

IMAGE_MARK = "<image>"
"""What foreign data writes where a picture goes; in a text of ours it is text like any other."""


class Segment(Struct, frozen=True, gc=False):
    """`control` is the template's, `text` is somebody's and never becomes a control token, `image` is one slot."""

    kind: Literal["control", "text", "image"]
    text: str = ""


class Turn(Struct, frozen=True):
    """One question and its answer; all of `prompt` is given, all of `answer` and the stop after it is learned."""

    prompt: tuple[Segment, ...]
    answer: str


class Chat(Struct, frozen=True):
    """`answers` is as long as `questions`, or one shorter where an answer is wanted."""

    system: str
    questions: tuple[str, ...]
    answers: tuple[str, ...]
    num_left_out: int = 0
    """Turns at the end that nobody answers, or that the template has no place for."""


def read_chat(messages: Sequence[Message], num_pictures: int) -> Chat | Fault:
    """Return the turns of a sample, or why it cannot be learned from; see docs/templates.md for each reason word."""
    system = messages[0].content if messages and messages[0].role == "system" else ""
    turns = messages[1:] if messages and messages[0].role == "system" else messages
    if not any(turn.role == "user" for turn in turns):
        return Fault("no_user_turn")
    if not any(turn.role == "assistant" for turn in turns):
        return Fault("no_answer")
    fault = _find_fault(turns)
    if fault is not None:
        return fault
    answers = tuple(turn.content for turn in turns[1::2])
    if any(not answer.strip() for answer in answers):
        return Fault("empty_answer")
    questions = take_marks([turn.content for turn in turns[: 2 * len(answers) : 2]], num_pictures)
    return Chat(system, questions, answers, num_left_out=len(turns) % 2)


def read_question(messages: Sequence[Message], num_pictures: int) -> Chat | Fault:
    """Return a chat that ends with a question to be answered."""
    system = messages[0].content if messages and messages[0].role == "system" else ""
    turns = messages[1:] if messages and messages[0].role == "system" else messages
    fault = _find_fault(turns)
    if fault is not None or len(turns) % 2 == 0:
        return fault or Fault("no_question")
    questions = take_marks([turn.content for turn in turns[::2]], num_pictures)
    return Chat(system, questions, tuple(turn.content for turn in turns[1::2]))


def _find_fault(turns: Sequence[Message]) -> Fault | None:
    if any(turn.role == "system" for turn in turns):
        return Fault("late_system_turn")
    if any((turn.role == "user") == bool(place % 2) for place, turn in enumerate(turns)):
        return Fault("roles_do_not_alternate", " ".join(turn.role for turn in turns[:8]))
    return None


def take_marks(questions: Sequence[str], num_pictures: int) -> tuple[str, ...]:
    """Return the questions without the marks of pictures, as long as there are pictures that have no mark yet.

    LLaVA's trainer takes marks out as well and puts the picture in front, wherever the mark was. What becomes of a
    question depends on those before it alone, so that the prompt for an early answer is what training has there.
    """
    taken: list[str] = []
    for question in questions:
        num_marks = question.count(IMAGE_MARK)
        is_placed = 0 < num_marks <= num_pictures
        num_pictures -= num_marks if is_placed else 0
        taken.append(question.replace(IMAGE_MARK, "").strip() if is_placed else question)
    return tuple(taken)


def lay_out(template: Template, chat: Chat, num_pictures: int) -> list[Turn]:
    """Return the turns of a chat as the template writes them; a last one without an answer has the empty answer."""
    questions = [_cut(text, "user", template) for text in chat.questions]
    answers = [_cut(text, "assistant", template) for text in chat.answers]
    if not template.has_questions:
        questions = questions[:1]
        answers = answers[:1] if len(chat.answers) == len(chat.questions) else []
    turns: list[Turn] = []
    for place, question in enumerate(questions):
        opening = [Segment("control", template.next_before)] if place else _open(template, chat.system)
        if place == 0:
            shown = _show(template, num_pictures)
            opening = [*shown, *opening] if template.images_first else [*opening, *shown]
        if template.has_questions:
            opening = _say(opening, question)
        opening.append(Segment("control", template.answer_before))
        turns.append(Turn(_join(opening), answers[place] if place < len(answers) else ""))
    return turns


def _join(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Make one of the template's strings that stand side by side: tokenised as whoever renders a chat has them."""
    joined: list[Segment] = []
    for segment in segments:
        if segment.kind == "control" and joined and joined[-1].kind == "control":
            joined[-1] = Segment("control", joined[-1].text + segment.text)
        else:
            joined.append(segment)
    return tuple(joined)


def _open(template: Template, system: str) -> list[Segment]:
    said = _cut(system or template.system, "system", template) if template.has_system else ""
    if not said:
        return [Segment("control", template.begin), Segment("control", template.bare)]
    opening = [Segment("control", template.begin), Segment("control", template.system_before)]
    return [*_say(opening, said), Segment("control", template.system_after)]


def _show(template: Template, num_pictures: int) -> list[Segment]:
    shown = [Segment("control", template.image_before), Segment("image"), Segment("control", template.image_after)]
    return shown * num_pictures


def _say(opening: list[Segment], text: str) -> list[Segment]:
    """Add a text; it takes the space that it is parted by."""
    before = opening[-1].text
    if not before.endswith(" "):
        return [*opening, Segment("text", text)]
    return [*opening[:-1], Segment("control", before[:-1]), Segment("text", f" {text}")]


def _cut(text: str, role: str, template: Template) -> str:
    return text.strip() if role in template.strips else text
