"""Asks a student a suite's questions, in batches; what was answered before is not asked again."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import msgspec
from msgspec import Struct

from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.evaluate.predictions import PredictionFile
from instructgen.evaluate.questions import Prediction, Question
from instructgen.records import Failed, Message
from instructgen.student.ask import Answer, AnyAsk, Ask, Document, Sampling, Student
from instructgen.student.trying import answer_each, tell_failure
from instructgen.train.marks import Mark

Tell = Callable[[str, int, int], None]
"""Told of a suite, how many of its questions are done, and of how many."""
ReadPicture = Callable[[str], bytes | None]


@runtime_checkable
class Trying(Protocol):
    """A student that tells, ask by ask, what it could not answer, as one behind a network does."""

    def try_all(self, asks: Sequence[AnyAsk], sampling: Sampling) -> list[Answer | Failed]: ...


@runtime_checkable
class Counting(Protocol):
    """A student that knows its tokens."""

    def count_answer_tokens(self, ask: AnyAsk, candidates: Sequence[str]) -> list[int]: ...


class Asker(Struct, frozen=True):
    """Who is asked and how. `model` is the digest of the student's weights, or what stands for them.

    `by_mean` weighs a candidate by the mean log-probability of its tokens and not by their sum.
    """

    student: Student
    model: str
    file: PredictionFile
    sampling: Sampling
    batch: int
    tell: Tell = lambda _suite, _done, _total: None
    by_mean: bool = False

    def answer(self, suite: str, questions: Sequence[Question], read: ReadPicture) -> dict[str, Prediction]:
        """Return a prediction, or a failure, for every question, by key.

        Raises RunStoppedError where the student cannot be asked any more; what came until then is kept.
        """
        shas: dict[str, str] = {}
        found: dict[str, Prediction] = {}
        # Questions that are one ask, as the same words with an image of zeros, are asked once.
        alike: dict[str, list[Question]] = {}
        for question in questions:
            digest = self._digest(suite, question, read, shas)
            known = self.file.answered.get(digest)
            if known is not None:
                found[question.key] = msgspec.structs.replace(known, suite=suite, key=question.key)
            else:
                alike.setdefault(digest, []).append(question)
        self.tell(suite, len(found), len(questions))
        waiting = [(of_digest[0], digest) for digest, of_digest in alike.items()]
        for start in range(0, len(waiting), self.batch):
            answered = [
                msgspec.structs.replace(one, key=question.key)
                for one in self._answer_batch(suite, waiting[start : start + self.batch], read)
                for question in alike[one.digest]
            ]
            self.file.write(answered)
            found.update((one.key, one) for one in answered)
            self.tell(suite, len(found), len(questions))
        return found

    def _digest(self, suite: str, question: Question, read: ReadPicture, shas: dict[str, str]) -> str:
        """Return what tells one ask from every other; two questions with the same ask share the answer."""
        pictures = [_name_picture(shown, read, shas) for shown in question.shown or (question.image_id,)]
        asked: object = pictures[0]
        if question.parts:
            asked = [pictures, [str(part.name) if isinstance(part, Mark) else [part] for part in question.parts]]
        fields = (1, self.model, question.text, asked, question.candidates, self.sampling)
        # Candidates belong to a suite's own labels; free answers may serve several suites.
        whose = (suite, *(("mean",) if self.by_mean else ())) if question.candidates else ("",)
        return hashlib.sha256(msgspec.json.encode((*fields, *whose))).hexdigest()

    def _answer_batch(self, suite: str, batch: Sequence[tuple[Question, str]], read: ReadPicture) -> list[Prediction]:
        ready: list[tuple[Question, str, AnyAsk]] = []
        predictions: list[Prediction] = []
        for question, digest in batch:
            ask = _make_ask(question, read)
            if isinstance(ask, Failed):
                predictions.append(_fail(suite, question, digest, ask))
            else:
                ready.append((question, digest, ask))
        free = [one for one in ready if not one[0].candidates]
        answers = self._try_all([ask for _, _, ask in free]) if free else []
        for (question, digest, _), answer in zip(free, answers, strict=True):
            predictions.append(_take(suite, question, digest, answer))
        predictions += [self._score(suite, *one) for one in ready if one[0].candidates]
        return predictions

    def _try_all(self, asks: Sequence[AnyAsk]) -> Sequence[Answer | Failed]:
        if isinstance(self.student, Trying):
            return self.student.try_all(asks, self.sampling)
        return answer_each(self.student, asks, self.sampling)

    def _score(self, suite: str, question: Question, digest: str, ask: AnyAsk) -> Prediction:
        try:
            scores = self.student.score(ask, question.candidates)
            if self.by_mean:
                lengths = self._count_tokens(ask, question.candidates)
                scores = [score / length for score, length in zip(scores, lengths, strict=True)]
        except RunStoppedError:
            raise
        except InstructgenError as error:
            return _fail(suite, question, digest, tell_failure(error))
        return Prediction(suite, question.key, digest, finish_reason="stop", scores=tuple(scores))

    def _count_tokens(self, ask: AnyAsk, candidates: Sequence[str]) -> list[int]:
        if not isinstance(self.student, Counting):
            raise InstructgenError(f"{self.student.name} does not tell its tokens: take --score-by sum")
        return self.student.count_answer_tokens(ask, candidates)


def count_failures(predictions: Mapping[str, Prediction]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in predictions.values():
        if one.failure:
            counts[one.failure] = counts.get(one.failure, 0) + 1
    return dict(sorted(counts.items()))


def _name_picture(shown: str | None, read: ReadPicture, shas: dict[str, str]) -> str:
    """Return what tells a picture from others: of its bytes, or a word where there are none."""
    if not shown:
        return "zero" if shown is None else "none"
    if shown not in shas:
        shas[shown] = hashlib.sha256(_read(read, shown) or b"").hexdigest()
    return shas[shown]


def _make_ask(question: Question, read: ReadPicture) -> AnyAsk | Failed:
    turns = (Message("user", question.text),)
    if not question.parts and question.image_id == "":
        return Ask(turns)
    pictures: list[bytes | None] = []
    for shown in question.shown or (question.image_id,):
        picture = None if shown is None else _read(read, shown)
        if picture is None and shown is not None:
            return Failed(shown, "source", "image_missing", f"no picture of {shown}")
        pictures.append(picture)
    return Document(question.parts, tuple(pictures)) if question.parts else Ask(turns, tuple(pictures))


def _read(read: ReadPicture, image_id: str) -> bytes | None:
    try:
        return read(image_id)
    except InstructgenError:
        return None


def _take(suite: str, question: Question, digest: str, answer: Answer | Failed) -> Prediction:
    if isinstance(answer, Failed):
        return _fail(suite, question, digest, answer)
    return Prediction(
        suite,
        question.key,
        digest,
        answer.text,
        answer.finish_reason,
        answer.prompt_tokens,
        answer.completion_tokens,
    )


def _fail(suite: str, question: Question, digest: str, failed: Failed) -> Prediction:
    return Prediction(suite, question.key, digest, failure=failed.reason, detail=failed.detail)
