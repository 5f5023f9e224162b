"""Documents of texts and pictures as tokens (Flamingo, 2204.14198, A.3; docs/flamingo.md).

    BEGINNING [text] <image> text <|endofchunk|> <image> text <|endofchunk|> END

What follows a picture is learned, and the end of its chunk with it; nothing before the first picture is, and nothing
of the places of pictures themselves.
"""

from collections.abc import Sequence
from itertools import chain, pairwise

import numpy as np
from msgspec import Struct

from instructgen.draws import draw_fraction
from instructgen.errors import InstructgenError
from instructgen.records import Fault, Message
from instructgen.train.example import IMAGE_SLOT, Example
from instructgen.train.marks import END_OF_CHUNK, PICTURE, Part
from instructgen.train.recipe import DocumentsConfig
from instructgen.train.spelling import Place, Speller

_START: Place = "start"
_SEED = 0  # what is drawn for a document is the same in every epoch and every run


class DocumentRules(Struct, frozen=True):
    """How a model takes documents. `end_of_chunk_id` None ends a chunk with the tokenizer's last token."""

    end_of_chunk_id: int | None = None
    groups_frames: bool = False
    """Whether a clip takes one slot; else each of its frames takes one."""
    config: DocumentsConfig = DocumentsConfig()


class Laid(Struct, frozen=True):
    """A document's parts; `frames` are of each picture's place, `num_left_out` texts and pictures are in none."""

    parts: tuple[Part, ...]
    frames: tuple[int, ...]
    sees_next: bool
    num_texts_left_out: int
    num_pictures_left_out: int


def is_document(messages: Sequence[Message], image_at: Sequence[int] | None) -> bool:
    """Return whether a row is a document, and no chat: places for its pictures, and nobody who asks."""
    return image_at is not None and all(message.role == "assistant" for message in messages)


def lay_out_document(
    sample_id: str,
    texts: Sequence[str],
    image_at: Sequence[int],
    frames: Sequence[int],
    config: DocumentsConfig,
) -> Laid | Fault:
    """Return the parts, or why there are none; `image_at` says before which text each place stands.

    White space around texts is taken away, and texts without a picture between them are joined with a space.
    """
    is_sorted = all(one <= other for one, other in pairwise([0, *image_at, len(texts)]))
    if not is_sorted or len(frames) != len(image_at) or min(frames, default=1) < 1:
        return Fault("pictures_have_no_place", " ".join(map(str, image_at)))
    if not image_at:
        return Fault("no_picture")
    sees_next = draw_fraction(_SEED, "p_next", sample_id) < config.p_next
    kept = len(image_at) if config.max_pictures is None else min(len(image_at), config.max_pictures)
    end = len(texts) if kept == len(image_at) else image_at[kept]
    parts: list[Part] = []
    is_open = sees_next
    for text, places in _alternate(texts[:end], image_at[:kept]):
        if text:
            parts.append(text)
        for _ in range(places):
            if is_open and parts and isinstance(parts[-1], str):
                parts.append(END_OF_CHUNK)
            parts.append(PICTURE)
            is_open = True
    if not any(isinstance(part, str) for part in parts):
        return Fault("no_text")
    if parts[0] is PICTURE and isinstance(parts[1], str) and kept == 1:
        parts[1] = " " * (draw_fraction(_SEED, "leading_space", sample_id) < config.leading_space) + parts[1]
    if isinstance(parts[-1], str):
        parts.append(END_OF_CHUNK)
    left_out = sum(frames[kept:])
    return Laid(tuple(parts), tuple(frames[:kept]), sees_next, len(texts) - end, left_out)


def _alternate(texts: Sequence[str], image_at: Sequence[int]) -> list[tuple[str, int]]:
    """Return each run of texts as one, with how many pictures follow it."""
    places = [image_at.count(number) for number in range(len(texts) + 1)]
    found: list[tuple[str, int]] = []
    run: list[str] = []
    for number, count in enumerate(places):
        if count:
            found.append((" ".join(run), count))
            run = []
        if number < len(texts) and texts[number].strip():
            run.append(texts[number].strip())
    return [*found, (" ".join(run), 0)]


class DocumentWriter:
    """Writes documents for one tokenizer. `begin` is what it puts before every text; `tokens_per_image` of a slot."""

    def __init__(
        self, speller: Speller, begin: str, eos_id: int | None, rules: DocumentRules, room: tuple[int, int]
    ) -> None:
        self._speller = speller
        self._before, self._first_place = speller.control(begin, "start") if begin else ([], _START)
        self._after = [] if eos_id is None else [eos_id]
        self._end_of_chunk_id = eos_id if rules.end_of_chunk_id is None else rules.end_of_chunk_id
        self._rules = rules
        self._max_tokens, self._tokens_per_image = room

    def prompt_ids(self, parts: Sequence[Part]) -> list[int]:
        """Return the ids of a document that is not over, from its beginning on."""
        return [*self._before, *chain.from_iterable(self._spell(parts))]

    def encode(
        self, sample_id: str, texts: Sequence[str], places: tuple[Sequence[int], Sequence[int]], keys: Sequence[str]
    ) -> "Written | Fault":
        """Return a document as an example, or why there is none; `places` are a row's image_at and frames."""
        image_at, frames = places[0], places[1] or (1,) * len(places[0])
        if sum(frames) != len(keys):
            return Fault("pictures_have_no_place", f"{len(keys)} pictures for {sum(frames)} frames")
        if not self._rules.groups_frames and len(frames) == len(image_at):
            image_at = [at for at, count in zip(image_at, frames, strict=True) for _ in range(count)]
            frames = (1,) * len(image_at)
        laid = lay_out_document(sample_id, texts, image_at, frames, self._rules.config)
        if isinstance(laid, Fault):
            return laid
        joined = self._join(sample_id, laid, keys)
        if isinstance(joined, Fault):
            return joined
        example, is_cut = joined
        return Written(example, is_cut, laid.num_texts_left_out, len(keys) - len(example.pictures))

    def _spell(self, parts: Sequence[Part]) -> list[list[int]]:
        written: list[list[int]] = []
        place: Place = self._first_place
        for part in parts:
            if isinstance(part, str):
                written.append(self._speller.text(part, place) if part else [])
                place = "inside" if part else place
                continue
            if part is END_OF_CHUNK and self._end_of_chunk_id is None:
                raise InstructgenError(
                    "documents need a token that ends what is said of a picture, and this tokenizer has none"
                )
            written.append([IMAGE_SLOT if part is PICTURE else self._end_of_chunk_id or 0])
            place = "fresh"
        return written

    def _join(self, sample_id: str, laid: Laid, keys: Sequence[str]) -> tuple[Example, bool] | Fault:
        """Return the example, and whether its end was cut."""
        ids, is_trained = list(self._before), [False] * len(self._before)
        num_seen, left = 0, self._max_tokens - len(ids)
        for part, written in zip(laid.parts, self._spell(laid.parts), strict=True):
            left -= self._tokens_per_image if part is PICTURE else len(written)
            if part is PICTURE and left < 0:
                break
            num_seen += part is PICTURE
            ids += written[: len(written) + min(left, 0)]
            is_learned = part is not PICTURE and (laid.sees_next or num_seen > 0)
            is_trained += [is_learned] * (len(ids) - len(is_trained))
            if left < 0:
                break
        if left >= len(self._after):
            ids += self._after
            is_trained += [False] * len(self._after)
        if not num_seen:
            return Fault("too_long_for_image")
        if laid.sees_next:  # of what is cut off, a picture may be one that its text looks at
            last = len(ids) - 1 - ids[::-1].index(IMAGE_SLOT)
            is_trained[last:] = [False] * (len(ids) - last)
        if not any(is_trained[1:]):
            return Fault("nothing_follows_a_picture")
        frames = laid.frames[:num_seen]
        counted = frames if any(count != 1 for count in frames) else ()
        columns = np.array(ids, np.int32), np.array(is_trained, np.bool_), tuple(keys[: sum(frames)])
        return Example(sample_id, *columns, counted, laid.sees_next), left < 0


class Written(Struct, frozen=True):
    """A document's example, and what of it is not in it."""

    example: Example
    is_cut: bool
    num_texts_left_out: int
    num_pictures_left_out: int
