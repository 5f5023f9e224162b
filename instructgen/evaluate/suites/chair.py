"""CHAIR as a suite: the student describes pictures; how much of what it names is not there, and how much it names."""

from collections.abc import Iterator, Mapping, Sequence

from instructgen.evaluate.chair import ChairCounts, is_mention, is_there
from instructgen.evaluate.pictures import Gallery
from instructgen.evaluate.questions import AnswerNote, Prediction, Question, Report, ShownAnswer
from instructgen.evaluate.scores import Row, Score, measure, ratio
from instructgen.grounding.check import check_turns
from instructgen.grounding.claims import Claim
from instructgen.grounding.evidence import Evidence, read_evidence
from instructgen.lexicon.categories import CATEGORIES
from instructgen.prompting.prompts import load_questions
from instructgen.records import ImageRecord, Message

DEFAULT_LIMIT = 500  # images, as later work on hallucination has
(_HALLUCINATED, _MENTIONS, _WITH, _DESCRIBED, _WORDS, _NAMED, _THERE, _CUT) = range(8)


class ChairSuite:
    """Every picture is asked about in the same words: the first question of prompts/detail."""

    name = "chair"
    version = 1
    max_tokens = 512
    shown: tuple[str, ...] = ("chair_i", "chair_s", "recall", "words")

    def __init__(self, gallery: Gallery, seed: int, limit: int | None) -> None:
        self._gallery = gallery
        self._seed = seed
        self._limit = limit or DEFAULT_LIMIT
        self._question = load_questions(None, "detail")[0]
        self._records: dict[str, ImageRecord] = {}

    def questions(self) -> Sequence[Question]:
        drawn = self._gallery.draw("chair", self._seed, self._limit, lambda one: bool(one.boxes or one.captions))
        self._records = {record.image_id: record for record in drawn}
        return [Question(image_id, self._question, image_id) for image_id in self._records]

    def read_picture(self, image_id: str) -> bytes | None:
        return self._gallery.read(image_id)

    def measure(self, answers: Mapping[str, Prediction]) -> Report:
        rows = [self._count(self._records[key], one) for key, one in answers.items()]
        num = len(rows)
        scores: dict[str, Score] = {
            "chair_i": measure(rows, ratio(_HALLUCINATED, _MENTIONS), num),
            "chair_s": measure(rows, ratio(_WITH, _DESCRIBED), num),
            "recall": measure(rows, ratio(_NAMED, _THERE), num),
            "words": measure(rows, ratio(_WORDS, _DESCRIBED), num),
        }
        counts = {
            "mentions": int(sum(row[_MENTIONS] for row in rows)),
            "hallucinated": int(sum(row[_HALLUCINATED] for row in rows)),
            "cut_at_max_tokens": int(sum(row[_CUT] for row in rows)),
        }
        return Report(scores, counts=counts)

    def show(self, answers: Mapping[str, Prediction]) -> Iterator[ShownAnswer]:
        for key, one in answers.items():
            record = self._records[key]
            evidence = read_evidence(record)
            turns = (Message("user", self._question), Message("assistant", one.text))
            claims = check_turns(turns, evidence, "detail").claims
            notes = tuple(_note(claim, one.text) for claim in claims if is_mention(claim, evidence))
            is_faulty = any(note.truth == "contradicted" for note in notes)
            group = "names what is not there" if is_faulty else "names nothing that is not there"
            yield ShownAnswer(key, self._question, key, one.text, record.captions, None, group=group, notes=notes)

    def _count(self, record: ImageRecord, prediction: Prediction) -> Row:
        evidence = read_evidence(record)
        turns = (Message("user", self._question), Message("assistant", prediction.text))
        findings = check_turns(turns, evidence, "detail")
        counts = ChairCounts()
        counts.observe(findings, evidence)
        named = {claim.subject for claim in findings.claims if is_mention(claim, evidence)}
        there = _objects(evidence)
        return (
            float(counts.num_hallucinated),
            float(counts.num_mentions),
            float(counts.num_samples_with),
            1.0,
            float(len(prediction.text.split())),
            float(len(there & named)),
            float(len(there)),
            float(prediction.finish_reason == "length"),
        )


def _note(claim: Claim, text: str) -> AnswerNote:
    """Return the note of the claim's own words, or of its sentence where they are not in it one after the other."""
    at = text.find(claim.text, claim.start, claim.end)
    start, end = (at, at + len(claim.text)) if at >= 0 else (claim.start, claim.end)
    return AnswerNote(start, end, claim.truth, claim.kind, claim.evidence)


def _objects(evidence: Evidence) -> set[str]:
    """Return the categories that boxes or captions have."""
    known = {*evidence.boxes, *evidence.crowds, *(name for name in evidence.mentions if name in CATEGORIES)}
    return {name for name in known if is_there(name, evidence)}
