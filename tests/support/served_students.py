"""A student's server in a thread of its own, and a student that needs no model."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Self

from instructgen.errors import InstructgenError
from instructgen.student.ask import Answer, Ask, Crowd, Piece, Sampling
from instructgen.student.serving.server import ServerSettings, StudentServer


class Parrot:
    """Says what it was asked, a word a piece, with the number of pictures in front; writes down every batch."""

    name = "parrot"

    def __init__(self, *, delay_s: float = 0.0) -> None:
        self.delay_s = delay_s
        self.batches: list[list[Ask]] = []
        self.samplings: list[Sampling] = []
        self.gate = threading.Event()
        self.gate.set()
        self.num_dropped = 0

    def check(self, ask: Ask) -> int:
        if "too long" in ask.turns[-1].content:
            raise InstructgenError("the prompt has 9,999 tokens")
        return len(ask.turns[-1].content.split())

    def answer_together(
        self, asks: Sequence[tuple[Ask, Sampling]], is_wanted: Callable[[int], bool]
    ) -> Iterator[Piece]:
        self.batches.append([ask for ask, _ in asks])
        self.samplings += [sampling for _, sampling in asks]
        self.gate.wait(20)
        words = {number: self._words(ask) for number, (ask, _) in enumerate(asks)}
        said = dict.fromkeys(words, "")
        while words:
            time.sleep(self.delay_s)
            for number in list(words):
                if not is_wanted(number):
                    self.num_dropped += 1
                    del words[number]
                    continue
                word = words[number].pop(0)
                if word == "crash":
                    raise ZeroDivisionError("a bug")
                piece = word if not said[number] else f" {word}"
                said[number] += piece
                ask, sampling = asks[number]
                is_cut = len(said[number].split()) >= sampling.max_tokens
                if words[number] and not is_cut:
                    yield Piece(number, piece)
                    continue
                length = len(said[number].split())
                yield Piece(
                    number, piece, Answer(said[number], "length" if is_cut else "stop", self.check(ask), length)
                )
                del words[number]

    def answer_all(self, asks: Sequence[Ask], sampling: Sampling) -> list[Answer]:
        pieces = self.answer_together([(ask, sampling) for ask in asks], lambda _: True)
        found = {piece.ask: piece.answer for piece in pieces if piece.answer is not None}
        return [found[number] for number in range(len(asks))]

    def stream(self, ask: Ask, sampling: Sampling) -> Iterator[str]:
        return (piece.text for piece in self.answer_together([(ask, sampling)], lambda _: True))

    def score(self, ask: Ask, candidates: Sequence[str]) -> list[float]:
        return [0.0] * len(candidates)

    @staticmethod
    def _words(ask: Ask) -> list[str]:
        return [f"{len(ask.pictures)}:", *ask.turns[-1].content.split()]


class ServedStudent:
    """Use as a context manager."""

    def __init__(self, student: Crowd, settings: ServerSettings | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="served student", daemon=True)
        self.server = StudentServer(student, settings or ServerSettings(port=0, grace_s=5.0))

    @property
    def base_url(self) -> str:
        return self.server.url

    @property
    def root(self) -> str:
        return self.server.url.removesuffix("/v1")

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.server.start(), self._loop).result(20)
        return self

    def begin_stop(self) -> "asyncio.Future[None]":
        return asyncio.run_coroutine_threadsafe(self.server.stop(), self._loop)  # type: ignore[return-value]

    def __exit__(self, *exc_info: object) -> None:
        if not self.server.is_stopping:
            self.begin_stop().result(30)  # type: ignore[call-arg]
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
