"""Which teachers a build asks: the teacher, its fallback, who refines and who judges; and what they cannot do."""

from msgspec import Struct
from msgspec.structs import replace

from instructgen.config import BuildConfig, JudgeConfig, RefineConfig, TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.sample_types import PROGRAM_TYPES, SEEN_TYPES
from instructgen.teachers import choose_teacher
from instructgen.teachers.endpoints import find_servers

_SCENE_PROGRAM = "scene-program"
_NO_MODELS = (_SCENE_PROGRAM, "captions")


class LaneNumbers(Struct, frozen=True):
    """The places of the others among a build's teachers; whoever writes rewrites where there is no refiner."""

    fallback: int | None
    refine: int
    judge: int | None = None


def list_teachers(config: BuildConfig) -> tuple[TeacherConfig, ...]:
    """Return the settings of all teachers; a request's lane is the place in here.

    Where a recorded run answers, it answers for the refiner and the judge too, unless that has a recorded run of its
    own.
    """
    refiner = config.refine.teacher if config.refine.asks else None
    others = [one for one in (refiner, config.judge.teacher) if one is not None]
    replay = config.teacher.replay if choose_teacher(config.teacher) == "replay" else None
    if replay is not None:
        others = [_as_recorded(one, replay) for one in others]
    fallback = config.teacher.fallback
    return (config.teacher, *([] if fallback is None else [fallback]), *others)


def _as_recorded(teacher: TeacherConfig, replay: str) -> TeacherConfig:
    if teacher.replay is not None:
        return teacher
    return replace(teacher, name="replay", replay=replay, base_url=None, servers=())


def find_servers_of(config: BuildConfig) -> BuildConfig:
    """Return the settings with the servers that the teachers' `endpoints` lead to. Raises as `find_servers` does."""
    teacher, refine, judge = find_servers(config.teacher), config.refine, config.judge
    if teacher.fallback is not None:
        teacher = replace(teacher, fallback=find_servers(teacher.fallback))
    if refine.teacher is not None:
        refine = replace(refine, teacher=find_servers(refine.teacher))
    if judge.teacher is not None:
        judge = replace(judge, teacher=find_servers(judge.teacher))
    return replace(config, teacher=teacher, refine=refine, judge=judge)


def find_lanes(config: BuildConfig) -> LaneNumbers:
    has_fallback = config.teacher.fallback is not None
    has_refiner = config.refine.teacher is not None and config.refine.asks
    return LaneNumbers(
        fallback=1 if has_fallback else None,
        refine=1 + has_fallback if has_refiner else 0,
        judge=1 + has_fallback + has_refiner if config.judge.is_on else None,
    )


def sees_images(config: BuildConfig) -> bool:
    """Return whether a teacher of the build is shown pictures."""
    return any(one.see_image != "no" for one in list_teachers(config))


def check_teachers(config: BuildConfig) -> None:
    """Raise InstructgenError for teachers that cannot do what the settings ask of them."""
    fallback, refine = config.teacher.fallback, config.refine
    if fallback is not None and fallback.fallback is not None:
        raise InstructgenError("teacher.fallback: a fallback has no fallback of its own")
    if refine.teacher is not None and (refine.teacher.fallback is not None or refine.teacher.see_image != "no"):
        raise InstructgenError("refine.teacher mends texts: it has no fallback, and sees no picture")
    for where, one in (("teacher", config.teacher), ("teacher.fallback", fallback)):
        if one is not None:
            _check_program(config, where, one)
            _check_seeing(config, where, one)
    _check_refining(refine, config.teacher)
    _check_judging(config.judge)


def _check_program(config: BuildConfig, where: str, teacher: TeacherConfig) -> None:
    """Raise for types that the teacher has no prompt for, and for a style that it does not have."""
    name = choose_teacher(teacher)
    if name not in (_SCENE_PROGRAM, "replay"):
        alone = [one for one in config.types if one in PROGRAM_TYPES]
        if alone:
            raise InstructgenError(
                f"only the scene program writes the type '{alone[0]}', and {where} is {name}: build it apart with "
                f"--teacher {_SCENE_PROGRAM} --types {','.join(alone)}"
            )
        if teacher.style != "plain":
            raise InstructgenError(
                f"{where}: style is the scene program's; tell {name} how to write in the prompts (docs/prompts.md)"
            )


def _check_seeing(config: BuildConfig, where: str, teacher: TeacherConfig) -> None:
    name = choose_teacher(teacher)
    unseen = [one for one in config.types if one in SEEN_TYPES]
    if teacher.see_image == "no":
        if unseen:
            raise InstructgenError(
                f"the type '{unseen[0]}' is written by a model that sees the picture, and {where} ({name}) does not: "
                "give a server or a model with --base-url or --model, and --see-image only (or beside)"
            )
        return
    if name == _SCENE_PROGRAM:
        raise InstructgenError(
            f"{where}: the scene program sees no picture; --model or --base-url names one that does, or leave out "
            "see_image"
        )
    if config.run.batch:
        raise InstructgenError("--batch sends no pictures; leave it out, or see_image")


def _check_refining(refine: RefineConfig, teacher: TeacherConfig) -> None:
    wants_model = refine.rewrite or refine.repair_rounds > 0
    refiner = refine.teacher or teacher
    if wants_model and choose_teacher(refiner) in _NO_MODELS:
        raise InstructgenError(
            f"refine.rewrite and refine.repair_rounds want a language model, and {choose_teacher(refiner)} is none: "
            "name one in [refine.teacher]"
        )
    if refine.continue_below_tokens is not None and teacher.decoding.output_format == "json":
        raise InstructgenError(
            "refine.continue_below_tokens joins two texts, and two JSON objects do not join: leave it out, or set "
            'output_format = "text"'
        )


def _check_judging(judge: JudgeConfig) -> None:
    teacher = judge.teacher
    if teacher is None:
        if judge != JudgeConfig():
            raise InstructgenError("[judge] names nobody who judges: give a model in [judge.teacher]")
        return
    if choose_teacher(teacher) in _NO_MODELS:
        raise InstructgenError(
            f"judge.teacher wants a language model, and {choose_teacher(teacher)} is none: name a model or a "
            "base_url in [judge.teacher]"
        )
    if teacher.fallback is not None or teacher.see_image != "no":
        raise InstructgenError("judge.teacher goes by what is written: it has no fallback, and sees no picture")
    if teacher.decoding.output_format == "json":
        raise InstructgenError(
            'judge.teacher answers with two numbers and a reason: leave out output_format = "json"'
        )


def describe_judging(judge: JudgeConfig, model: str) -> str:
    """Return one line on who judges, and on what is turned away."""
    return (
        f"what the filters accept is judged by {model}, one more request each; it needs {judge.min_accuracy:g} of 10 "
        f"for accuracy and {judge.min_relevancy:g} for relevancy"
    )


def describe_refinement(refine: RefineConfig, model: str) -> str:
    """Return one line on what happens to an answer, and how many requests a unit may take beyond its first."""
    parts = []
    if refine.continue_below_tokens is not None:
        parts.append(f"those of {refine.continue_below_tokens} tokens or fewer are gone on with")
    if refine.clean:
        parts.append("cleaned by rules")
    if refine.rewrite:
        parts.append(f"rewritten by {model}")
    if refine.repair_rounds:
        parts.append(f"repaired by {model} in up to {refine.repair_rounds} rounds")
    num = count_requests(refine)
    more = f"; up to {num} more request{'s' if num > 1 else ''} for each answer" if num else ""
    return f"answers are refined: {', '.join(parts)}{more}"


def count_requests(refine: RefineConfig) -> int:
    """Return how many requests an answer may take beyond its own."""
    return (refine.continue_below_tokens is not None) + refine.rewrite + refine.repair_rounds
