"""Asks several at once, so that one that cannot be answered loses itself alone."""

from collections.abc import Sequence

from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.records import Failed
from instructgen.student.ask import Answer, AnyAsk, Sampling, Student

_SHOWN_CHARS = 200


def answer_each(student: Student, asks: Sequence[AnyAsk], sampling: Sampling) -> list[Answer | Failed]:
    """Return each one's answer, or why there is none; raises RunStoppedError where nothing can be asked any more."""
    if not asks:
        return []
    try:
        return [*student.answer_all(asks, sampling)]
    except RunStoppedError:
        raise
    except InstructgenError as error:
        if len(asks) == 1:
            return [tell_failure(error)]
    return [answer_each(student, [ask], sampling)[0] for ask in asks]


def tell_failure(error: InstructgenError) -> Failed:
    return Failed("", "teacher", "not_answered", str(error)[:_SHOWN_CHARS])
