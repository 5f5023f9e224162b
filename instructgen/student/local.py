"""A student in this process: prompts become embeddings, pictures are seen once, answers are computed in batches."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import torch
from msgspec import Struct
from torch import Tensor

from instructgen.draws import make_generator
from instructgen.errors import InstructgenError
from instructgen.student.ask import Answer, Ask, Piece, Sampling
from instructgen.student.generate import Prompt, Rules, answer_rows, make_row, score_answers
from instructgen.student.network import Network
from instructgen.student.sampling import Draw
from instructgen.train.example import IMAGE_SLOT

# L positions of a prompt, N pictures, T tokens of one, D language width, C channels, H height, W width

_BLANK = "blank"


class Wording(Protocol):
    """How a model's prompts and answers are written as tokens."""

    @property
    def rules(self) -> Rules: ...

    def prompt_ids(self, ask: Ask) -> list[int]:
        """Return what stands before the answer, IMAGE_SLOT for each picture; raises InstructgenError."""
        ...

    def answer_ids(self, answer: str) -> list[int]:
        """Return an answer as it is learned, its stop included."""
        ...


class BatchLimits(Struct, frozen=True):
    """How much is computed at once: rows, and positions of all rows together, answers included."""

    max_rows: int = 16
    max_positions: int = 32_768
    kept_pictures: int = 64
    """Pictures whose tokens are kept for the next question about them."""


class LocalStudent:
    """Implements instructgen.student.ask.Crowd. Answers come from one thread at a time; `check` may be called from
    another."""

    def __init__(
        self,
        name: str,
        network: Network,
        wording: Wording,
        read_picture: Callable[[bytes | None], Tensor],
        limits: BatchLimits = BatchLimits(),  # noqa: B008  frozen
    ) -> None:
        self._name = name
        self._network = network
        self._wording = wording
        self._limits = limits
        self._lock = threading.Lock()  # of the tokenizer and the pixels: fast tokenizers mind two threads
        self._pixels = _Kept(read_picture, limits.kept_pictures)
        self._seen: OrderedDict[str, Tensor] = OrderedDict()

    @property
    def name(self) -> str:
        return self._name

    @property
    def network(self) -> Network:
        return self._network

    def check(self, ask: Ask) -> int:
        ids = self._encode(ask)
        with self._lock:
            for picture in ask.pictures:
                self._pixels.get(picture)
        return self._check_room(len(ids) + self._count_added(ask))

    def answer_all(self, asks: Sequence[Ask], sampling: Sampling) -> list[Answer]:
        answers: dict[int, Answer] = {}
        for piece in self.answer_together([(ask, sampling) for ask in asks], lambda _: True):
            if piece.answer is not None:
                answers[piece.ask] = piece.answer
        return [answers[number] for number in range(len(asks))]

    def stream(self, ask: Ask, sampling: Sampling) -> Iterator[str]:
        for piece in self.answer_together([(ask, sampling)], lambda _: True):
            if piece.text:
                yield piece.text

    def answer_together(
        self, asks: Sequence[tuple[Ask, Sampling]], is_wanted: Callable[[int], bool]
    ) -> Iterator[Piece]:
        """Asks about the same pictures come into one batch, for what they begin with is computed once; those batches
        and what is in them are ordered by length, so that little is padding."""
        encoded = [self._encode(ask) for ask, _ in asks]
        sizes: list[_Size] = []
        for ids, (ask, sampling) in zip(encoded, asks, strict=True):
            length = self._check_room(len(ids) + self._count_added(ask))
            sizes.append(_Size(*self._find_trunk(ask, ids), length + sampling.max_tokens))
        for numbers in self._plan(sizes):
            yield from self._answer_batch(asks, encoded, [one for one in numbers if is_wanted(one)], is_wanted)

    def score(self, ask: Ask, candidates: Sequence[str]) -> list[float]:
        if not candidates:
            return []
        with torch.inference_mode():
            ids = self._encode(ask)
            prompt = self._embed(ask, ids)
            with self._lock:
                answers = [self._wording.answer_ids(candidate) for candidate in candidates]
            self._check_room(len(prompt) + max(map(len, answers)))
            rows = max(1, min(self._limits.max_rows, self._limits.max_positions // (len(prompt) + 1)))
            return score_answers(self._network, prompt, answers, rows)

    def prompt(self, ask: Ask) -> Prompt:
        """Return what the language model is given for an ask."""
        with torch.inference_mode():
            return self._embed(ask, self._encode(ask))

    def _answer_batch(
        self,
        asks: Sequence[tuple[Ask, Sampling]],
        encoded: Sequence[list[int]],
        numbers: Sequence[int],
        is_wanted: Callable[[int], bool],
    ) -> Iterator[Piece]:
        if not numbers:
            return
        with torch.inference_mode():
            rules, limit = self._wording.rules, self._network.max_positions
            rows = []
            for number in numbers:
                ask, sampling = asks[number]
                draw = Draw(sampling, make_generator(sampling.seed, "answer", _identify(ask, encoded[number])))
                rows.append(make_row(number, self._embed(ask, encoded[number]), draw, rules, limit))
        pieces = answer_rows(self._network, rows, rules, is_wanted)
        while True:
            with torch.inference_mode():  # not around the yield: whoever takes the piece has modes of its own
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece

    def _plan(self, sizes: Sequence["_Size"]) -> Iterator[list[int]]:
        """Yield batches of trunks of one length, those of one trunk beside each other, the longest first."""
        longest: dict[str, int] = {}
        for size in sizes:
            longest[size.trunk] = max(longest.get(size.trunk, 0), size.positions)

        def rank(number: int) -> tuple[int, int, str, int, int]:
            size = sizes[number]
            return -size.trunk_length, -longest[size.trunk], size.trunk, -size.positions, number

        order = sorted(range(len(sizes)), key=rank)
        while order:
            first = sizes[order[0]]
            num_rows = max(1, min(self._limits.max_rows, self._limits.max_positions // longest[first.trunk]))
            batch = [one for one in order[:num_rows] if sizes[one].trunk_length == first.trunk_length]
            yield batch
            order = order[len(batch) :]

    def _find_trunk(self, ask: Ask, ids: Sequence[int]) -> tuple[str, int]:
        """Return a name for what an ask's prompt begins with, up to its last picture, and how many positions it has;
        one position at least is left for the ask itself."""
        if not ask.pictures:
            return "", 0
        end = len(ids) - list(reversed(ids)).index(IMAGE_SLOT)
        name = hashlib.sha256(" ".join([*map(str, ids[:end]), *map(_key, ask.pictures)]).encode()).hexdigest()
        return name, end + self._count_added(ask) - (end == len(ids))

    def _encode(self, ask: Ask) -> list[int]:
        with self._lock:
            ids = self._wording.prompt_ids(ask)
        assert ids.count(IMAGE_SLOT) == len(ask.pictures), "the template left a picture out"
        return ids

    def _count_added(self, ask: Ask) -> int:
        """Return how many positions pictures take beyond one each."""
        return len(ask.pictures) * (self._network.tokens_per_image - 1)

    def _check_room(self, length: int) -> int:
        if length == 0:
            raise InstructgenError(
                "the prompt is empty: the model's template writes nothing where no picture is shown"
            )
        limit = self._network.max_positions
        if limit is not None and length >= limit:
            raise InstructgenError(
                f"the prompt has {length:,} tokens with its pictures, and the model takes {limit:,} with the answer; "
                "ask with less text or fewer turns"
            )
        return length

    def _embed(self, ask: Ask, ids: Sequence[int]) -> Prompt:
        tokens_nt = self._see(ask.pictures)
        numbers = [0 if number == IMAGE_SLOT else number for number in ids]
        ids_l = torch.tensor(numbers, dtype=torch.long, device=self._network.device)
        embeds_ld = self._network.embed_ids(ids_l)
        pieces: list[Tensor] = []
        start = 0
        for place, tokens_td in zip((at for at, one in enumerate(ids) if one == IMAGE_SLOT), tokens_nt, strict=True):
            pieces += [embeds_ld[start:place], tokens_td.to(embeds_ld.dtype)]
            start = place + 1
        return Prompt(torch.cat([*pieces, embeds_ld[start:]]), *self._find_trunk(ask, ids))

    def _see(self, pictures: Sequence[bytes | None]) -> list[Tensor]:
        """Return each picture's tokens [T, D]; one that was seen lately is not computed again."""
        keys = [_key(picture) for picture in pictures]
        new = {key: picture for key, picture in zip(keys, pictures, strict=True) if key not in self._seen}
        if new:
            with self._lock:
                pixels_nchw = torch.stack([self._pixels.get(picture) for picture in new.values()])
            tokens_ntd = self._network.embed_pictures(pixels_nchw.to(self._network.device))
            self._seen.update(zip(new, tokens_ntd, strict=True))
        found = [self._seen[key] for key in keys]
        for key in keys:
            self._seen.move_to_end(key)
        while len(self._seen) > self._limits.kept_pictures:
            self._seen.popitem(last=False)
        return found


class _Size(Struct, frozen=True):
    """What a batch is planned by; `positions` are the prompt's and the longest answer's."""

    trunk: str
    trunk_length: int
    positions: int


class _Kept:
    """Pixels of the pictures that were read last."""

    def __init__(self, read: Callable[[bytes | None], Tensor], size: int) -> None:
        self._read = read
        self._size = size
        self._kept: OrderedDict[str, Tensor] = OrderedDict()

    def get(self, picture: bytes | None) -> Tensor:
        key = _key(picture)
        if key not in self._kept:
            self._kept[key] = self._read(picture)
        self._kept.move_to_end(key)
        found = self._kept[key]
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return found


def _key(picture: bytes | None) -> str:
    return _BLANK if picture is None else hashlib.sha256(picture).hexdigest()


def _identify(ask: Ask, ids: Sequence[int]) -> str:
    """Return what an ask's draws hang on, beside the seed: its tokens and its pictures, and nothing beside it."""
    return " ".join([*map(str, ids), *map(_key, ask.pictures)])
