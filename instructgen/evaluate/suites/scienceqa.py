"""ScienceQA (Lu et al. 2022, arXiv 2209.09513) as LLaVA asks it: question, context, options; a letter answers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from instructgen.draws import draw_fraction
from instructgen.errors import InstructgenError
from instructgen.evaluate.questions import Prediction, Question, Report, ShownAnswer
from instructgen.evaluate.scores import Score, group_rows, measure, ratio

_Kind = TypeVar("_Kind")
LETTERS = "ABCDE"
_SAID = re.compile(r"The answer is ([A-Z]).")
_SUBJECTS = {"natural science": "NAT", "social science": "SOC", "language science": "LAN"}
_LAST_LOW_GRADE = 6


class Problem(Struct):
    """One problem of problems.json; fields that are not used here are passed over. `image` is a file name or null."""

    question: str
    choices: list[str]
    answer: int
    hint: str = ""
    image: str | None = None
    subject: str = ""
    grade: str = ""
    split: str = ""


class ScienceQaSuite:
    name = "scienceqa"
    version = 1
    max_tokens = 1024
    shown: tuple[str, ...] = ("accuracy",)

    def __init__(self, folder: Path, split: str, seed: int, limit: int | None) -> None:
        self._folder = folder
        problems = _read(folder / "problems.json", dict[str, Problem])
        splits = _read(folder / "pid_splits.json", dict[str, list[str]])
        if split not in splits:
            raise InstructgenError(
                f"{folder / 'pid_splits.json'} has no split '{split}'; it has: {', '.join(splits)}"
            )
        lacking = [key for key in splits[split] if key not in problems]
        if lacking:
            raise InstructgenError(f"{folder / 'problems.json'} lacks problem {lacking[0]} of the split {split}")
        for key in splits[split]:
            _check(folder / "problems.json", key, problems[key])
        keys = sorted(splits[split], key=lambda key: draw_fraction(seed, "evaluate/scienceqa", key))[:limit]
        self._problems = {key: problems[key] for key in splits[split] if key in set(keys)}

    def questions(self) -> Sequence[Question]:
        return [Question(key, write_problem(one), key if one.image else "") for key, one in self._problems.items()]

    def read_picture(self, image_id: str) -> bytes | None:
        one = self._problems[image_id]
        for path in (
            self._folder / "images" / one.split / image_id / (one.image or ""),
            self._folder / one.split / image_id / (one.image or ""),
        ):
            if path.resolve().is_relative_to(self._folder.resolve()) and path.is_file():
                return path.read_bytes()
        return None

    def measure(self, answers: Mapping[str, Prediction]) -> Report:
        """An answer that cannot be read is wrong, and counted."""
        read = {key: read_letter(one.text) for key, one in answers.items()}
        hits = {key: letter == LETTERS[self._problems[key].answer] for key, letter in read.items()}
        tables: dict[str, dict[str, list[str]]] = {"subject": {}, "context": {}, "grade": {}}
        for key in answers:
            one = self._problems[key]
            tables["subject"].setdefault(_SUBJECTS.get(one.subject, one.subject or "?"), []).append(key)
            tables["grade"].setdefault(_grade_of(one), []).append(key)
            for name in _contexts_of(one):
                tables["context"].setdefault(name, []).append(key)
        groups = {
            table: {part: {"accuracy": _accuracy(hits, keys)} for part, keys in sorted(parts.items())}
            for table, parts in tables.items()
        }
        counts = {"unread": sum(letter is None for letter in read.values())}
        return Report({"accuracy": _accuracy(hits, list(answers))}, groups, counts)

    def show(self, answers: Mapping[str, Prediction]) -> Iterator[ShownAnswer]:
        for key, prediction in answers.items():
            one = self._problems[key]
            letter = LETTERS[one.answer]
            yield ShownAnswer(
                key=key,
                question=write_problem(one),
                image_id=key if one.image else "",
                said=prediction.text,
                truth=(f"{letter}. {one.choices[one.answer]}",),
                is_right=read_letter(prediction.text) == letter,
                group=_SUBJECTS.get(one.subject, one.subject or "?"),
            )


def write_problem(one: Problem) -> str:
    """Return the prompt in the format QCM: question, context, multiple options."""
    options = " ".join(f"({letter}) {choice}" for letter, choice in zip(LETTERS, one.choices, strict=False))
    return f"Question: {one.question}\nContext: {one.hint.strip() or 'N/A'}\nOptions: {options}\n"


def read_letter(text: str) -> str | None:
    """Return the option that is meant: a bare letter, a letter before ". ", or the only "The answer is X."."""
    text = text.strip()
    if text in LETTERS and len(text) == 1:
        return text
    if len(text) >= 3 and text[0] in LETTERS and text[1:3] == ". ":
        return text[0]
    found = _SAID.findall(text)
    return found[0] if len(found) == 1 else None


def _check(path: Path, key: str, one: Problem) -> None:
    if not 0 <= one.answer < len(one.choices) <= len(LETTERS):
        raise InstructgenError(
            f"{path}: problem {key} has {len(one.choices)} choices, of at most {len(LETTERS)}, and its answer is "
            f"number {one.answer}, counted from 0"
        )


def _accuracy(hits: Mapping[str, bool], keys: Sequence[str]) -> Score:
    rows = group_rows((key, (float(hits[key]), 1.0)) for key in keys)
    return measure(rows, ratio(0, 1), len(keys))


def _contexts_of(one: Problem) -> list[str]:
    """Return the tables' words: a text, an image, or no context; a problem with both is in two."""
    found = [name for name, has in (("TXT", bool(one.hint.strip())), ("IMG", bool(one.image))) if has]
    return found or ["NO"]


def _grade_of(one: Problem) -> str:
    digits = re.sub(r"\D", "", one.grade)
    if not digits:
        return "?"
    return "G1-6" if int(digits) <= _LAST_LOW_GRADE else "G7-12"


def _read(path: Path, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise InstructgenError(
            f"{path} cannot be read ({error.strerror}); --scienceqa wants the folder with problems.json, "
            "pid_splits.json and images/"
        ) from None
    except msgspec.MsgspecError as error:
        raise InstructgenError(f"{path}: {error}") from None
