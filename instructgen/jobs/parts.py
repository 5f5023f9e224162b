"""Makes the parts of a build from its settings, and checks all of them before anything is asked or written."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from instructgen.config import BuildConfig, RunConfig, TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.filters import make_filters
from instructgen.jobs.outcomes import Judge, check_types
from instructgen.jobs.plan import Planner
from instructgen.prompting.prompts import Prompt, load_prompt
from instructgen.prompting.requests import make_prompt_book, make_request
from instructgen.records import Decoding, Request, Unit
from instructgen.sample_types import SAMPLE_TYPES
from instructgen.sources import brings_pictures, open_source
from instructgen.sources.base import Source
from instructgen.teachers import TEACHERS, TeacherParts, WriteMessages, choose_teacher
from instructgen.teachers.base import Teacher


@dataclass(frozen=True, slots=True)
class BuildParts:
    """Everything that a build needs, made and checked. `notes` is what a user should hear before it starts."""

    config: BuildConfig
    source: Source
    planner: Planner
    teachers: tuple[Teacher, ...]
    """The teacher, and its fallback where there is one; a request's lane is the place in here."""
    judge: Judge
    prompt_sha256: dict[str, str]
    embeds_images: bool
    notes: tuple[str, ...]

    @property
    def default_name(self) -> str:
        """A folder name for those who give no --out: "coco-val2017", "scenes"."""
        split = self.config.source.split
        return f"{self.config.source.name}-{split}" if split else self.config.source.name

    @property
    def teacher(self) -> Teacher:
        return self.teachers[0]

    @property
    def fallback(self) -> Teacher | None:
        return self.teachers[1] if len(self.teachers) > 1 else None

    def make_request(self, unit: Unit, lane: int = 0) -> Request:
        teacher = self.teachers[lane]
        return make_request(unit, teacher.messages(unit), teacher.model, teacher.decoding)


def make_parts(config: BuildConfig) -> BuildParts:
    """Return the parts, with settings that were left open filled in.

    Raises InstructgenError for whatever does not fit: names, files, prompts, keys.
    """
    check_types(config.types, SAMPLE_TYPES)
    filters = make_filters(config.filters)
    source = open_source(config.source, config.seed)
    prompts = load_prompts(config)
    teacher_name = choose_teacher(config.teacher)
    teachers = make_teachers(config, prompts)
    check_budget(config.run, teachers)
    images = config.dataset.images
    embeds_images = images == "embed" or (images == "auto" and brings_pictures(config.source))
    resolved = replace(config, source=replace(config.source, split=source.split))
    return BuildParts(
        config=resolved,
        source=source,
        planner=Planner(
            source, config.surrogate, config.types, config.dataset.max_image_pixels if embeds_images else None
        ),
        teachers=teachers,
        judge=Judge(
            SAMPLE_TYPES,
            {name: prompt.questions for name, prompt in prompts.items()},
            filters,
            config.seed,
            config.teacher.accept_models + (config.teacher.fallback or config.teacher).accept_models,
        ),
        prompt_sha256={name: prompt.sha256 for name, prompt in prompts.items()},
        embeds_images=embeds_images,
        notes=tuple(_make_notes(config, source, teachers, is_free=teacher_name == "scene-program")),
    )


def load_prompts(config: BuildConfig) -> dict[str, Prompt]:
    """Return the prompts of the build's types; InstructgenError for a folder or a file that cannot be used."""
    folder = Path(config.teacher.prompts) if config.teacher.prompts else None
    if folder is not None and not folder.is_dir():
        raise InstructgenError(f"teacher.prompts: no folder {folder}")
    return {name: load_prompt(folder, name) for name in config.types}


def make_teachers(config: BuildConfig, prompts: dict[str, Prompt]) -> tuple[Teacher, ...]:
    """Return the teacher and, where one is configured, its fallback."""
    settings = [config.teacher] if config.teacher.fallback is None else [config.teacher, config.teacher.fallback]
    if settings[-1] is not config.teacher and settings[-1].fallback is not None:
        raise InstructgenError("teacher.fallback: a fallback has no fallback of its own")
    return tuple(TEACHERS[choose_teacher(one)](_teacher_parts(config, one, prompts)) for one in settings)


def check_budget(run: RunConfig, teachers: tuple[Teacher, ...]) -> None:
    """Raise InstructgenError for a budget that could not be kept."""
    if run.budget_usd is None and run.budget_tokens is None:
        return
    for server in (server for teacher in teachers if teacher.is_remote for server in teacher.servers):
        if not server.has_bound:
            raise InstructgenError(
                f"a budget wants a bound on answers: set teacher.decoding.max_tokens for {server.name}"
            )
        if run.budget_usd is not None and not server.has_price:
            raise InstructgenError(
                f"a budget in dollars wants a price, and none is known for {server.name}; "
                "give one with --prices FILE (docs/cost.md), or limit tokens with --budget-tokens"
            )


def _teacher_parts(config: BuildConfig, teacher: TeacherConfig, prompts: dict[str, Prompt]) -> TeacherParts:
    def write_prompts(decoding: Decoding) -> WriteMessages:
        return make_prompt_book(prompts, SAMPLE_TYPES, config.surrogate, decoding).messages

    schemas: dict[str, dict[str, Any]] = {name: SAMPLE_TYPES[name].json_schema() for name in config.types}
    return TeacherParts(teacher, config.seed, write_prompts, schemas)


def _make_notes(config: BuildConfig, source: Source, teachers: tuple[Teacher, ...], *, is_free: bool) -> list[str]:
    what = source.title
    if config.source.root is not None:
        what += f" in {config.source.root}"
    elif config.source.name == "coco":
        what = "the bundled sample of rendered scenes (give --root for COCO)"
    notes = [f"reading {what}; the teacher is {teachers[0].name}, model {teachers[0].model}"]
    if is_free:
        notes[0] += ": rules over captions and boxes, no key, no network, no cost"
        if os.environ.get(config.teacher.api_key_env):
            notes.append(f"{config.teacher.api_key_env} is set but not used; --model NAME asks a model instead")
    return notes + [f"units whose answer is rejected go to {one.name}, model {one.model}" for one in teachers[1:]]
