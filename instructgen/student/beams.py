"""Beam search for one answer at a time: the token sequence of the best score, as transformers' `generate` finds it.

An answer's score is the sum of its tokens' log-probabilities, the stop's with them, over its length to the power of
`length_penalty`. The search ends when no running beam can be better, at its present length, than the worst of as many
finished ones as there are beams.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from instructgen.errors import InstructgenError
from instructgen.student.ask import BeamSampling, Piece
from instructgen.student.generate import Row, Rules, answer_rows
from instructgen.student.network import Memory, Network

# B beams, V vocabulary

_TAIL = 16  # ids that are decoded to look for a stop that is text; one that is longer is found when the answer is cut


@dataclass(frozen=True, slots=True)
class _Beam:
    ids: tuple[int, ...]
    log_likelihood: float
    parent: int = 0


@dataclass(frozen=True, slots=True)
class _Finished:
    ids: tuple[int, ...]
    score: float


def answer_by_kind(
    network: Network, rows: list[Row], rules: Rules, is_wanted: Callable[[int], bool] = lambda _: True
) -> Iterator[Piece]:
    """Yield the pieces of all rows; an answer that is searched for comes in one piece."""
    searched = [row for row in rows if isinstance(row.draw.sampling, BeamSampling)]
    stepped = [row for row in rows if not isinstance(row.draw.sampling, BeamSampling)]
    if stepped:
        yield from answer_rows(network, stepped, rules, is_wanted)
    for row in searched:
        if is_wanted(row.number):
            yield _answer_row(network, row, rules)


def _answer_row(network: Network, row: Row, rules: Rules) -> Piece:
    text = ""
    for token in find_best(network, row, rules):
        text += row.take(token, rules.stop_ids)
        if row.finish_reason:
            break
    return Piece(row.number, text, row.answer())


def find_best(network: Network, row: Row, rules: Rules) -> tuple[int, ...]:
    """Return the ids of the best answer, its stop included.

    Raises InstructgenError for a sampling that also draws.
    """
    sampling = row.draw.sampling
    assert isinstance(sampling, BeamSampling), sampling
    if sampling.temperature > 0 or sampling.repetition_penalty != 1.0:
        raise InstructgenError("beams go with temperature 0 and without a repetition penalty: set either")
    ends = _Ends(rules, row)
    running, finished = [_Beam((), 0.0)], list[_Finished]()
    steps = _steps(network, row)
    logits_bv = next(steps)
    while True:
        candidates = _extend(running, logits_bv, sampling.beams * (2 + len(rules.stop_ids)))
        ended = [ends.holds(beam.ids) for beam in candidates]
        best = zip(candidates[: sampling.beams], ended, strict=False)
        finished += [_finish(beam, sampling.length_penalty) for beam, is_end in best if is_end]
        finished = sorted(finished, key=lambda one: -one.score)[: sampling.beams]
        going = zip(candidates, ended, strict=True)
        running = [beam for beam, is_end in going if not is_end][: sampling.beams]
        if not running or (len(finished) == sampling.beams and not _may_improve(running[0], finished[-1], sampling)):
            return finished[0].ids
        logits_bv = steps.send(running)


@dataclass(frozen=True, slots=True)
class _Ends:
    rules: Rules
    row: Row

    def holds(self, ids: tuple[int, ...]) -> bool:
        if ids[-1] in self.rules.stop_ids or len(ids) >= self.row.max_tokens:
            return True
        texts = (*self.rules.stop_texts, *self.row.draw.sampling.stop)
        tail = self.rules.decode(ids[-_TAIL:]) if texts else ""
        return any(text in tail for text in texts if text)


def _steps(network: Network, row: Row) -> Generator[Tensor, list[_Beam], None]:
    """Yield the logits [B, V] of the beams' next tokens; take which beams go on, by `send`."""
    device, memory = network.device, Memory()
    memory.show(() if row.prompt.looks is None else [row.prompt.looks])
    embeds_bld = row.prompt.embeds_ld[None]
    mask_bl = torch.ones(embeds_bld.shape[:2], dtype=torch.long, device=device)
    positions_bl = mask_bl.cumsum(dim=-1) - 1
    while True:
        running = yield network.step(embeds_bld, mask_bl, positions_bl, memory)
        memory.keep([beam.parent for beam in running], device)
        latest_b1 = torch.tensor([[beam.ids[-1]] for beam in running], device=device)
        embeds_bld = network.embed_ids(latest_b1)
        positions_bl = positions_bl[:1, -1:].expand(len(running), -1) + 1
        mask_bl = torch.ones(len(running), mask_bl.shape[1] + 1, dtype=torch.long, device=device)


def _extend(running: list[_Beam], logits_bv: Tensor, num_kept: int) -> list[_Beam]:
    """Return the likeliest continuations of all beams by one token, the best first."""
    before_b1 = torch.tensor([[beam.log_likelihood] for beam in running], device=logits_bv.device)
    likely_bv = torch.log_softmax(logits_bv.float(), dim=-1) + before_b1
    if likely_bv.isnan().any():
        raise InstructgenError("the model computes no numbers any more (NaN): float16 may be too narrow for it")
    num_ids = likely_bv.shape[1]
    values, places = likely_bv.flatten().topk(min(num_kept, likely_bv.numel()))
    found: list[_Beam] = []
    for value, place in zip(values.tolist(), places.tolist(), strict=True):
        parent, token = divmod(place, num_ids)
        found.append(_Beam((*running[parent].ids, token), value, parent))
    return found


def _finish(beam: _Beam, length_penalty: float) -> _Finished:
    return _Finished(beam.ids, beam.log_likelihood / float(len(beam.ids)) ** length_penalty)


def _may_improve(best: _Beam, worst: _Finished, sampling: BeamSampling) -> bool:
    return _finish(best, sampling.length_penalty).score > worst.score
