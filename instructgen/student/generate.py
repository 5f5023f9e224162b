"""Answers token by token, several at once: left padding, kept keys and values, each row with a draw of its own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from instructgen.student.ask import Answer, Piece, Sampling
from instructgen.student.network import Memory, Network
from instructgen.student.pieces import Pieces
from instructgen.student.sampling import Draw, choose_tokens

if TYPE_CHECKING:
    from instructgen.student.looking import Looks

# B rows, U trunks that they begin with, L positions, D width, V vocabulary


@dataclass(frozen=True, slots=True)
class Prompt:
    """What an answer goes on from: [L, D], pictures in their places.

    Prompts of one `trunk` begin with the same `trunk_length` positions: those of the same pictures.
    """

    embeds_ld: Tensor
    trunk: str = ""
    trunk_length: int = 0
    looks: "Looks | None" = None
    """What its positions look at, where pictures are seen from between the layers."""

    def __len__(self) -> int:
        return int(self.embeds_ld.shape[0])


@dataclass(frozen=True, slots=True)
class Rules:
    """What ends every answer of a model, and how its tokens are read."""

    stop_ids: frozenset[int]
    stop_texts: tuple[str, ...]
    decode: Callable[[Sequence[int]], str]


@dataclass(slots=True)
class Row:
    """One answer on its way. `number` is the ask's."""

    number: int
    prompt: Prompt
    draw: Draw
    pieces: Pieces
    max_tokens: int
    finish_reason: str = ""

    def take(self, token: int, stop_ids: frozenset[int]) -> str:
        """Return what can be shown now that this token was chosen."""
        if token in stop_ids:
            self.finish_reason = "stop"
            return self.pieces.finish()
        self.draw.ids.append(token)
        text = self.pieces.push(token)
        if self.pieces.is_stopped():
            self.finish_reason = "stop"
        elif len(self.draw.ids) >= self.max_tokens:
            self.finish_reason = "length"
            text += self.pieces.finish()
            if self.pieces.is_stopped():  # a stop whose last character the end of the answer completes
                self.finish_reason = "stop"
        return text

    def answer(self) -> Answer:
        return Answer(self.pieces.text, self.finish_reason, len(self.prompt), self.pieces.num_tokens)


def make_row(number: int, prompt: Prompt, draw: Draw, rules: Rules, max_positions: int | None) -> Row:
    """Begin an answer; it is cut where the model has no position left."""
    sampling: Sampling = draw.sampling
    room = sampling.max_tokens if max_positions is None else min(sampling.max_tokens, max_positions - len(prompt))
    assert room > 0, f"no room for an answer behind {len(prompt)} tokens"
    return Row(number, prompt, draw, Pieces(rules.decode, (*rules.stop_texts, *sampling.stop)), room)


def answer_rows(
    network: Network, rows: list[Row], rules: Rules, is_wanted: Callable[[int], bool] = lambda _: True
) -> Iterator[Piece]:
    """Yield pieces until every row has its answer; a row that is wanted no more is dropped at its next token."""
    device, memory = network.device, Memory()
    embeds_bld, mask_bl, positions_bl = _begin(network, rows, memory)
    while True:
        logits_bv = network.step(embeds_bld, mask_bl, positions_bl, memory)
        tokens = choose_tokens(logits_bv, [row.draw for row in rows])
        going: list[int] = []
        for place, (row, token) in enumerate(zip(rows, tokens, strict=True)):
            text = row.take(token, rules.stop_ids)
            if row.finish_reason:
                yield Piece(row.number, text, row.answer())
            elif is_wanted(row.number):
                going.append(place)
                if text:
                    yield Piece(row.number, text)
        if not going:
            return
        if len(going) < len(rows):
            rows = [rows[place] for place in going]
            memory.keep(going, device)
            mask_bl, positions_bl = mask_bl[going], positions_bl[going]
        latest_b1 = torch.tensor([[row.draw.ids[-1]] for row in rows], device=device)
        embeds_bld = network.embed_ids(latest_b1)
        mask_bl = torch.cat([mask_bl, mask_bl.new_ones(len(rows), 1)], dim=-1)
        positions_bl = positions_bl[:, -1:] + 1


def _begin(network: Network, rows: Sequence[Row], memory: Memory) -> tuple[Tensor, Tensor, Tensor]:
    """Return what the first step takes: embeddings, mask and positions.

    What several prompts begin with is computed once for all of them, here; all trunks of a batch are of one length.
    """
    length = rows[0].prompt.trunk_length
    numbers = {trunk: number for number, trunk in enumerate(dict.fromkeys(row.prompt.trunk for row in rows))}
    is_shared = length > 0 and len(numbers) < len(rows) and {row.prompt.trunk_length for row in rows} == {length}
    is_shared = is_shared and _may_have_gaps(network, rows)
    start = length if is_shared else 0
    embeds_bld, mask_bl = pad_left([row.prompt.embeds_ld[start:] for row in rows])
    if is_shared:
        by_trunk = {row.prompt.trunk: row.prompt.embeds_ld[:length] for row in rows}
        trunks_uld = torch.stack([by_trunk[trunk] for trunk in numbers])
        seen_ul = mask_bl.new_ones(len(numbers), length)
        looks_of = {row.prompt.trunk: row.prompt.looks for row in rows}
        memory.show([looks.until(length) for trunk in numbers if (looks := looks_of[trunk]) is not None])
        network.step(trunks_uld, seen_ul, seen_ul.cumsum(dim=-1) - 1, memory)
        memory.keep([numbers[row.prompt.trunk] for row in rows], network.device)
        mask_bl = torch.cat([mask_bl.new_ones(len(rows), length), mask_bl], dim=-1)
    memory.show([row.prompt.looks for row in rows if row.prompt.looks is not None])
    positions_bl = (mask_bl.cumsum(dim=-1) - 1).clamp(min=0)
    return embeds_bld, mask_bl, positions_bl[:, start:]


def _may_have_gaps(network: Network, rows: Sequence[Row]) -> bool:
    """Return whether padding between a trunk and what follows it changes nothing, to the end of all answers."""
    lengths = {len(row.prompt) for row in rows}
    limit = network.max_gapped
    return len(lengths) == 1 or limit is None or max(lengths) + max(row.max_tokens for row in rows) <= limit


def pad_left(embeds: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return [B, L, D] and a mask [B, L] that is 0 before each row's first position."""
    longest = max(int(one.shape[0]) for one in embeds)
    embeds_bld = embeds[0].new_zeros(len(embeds), longest, embeds[0].shape[1])
    mask_bl = torch.zeros(len(embeds), longest, dtype=torch.long, device=embeds[0].device)
    for row, one in enumerate(embeds):
        embeds_bld[row, longest - one.shape[0] :] = one
        mask_bl[row, longest - one.shape[0] :] = 1
    return embeds_bld, mask_bl


def score_answers(network: Network, prompt: Prompt, answers: Sequence[Sequence[int]], batch: int) -> list[float]:
    """Return the summed log-probability of each answer's tokens; the prompt is computed once."""
    if network.reads_whole:
        return _score_behind(network, prompt, answers, batch)
    device = network.device
    length = len(prompt)
    seen, places = torch.ones(1, length, dtype=torch.long, device=device), torch.arange(length, device=device)[None]
    sums: list[float] = []
    # The last position of the prompt is computed with each answer, whose first token it predicts.
    memory = Memory()
    if prompt.looks is not None:
        memory.show([prompt.looks.until(length - 1)])
    if length > 1:
        network.step(prompt.embeds_ld[None, :-1], seen[:, :-1], places[:, :-1], memory)
    memory.show(() if prompt.looks is None else [prompt.looks])
    for start in range(0, len(answers), batch):
        is_last = start + batch >= len(answers)
        part = answers[start : start + batch]
        sums += _score_part(network, prompt, part, memory if is_last else memory.copy())
    return sums


def _score_part(network: Network, prompt: Prompt, answers: Sequence[Sequence[int]], memory: Memory) -> list[float]:
    device, length = network.device, len(prompt)
    longest = max(map(len, answers))
    ids_bl = torch.zeros(len(answers), longest, dtype=torch.long, device=device)
    is_real_bl = torch.zeros(len(answers), longest, dtype=torch.long, device=device)
    for row, ids in enumerate(answers):
        ids_bl[row, : len(ids)] = torch.tensor(ids, device=device)
        is_real_bl[row, : len(ids)] = 1
    memory.repeat(len(answers))
    first_b1d = prompt.embeds_ld[-1:].expand(len(answers), 1, -1)
    embeds_bld = torch.cat([first_b1d, network.embed_ids(ids_bl[:, :-1])], dim=1)
    mask_bl = torch.cat([is_real_bl.new_ones(len(answers), length), is_real_bl[:, :-1]], dim=1)
    positions_bl = torch.arange(length - 1, length - 1 + longest, device=device).expand(len(answers), -1)
    logits_blv = network.step_all(embeds_bld, mask_bl, positions_bl, memory).float()
    likely_bl = torch.log_softmax(logits_blv, dim=-1).gather(2, ids_bl[..., None])[..., 0]
    sums: list[float] = (likely_bl * is_real_bl).sum(dim=-1).tolist()
    return sums


def _score_behind(network: Network, prompt: Prompt, answers: Sequence[Sequence[int]], batch: int) -> list[float]:
    """Do the same where the prompt was read before the first token of an answer is written."""
    device = network.device
    seen_1l = torch.ones(1, len(prompt), dtype=torch.long, device=device)
    read = Memory()
    first_1v = network.step(prompt.embeds_ld[None], seen_1l, seen_1l.cumsum(dim=-1) - 1, read)
    sums: list[float] = []
    for start in range(0, len(answers), batch):
        part = answers[start : start + batch]
        longest, memory = max(map(len, part)), read.copy()
        memory.repeat(len(part))
        ids_bt = torch.zeros(len(part), longest, dtype=torch.long, device=device)
        is_real_bt = torch.zeros(len(part), longest, device=device)
        for row, ids in enumerate(part):
            ids_bt[row, : len(ids)] = torch.tensor(ids, device=device)
            is_real_bt[row, : len(ids)] = 1
        logits_btv = first_1v[:, None].expand(len(part), 1, -1).float()
        if longest > 1:
            embeds_btd = network.embed_ids(ids_bt[:, :-1])
            mask_bt = is_real_bt[:, :-1].long()
            later_btv = network.step_all(embeds_btd, mask_bt, mask_bt.cumsum(dim=-1), memory).float()
            logits_btv = torch.cat([logits_btv, later_btv], dim=1)
        likely_bt = torch.log_softmax(logits_btv, dim=-1).gather(2, ids_bt[..., None])[..., 0]
        sums += (likely_bt * is_real_bt).sum(dim=-1).tolist()
    return sums
