"""Pictures with their captions: which rows are captions, which caption an epoch takes, what a step holds."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from instructgen.errors import InstructgenError
from instructgen.sources.capfilt import pick_number
from instructgen.surrogate.captions import clean_caption
from instructgen.train.encode import Encoded, RawSample, Skipped
from instructgen.train.example import IMAGE_SLOT, Example
from instructgen.train.example_set import ExampleSet
from instructgen.train.representation_recipe import RepresentationRecipe
from instructgen.train.rows import Row, Step, shuffle_epoch
from instructgen.train.spelling import Place, Speller

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# B pictures of a process, L positions of text

_START: Place = "start"


class CaptionEncoder:
    """Reads a row with one picture and one answer as a caption: [CLS], its tokens, [SEP].

    The picture's slot stands first in an example's ids; `read` leaves it out again.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", num_queries: int, max_tokens: int) -> None:
        first, last, pad = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id
        decode = tokenizer.bos_token_id
        assert None not in (first, last, pad, decode), "load_text_tokenizer has added what was lacking"
        self.tokens_per_image = num_queries
        self.max_tokens = max_tokens
        self.first, self.last, self.pad, self.decode = int(first), int(last), int(pad), int(decode)
        self._speller = Speller(tokenizer)

    @property
    def identity(self) -> str:
        """What the ids of a row follow from."""
        facts = ["captions", self._speller.identity, self.first, self.last, self.tokens_per_image, self.max_tokens]
        return hashlib.sha256(msgspec.json.encode([*facts, IMAGE_SLOT])).hexdigest()

    def encode_all(self, samples: Sequence[RawSample]) -> list[Encoded | Skipped]:
        """Return what becomes of each row, in order; reasons are fixed words (docs/blip2.md)."""
        texts = [_find_caption(sample) for sample in samples]
        kept = [text for text in texts if not isinstance(text, Skipped)]
        spelled = iter(self._speller.texts([(text, _START) for text in kept]))
        return [
            text if isinstance(text, Skipped) else self._make(sample, next(spelled))
            for sample, text in zip(samples, texts, strict=True)
        ]

    def spell(self, text: str) -> list[int]:
        """Return the ids of a caption, with its first and last token."""
        tokens = self._speller.text(clean_caption(text), _START)
        return [self.first, *tokens[: self.max_tokens - 2], self.last]

    def _make(self, sample: RawSample, tokens: list[int]) -> Encoded:
        ids = np.array([IMAGE_SLOT, self.first, *tokens[: self.max_tokens - 2], self.last], np.int32)
        is_trained = np.ones(len(ids), np.bool_)
        is_trained[:2] = False
        example = Example(sample.sample_id, ids, is_trained, sample.pictures)
        return Encoded(example, is_cut=len(tokens) > self.max_tokens - 2)

    def pad_texts(self, texts: Sequence[Sequence[int]], length: int | None = None) -> tuple[Tensor, Tensor]:
        """Return ids [B, L] and which of them are tokens; L is the longest text's, or `length`."""
        longest = length or max(map(len, texts))
        ids_bl = torch.full((len(texts), longest), self.pad, dtype=torch.long)
        is_token_bl = torch.zeros(len(texts), longest, dtype=torch.bool)
        for place, text in enumerate(texts):
            ids_bl[place, : len(text)] = torch.tensor(text)
            is_token_bl[place, : len(text)] = True
        return ids_bl, is_token_bl


def _find_caption(sample: RawSample) -> str | Skipped:
    answers = [message.content for message in sample.messages if message.role == "assistant"]
    reason = ""
    if len(sample.pictures) != 1:
        reason = "several_pictures" if sample.pictures else "no_picture"
    elif len(answers) != 1:
        reason = "no_caption" if not answers else "several_answers"
    elif not (caption := clean_caption(answers[0])):
        reason = "no_caption"
    elif any("\ud800" <= letter <= "\udfff" for letter in caption):
        reason = "not_unicode"
    else:
        return caption
    return Skipped(sample.sample_id, reason)


@dataclass(frozen=True, slots=True)
class CaptionBatch:
    """A process's pairs of a step. `pictures` are views: an epoch and a picture's number, as "3/17".

    `ids_bl` begin with [CLS]; `num_queries` a picture are computed beside its text.
    """

    pictures: tuple[str, ...]
    ids_bl: Tensor
    is_token_bl: Tensor
    num_queries: int

    def __len__(self) -> int:
        """Return the positions of text and queries, each counted once."""
        return len(self.pictures) * self.num_queries + int(self.is_token_bl.sum())


@dataclass(frozen=True)
class PairSet:
    """The data by picture: picture number i has the captions of the rows that show it."""

    examples: ExampleSet
    encoder: CaptionEncoder
    seed: int
    num_ranks: int = 1

    def __len__(self) -> int:
        return len(self._starts) - 1

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        numbers = np.asarray(self.examples.picture_numbers)
        return np.argsort(numbers, kind="stable").astype(np.int64)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        counts = np.bincount(self.examples.picture_numbers, minlength=len(self.examples.pictures.keys))
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def key_of(self, number: int) -> str:
        return self.examples.pictures.keys[number]

    def rows_of(self, number: int) -> list[int]:
        """Return the rows that show a picture, in their order: one for each of its captions."""
        rows: list[int] = self._order[self._starts[number] : self._starts[number + 1]].tolist()
        return rows

    def pick_row(self, number: int, epoch: int) -> int:
        """Return the row whose caption an epoch takes; each is as likely, whatever was drawn for others."""
        rows = self.rows_of(number)
        return rows[pick_number(self.key_of(number), len(rows), epoch, self.seed)]

    def make_batch(self, epoch: int, row: Row) -> CaptionBatch:
        numbers = [number for group in row for number in group]
        texts = [self.examples[self.pick_row(number, epoch)].ids[1:].tolist() for number in numbers]
        # Processes exchange their texts, which must be of one length then.
        length = self.encoder.max_tokens if self.num_ranks > 1 else None
        ids_bl, is_token_bl = self.encoder.pad_texts(texts, length)
        views = tuple(f"{epoch}/{number}" for number in numbers)
        return CaptionBatch(views, ids_bl, is_token_bl, self.encoder.tokens_per_image)


def read_view(view: str) -> tuple[int, int]:
    """Return the epoch and the picture's number of a view."""
    epoch, _, number = view.partition("/")
    return int(epoch), int(number)


class PairCourse:
    """`course[k]` is the run's step k: `batch` different pictures, evenly spread over processes.

    A pure function of the number of pictures, the recipe and the number of processes. Every step is full: pictures
    that are left over at the end of an epoch wait for the next; fewer than a step's are one smaller step.
    """

    def __init__(self, num_pictures: int, recipe: RepresentationRecipe, num_ranks: int = 1) -> None:
        self.batch = min(recipe.rows.batch, num_pictures)
        if self.batch % num_ranks:
            raise InstructgenError(
                f"{self.batch} pictures a step cannot be shared by {num_ranks} processes; set rows.batch to a"
                " multiple of their number"
            )
        self._num_pictures = num_pictures
        self._seed = recipe.train.seed
        self._num_ranks = num_ranks
        self._orders: dict[int, NDArray[np.int64]] = {}
        self.steps_per_epoch = num_pictures // self.batch
        self.num_steps = recipe.train.steps or max(1, round((recipe.train.epochs or 0.0) * self.steps_per_epoch))

    def __len__(self) -> int:
        return self.num_steps

    def __getitem__(self, step: int) -> Step:
        epoch, within = divmod(step, self.steps_per_epoch)
        chosen = self._find_order(epoch)[within * self.batch : (within + 1) * self.batch]
        shares = np.split(chosen, self._num_ranks)
        return Step(
            rows=tuple(((tuple(share.tolist()),),) for share in shares),
            row_tokens=tuple((len(share),) for share in shares),
            num_samples=len(chosen),
            epoch=epoch,
        )

    def _find_order(self, epoch: int) -> NDArray[np.int64]:
        if epoch not in self._orders:
            # Two are kept: the next epoch's pictures are loaded while the last steps of this one are computed.
            self._orders = {number: order for number, order in self._orders.items() if number == epoch - 1}
            self._orders[epoch] = shuffle_epoch(self._num_pictures, seed=self._seed, epoch=epoch)
        return self._orders[epoch]
