"""Students of tests: they answer from a table, from what they are shown, or always alike."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from instructgen.errors import InstructgenError
from instructgen.student.ask import Answer, AnyAsk, Sampling

# What is answered to an ask; None fails.
Speak = Callable[[Any], str | None]


class ScriptedStudent:
    """Counts what it is asked. `weigh` gives a candidate's likelihood."""

    name = "scripted"

    def __init__(self, speak: Speak, weigh: Callable[[Any, str], float] | None = None) -> None:
        self._speak = speak
        self._weigh = weigh
        self.asked: list[Any] = []
        self.batches: list[int] = []

    def answer_all(self, asks: Sequence[AnyAsk], sampling: Sampling) -> list[Answer]:
        texts = [self._speak(ask) for ask in asks]
        if None in texts:
            raise InstructgenError(f"picture {texts.index(None)} of {len(asks)} is no picture")
        self.asked += asks
        self.batches.append(len(asks))
        return [Answer(text, "stop", 10, len(text.split())) for text in texts if text is not None]

    def stream(self, ask: AnyAsk, sampling: Sampling) -> Iterator[str]:
        yield self.answer_all([ask], sampling)[0].text

    def score(self, ask: AnyAsk, candidates: Sequence[str]) -> list[float]:
        assert self._weigh is not None, "this student is asked for words alone"
        self.asked.append(ask)
        return [self._weigh(ask, candidate) for candidate in candidates]


def always(text: str) -> ScriptedStudent:
    return ScriptedStudent(lambda ask: text)
