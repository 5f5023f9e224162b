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
from instructgen.student.ask import Answer, Ask, Sampling, Student
from instructgen.student.trying import answer_each, tell_failure

Tell = Callable[[str, int, int], None]
"""Told of a suite, how many of its questions are done, and of how many."""
ReadPicture = Callable[[str], bytes | None]


@runtime_checkable
class Trying(Protocol):
    """A student that tells, ask by ask, what it could not answer, as one behind a network does."""

    def try_all(self, asks: Sequence[Ask], sampling: Sampling) -> list[Answer | Failed]: ...


class Asker(Struct, frozen=True):
    """Who is asked and how. `model` is the digest of the student's weights, or what stands for them."""

    student: Student
    model: str
    file: PredictionFile
    sampling: Sampling
    batch: int
    tell: Tell = lambda _suite, _done, _total: None

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
        shown = question.image_id
        if shown and shown not in shas:
            shas[shown] = hashlib.sha256(_read(read, shown) or b"").hexdigest()
        picture = shas[shown] if shown else ("zero" if shown is None else "none")
        fields = (1, self.model, question.text, picture, question.candidates, self.sampling)
        # Candidates belong to a suite's own labels; free answers may serve several suites.
        return hashlib.sha256(msgspec.json.encode((*fields, suite if question.candidates else ""))).hexdigest()

    def _answer_batch(self, suite: str, batch: Sequence[tuple[Question, str]], read: ReadPicture) -> list[Prediction]:
        ready: list[tuple[Question, str, Ask]] = []
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

    def _try_all(self, asks: Sequence[Ask]) -> Sequence[Answer | Failed]:
        if isinstance(self.student, Trying):
            return self.student.try_all(asks, self.sampling)
        return answer_each(self.student, asks, self.sampling)

    def _score(self, suite: str, question: Question, digest: str, ask: Ask) -> Prediction:
        try:
            scores = self.student.score(ask, question.candidates)
        except RunStoppedError:
            raise
        except InstructgenError as error:
            return _fail(suite, question, digest, tell_failure(error))
        return Prediction(suite, question.key, digest, finish_reason="stop", scores=tuple(scores))


def count_failures(predictions: Mapping[str, Prediction]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in predictions.values():
        if one.failure:
            counts[one.failure] = counts.get(one.failure, 0) + 1
    return dict(sorted(counts.items()))


def _make_ask(question: Question, read: ReadPicture) -> Ask | Failed:
    turns = (Message("user", question.text),)
    if question.image_id == "":
        return Ask(turns)
    if question.image_id is None:
        return Ask(turns, (None,))
    picture = _read(read, question.image_id)
    if picture is None:
        return Failed(question.image_id, "source", "image_missing", f"no picture of {question.image_id}")
    return Ask(turns, (picture,))


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
