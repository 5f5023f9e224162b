"""Answers and questions that are too short or too long for their type (docs/filters.md)."""

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from instructgen.records import Fault, ImageRecord, Sample, Verdict

Words = Annotated[int, Meta(ge=1)]


class WordLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """How many words, parted by white space, one answer may have."""

    min_words: Words
    max_words: Words


class AnswerLength(Struct, frozen=True, forbid_unknown_fields=True):
    """Judge each turn by itself; the score is the mean number of words of the answers.

    The limits lie far outside what LLaVA's own 90 published samples span: conversation 16.7 words on average,
    detail 50 to 121, reasoning 71 to 166. The lower one is below a quarter (detail) or a seventh
    (reasoning) of the shortest, the upper one three times the longest; an answer in a conversation may be "Yes."
    """

    reasons: ClassVar[tuple[str, ...]] = ("answer_too_short", "answer_too_long", "question_too_long")

    conv: WordLimits = WordLimits(1, 400)
    detail: WordLimits = WordLimits(12, 360)
    reasoning: WordLimits = WordLimits(10, 500)
    other: WordLimits = WordLimits(1, 500)  # types that this filter does not know
    max_question_words: Words = 80

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:  # noqa: ARG002
        limits = self._limits(sample.sample_type)
        num_words = 0
        num_answers = 0
        fault: Fault | None = None
        for turn in sample.turns:
            num_turn_words = len(turn.content.split())
            if turn.role == "assistant":
                num_words += num_turn_words
                num_answers += 1
                fault = fault or _judge_answer(num_turn_words, limits)
            elif num_turn_words > self.max_question_words:
                detail = f"{num_turn_words} words, at most {self.max_question_words} allowed"
                fault = fault or Fault("question_too_long", detail)
        return Verdict(num_words / max(1, num_answers), fault)

    def _limits(self, sample_type: str) -> WordLimits:
        by_type = {"conv": self.conv, "detail": self.detail, "reasoning": self.reasoning}
        return by_type.get(sample_type, self.other)


def _judge_answer(num_words: int, limits: WordLimits) -> Fault | None:
    if num_words < limits.min_words:
        return Fault("answer_too_short", f"{num_words} words, at least {limits.min_words} wanted")
    if num_words > limits.max_words:
        return Fault("answer_too_long", f"{num_words} words, at most {limits.max_words} allowed")
    return None
