"""LLaVA-Bench as its authors publish it: questions, contexts and reference answers in JSON lines, and pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from instructgen.errors import InstructgenError

_Line = TypeVar("_Line", bound=Struct)
_QUESTIONS = ("questions.jsonl", "*questions*.jsonl")
_CONTEXTS = ("context.jsonl", "caps_boxes*.jsonl", "*context*.jsonl")
_REFERENCES = ("answers_gpt4.jsonl", "*gpt4_answer*.jsonl", "reference*.jsonl")


class BenchQuestion(Struct, frozen=True):
    """One question. `context` is what the judge is told of the picture; `reference` the first answer, "" for none."""

    question_id: str
    image: str
    category: str
    text: str
    context: str
    reference: str = ""


class _QuestionLine(Struct):
    question_id: int | str
    image: str
    text: str
    category: str


class _Instance(Struct):
    category: str
    bbox: list[float]


class _ContextLine(Struct):
    """In the Wild has `caption`, a text or several; COCO has `captions` and `instances`."""

    image: str
    caption: str | list[str] = ""
    captions: list[str] = []
    instances: list[_Instance] = []

    @property
    def text(self) -> str:
        captions = self.captions or ([self.caption] if isinstance(self.caption, str) else self.caption)
        boxes = [f"{one.category}: {one.bbox}" for one in self.instances]
        return "\n".join(captions) + ("\n\n" + "\n".join(boxes) if boxes else "")


class _AnswerLine(Struct):
    question_id: int | str
    text: str


def read_bench(folder: Path, reference: Path | None) -> list[BenchQuestion]:
    """Read a benchmark's folder; `reference` is another file of reference answers than the folder's own.

    Raises InstructgenError naming the file and line for what is missing or cannot be read.
    """
    if not folder.is_dir():
        raise InstructgenError(
            f"--bench {folder}: no such folder; it wants questions.jsonl, context.jsonl and images/"
        )
    contexts = {line.image: line.text for line in _read(_find(folder, _CONTEXTS, "contexts"), _ContextLine)}
    path = reference or _find_any(folder, _REFERENCES)
    answers = {} if path is None else {str(line.question_id): line.text for line in _read(path, _AnswerLine)}
    questions_path = _find(folder, _QUESTIONS, "questions")
    made, seen = [], set[str]()
    for line in _read(questions_path, _QuestionLine):
        if line.image not in contexts:
            raise InstructgenError(
                f"{questions_path}: question {line.question_id} shows {line.image}, of which no context tells"
            )
        key = str(line.question_id)
        if key in seen:
            raise InstructgenError(f"{questions_path}: question {key} is there twice")
        seen.add(key)
        if path is not None and key not in answers:
            raise InstructgenError(f"{path}: no answer to question {key}")
        made.append(
            BenchQuestion(key, line.image, line.category, line.text, contexts[line.image], answers.get(key, ""))
        )
    return made


def read_bench_picture(folder: Path, image: str) -> bytes | None:
    """Return the picture of that name in images/ or beside it, or None; no name leads out of the folder."""
    for root in (folder / "images", folder):
        path = (root / image).resolve()
        if path.is_relative_to(root.resolve()) and path.is_file():
            return path.read_bytes()
    return None


def _find(folder: Path, patterns: tuple[str, ...], what: str) -> Path:
    found = _find_any(folder, patterns)
    if found is None:
        raise InstructgenError(f"{folder} holds no {what}: no file is called {' or '.join(patterns)}")
    return found


def _find_any(folder: Path, patterns: tuple[str, ...]) -> Path | None:
    for pattern in patterns:
        found = sorted(folder.glob(pattern))
        if len(found) > 1:
            raise InstructgenError(f"{folder}: {', '.join(path.name for path in found)}: leave one of them")
        if found:
            return found[0]
    return None


def _read(path: Path, kind: type[_Line]) -> Iterator[_Line]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InstructgenError(f"{path} cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield msgspec.json.decode(line, type=kind)
            except msgspec.MsgspecError as error:
                raise InstructgenError(f"{path} line {number}: {error}") from None
