"""Questions of the scene program with one right answer, and beside them the same ones asked blindly."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from instructgen.draws import make_generator
from instructgen.evaluate.pictures import Gallery
from instructgen.evaluate.qa_claims import KINDS
from instructgen.evaluate.qa_questions import QaQuestion, make_qa, read_label
from instructgen.evaluate.questions import Arm, BlindAnswer, Prediction, Question, Report, ShownAnswer
from instructgen.evaluate.scores import Row, Score, Statistic, group_rows, measure, ratio

DEFAULT_LIMIT = 500
PER_KIND = 200
ARMS: tuple[Arm, ...] = ("seen", "shuffled", "zero")
AnswerBy = Literal["answer", "likeliest"]
_ALL, _SEEN, _SHUFFLED, _NUM_SHUFFLED, _ZERO, _BLIND_SHUFFLED, _CHANCE = range(7)


class QaSuite:
    """Each question is asked with its picture, with that of another question of its kind, and with zeros."""

    name = "qa"
    version = 2
    max_tokens = 64
    shown: tuple[str, ...] = ("accuracy", "shuffled_accuracy", "zero_accuracy", "chance", "difference")

    def __init__(
        self, gallery: Gallery, seed: int, limit: int | None, by: AnswerBy = "answer", *, is_short: bool = False
    ) -> None:
        """With `is_short` a candidate is the bare label, as shots have them, and not a sentence."""
        self._gallery = gallery
        self._seed = seed
        self._limit = limit or DEFAULT_LIMIT
        self._by = by
        self._is_short = is_short
        self._made: list[QaQuestion] = []
        self._has_shuffled: set[int] = set()

    def questions(self) -> Sequence[Question]:
        records = self._gallery.draw("qa", self._seed, self._limit, lambda one: bool(one.boxes))
        self._made = make_qa(records, self._seed, PER_KIND)
        asked: list[Question] = []
        for kind in KINDS:
            numbers = [number for number, one in enumerate(self._made) if one.kind == kind]
            others = shuffle_pictures([self._made[number].image_id for number in numbers], self._seed, kind)
            for place, number in enumerate(numbers):
                made = self._made[number]
                asked += [self._ask(number, "seen", made.image_id), self._ask(number, "zero", None)]
                if others:
                    self._has_shuffled.add(number)
                    asked.append(self._ask(number, "shuffled", others[place]))
        return asked

    def _ask(self, number: int, arm: Arm, image_id: str | None) -> Question:
        made = self._made[number]
        candidates = self._answers_of(made) if self._by == "likeliest" else ()
        return Question(f"{number}/{arm}", made.text, image_id, candidates)

    def _answers_of(self, made: QaQuestion) -> tuple[str, ...]:
        return made.labels if self._is_short else made.answers

    def read_picture(self, image_id: str) -> bytes | None:
        return self._gallery.read(image_id)

    def measure(self, answers: Mapping[str, Prediction]) -> Report:
        """Measure the questions of which every way of asking was answered, so that all figures are of the same."""
        keyed: list[tuple[QaQuestion, Row]] = []
        unread: Counter[str] = Counter()
        for number, made in enumerate(self._made):
            arms = [arm for arm in ARMS if arm != "shuffled" or number in self._has_shuffled]
            found = {arm: answers.get(f"{number}/{arm}") for arm in arms}
            read = {arm: self._read(made, one) for arm, one in found.items() if one is not None}
            if len(read) < len(arms):
                continue
            unread.update(arm for arm, label in read.items() if label is None)
            hits = {arm: float(label == made.truth) for arm, label in read.items()}
            keyed.append((made, _make_row(hits, 1 / len(made.labels))))
        notes = [
            f"{kind}: too few pictures to shuffle; only the control of zeros is there"
            for kind in KINDS
            if any(self._made[n].kind == kind and n not in self._has_shuffled for n in range(len(self._made)))
        ]
        by_kind = {
            kind: _measure([pair for pair in keyed if pair[0].kind == kind])
            for kind in KINDS
            if any(made.kind == kind for made, _ in keyed)
        }
        counts = {
            "questions": len(keyed),
            "images": len({made.image_id for made, _ in keyed}),
            **{f"unread_{arm}": unread[arm] for arm in ARMS},
        }
        return Report(_measure(keyed), {"kind": by_kind}, counts, tuple(notes))

    def show(self, answers: Mapping[str, Prediction]) -> Iterator[ShownAnswer]:
        for number, made in enumerate(self._made):
            seen = answers.get(f"{number}/seen")
            if seen is None:
                continue
            others = ((arm, answers.get(f"{number}/{arm}")) for arm in ARMS if arm != "seen")
            yield ShownAnswer(
                key=f"{number}/seen",
                question=made.text,
                image_id=made.image_id,
                said=self._say(made, seen),
                truth=(self._answers_of(made)[made.labels.index(made.truth)],),
                is_right=self._read(made, seen) == made.truth,
                group=made.kind,
                blind=tuple(
                    BlindAnswer(arm, self._say(made, one), self._read(made, one) == made.truth)
                    for arm, one in others
                    if one is not None
                ),
            )

    def _say(self, made: QaQuestion, prediction: Prediction) -> str:
        return self._answers_of(made)[prediction.best] if self._by == "likeliest" else prediction.text

    def _read(self, made: QaQuestion, prediction: Prediction) -> str | None:
        if self._by == "likeliest":
            return made.labels[prediction.best]
        return read_label(made, prediction.text)


def shuffle_pictures(image_ids: Sequence[str], seed: int, kind: str) -> list[str]:
    """Return the same pictures in other places, none where it was; empty where that cannot be.

    Questions are put in a drawn order in which those about one picture stand together, and each gets the picture of
    the one that stands as far behind as the most frequent picture is frequent.
    """
    if not image_ids:
        return []
    num_of = Counter(image_ids)
    drawn = sorted(num_of)
    make_generator(seed, "evaluate/qa/shuffle", kind).shuffle(drawn)
    rank = {image_id: place for place, image_id in enumerate(drawn)}
    order = sorted(range(len(image_ids)), key=lambda number: rank[image_ids[number]])
    step = max(num_of.values())
    if 2 * step > len(image_ids):
        return []
    others = [""] * len(image_ids)
    for place, number in enumerate(order):
        others[number] = image_ids[order[(place + step) % len(order)]]
    return others


def _make_row(hits: Mapping[Arm, float], chance: float) -> Row:
    """Where there is no shuffled control, zeros stand for it in what is compared with the other arms."""
    shuffled = hits.get("shuffled")
    return (
        1.0,
        hits["seen"],
        shuffled or 0.0,
        float(shuffled is not None),
        hits["zero"],
        hits["zero"] if shuffled is None else shuffled,
        chance,
    )


def _measure(keyed: Sequence[tuple[QaQuestion, Row]]) -> dict[str, Score]:
    rows = group_rows((made.image_id, row) for made, row in keyed)
    statistics: dict[str, Statistic] = {
        "accuracy": ratio(_SEEN, _ALL),
        "shuffled_accuracy": ratio(_SHUFFLED, _NUM_SHUFFLED),
        "zero_accuracy": ratio(_ZERO, _ALL),
        "blind_accuracy": lambda row: _blind(row) / row[_ALL] if row[_ALL] else None,
        "chance": ratio(_CHANCE, _ALL),
        "difference": lambda row: (row[_SEEN] - _blind(row)) / row[_ALL] if row[_ALL] else None,
    }
    return {name: measure(rows, statistic, len(keyed)) for name, statistic in statistics.items()}


def _blind(row: Row) -> float:
    return max(row[_BLIND_SHUFFLED], row[_ZERO])
