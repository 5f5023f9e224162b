"""The teachers that a build can name: name -> how it is made from the build's settings."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instructgen.config import TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.records import Decoding, Message, Unit
from instructgen.teachers.base import Teacher

WriteMessages = Callable[[Unit], tuple[Message, ...]]


@dataclass(frozen=True, slots=True)
class TeacherParts:
    """What a teacher may be made from; `write_prompts` binds the prompts to a teacher's decoding settings."""

    config: TeacherConfig
    seed: int
    write_prompts: Callable[[Decoding], WriteMessages]
    schemas: dict[str, dict[str, Any]]


def _make_scene_program(parts: TeacherParts) -> Teacher:
    from instructgen.teachers.scene_program import SceneProgramTeacher

    return SceneProgramTeacher(parts.seed)


def _make_openai(parts: TeacherParts) -> Teacher:
    from instructgen.teachers.openai_chat import OpenAIChatTeacher

    return OpenAIChatTeacher(parts.config, parts.write_prompts(parts.config.decoding), parts.schemas)


def _make_replay(parts: TeacherParts) -> Teacher:
    from instructgen.teachers.replay import ReplayTeacher, read_identity
    from instructgen.teachers.scene_program import SceneProgramTeacher

    if parts.config.replay is None:
        raise InstructgenError("the replay teacher needs --replay FOLDER: the run/ of a build to answer from")
    folder = Path(parts.config.replay)
    identity = read_identity(folder)
    if identity.name == SceneProgramTeacher.name:
        return ReplayTeacher(folder, SceneProgramTeacher(parts.seed).messages)
    return ReplayTeacher(folder, parts.write_prompts(identity.decoding))


TEACHERS: dict[str, Callable[[TeacherParts], Teacher]] = {
    "scene-program": _make_scene_program,
    "openai": _make_openai,
    "replay": _make_replay,
}


def choose_teacher(config: TeacherConfig) -> str:
    """Return the teacher's name: as given, else from what the other settings ask for, else the free one."""
    if config.name is not None:
        if config.name not in TEACHERS:
            raise InstructgenError(f"no teacher called '{config.name}'; there are: {', '.join(TEACHERS)}")
        return config.name
    if config.replay is not None:
        return "replay"
    if config.model is not None or config.base_url is not None:
        return "openai"
    return "scene-program"
