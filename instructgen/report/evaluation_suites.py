"""One suite of an evaluation as its page shows it: figures with errors, blind controls beside, answers to look at."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from instructgen.evaluate.questions import AnswerNote, BlindAnswer, ShownAnswer
from instructgen.evaluate.suites.few_shot import inner_name
from instructgen.pages.charts import Chart
from instructgen.pages.claims import Note, Segment, split_answer
from instructgen.pages.figures import Picture, make_data_uri
from instructgen.report.error_bars import BarSeries, Measured, draw_error_bars
from instructgen.report.evaluation_facts import SuiteFigures, SuitePart
from instructgen.report.tables import Row, Table

ARM_NAMES = {"seen": "with its picture", "shuffled": "with another picture", "zero": "with an image of zeros"}
GAIN = "difference"
_BLIND = "blind_accuracy"
_CHARTED: Mapping[str, Mapping[str, str]] = {
    "qa": {
        "accuracy": ARM_NAMES["seen"],
        "shuffled_accuracy": ARM_NAMES["shuffled"],
        "zero_accuracy": ARM_NAMES["zero"],
        "chance": "chance",
    },
    "pope": {name: name.replace("_", " ") for name in ("accuracy", "precision", "recall", "f1", "yes_share")},
    "chair": {"chair_i": "CHAIRi", "chair_s": "CHAIRs", "recall": "recall"},
    "captions": {"cider": "CIDEr", "bleu_1": "BLEU-1", "bleu_4": "BLEU-4", "meteor": "METEOR"},
    "llava-bench": {"score": "score"},
    "scienceqa": {"accuracy": "accuracy"},
    "new-names": {"accuracy": ARM_NAMES["seen"], "chance": "chance"},
    "retrieval": {
        "image_to_text_recall_at_1": "text of a picture",
        "image_to_text_chance_at_1": "chance",
        "text_to_image_recall_at_1": "picture of a text",
        "text_to_image_chance_at_1": "chance",
    },
}
_BLIND_NOTES = {
    "pope": "POPE has no blind control here: half of the questions want yes, so that who looks at nothing has 0.5.",
    "chair": "CHAIR has no blind control; a short description names little that is not there: read it with recall.",
    "new-names": "Whoever does not see the picture is right half of the time here, exactly.",
    "retrieval": "Chance is what a random order of all texts, or of all pictures, gives.",
}
_NO_CONTROL = "This suite has no blind control."
_PLAIN_DIGITS = 1
_PLAIN = frozenset(("words", "score", "reference_mark", "student_mark"))  # as the table of the command has them
_SHARES = frozenset(("qa", "pope", "scienceqa", "new-names"))
_SIZE_PX = (256, 192)  # of the sheet that stands for a picture


class BlindLine(Struct, frozen=True):
    """What was said without the picture: `sign` is the page's word for right or wrong."""

    name: str
    said: str
    sign: str
    word: str


class Card(Struct, frozen=True):
    """One answer. `sign` and `word` are "" where it is neither right nor wrong."""

    picture: Picture | None
    question: str
    segments: tuple[Segment, ...]
    sign: str
    word: str
    truth: tuple[str, ...]
    blind: tuple[BlindLine, ...]


class CardGroup(Struct, frozen=True):
    title: str
    about: str
    cards: tuple[Card, ...]


class SuiteView(Struct, frozen=True):
    """What the template shows of a suite. `standing` is a word of the page and a sentence on the blind controls."""

    name: str
    facts: tuple[tuple[str, str], ...]
    charts: tuple[Chart, ...]
    standing: tuple[str, str]
    scores: Table
    failures: Table
    failed: Table
    left_out: Table
    notes: tuple[str, ...]
    groups: tuple[CardGroup, ...]
    num_shown: int
    has_marks: bool


def view_suite(suite: SuiteFigures, sizes: Mapping[bytes, tuple[int, int]]) -> SuiteView:
    """Return the view; `sizes` are of the thumbnails that may be shown, others are left out."""
    return SuiteView(
        name=suite.name,
        facts=tuple(_tell(suite)),
        charts=tuple(_draw(suite)),
        standing=_compare(suite),
        scores=list_scores(suite.parts),
        failures=Table(("reason", "questions"), list(suite.failures.items()), "Questions without an answer"),
        failed=Table(
            ("reason", "question", "what was the matter"),
            [(one.reason, one.key, one.detail) for one in suite.failed],
            "Some of them",
        ),
        left_out=Table(("reason", "images"), list(suite.left_out.items()), "Images that were not asked about"),
        notes=suite.notes,
        groups=tuple(group_answers(suite.answers, sizes)),
        num_shown=len(suite.answers),
        has_marks=any(one.notes for one in suite.answers),
    )


def main_score(suite: SuiteFigures) -> tuple[str, Measured, int]:
    """Return the measure that a suite is known by, and the digits that it is told with."""
    scores = suite.parts[0].scores
    charted = _CHARTED.get(inner_name(suite.name), {})
    name = next((name for name in charted if name in scores), None) or next(iter(scores), "")
    return name, scores.get(name, Measured(None)), _PLAIN_DIGITS if name in _PLAIN else 3


def list_scores(parts: Sequence[SuitePart]) -> Table:
    names = list(parts[0].scores)
    rows: list[Row] = []
    for part in parts:
        cells = (part.scores.get(name, Measured(None)).say(_PLAIN_DIGITS if name in _PLAIN else 3) for name in names)
        rows.append((f"{part.table} {part.name}".strip(), part.num_samples, *cells))
    columns = ("", "n", *(name.replace("_", " ") for name in names))
    return Table(columns, rows, "Measures with one standard error")


def _tell(suite: SuiteFigures) -> Iterator[tuple[str, str]]:
    yield "pictures", suite.source
    failed = suite.num_asked - suite.num_answered
    yield "asked", f"{suite.num_asked:,}, {suite.num_answered:,} answered, {failed:,} failed"
    sampling = suite.sampling
    draw = (
        "the likeliest token each time"
        if not sampling.get("temperature")
        else f"temperature {sampling['temperature']}"
    )
    yield "answers", f"{draw}, at most {sampling.get('max_tokens', '?')} tokens"
    yield "seed, version", f"{suite.seed}, {suite.version}"
    told = [f"{word.replace('_', ' ')} {count:,}" for word, count in suite.counts.items()]
    if told:
        yield "counts", "; ".join(told)


def _draw(suite: SuiteFigures) -> Iterator[Chart]:
    names = _CHARTED.get(inner_name(suite.name)) or dict.fromkeys(list(suite.parts[0].scores)[:1], suite.name)
    groups = [part.name for part in suite.parts]
    series = [
        BarSeries(title, {part.name: part.scores[name] for part in suite.parts if name in part.scores})
        for name, title in names.items()
        if name in suite.parts[0].scores
    ]
    if series:
        most = 1.0 if inner_name(suite.name) in _SHARES else None
        yield draw_error_bars("Figures", "A line is one standard error to each side.", groups, series, most=most)
    if GAIN in suite.parts[0].scores:
        gains = {part.name: part.scores[GAIN] for part in suite.parts if GAIN in part.scores}
        about = "Accuracy with the picture less the better of the two blind controls, paired."
        yield draw_error_bars("Gain over the best blind control", about, groups, [BarSeries("gain", gains)])


def _compare(suite: SuiteFigures) -> tuple[str, str]:
    scores = suite.parts[0].scores
    gain, blind = scores.get(GAIN), scores.get(_BLIND)
    if gain is None or blind is None or gain.value is None:
        return "", _BLIND_NOTES.get(inner_name(suite.name), _NO_CONTROL)
    seen = scores.get("accuracy", Measured(None))
    told = f"{seen.say()} with the picture, {blind.say()} without seeing it: a gain of {gain.say()}"
    if gain.stderr is None:
        return "doubted", f"{told}; too few pictures to tell how sure."
    if gain.value > 2 * gain.stderr:
        return "passed", f"{told}, above the best blind control by more than two standard errors."
    return "doubted", f"{told}, not above the best blind control by more than two standard errors."


def group_answers(answers: Sequence[ShownAnswer], sizes: Mapping[bytes, tuple[int, int]]) -> Iterator[CardGroup]:
    groups: dict[str, list[ShownAnswer]] = {}
    for one in answers:
        groups.setdefault(one.group, []).append(one)
    for title, of_group in groups.items():
        num_right = sum(one.is_right is True for one in of_group)
        num_wrong = sum(one.is_right is False for one in of_group)
        about = f"{num_right} right, {num_wrong} wrong" if num_right or num_wrong else f"{len(of_group)}"
        yield CardGroup(title or "answers", about, tuple(make_card(one, sizes) for one in of_group))


def make_card(one: ShownAnswer, sizes: Mapping[bytes, tuple[int, int]]) -> Card:
    sign, word = ("", "") if one.is_right is None else _judge(is_right=one.is_right)
    return Card(
        picture=_make_picture(one, sizes),
        question=one.question,
        segments=split_answer(one.said, [_convert(note) for note in one.notes]),
        sign=sign,
        word=word,
        truth=one.truth,
        blind=tuple(_make_line(arm) for arm in one.blind),
    )


def _judge(*, is_right: bool) -> tuple[str, str]:
    return ("passed", "right") if is_right else ("failed", "wrong")


def _make_line(arm: BlindAnswer) -> BlindLine:
    return BlindLine(ARM_NAMES[arm.arm], arm.said, *_judge(is_right=arm.is_right))


def _convert(note: AnswerNote) -> Note:
    return Note(note.start, note.end, note.truth, note.kind, note.evidence)


def _make_picture(one: ShownAnswer, sizes: Mapping[bytes, tuple[int, int]]) -> Picture | None:
    """Return the thumbnail; an empty sheet where there is a picture but none to show; None for a question without."""
    if not one.image_id:
        return None
    alt = f"Picture {one.image_id}"
    if one.picture in sizes:
        return Picture(make_data_uri(one.picture), alt, *sizes[one.picture])
    return Picture(None, alt, *_SIZE_PX, missing=f"{one.image_id} is not in this page")
