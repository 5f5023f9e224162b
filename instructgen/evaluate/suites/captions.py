"""Captions as a suite: one sentence on each picture, held against what people wrote of it."""

from collections.abc import Iterator, Mapping, Sequence

from instructgen.evaluate.captioning import score_captions
from instructgen.evaluate.pictures import Gallery
from instructgen.evaluate.questions import Prediction, Question, Report, ShownAnswer
from instructgen.prompting.prompts import load_questions
from instructgen.records import ImageRecord


class CaptionsSuite:
    """Every picture is asked about in the same words: the first question of prompts/brief."""

    name = "captions"
    version = 1
    max_tokens = 64
    shown: tuple[str, ...] = ("cider", "bleu_1", "bleu_4", "meteor")

    def __init__(self, gallery: Gallery, seed: int, limit: int | None) -> None:
        self._gallery = gallery
        self._seed = seed
        self._limit = limit
        self._question = load_questions(None, "brief")[0]
        self._records: dict[str, ImageRecord] = {}

    def questions(self) -> Sequence[Question]:
        drawn = self._gallery.draw("captions", self._seed, self._limit, lambda one: bool(one.captions))
        self._records = {record.image_id: record for record in drawn}
        return [Question(image_id, self._question, image_id) for image_id in self._records]

    def read_picture(self, image_id: str) -> bytes | None:
        return self._gallery.read(image_id)

    def measure(self, answers: Mapping[str, Prediction]) -> Report:
        if not answers:
            return Report({})
        references = {key: self._records[key].captions for key in answers}
        scores, notes = score_captions(references, {key: one.text for key, one in answers.items()})
        num_words = sum(len(one.text.split()) for one in answers.values())
        counts = {
            "images": len(answers),
            "words": num_words,
            "cut_at_max_tokens": sum(one.finish_reason == "length" for one in answers.values()),
        }
        return Report(scores, counts=counts, notes=notes)

    def show(self, answers: Mapping[str, Prediction]) -> Iterator[ShownAnswer]:
        for key, one in answers.items():
            yield ShownAnswer(key, self._question, key, one.text, self._records[key].captions, None)
