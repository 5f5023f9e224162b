"""POPE as a suite: three settings of yes/no questions on what is in a picture and what is not."""

from collections.abc import Iterator, Mapping, Sequence

from instructgen.evaluate.pictures import Gallery
from instructgen.evaluate.pope import (
    NUM_EACH,
    SETTINGS,
    PopeQuestion,
    count_categories,
    find_clear,
    make_questions,
    read_answer,
)
from instructgen.evaluate.questions import Prediction, Question, Report, ShownAnswer
from instructgen.evaluate.scores import Row, Score, Statistic, group_rows, measure
from instructgen.text import split_words

DEFAULT_LIMIT = 500  # images, as the paper has
MIN_AREA = 1 / 300  # 32 x 32 of 640 x 480 pixels: what COCO calls small is not asked for as there
_YES_NO = frozenset(("yes", "no", "not"))
_RIGHT_YES, _WRONG_YES, _RIGHT_NO, _WRONG_NO, _ALL = range(5)


class PopeSuite:
    name = "pope"
    version = 1
    max_tokens = 64
    shown: tuple[str, ...] = ("accuracy", "precision", "recall", "f1", "yes_share")

    def __init__(self, gallery: Gallery, seed: int, limit: int | None) -> None:
        self._gallery = gallery
        self._seed = seed
        self._limit = limit or DEFAULT_LIMIT
        self._asked: dict[str, PopeQuestion] = {}
        self._num_left_out = 0

    def questions(self) -> Sequence[Question]:
        """What is frequent is counted over all images of the source, whatever the limit."""
        counts = count_categories(self._gallery.records)
        records = self._gallery.draw(
            "pope", self._seed, self._limit, lambda one: len(find_clear(one, MIN_AREA)) >= NUM_EACH
        )
        for record in records:
            made = [make_questions(record, counts, setting, self._seed, MIN_AREA) for setting in SETTINGS]
            self._num_left_out += not all(made)
            for of_setting in made if all(made) else ():
                for number, one in enumerate(of_setting):
                    self._asked[f"{one.setting}/{one.image_id}/{number}"] = one
        return [Question(key, one.question, one.image_id) for key, one in self._asked.items()]

    def read_picture(self, image_id: str) -> bytes | None:
        return self._gallery.read(image_id)

    def measure(self, answers: Mapping[str, Prediction]) -> Report:
        rows = [(self._asked[key], _count(self._asked[key], one.text)) for key, one in answers.items()]
        by_setting: dict[str, dict[str, Score]] = {
            setting: _measure([(asked.image_id, row) for asked, row in rows if asked.setting == setting])
            for setting in SETTINGS
        }
        return Report(
            _measure([(asked.image_id, row) for asked, row in rows]),
            {"setting": by_setting},
            {
                "images": len({asked.image_id for asked, _ in rows}),
                "images_without_six_questions": self._num_left_out,
                "neither_yes_nor_no": sum(
                    not {"yes", "no", "not"} & {*split_words(one.text)} for one in answers.values()
                ),
            },
        )

    def show(self, answers: Mapping[str, Prediction]) -> Iterator[ShownAnswer]:
        for key, one in answers.items():
            asked = self._asked[key]
            is_right = read_answer(one.text) == asked.answer
            yield ShownAnswer(
                key, asked.question, asked.image_id, one.text, (asked.answer,), is_right, group=asked.setting
            )


def _count(asked: PopeQuestion, text: str) -> Row:
    row = [0.0] * 5
    says_yes, is_yes = read_answer(text) == "yes", asked.answer == "yes"
    row[(_RIGHT_YES if is_yes else _WRONG_YES) if says_yes else (_WRONG_NO if is_yes else _RIGHT_NO)] = 1.0
    row[_ALL] = 1.0
    return tuple(row)


def _measure(keyed: Sequence[tuple[str, Row]]) -> dict[str, Score]:
    rows = group_rows(keyed)
    statistics: dict[str, Statistic] = {
        "accuracy": lambda row: (row[_RIGHT_YES] + row[_RIGHT_NO]) / row[_ALL] if row[_ALL] else None,
        "precision": lambda row: _share(row[_RIGHT_YES], row[_WRONG_YES]),
        "recall": lambda row: _share(row[_RIGHT_YES], row[_WRONG_NO]),
        "f1": lambda row: _share(2 * row[_RIGHT_YES], row[_WRONG_YES] + row[_WRONG_NO]),
        "yes_share": lambda row: (row[_RIGHT_YES] + row[_WRONG_YES]) / row[_ALL] if row[_ALL] else None,
    }
    return {name: measure(rows, statistic, len(keyed)) for name, statistic in statistics.items()}


def _share(part: float, rest: float) -> float | None:
    return part / (part + rest) if part + rest else None
