"""Rows of encoder-decoder models: the encoder reads pictures and prompt, the decoder writes the answer.

Each answer of a chat is a pair of its own: what stands before it is read, it and its stop are written. With
`rows.prefix_lm` a part of the answer is read too, up to a word that is drawn (BLIP-2, 2301.12597, section 3.3).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from instructgen.draws import draw_fraction
from instructgen.models.language import find_start_id
from instructgen.models.vlm import VisionLanguageModel
from instructgen.train.example import IMAGE_SLOT, Example
from instructgen.train.objective import Objective, count_logits, summed_loss, with_gradient
from instructgen.train.templates import find_ending

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# B pairs, L positions of the longest that is read, T of the longest that is written, K image tokens, N pictures,
# S learned tokens, C channels, H height, W width, P patches, V vision width, D language width

_WORD_MARKS = ("▁", "Ġ")  # how SentencePiece and byte-level tokenizers write the space before a word


@dataclass(frozen=True, slots=True)
class Pair:
    """What the encoder reads, with IMAGE_SLOT for each of `pictures`, and what the decoder writes."""

    read: NDArray[np.int32]
    written: NDArray[np.int32]
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PairForm:
    """How pairs are made for a model. `end_ids` stand behind everything that is read, as its tokenizer has it."""

    start_id: int
    """What the decoder is given before the first token."""
    end_ids: tuple[int, ...]
    word_starts: NDArray[np.bool_] | None = None
    """Which ids begin a word; None keeps answers whole."""
    seed: int = 0

    def pairs_of(self, example: Example, epoch: int) -> list[Pair]:
        """Return a pair for each answer; where it is cut is a function of seed, epoch, sample and answer alone."""
        pairs: list[Pair] = []
        for number, (start, end) in enumerate(find_answers(example.is_trained)):
            place = self.find_place(example.ids[start:end], f"{example.sample_id}/{number}", epoch)
            read = np.concatenate([example.ids[: start + place], np.array(self.end_ids, np.int32)])
            if not len(read):
                read = np.array([self.start_id], np.int32)
            num_shown = int(np.count_nonzero(read == IMAGE_SLOT))
            pairs.append(Pair(read, example.ids[start + place : end], example.pictures[:num_shown]))
        return pairs

    def find_place(self, answer: NDArray[np.int32], key: str, epoch: int) -> int:
        """Return how many ids of an answer are read: 0, or those before one of its words; one word is left over."""
        if self.word_starts is None:
            return 0
        places = [0, *(int(place) for place in np.flatnonzero(self.word_starts[answer]) if place)]
        return places[int(draw_fraction(self.seed, f"prefix/{epoch}", key) * len(places))]

    def count_learned(self, example: Example, epoch: int) -> int:
        return sum(len(pair.written) for pair in self.pairs_of(example, epoch))


@dataclass(frozen=True, slots=True)
class PairBatch:
    """Pairs side by side, filled up on the right.

    `image_at_k` counts through [B * L]; its places are filled with the tokens of pictures number `shown_n`, one after
    another. `source_s` counts through [B * T].
    """

    ids_bl: Tensor
    is_token_bl: Tensor
    image_at_k: Tensor
    shown_n: Tensor
    decoder_ids_bt: Tensor
    source_s: Tensor
    target_s: Tensor
    pictures: tuple[str, ...]
    num_samples: int

    def __len__(self) -> int:
        return int(self.ids_bl.numel() + self.decoder_ids_bt.numel())


def make_form(
    model: VisionLanguageModel, tokenizer: "PreTrainedTokenizerBase", *, prefix_lm: bool, seed: int
) -> PairForm:
    words = find_word_starts(tokenizer, count_logits(model)) if prefix_lm else None
    return PairForm(find_start_id(model.causal_lm), tuple(find_ending(tokenizer)), words, seed)


def find_word_starts(tokenizer: "PreTrainedTokenizerBase", num_ids: int) -> NDArray[np.bool_]:
    """Return which ids begin a word; of a tokenizer that marks no words, every one that is no control token."""
    names = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    starts = np.zeros(max(num_ids, len(names)), np.bool_)
    starts[: len(names)] = [str(name).startswith(_WORD_MARKS) for name in names]
    if not starts.any():
        starts[: len(names)] = True
    starts[sorted(tokenizer.get_added_vocab().values())] = False
    return starts


def find_answers(is_trained: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the runs of learned ids, [start, end) each."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_trained, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def pad_pairs(
    examples: Sequence[Example], groups: Iterable[Sequence[int]], tokens_per_image: int, form: PairForm, epoch: int
) -> PairBatch:
    """Return the examples' pairs; no group at all makes one that learns nothing, for a process with less to do."""
    members = [examples[number] for group in groups for number in group]
    pairs = [pair for member in members for pair in form.pairs_of(member, epoch)]
    nothing = np.zeros(1, np.int32)
    filled = [_fill_slots(read, tokens_per_image) for read in [pair.read for pair in pairs] or [nothing]]
    shape = (len(filled), max(len(ids) for ids, _ in filled))
    ids_bl, is_token_bl, is_image_bl = np.zeros(shape, np.int64), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for row, (ids, is_image) in enumerate(filled):
        ids_bl[row, : len(ids)] = ids
        is_token_bl[row, : len(ids)] = True
        is_image_bl[row, : len(ids)] = is_image
    longest = max((len(pair.written) for pair in pairs), default=1)
    decoder_ids_bt = np.full((len(filled), longest), form.start_id, np.int64)
    is_learned_bt = np.zeros((len(filled), longest), np.bool_)
    for row, pair in enumerate(pairs):
        decoder_ids_bt[row, 1 : len(pair.written)] = pair.written[:-1]
        is_learned_bt[row, : len(pair.written)] = True
    numbers: dict[str, int] = {}
    shown = [numbers.setdefault(key, len(numbers)) for pair in pairs for key in pair.pictures]
    target = np.concatenate([pair.written for pair in pairs]) if pairs else np.zeros(0, np.int64)
    return PairBatch(
        ids_bl=torch.from_numpy(ids_bl),
        is_token_bl=torch.from_numpy(is_token_bl),
        image_at_k=torch.from_numpy(np.flatnonzero(is_image_bl)),
        shown_n=torch.tensor(shown, dtype=torch.long),
        decoder_ids_bt=torch.from_numpy(decoder_ids_bt),
        source_s=torch.from_numpy(np.flatnonzero(is_learned_bt)),
        target_s=torch.from_numpy(target.astype(np.int64)),
        pictures=tuple(numbers),
        num_samples=len(members),
    )


def _fill_slots(ids: NDArray[np.int32], tokens_per_image: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Widen every slot to its image's positions, which hold 0; say where those are."""
    is_slot = ids == IMAGE_SLOT
    widths = np.where(is_slot, tokens_per_image, 1)
    is_image = np.repeat(is_slot, widths)
    filled = np.repeat(ids, widths).astype(np.int64)
    filled[is_image] = 0
    return filled, is_image


class PairObjective(nn.Module):
    """`pair_loss` as a module, for wrappers that act on a module's forward (FSDP2, DDP)."""

    def __init__(self, model: VisionLanguageModel, embed: Callable[[Tensor], Tensor] | None = None) -> None:
        super().__init__()
        self.model = model
        self._embed = embed

    def forward(self, row: PairBatch, pictures: Tensor) -> Tensor:
        return pair_loss(self.model, row, pictures, self._embed)


def make_objective(model: VisionLanguageModel, embed: Callable[[Tensor], Tensor] | None = None) -> nn.Module:
    """Return what a run's rows cost, by the kind of its language model."""
    return PairObjective(model, embed) if model.is_seq2seq else Objective(model, embed)


def pair_loss(
    model: VisionLanguageModel,
    row: PairBatch,
    pictures: Tensor,
    embed: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Return the summed negative log-likelihood of what the decoder writes; pictures cost nothing themselves.

    `pictures` and `embed` are as instructgen.train.objective.row_loss has them.
    """
    device = model.device
    embeds_bld = model.embed_text(row.ids_bl.to(device))
    if len(row.image_at_k):
        embed = embed or (model.embed_pictures if pictures.dim() == 4 else model.connect)
        tokens_ntd = embed(pictures.to(device))[row.shown_n.to(device)]
        flat_d = embeds_bld.flatten(0, 1)
        tokens_kd = tokens_ntd.flatten(0, 1).to(flat_d.dtype)
        embeds_bld = flat_d.index_copy(0, row.image_at_k.to(device), tokens_kd).view(embeds_bld.shape)
    mask_bl = row.is_token_bl.to(device).long()
    hidden_btd = model.hidden_seq2seq(embeds_bld, mask_bl, row.decoder_ids_bt.to(device))
    if not len(row.source_s):
        return with_gradient(model, hidden_btd.float().sum() * 0.0)
    hidden_sd = hidden_btd.flatten(0, 1).index_select(0, row.source_s.to(device))
    loss = summed_loss(model.head, hidden_sd, row.target_s.to(device), count_logits(model))
    return with_gradient(model, loss)
