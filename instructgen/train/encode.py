"""Chats as tokens: what a model is shown, and which of it is learned. Training and generation share every step."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from instructgen.errors import InstructgenError
from instructgen.records import Fault, Message
from instructgen.train.chat_format import Chat, Segment, Turn, lay_out, read_chat, read_question
from instructgen.train.documents import DocumentRules, DocumentWriter, is_document
from instructgen.train.example import IMAGE_SLOT, Example
from instructgen.train.marks import Part
from instructgen.train.spelling import Place, Speller
from instructgen.train.templates import AUTO, INTERLEAVED, Template, find_template, fit_template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Skipped(Struct, frozen=True):
    """A sample that nothing can be learned from. `reason` is a fixed word (docs/templates.md)."""

    sample_id: str
    reason: str
    detail: str = ""


class Encoded(Struct, frozen=True):
    """An example, and what of its sample is not in it."""

    example: Example
    is_cut: bool = False
    """The answer lost its end, and its stop with it."""
    num_left_out: int = 0
    """Turns that did not fit, that nobody answers, or that the template has no place for; texts of a document."""
    num_pictures_left_out: int = 0


class RawSample(Struct, frozen=True):
    """A row as it is encoded; `pictures` are keys, in the order in which the chat speaks of them."""

    sample_id: str
    messages: tuple[Message, ...]
    pictures: tuple[str, ...] = ()
    image_at: tuple[int, ...] | None = None
    """Of a document: before which message each place of a picture stands."""
    frames: tuple[int, ...] = ()
    """How many pictures each place takes; empty is one each."""


@dataclass(frozen=True, slots=True)
class Stop:
    """How an answer ends: after one of `token_ids`, after the `sequence` of ids, or where the text has `string`."""

    token_ids: tuple[int, ...]
    sequence: tuple[int, ...]
    string: str


@dataclass(slots=True)
class _Spelled:
    """A turn as ids; the slots of images are in `prompt`."""

    prompt: list[int]
    answer: list[int]
    stop: list[int]


@dataclass(slots=True)
class _Batch:
    """Texts that wait to be tokenised together, each once."""

    places: dict[tuple[str, Place], int] = field(default_factory=dict)
    ids: list[list[int]] = field(default_factory=list)

    def add(self, text: str, place: Place) -> int:
        return self.places.setdefault((text, place), len(self.places))

    def spell(self, speller: Speller) -> None:
        self.ids = speller.texts(list(self.places))


_Planned = list[tuple[list["list[int] | int"], int | None]]
"""For each turn its prompt, as ids or numbers in the batch, and the answer's number."""


class RowEncoder(Protocol):
    """What reading a dataset asks of whoever makes examples of its rows."""

    @property
    def tokens_per_image(self) -> int: ...

    @property
    def identity(self) -> str:
        """What an example follows from, beside its row; the same in another process."""
        ...

    def encode_all(self, samples: Sequence[RawSample]) -> list[Encoded | Skipped]: ...


class Encoder:
    """Encodes samples for one tokenizer and one template.

    `template` is "auto" (the tokenizer's own), a name of `templates.TEMPLATES`, or a template. `system` replaces the
    template's own system text; a sample's own system turn goes before both.
    """

    def __init__(
        self,
        tokenizer: "PreTrainedTokenizerBase",
        template: str | Template = AUTO,
        tokens_per_image: int = 1,
        max_tokens: int = 2048,
        *,
        system: str | None = None,
        documents: DocumentRules = DocumentRules(),  # noqa: B008  frozen
    ) -> None:
        found = find_template(template, tokenizer) if isinstance(template, str) else fit_template(template, tokenizer)
        if system and not found.has_system:
            raise InstructgenError(f"the template '{found.name}' has no place for a system text; leave it out")
        self.template = found if system is None else replace(found, system=system)
        self.tokens_per_image = tokens_per_image
        self.max_tokens = max_tokens
        self._speller = Speller(tokenizer)
        self._eos_id: int | None = tokenizer.eos_token_id
        self._answer_place = self._find_answer_place()
        self._stop_ids = self._speller.control(found.stop, "inside")[0]
        if found.name == INTERLEAVED and documents.end_of_chunk_id is not None:
            self._stop_ids = [documents.end_of_chunk_id]
        self.groups_frames = documents.groups_frames
        self._rules = documents
        room = (max_tokens, tokens_per_image)
        self._documents = DocumentWriter(self._speller, found.begin, self._eos_id, documents, room)

    def encode(self, sample_id: str, messages: Sequence[Message], pictures: Sequence[str] = ()) -> Example | Skipped:
        """Return the sample as an example; `encode_all` says what was cut or left out, too."""
        (found,) = self.encode_all([RawSample(sample_id, tuple(messages), tuple(pictures))])
        return found if isinstance(found, Skipped) else found.example

    def encode_all(self, samples: Sequence[RawSample]) -> list[Encoded | Skipped]:
        """Return what becomes of each sample, in order; many at once are much faster."""
        is_chat = [not is_document(sample.messages, sample.image_at) for sample in samples]
        chats = iter(self._encode_chats(list(compress(samples, is_chat))))
        return [
            next(chats) if each else self._encode_document(one) for one, each in zip(samples, is_chat, strict=True)
        ]

    def document_ids(self, parts: Sequence[Part]) -> NDArray[np.int32]:
        """Return what a document begins with: its beginning, IMAGE_SLOT for a picture, the end of each chunk."""
        return np.array(self._documents.prompt_ids(parts), dtype=np.int32)

    def _encode_document(self, sample: RawSample) -> Encoded | Skipped:
        texts = [message.content for message in sample.messages]
        if not all(map(_is_unicode, texts)):
            return Skipped(sample.sample_id, "not_unicode")
        places = (sample.image_at or (), sample.frames)
        found = self._documents.encode(sample.sample_id, texts, places, sample.pictures)
        if isinstance(found, Fault):
            return Skipped(sample.sample_id, found.reason, found.detail)
        return Encoded(found.example, found.is_cut, found.num_texts_left_out, found.num_pictures_left_out)

    def _count_slots(self, sample: RawSample) -> int:
        return len(sample.frames) if sample.frames and self.groups_frames else len(sample.pictures)

    def _encode_chats(self, samples: Sequence[RawSample]) -> list[Encoded | Skipped]:
        batch = _Batch()
        planned: list[tuple[Chat, _Planned] | Fault] = []
        for sample in samples:
            chat = self._read(sample)
            if isinstance(chat, Fault):
                planned.append(chat)
            else:
                planned.append((chat, self._plan(lay_out(self.template, chat, self._count_slots(sample)), batch)))
        batch.spell(self._speller)
        found: list[Encoded | Skipped] = []
        for sample, plan in zip(samples, planned, strict=True):
            fitted = plan if isinstance(plan, Fault) else self._fit(sample, plan[0], self._spell(plan[1], batch))
            if isinstance(fitted, Fault):
                found.append(Skipped(sample.sample_id, fitted.reason, fitted.detail))
            else:
                found.append(fitted)
        return found

    def prompt_ids(
        self, messages: Sequence[Message], num_pictures: int = 0, system: str | None = None
    ) -> NDArray[np.int32]:
        """Return what stands before an answer: the ids that training has there, with a slot for each image.

        `system` is used where it is given and the messages have no system turn. Raises InstructgenError for messages
        that do not end with the user's.
        """
        chat = read_question(messages, num_pictures)
        if isinstance(chat, Fault):
            raise InstructgenError(f"these messages ask nothing: {chat.reason} {chat.detail}".rstrip())
        said = (chat.system if self.template.has_questions else "") or system or ""
        if said and not self.template.has_system:
            raise InstructgenError(f"the template '{self.template.name}' has no place for a system text")
        chat = Chat(said, chat.questions, chat.answers)
        batch = _Batch()
        plan = self._plan(lay_out(self.template, chat, num_pictures), batch)
        batch.spell(self._speller)
        turns = self._spell(plan, batch)
        ids = [number for turn in turns[:-1] for number in (*turn.prompt, *turn.answer, *turn.stop)]
        return np.array([*ids, *turns[-1].prompt], dtype=np.int32)

    def answer_ids(self, answer: str) -> NDArray[np.int32]:
        """Return what is learned of an answer after its prompt, the stop included."""
        text = answer.strip() if "assistant" in self.template.strips else answer
        ids = self._speller.text(self.template.answer_lead + text, self._answer_place)
        return np.array([*ids, *self._stop_ids], dtype=np.int32)

    def read_answer(self, text: str) -> str:
        """Return an answer as people see it: without what parts it from its prompt, and without the stop."""
        cut = text.removesuffix(self.template.stop)
        return cut.removeprefix(self.template.answer_lead)

    @property
    def stop(self) -> Stop:
        """How a generated answer ends; the tokenizer's own end of text always ends it."""
        single = self._stop_ids[-1:] if self._ends_in_control() else []
        own = [] if self._eos_id is None else [self._eos_id]
        return Stop(tuple(dict.fromkeys([*single, *own])), tuple(self._stop_ids), self.template.stop)

    @property
    def identity(self) -> str:
        """What the ids of a sample follow from; the same in another process."""
        facts = [
            self._speller.identity,
            _to_facts(self.template),
            self.tokens_per_image,
            self.max_tokens,
            msgspec.to_builtins(self._rules),
        ]
        return hashlib.sha256(msgspec.json.encode([*facts, IMAGE_SLOT])).hexdigest()

    def _ends_in_control(self) -> bool:
        return self._speller.control(self.template.stop, "inside")[1] == "fresh"

    def _find_answer_place(self) -> Place:
        """Return where an answer begins; the same after every prompt, for something always stands before it."""
        place: Place = "inside" if self.template.has_questions else "fresh"
        return self._speller.control(self.template.answer_before, place)[1]

    def _read(self, sample: RawSample) -> Chat | Fault:
        if not all(_is_unicode(message.content) for message in sample.messages):
            return Fault("not_unicode")
        chat = read_chat(sample.messages, self._count_slots(sample))
        if isinstance(chat, Fault):
            return chat
        if chat.system and not self.template.has_system and self.template.has_questions:
            return Fault("template_has_no_system")
        return chat

    def _plan(self, turns: Sequence[Turn], batch: _Batch) -> _Planned:
        planned: _Planned = []
        place: Place = "start"
        for turn in turns:
            prompt, place = self._plan_prompt(turn.prompt, place, batch)
            number = batch.add(self.template.answer_lead + turn.answer, place) if turn.answer else None
            planned.append((prompt, number))
            place = self._speller.control(self.template.stop, "inside")[1]
        return planned

    def _plan_prompt(
        self, segments: Sequence[Segment], place: Place, batch: _Batch
    ) -> tuple[list[list[int] | int], Place]:
        planned: list[list[int] | int] = []
        for segment in segments:
            if segment.kind == "image":
                planned.append([IMAGE_SLOT])
                place = "fresh"
            elif segment.kind == "control":
                ids, place = self._speller.control(segment.text, place)
                planned.append(ids)
            elif segment.text:
                planned.append(batch.add(segment.text, place))
                place = "inside"
        return planned, place

    def _spell(self, planned: _Planned, batch: _Batch) -> list[_Spelled]:
        turns: list[_Spelled] = []
        for prompt, answer in planned:
            ids: list[int] = []
            for part in prompt:
                ids += batch.ids[part] if isinstance(part, int) else part
            turns.append(_Spelled(ids, [] if answer is None else batch.ids[answer], self._stop_ids))
        return turns

    def _fit(self, sample: RawSample, chat: Chat, turns: list[_Spelled]) -> Encoded | Fault:
        """Keep as many whole turns as fit; if not even the first does, cut its answer."""
        left = self.max_tokens - self._count_slots(sample) * (self.tokens_per_image - 1)
        kept: list[_Spelled] = []
        for turn in turns:
            left -= len(turn.prompt) + len(turn.answer) + len(turn.stop)
            if left < 0:
                break
            kept.append(turn)
        num_left_out = chat.num_left_out + 2 * (len(chat.answers) - max(len(kept), 1))
        if kept:
            return Encoded(_join(sample, kept, self._rules), num_left_out=num_left_out)
        first = turns[0]
        room = left + len(first.answer) + len(first.stop)
        if room <= 0:
            slots = [at for at, number in enumerate(first.prompt) if number == IMAGE_SLOT]
            is_image = bool(slots) and room + len(first.prompt) <= slots[-1]
            return Fault("too_long_for_image" if is_image else "answer_cut_to_nothing")
        cut = _Spelled(first.prompt, first.answer[:room], [])
        return Encoded(_join(sample, [cut], self._rules), is_cut=True, num_left_out=num_left_out)


def stop_ids(template: str | Template, tokenizer: "PreTrainedTokenizerBase") -> Stop:
    """Return how an answer ends in a template."""
    return Encoder(tokenizer, template).stop


def _join(sample: RawSample, turns: Sequence[_Spelled], rules: DocumentRules) -> Example:
    ids: list[int] = []
    learned: list[tuple[int, int]] = []
    for turn in turns:
        ids += turn.prompt
        start = len(ids)
        ids += turn.answer
        ids += turn.stop
        learned.append((start, len(ids)))
    is_trained = np.zeros(len(ids), dtype=np.bool_)
    for start, end in learned:
        is_trained[start:end] = True
    frames = sample.frames if rules.groups_frames else ()
    return Example(sample.sample_id, np.array(ids, dtype=np.int32), is_trained, sample.pictures, frames)


def _to_facts(template: Template) -> dict[str, object]:
    return {**msgspec.structs.asdict(template), "strips": sorted(template.strips)}


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
