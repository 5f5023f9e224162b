"""A student in this process: prompts become embeddings, pictures are seen once, answers are computed in batches."""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import torch
from msgspec import Struct
from msgspec.structs import replace
from torch import Tensor

from instructgen.draws import make_generator
from instructgen.errors import InstructgenError
from instructgen.student.ask import Answer, AnyAsk, Ask, Document, Piece, Sampling, split_pictures, spread_clips
from instructgen.student.beams import answer_by_kind
from instructgen.student.documents import DocumentWording
from instructgen.student.generate import Prompt, Rules, make_row, score_answers
from instructgen.student.looking import LookingNetwork
from instructgen.student.network import Network
from instructgen.student.picture_memory import PictureMemory, Slot, key_of
from instructgen.student.sampling import Draw
from instructgen.train.example import IMAGE_SLOT

# L positions of a prompt, N pictures, T tokens of one, D language width, C channels, H height, W width


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


@runtime_checkable
class Pooling(Protocol):
    """A network that tells what its vision tower makes of a whole picture."""

    def pool_pictures(self, pixels_nchw: Tensor) -> Tensor:
        """Map [N, C, H, W] to [N, V]: the tower's tokens, averaged."""
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
        documents: DocumentWording | None = None,
    ) -> None:
        self._name = name
        self._network = network
        self._wording = wording
        self._documents = documents
        self._limits = limits
        self._lock = threading.Lock()  # of the tokenizer and the pixels: fast tokenizers mind two threads
        self._pictures = PictureMemory(network, read_picture, limits.kept_pictures, self._lock)

    @property
    def name(self) -> str:
        return self._name

    @property
    def network(self) -> Network:
        return self._network

    def check(self, ask: AnyAsk) -> int:
        ids = self._encode(ask)
        self._pictures.read(ask.pictures)
        return self._check_room(len(ids) + self._count_added(ask))

    def answer_all(self, asks: Sequence[AnyAsk], sampling: Sampling) -> list[Answer]:
        answers: dict[int, Answer] = {}
        for piece in self.answer_together([(ask, sampling) for ask in asks], lambda _: True):
            if piece.answer is not None:
                answers[piece.ask] = piece.answer
        return [answers[number] for number in range(len(asks))]

    def stream(self, ask: AnyAsk, sampling: Sampling) -> Iterator[str]:
        for piece in self.answer_together([(ask, sampling)], lambda _: True):
            if piece.text:
                yield piece.text

    def answer_together(
        self, asks: Sequence[tuple[AnyAsk, Sampling]], is_wanted: Callable[[int], bool]
    ) -> Iterator[Piece]:
        """Asks about the same pictures come into one batch, for what they begin with is computed once; those batches
        and what is in them are ordered by length, so that little is padding."""
        encoded = [self._encode(ask) for ask, _ in asks]
        sizes: list[_Size] = []
        for ids, (ask, sampling) in zip(encoded, asks, strict=True):
            length = self._check_room(len(ids) + self._count_added(ask))
            is_document = isinstance(ask, Document)
            sizes.append(_Size(*self._find_trunk(ask, ids), length + sampling.max_tokens, is_document))
        for numbers in self._plan(_part_lone(sizes)):
            yield from self._answer_batch(asks, encoded, [one for one in numbers if is_wanted(one)], is_wanted)

    def score(self, ask: AnyAsk, candidates: Sequence[str]) -> list[float]:
        if not candidates:
            return []
        with torch.inference_mode():
            ids = self._encode(ask)
            prompt = self._embed(ask, ids)
            with self._lock:
                answers = [self._answer_ids(ask, candidate) for candidate in candidates]
            self._check_room(len(prompt) + max(map(len, answers)))
            rows = max(1, min(self._limits.max_rows, self._limits.max_positions // (len(prompt) + 1)))
            return score_answers(self._network, prompt, answers, rows)

    def count_answer_tokens(self, ask: AnyAsk, candidates: Sequence[str]) -> list[int]:
        """Return how many tokens `score` sums up for each, the stop included."""
        with self._lock:
            return [len(self._answer_ids(ask, candidate)) for candidate in candidates]

    def pool(self, pictures: Sequence[bytes | None]) -> Tensor:
        """Return [N, V]: each picture as one feature of the tower, or of what comes out of the connector."""
        with torch.inference_mode():
            pixels_nchw = torch.stack(self._pictures.read(pictures)).to(self._network.device)
            if isinstance(self._network, Pooling):
                return self._network.pool_pictures(pixels_nchw)
            return self._network.embed_pictures(pixels_nchw).mean(dim=1)

    def prompt(self, ask: AnyAsk) -> Prompt:
        """Return what the language model is given for an ask."""
        with torch.inference_mode():
            return self._embed(ask, self._encode(ask))

    def _answer_batch(
        self,
        asks: Sequence[tuple[AnyAsk, Sampling]],
        encoded: Sequence[list[int]],
        numbers: Sequence[int],
        is_wanted: Callable[[int], bool],
    ) -> Iterator[Piece]:
        if not numbers:
            return
        with torch.inference_mode():
            rules, limit = self._find_rules(asks[numbers[0]][0]), self._network.max_positions
            rows = []
            for number in numbers:
                ask, sampling = asks[number]
                draw = Draw(sampling, make_generator(sampling.seed, "answer", _identify(ask, encoded[number])))
                rows.append(make_row(number, self._embed(ask, encoded[number]), draw, rules, limit))
        pieces = answer_by_kind(self._network, rows, rules, is_wanted)
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

        def rank(number: int) -> tuple[bool, int, int, str, int, int]:
            size = sizes[number]
            longest_of_trunk = longest[size.trunk]
            return size.is_document, -size.trunk_length, -longest_of_trunk, size.trunk, -size.positions, number

        order = sorted(range(len(sizes)), key=rank)
        while order:
            first = sizes[order[0]]
            num_rows = max(1, min(self._limits.max_rows, self._limits.max_positions // longest[first.trunk]))
            batch = [one for one in order[:num_rows] if sizes[one].kind == first.kind]
            yield batch
            order = order[len(batch) :]

    def _find_trunk(self, ask: AnyAsk, ids: Sequence[int]) -> tuple[str, int]:
        """Return a name for what an ask's prompt begins with, up to its last picture, and how many positions it has;
        one position at least is left for the ask itself."""
        if not ask.pictures or self._network.reads_whole:
            return "", 0
        end = len(ids) - list(reversed(ids)).index(IMAGE_SLOT)
        name = hashlib.sha256(_identify(ask, ids[:end]).encode()).hexdigest()
        return name, end + self._count_added(ask) - (end == len(ids))

    def _encode(self, ask: AnyAsk) -> list[int]:
        with self._lock:
            if isinstance(ask, Ask):
                ids = self._wording.prompt_ids(ask)
            else:
                ids = self._find_documents().prompt_ids(ask if self._groups_frames else spread_clips(ask))
        assert ids.count(IMAGE_SLOT) == len(self._split(ask)), "the template left a picture out"
        return ids

    def _answer_ids(self, ask: AnyAsk, answer: str) -> list[int]:
        if isinstance(ask, Ask):
            return self._wording.answer_ids(answer)
        return self._find_documents().answer_ids(ask, answer)

    def _find_rules(self, ask: AnyAsk) -> Rules:
        return self._wording.rules if isinstance(ask, Ask) else self._find_documents().rules

    def _find_documents(self) -> DocumentWording:
        if self._documents is None:
            raise InstructgenError(f"{self._name} takes no documents, only chats: ask it without shots")
        return self._documents

    def _count_added(self, ask: AnyAsk) -> int:
        """Return how many positions pictures take beyond one each."""
        return len(self._split(ask)) * (self._network.tokens_per_image - 1)

    @property
    def _groups_frames(self) -> bool:
        return isinstance(self._network, LookingNetwork)

    def _split(self, ask: AnyAsk) -> list[Slot]:
        """Return the pictures of each place in the prompt."""
        return split_pictures(ask, groups_frames=self._groups_frames)

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

    def _embed(self, ask: AnyAsk, ids: Sequence[int]) -> Prompt:
        tokens_nt, looks = self._pictures.see(self._split(ask)), None
        if isinstance(self._network, LookingNetwork):
            looks = self._network.look(tokens_nt, ids)
            tokens_nt = [self._network.picture_row[None]] * len(tokens_nt)
        numbers = [0 if number == IMAGE_SLOT else number for number in ids]
        ids_l = torch.tensor(numbers, dtype=torch.long, device=self._network.device)
        embeds_ld = self._network.embed_ids(ids_l)
        pieces: list[Tensor] = []
        start = 0
        for place, tokens_td in zip((at for at, one in enumerate(ids) if one == IMAGE_SLOT), tokens_nt, strict=True):
            pieces += [embeds_ld[start:place], tokens_td.to(embeds_ld.dtype)]
            start = place + 1
        return Prompt(torch.cat([*pieces, embeds_ld[start:]]), *self._find_trunk(ask, ids), looks)


class _Size(Struct, frozen=True):
    """What a batch is planned by; `positions` are the prompt's and the longest answer's."""

    trunk: str
    trunk_length: int
    positions: int
    is_document: bool

    @property
    def kind(self) -> tuple[bool, int]:
        """What all of a batch have in common: the rules by which they end, and the length of their trunks."""
        return self.is_document, self.trunk_length


def _part_lone(sizes: Sequence[_Size]) -> list[_Size]:
    """Forget the trunks of documents that share theirs with none, or hardly two of any length came into one batch."""
    num_of = Counter(size.trunk for size in sizes)
    return [
        replace(size, trunk="", trunk_length=0) if size.is_document and num_of[size.trunk] == 1 else size
        for size in sizes
    ]


def _identify(ask: AnyAsk, ids: Sequence[int]) -> str:
    """Return what an ask's draws hang on, beside the seed: its tokens and its pictures, and nothing beside it."""
    return " ".join([*map(str, ids), *map(key_of, ask.pictures), *map(str, ask.frames)])
