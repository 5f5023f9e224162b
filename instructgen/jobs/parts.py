"""Makes the parts of a build from its settings, and checks all of them before anything is asked or written."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from instructgen.config import BuildConfig
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
    teacher: Teacher
    judge: Judge
    prompt_sha256: dict[str, str]
    embeds_images: bool
    notes: tuple[str, ...]

    @property
    def default_name(self) -> str:
        """A folder name for those who give no --out: "coco-val2017", "scenes"."""
        split = self.config.source.split
        return f"{self.config.source.name}-{split}" if split else self.config.source.name

    def make_request(self, unit: Unit) -> Request:
        return make_request(unit, self.teacher.messages(unit), self.teacher.model, self.teacher.decoding)


def make_parts(config: BuildConfig) -> BuildParts:
    """Return the parts, with settings that were left open filled in.

    Raises InstructgenError for whatever does not fit: names, files, prompts, keys.
    """
    check_types(config.types, SAMPLE_TYPES)
    filters = make_filters(config.filters)
    source = open_source(config.source, config.seed)
    prompts = load_prompts(config)
    teacher_name = choose_teacher(config.teacher)
    teacher = TEACHERS[teacher_name](_teacher_parts(config, prompts))
    images = config.dataset.images
    embeds_images = images == "embed" or (images == "auto" and brings_pictures(config.source))
    resolved = replace(config, source=replace(config.source, split=source.split))
    return BuildParts(
        config=resolved,
        source=source,
        planner=Planner(
            source, config.surrogate, config.types, config.dataset.max_image_pixels if embeds_images else None
        ),
        teacher=teacher,
        judge=Judge(SAMPLE_TYPES, {name: prompt.questions for name, prompt in prompts.items()}, filters, config.seed),
        prompt_sha256={name: prompt.sha256 for name, prompt in prompts.items()},
        embeds_images=embeds_images,
        notes=tuple(_make_notes(config, source, teacher, is_free=teacher_name == "scene-program")),
    )


def load_prompts(config: BuildConfig) -> dict[str, Prompt]:
    """Return the prompts of the build's types; InstructgenError for a folder or a file that cannot be used."""
    folder = Path(config.teacher.prompts) if config.teacher.prompts else None
    if folder is not None and not folder.is_dir():
        raise InstructgenError(f"teacher.prompts: no folder {folder}")
    return {name: load_prompt(folder, name) for name in config.types}


def _teacher_parts(config: BuildConfig, prompts: dict[str, Prompt]) -> TeacherParts:
    def write_prompts(decoding: Decoding) -> WriteMessages:
        return make_prompt_book(prompts, SAMPLE_TYPES, config.surrogate, decoding).messages

    schemas: dict[str, dict[str, Any]] = {name: SAMPLE_TYPES[name].json_schema() for name in config.types}
    return TeacherParts(config.teacher, config.seed, write_prompts, schemas)


def _make_notes(config: BuildConfig, source: Source, teacher: Teacher, *, is_free: bool) -> list[str]:
    what = source.title
    if config.source.root is not None:
        what += f" in {config.source.root}"
    elif config.source.name == "coco":
        what = "the bundled sample of rendered scenes (give --root for COCO)"
    notes = [f"reading {what}; the teacher is {teacher.name}, model {teacher.model}"]
    if is_free:
        notes[0] += ": rules over captions and boxes, no key, no network, no cost"
        if os.environ.get(config.teacher.api_key_env):
            notes.append(f"{config.teacher.api_key_env} is set but not used; --model NAME asks a model instead")
    return notes
