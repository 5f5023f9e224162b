"""LLaVA-Bench (arXiv 2304.08485, section 5.1): a judge marks the student's answer beside a reference answer."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from instructgen.config import SurrogateConfig
from instructgen.draws import make_generator
from instructgen.errors import InstructgenError
from instructgen.evaluate.assess import read_marks
from instructgen.evaluate.bench_files import BenchQuestion
from instructgen.evaluate.paid import Chat, PaidAsker
from instructgen.evaluate.pictures import Gallery
from instructgen.evaluate.questions import Prediction, Question, Report, ShownAnswer
from instructgen.evaluate.scores import Row, Score, group_rows, measure, ratio
from instructgen.prompting.prompts import load_pair, load_questions
from instructgen.records import Decoding, Failed, ImageRecord, Message, Surrogate
from instructgen.surrogate.render import make_surrogate
from instructgen.teachers.scene_program import Task, write

DEFAULT_LIMIT = 30  # images, three questions each, as the paper has
CATEGORIES = ("conv", "detail", "complex")
_FIRST, _SECOND, _JUDGED = range(3)


class Review(Struct, frozen=True):
    """What user.j2 of prompts/llava-bench is given as `review`."""

    context: str
    question: str
    first: str
    second: str


class AskedOfText(Struct, frozen=True):
    """What user.j2 of prompts/llava-bench-answer is given as `asked`."""

    context: str
    question: str


class LlavaBenchSuite:
    """`bench` are the questions of files; without, they are made from a source's pictures.

    Reference answers are the questions' own, or else `reference` is asked, which sees the context alone.
    """

    name = "llava-bench"
    version = 1
    max_tokens = 1024
    shown: tuple[str, ...] = ("score", "reference_mark", "student_mark")

    def __init__(
        self,
        bench: Sequence[BenchQuestion],
        read: Callable[[str], bytes | None],
        judge: PaidAsker,
        reference: PaidAsker | None,
    ) -> None:
        if reference is None and not all(one.reference for one in bench):
            raise InstructgenError(
                "llava-bench has no reference answers: name a text model that writes them with --reference MODEL, or "
                "a file with --reference-answers"
            )
        self._bench = {one.question_id: one for one in bench}
        self._read = read
        self._judge = judge
        self._reference = reference
        self._system, self._user, self.judge_sha256 = load_pair(None, "llava-bench", "review")

    def questions(self) -> Sequence[Question]:
        return [Question(key, one.text, one.image) for key, one in self._bench.items()]

    def read_picture(self, image_id: str) -> bytes | None:
        return self._read(image_id)

    def measure(self, answers: Mapping[str, Prediction]) -> Report:
        """What the judge does not mark in the form that was asked for is left out of the score, and counted."""
        failures: Counter[str] = Counter()
        pairs = [(one, answers[key].text) for key, one in self._refer(failures).items() if key in answers]
        replies = self._judge.ask_all([self._make_chat(one, text) for one, text in pairs])
        rows: list[tuple[BenchQuestion, Row]] = []
        for (one, _), reply in zip(pairs, replies, strict=True):
            if isinstance(reply, Failed):
                failures["judge_failed"] += 1
                continue
            marks = read_marks(reply.text)
            if marks is None:
                failures["judge_unreadable"] += 1
            else:
                rows.append((one, (*marks, 1.0)))
        categories = list(dict.fromkeys(one.category for one in self._bench.values()))
        by_category = {name: _measure([pair for pair in rows if pair[0].category == name]) for name in categories}
        words = ("reference_failed", "judge_failed", "judge_unreadable")
        counts = {"judged": len(rows), **{word: failures[word] for word in words}}
        return Report(_measure(rows), {"category": by_category}, counts, (f"judged by {self._judge.model}",))

    def show(self, answers: Mapping[str, Prediction]) -> Iterator[ShownAnswer]:
        """Beside each answer the reference of the question itself; one that a model wrote is not shown."""
        for key, one in answers.items():
            asked = self._bench[key]
            truth = (asked.reference,) if asked.reference else ()
            yield ShownAnswer(key, asked.text, asked.image, one.text, truth, None, group=asked.category)

    def _refer(self, failures: Counter[str]) -> dict[str, BenchQuestion]:
        """Return the questions with their reference answers, but those that none could be had for."""
        waiting = [one for one in self._bench.values() if not one.reference]
        written: dict[str, str] = {}
        if waiting and self._reference is not None:
            system, user, _ = load_pair(None, "llava-bench-answer", "asked")
            rules = Message("system", system.render(decoding=Decoding()).strip())
            chats = [
                Chat((rules, Message("user", user.render(asked=AskedOfText(one.context, one.text)).strip())))
                for one in waiting
            ]
            for one, reply in zip(waiting, self._reference.ask_all(chats), strict=True):
                if isinstance(reply, Failed) or not reply.text.strip():
                    failures["reference_failed"] += 1
                else:
                    written[one.question_id] = reply.text.strip()
        found = {
            key: replace(one, reference=one.reference or written.get(key, "")) for key, one in self._bench.items()
        }
        return {key: one for key, one in found.items() if one.reference}

    def _make_chat(self, one: BenchQuestion, answer: str) -> Chat:
        review = Review(one.context, one.text, one.reference, answer)
        rules = Message("system", self._system.render(decoding=Decoding()).strip())
        return Chat((rules, Message("user", self._user.render(review=review).strip())))


def make_bench(gallery: Gallery, seed: int, limit: int | None, *, with_references: bool) -> list[BenchQuestion]:
    """Return a question of each category for images of the source; the scene program's own answers are references.

    An image of which the scene program can say too little for one of the three is not taken.
    """
    made: dict[str, list[BenchQuestion]] = {}
    detail = load_questions(None, "detail")

    def is_fit(record: ImageRecord) -> bool:
        pairs = _ask_of(record, seed, detail)
        surrogate = make_surrogate(record, SurrogateConfig(), with_boxes=True)
        if len(pairs) < len(CATEGORIES) or not isinstance(surrogate, Surrogate):
            return False
        made[record.image_id] = [
            BenchQuestion(
                f"{record.image_id}/{category}",
                record.image_id,
                category,
                asked,
                surrogate.text,
                told if with_references else "",
            )
            for category, (asked, told) in zip(CATEGORIES, pairs, strict=True)
        ]
        return True

    drawn = gallery.draw("llava-bench", seed, limit or DEFAULT_LIMIT, is_fit)
    return [one for record in drawn for one in made[record.image_id]]


def _ask_of(record: ImageRecord, seed: int, detail: Sequence[str]) -> list[tuple[str, str]]:
    """Return a question of conversations, one of descriptions and one that asks to reason, with their answers."""
    talk = write(Task("conv", record), seed).turns
    told = write(Task("detail", record), seed).text
    reasons = write(Task("reasoning", record), seed).turns
    if not (talk and told and reasons):
        return []
    question = make_generator(seed, "evaluate/llava-bench", record.image_id).choice(detail)
    return [(talk[0].question, talk[0].answer), (question, told), (reasons[0].question, reasons[0].answer)]


def _measure(keyed: Sequence[tuple[BenchQuestion, Row]]) -> dict[str, Score]:
    rows = group_rows((one.image, row) for one, row in keyed)
    return {
        "score": measure(rows, lambda row: 100 * row[_SECOND] / row[_FIRST] if row[_FIRST] else None, len(keyed)),
        "reference_mark": measure(rows, ratio(_FIRST, _JUDGED), len(keyed)),
        "student_mark": measure(rows, ratio(_SECOND, _JUDGED), len(keyed)),
    }
