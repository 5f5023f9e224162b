"""The teachers that a build can name: name -> how it is made from the build's settings."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instructgen.config import TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.records import Decoding, Message, Unit
from instructgen.teachers.base import Teacher
from instructgen.teachers.pictures import PictureReader

WriteMessages = Callable[[Unit], tuple[Message, ...]]


@dataclass(frozen=True, slots=True)
class TeacherParts:
    """What a teacher may be made from; `write_prompts` binds the prompts to a teacher's decoding settings.

    `pictures` is for a teacher that sees.
    """

    config: TeacherConfig
    seed: int
    write_prompts: Callable[[Decoding], WriteMessages]
    schemas: dict[str, dict[str, Any]]
    pictures: PictureReader | None = None


def _make_scene_program(parts: TeacherParts) -> Teacher:
    from instructgen.teachers.captions import TYPES
    from instructgen.teachers.scene_program import SceneProgramTeacher

    if any(name in TYPES for name in parts.schemas):
        raise InstructgenError(
            "the scene program does not write the type 'brief'; --teacher captions --types brief does"
        )
    return SceneProgramTeacher(parts.seed, parts.config.style, parse=parts.config.parse)


def _make_captions(parts: TeacherParts) -> Teacher:
    from instructgen.teachers.captions import TYPES, CaptionsTeacher

    others = [name for name in parts.schemas if name not in TYPES]
    if others:
        raise InstructgenError(
            f"the teacher captions only hands captions on, and cannot write the type '{others[0]}': ask for "
            f"--types {','.join(TYPES)}, or name another teacher (--teacher, --model)"
        )
    if parts.config.see_image != "no":
        raise InstructgenError("the teacher captions sees no picture; leave out see_image, or name a model that does")
    return CaptionsTeacher(parts.seed)


def _make_openai(parts: TeacherParts) -> Teacher:
    from instructgen.teachers.openai_chat import OpenAIChatTeacher

    messages = parts.write_prompts(parts.config.decoding)
    return OpenAIChatTeacher(parts.config, messages, parts.schemas, parts.pictures)


def _make_replay(parts: TeacherParts) -> Teacher:
    from instructgen.teachers.captions import CaptionsTeacher
    from instructgen.teachers.replay import ReplayTeacher, read_identity
    from instructgen.teachers.scene_program import SceneProgramTeacher

    if parts.config.replay is None:
        raise InstructgenError("the replay teacher needs --replay FOLDER: the run/ of a build to answer from")
    folder = Path(parts.config.replay)
    identity = read_identity(folder, parts.config.model)
    if identity.name == SceneProgramTeacher.name:
        return ReplayTeacher(folder, identity, SceneProgramTeacher(parts.seed).messages)
    if identity.name == CaptionsTeacher.name:
        return ReplayTeacher(folder, identity, CaptionsTeacher(parts.seed).messages)
    return ReplayTeacher(folder, identity, parts.write_prompts(identity.decoding))


TEACHERS: dict[str, Callable[[TeacherParts], Teacher]] = {
    "scene-program": _make_scene_program,
    "openai": _make_openai,
    "replay": _make_replay,
    "captions": _make_captions,
}


def choose_teacher(config: TeacherConfig) -> str:
    """Return the teacher's name: as given, else from what the other settings ask for, else the free one.

    Raises InstructgenError for an unknown name and for settings that ask for two teachers.
    """
    if config.name is not None and config.name not in TEACHERS:
        raise InstructgenError(f"no teacher called '{config.name}'; there are: {', '.join(TEACHERS)}")
    asked_for = {
        "replay": config.replay is not None,
        "openai": config.base_url is not None
        or bool(config.servers)
        or config.endpoints is not None
        or (config.model is not None and config.replay is None),
    }
    implied = [name for name, is_asked in asked_for.items() if is_asked]
    name = config.name or (implied[0] if implied else "scene-program")
    others = [other for other in implied if other != name]
    if others:
        raise InstructgenError(
            f"the teacher is {name}, but other settings ask for {', '.join(others)} "
            "(replay: replay; openai: model, base_url, servers, endpoints); leave out one or the other,"
            " or set --teacher"
        )
    return name
