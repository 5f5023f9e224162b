"""Any suite with examples before its questions: the same measures by number of shots, and what the shots gain."""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct
from msgspec.structs import replace

from instructgen.draws import make_generator
from instructgen.evaluate.questions import Prediction, Question, Report, ShownAnswer, Suite
from instructgen.evaluate.scores import Row, Score, group_rows, measure, ratio
from instructgen.evaluate.shots.forms import BETWEEN, Form, Shot, build_prompt
from instructgen.evaluate.shots.pool import Query, ShotSource, digest_picture

_VERSION = 1  # of how shots stand before a question
_SHOT = "shot/"
_MARK = "-shots"
_ARMS = ("/seen", "/shuffled", "/zero")


class ShotPlan(Struct, frozen=True):
    """How many shots stand before a question, each number in turn, and in how many orders candidates are scored."""

    numbers: tuple[int, ...]
    num_orders: int = 1
    seed: int = 0
    between: str = BETWEEN

    @property
    def least(self) -> int:
        return min(self.numbers)

    @property
    def most(self) -> int:
        return max(self.numbers)


@runtime_checkable
class Grouping(Protocol):
    """A suite whose answers hang together otherwise than by picture."""

    def group_of(self, key: str) -> str: ...


class FewShotSuite:
    """Asks another suite's questions as documents. A question and its blind controls see the same examples."""

    def __init__(self, inner: Suite, form: Form, source: ShotSource, plan: ShotPlan) -> None:
        self._inner = inner
        self._form = form
        self._source = source
        self._plan = plan
        self.name = f"{inner.name}{_MARK}"
        self.version = _VERSION + inner.version - 1
        self.max_tokens = form.max_tokens
        self.shown = (*inner.shown, "gain")
        self.title = source.title
        self._asked: Sequence[Question] = ()

    def questions(self) -> Sequence[Question]:
        self._asked = self._inner.questions()
        own = _find_own(self._asked)
        shown = dict.fromkeys(question.image_id for question in self._asked)
        self._source.prepare(self._read_shown(image_id) for image_id in shown)
        made: list[Question] = []
        for question in self._asked:
            kept_out = {digest for image_id in own[_base(question.key)] if (digest := self._digest(image_id))}
            query = Query(_base(question.key), self._read_shown(question.image_id), kept_out)
            for number in self._plan.numbers:
                made += self._ask(question, query, number)
        return made

    def read_picture(self, image_id: str) -> bytes | None:
        if image_id.startswith(_SHOT):
            return self._source.read_picture(image_id.removeprefix(_SHOT))
        return self._inner.read_picture(image_id)

    def measure(self, answers: Mapping[str, Prediction]) -> Report:
        """Measure what was answered with every number of shots, so that all figures are of the same questions."""
        by_number = self._split(answers)
        reports = {number: self._inner.measure(found) for number, found in by_number.items()}
        hits = {number: self._find_hits(found) for number, found in by_number.items()}
        least, most = self._plan.least, self._plan.most
        parts: dict[str, dict[str, Score]] = {}
        for number, report in reports.items():
            parts[str(number)] = dict(report.scores)
            if number != least and report.scores:
                gain = _compare(hits[least], hits[number]) or _subtract(reports[least], report)
                parts[str(number)]["gain"] = gain
        told = reports[most]
        groups = {f"{table}, {most} shots:": of_table for table, of_table in told.groups.items()}
        about = f"the first figures are those with {most} shots"
        if least < most:
            how = "paired by question" if any(hits[least].values()) else "with errors as if of other questions"
            about += f"; a gain is {next(iter(told.scores), 'the measure')} over that with {least}, {how}"
        notes = (about, f"shots: {self._source.title}", *dict.fromkeys(told.notes))
        return Report(parts[str(most)], {"shots": parts, **groups}, told.counts, notes, is_of_part=True)

    def show(self, answers: Mapping[str, Prediction]) -> Iterator[ShownAnswer]:
        for number, found in self._split(answers).items():
            for one in self._inner.show(found):
                yield replace(one, key=f"{number}/{one.key}", group=f"{number} shots")

    def _ask(self, question: Question, query: Query, number: int) -> Iterator[Question]:
        shots = self._source.choose(query, number)
        orders = self._plan.num_orders if question.candidates and number else 1
        draw = make_generator(self._plan.seed, "evaluate/shots/orders", f"{number}\0{query.key}")
        for place, ordered in enumerate(_order(shots, orders, draw)):
            parts = build_prompt(self._form, ordered, question.text, shows=number > 0, between=self._plan.between)
            shown = [f"{_SHOT}{shot.image_id}" for shot in ordered] if number else []
            yield replace(
                question, key=f"{number}/{place}/{question.key}", parts=parts, shown=(*shown, question.image_id)
            )

    def _split(self, answers: Mapping[str, Prediction]) -> dict[int, dict[str, Prediction]]:
        """Return by number of shots the answers to the inner suite's questions, cut and put together."""
        found: dict[int, dict[str, Prediction]] = {}
        for number in self._plan.numbers:
            joined = {one.key: self._join(answers, number, one) for one in self._asked}
            found[number] = {key: one for key, one in joined.items() if one is not None}
        whole = set.intersection(*(set(of_number) for of_number in found.values()))
        return {
            number: {key: one for key, one in of_number.items() if key in whole}
            for number, of_number in found.items()
        }

    def _join(self, answers: Mapping[str, Prediction], number: int, question: Question) -> Prediction | None:
        """Return one prediction of all orders: the mean of the scores. None where one is missing."""
        orders: list[Prediction] = []
        for place in range(self._plan.num_orders):
            one = answers.get(f"{number}/{place}/{question.key}")
            if one is not None:
                orders.append(one)
        wanted = self._num_orders(number) if question.candidates else 1
        if len(orders) < wanted:
            return None
        first = orders[0]
        if not question.candidates:
            return replace(first, key=question.key, text=self._form.cut(first.text))
        means = tuple(math.fsum(scores) / len(orders) for scores in zip(*(one.scores for one in orders), strict=True))
        return replace(first, key=question.key, scores=means)

    def _num_orders(self, number: int) -> int:
        return min(self._plan.num_orders, math.factorial(number)) if number else 1

    def _find_hits(self, answers: Mapping[str, Prediction]) -> dict[str, list[tuple[str, bool]]]:
        """Return for each picture, or group, what was asked and whether it was right, where the suite tells."""
        hits: dict[str, list[tuple[str, bool]]] = {}
        for one in self._inner.show(answers):
            if one.is_right is not None:
                group = self._inner.group_of(one.key) if isinstance(self._inner, Grouping) else one.image_id
                hits.setdefault(group, []).append((one.key, one.is_right))
        return hits

    def _read_shown(self, image_id: str | None) -> bytes | None:
        return self._inner.read_picture(image_id) if image_id else None

    def _digest(self, image_id: str) -> str | None:
        picture = self._inner.read_picture(image_id)
        return None if picture is None else digest_picture(picture)


def inner_name(name: str) -> str:
    """Return the name of the suite that is asked with shots; of any other its own."""
    return name.removesuffix(_MARK)


def _base(key: str) -> str:
    """Return what a question and its blind controls have in common."""
    return next((key.removesuffix(arm) for arm in _ARMS if key.endswith(arm)), key)


def _find_own(questions: Sequence[Question]) -> dict[str, set[str]]:
    """Return the pictures that a question and its controls show."""
    own: dict[str, set[str]] = {}
    for question in questions:
        own.setdefault(_base(question.key), set()).update({question.image_id} if question.image_id else ())
    return own


def _order(shots: tuple[Shot, ...], num_orders: int, draw: random.Random) -> Iterator[tuple[Shot, ...]]:
    """Yield the shots as they are, then in other orders, each once; fewer where there are not so many."""
    num_orders = min(num_orders, math.factorial(len(shots)))
    seen = {shots}
    yield shots
    while len(seen) < num_orders:
        other = tuple(draw.sample(shots, len(shots)))
        if other not in seen:
            seen.add(other)
            yield other


def _compare(
    first: Mapping[str, list[tuple[str, bool]]], other: Mapping[str, list[tuple[str, bool]]]
) -> Score | None:
    """Return how much more was right the other time, question by question; None where nothing is right or wrong."""
    if not other:
        return None
    keyed: list[tuple[str, Row]] = []
    for image_id, hits in other.items():
        before = dict(first[image_id])
        keyed += [(image_id, (float(is_right) - float(before[key]), 1.0)) for key, is_right in hits]
    return measure(group_rows(keyed), ratio(0, 1), len(keyed))


def _subtract(first: Report, other: Report) -> Score:
    """Return the difference of the suites' first measures; the errors add up as those of other pictures would."""
    name = next(iter(other.scores))
    one, two = first.scores[name], other.scores[name]
    if one.value is None or two.value is None:
        return Score(None, None, two.num_samples)
    stderr = None if one.stderr is None or two.stderr is None else math.hypot(one.stderr, two.stderr)
    return Score(two.value - one.value, stderr, two.num_samples).rounded()
