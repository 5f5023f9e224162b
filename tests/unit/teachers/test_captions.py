"""The captions as a teacher: free, exact, and of no use for anything else."""

import asyncio

import pytest
from msgspec.structs import replace

from instructgen.config import BuildConfig, SourceConfig, TeacherConfig, name_teacher
from instructgen.draws import make_generator
from instructgen.errors import InstructgenError
from instructgen.prompting.requests import make_request
from instructgen.records import Fault, Message, Reply, Request
from instructgen.sample_types import SAMPLE_TYPES
from instructgen.teachers import TEACHERS, TeacherParts, choose_teacher
from instructgen.teachers.captions import CaptionsTeacher
from tests.support.make import make_record, make_unit


def ask(caption: str, number: int = 1) -> Reply:
    teacher = CaptionsTeacher(0)
    unit = replace(make_unit(sample_type="brief"), record=make_record(number, captions=(caption,)))
    return asyncio.run(teacher.send(make_request(unit, teacher.messages(unit), teacher.model, teacher.decoding)))


@pytest.mark.parametrize("caption", ["A dog.", '{"a": brace}', "```fence", 'says "description" here', "ünïcode ☃"])
def test_caption_is_the_answer_as_it_stands(caption: str) -> None:
    turns = SAMPLE_TYPES["brief"].parse(ask(caption).text, ("What is it?",), make_generator(0, "parse", "x"))
    if '"description"' in caption:
        assert isinstance(turns, Fault)  # JSON with words around it looks like that
    else:
        assert turns == (Message("user", "What is it?"), Message("assistant", caption))


def test_answer_costs_nothing_and_names_the_teacher() -> None:
    reply = ask("A dog.")
    assert (reply.cost_usd, reply.prompt_tokens, reply.completion_tokens) == (0.0, 0, 0)
    assert (reply.teacher, reply.model) == ("captions", "captions-1")


def test_equal_captions_are_one_request() -> None:
    assert ask("A dog.", 1).request_id == ask("A dog.", 2).request_id


def test_one_of_several_captions_is_drawn_by_the_image() -> None:
    teacher = CaptionsTeacher(0)
    units = [replace(make_unit(sample_type="brief"), record=make_record(k)) for k in range(40)]
    drawn = [teacher.messages(unit)[0].content for unit in units]
    assert set(drawn) == set(make_record().captions)
    assert drawn == [teacher.messages(unit)[0].content for unit in units]


def test_it_refuses_to_rewrite() -> None:
    messages = (Message("system", "Mend this."), Message("user", "A dog."))
    request = Request("0" * 64, "brief", "pairs/1", messages)
    with pytest.raises(InstructgenError, match="only hands captions on"):
        asyncio.run(CaptionsTeacher(0).send(request))


def make_parts(types: tuple[str, ...], **changes: object) -> TeacherParts:
    config = TeacherConfig(**changes)  # type: ignore[arg-type]
    return TeacherParts(config, 0, lambda decoding: lambda unit: (), {name: {} for name in types})


def test_other_types_pictures_and_the_scene_program_are_refused() -> None:
    with pytest.raises(InstructgenError, match=r"cannot write the type 'conv'.*--types brief"):
        TEACHERS["captions"](make_parts(("brief", "conv")))
    with pytest.raises(InstructgenError, match="sees no picture"):
        TEACHERS["captions"](make_parts(("brief",), see_image="only"))
    with pytest.raises(InstructgenError, match="--teacher captions --types brief"):
        TEACHERS["scene-program"](make_parts(("brief",)))


def test_pairs_are_answered_by_their_captions_unless_somebody_is_named() -> None:
    pairs = SourceConfig("pairs", "a.tsv")
    named = {
        "captions": BuildConfig(source=pairs),
        "openai": BuildConfig(source=pairs, teacher=TeacherConfig(model="m")),
        "replay": BuildConfig(source=pairs, teacher=TeacherConfig(replay="r")),
        "scene-program": BuildConfig(),
    }
    assert [choose_teacher(name_teacher(config).teacher) for config in named.values()] == list(named)
