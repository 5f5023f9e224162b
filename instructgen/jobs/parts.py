"""Makes the parts of a build from its settings, and checks all of them before anything is asked or written."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from instructgen.config import BuildConfig, RunConfig, TeacherConfig
from instructgen.dataset.exports import check_exports
from instructgen.errors import InstructgenError
from instructgen.evaluate.assess import Assessor, load_assessor
from instructgen.filters import make_corpus_filters, make_filters
from instructgen.filters.base import CorpusFilter
from instructgen.filters.corpus import CorpusReview
from instructgen.jobs.course import Course
from instructgen.jobs.gates import check_gates
from instructgen.jobs.lanes import (
    check_teachers,
    describe_judging,
    describe_refinement,
    find_lanes,
    find_servers_of,
    list_teachers,
    sees_images,
)
from instructgen.jobs.matching import Matcher
from instructgen.jobs.outcomes import Judge, check_types
from instructgen.jobs.plan import Planner, find_split
from instructgen.prompting.prompts import Prompt, load_prompt
from instructgen.prompting.requests import make_prompt_book
from instructgen.prompting.seeing import load_seeing
from instructgen.records import Decoding
from instructgen.refine.prompts import RefinePrompts, load_refine_prompts
from instructgen.sample_types import MATCHED_TYPES, PROGRAM_TYPES, SAMPLE_TYPES
from instructgen.scenegraph.parsing import load_parser
from instructgen.sources import brings_pictures, open_source
from instructgen.sources.base import Source
from instructgen.sources.shares import Share, ShareOfSource
from instructgen.teachers import TEACHERS, TeacherParts, WriteMessages, choose_teacher
from instructgen.teachers.base import Teacher
from instructgen.teachers.pictures import PictureReader
from instructgen.teachers.scene_program import choose_others
from instructgen.teachers.scene_program.wordings import hash_wordings


@dataclass(frozen=True, slots=True)
class BuildParts:
    """Everything that a build needs, made and checked. `notes` is what a user should hear before it starts."""

    config: BuildConfig
    source: Source
    planner: Planner
    teachers: tuple[Teacher, ...]
    """The teacher, then its fallback, who refines and who judges, where there are such. A request's lane is the place
    in here."""
    settings: tuple[TeacherConfig, ...]
    """Of each teacher."""
    judge: Judge
    corpus_filters: Mapping[str, CorpusFilter]
    course: Course
    prompt_sha256: dict[str, str]
    embeds_images: bool
    notes: tuple[str, ...]
    share: Share | None = None
    """The share of the source that this build is of; None for all of it."""

    @property
    def default_name(self) -> str:
        """A folder name for those who give no --out: "coco-val2017", "scenes", "scenes-part-3-of-8"."""
        split, share = self.config.source.split, self.share
        name = f"{self.config.source.name}-{split}" if split else self.config.source.name
        return name if share is None else f"{name}-part-{share.index}-of-{share.num_shares}"

    @property
    def teacher(self) -> Teacher:
        return self.teachers[0]

    @property
    def fallback(self) -> Teacher | None:
        lane = self.course.fallback_lane
        return None if lane is None else self.teachers[lane]

    @property
    def refiner(self) -> Teacher:
        """Who rewrites and repairs, if anybody does."""
        return self.teachers[self.course.refine_lane]

    @property
    def assessing(self) -> Teacher | None:
        """Who judges what the filters accept, if anybody does."""
        return None if self.course.assessor is None else self.teachers[self.course.judge_lane]


def make_parts(config: BuildConfig, share: Share | None = None) -> BuildParts:
    """Return the parts, with settings that were left open filled in; of a build of one share of the source, if given.

    Raises InstructgenError for whatever does not fit: names, files, prompts, keys.
    """
    check_types(config.types, SAMPLE_TYPES)
    config = find_servers_of(config)
    check_teachers(config)
    check_exports(config.dataset.exports)
    filters = make_filters(config.filters)
    corpus_filters = make_corpus_filters(config.filters)
    CorpusReview(corpus_filters)  # raises for a file that is not there, before anything is asked
    check_gates(config.gates, config.types)
    whole = open_source(config.source, config.seed)
    source: Source = whole if share is None else ShareOfSource(whole, share)
    prompts = load_prompts(config)
    refine_prompts = load_refine_prompts(find_prompts_folder(config), config.refine)
    assessor = load_assessor(find_prompts_folder(config), config.judge)
    settings = list_teachers(config)
    teachers = tuple(_make_teacher(config, one, prompts, source) for one in settings)
    check_budget(config.run, teachers)
    resolved = replace(config, source=replace(config.source, split=source.split))
    judge = Judge(
        SAMPLE_TYPES,
        {name: prompts[name].questions if name in prompts else () for name in config.types},
        filters,
        config.seed,
        tuple(name for one in dict.fromkeys(settings) for name in one.accept_models),
    )
    lanes = find_lanes(config)
    course = Course(
        teachers, judge, config.refine, refine_prompts, lanes.fallback, lanes.refine, assessor, lanes.judge or 0
    )
    return BuildParts(
        config=resolved,
        source=source,
        planner=make_planner(config, source),
        teachers=teachers,
        settings=settings,
        judge=judge,
        corpus_filters=corpus_filters,
        course=course,
        prompt_sha256=_hash_prompts(config, prompts, refine_prompts, assessor),
        embeds_images=embeds_images(config),
        notes=tuple(_make_notes(config, source, course)),
        share=share,
    )


def embeds_images(config: BuildConfig) -> bool:
    """Return whether the rows hold the pictures."""
    images = config.dataset.images
    return images == "embed" or (images == "auto" and brings_pictures(config.source))


def make_planner(config: BuildConfig, source: Source) -> Planner:
    planner = Planner(
        source,
        config.surrogate,
        config.types,
        config.dataset.max_image_pixels if embeds_images(config) or sees_images(config) else None,
        embeds=embeds_images(config),
        shows=sees_images(config),
        split_of=partial(find_split, config),
        matcher=_make_matcher(config, source),
    )
    if isinstance(source, ShareOfSource):
        planner.records_before = source.records_before
    return planner


def _make_matcher(config: BuildConfig, source: Source) -> Matcher | None:
    """Return what finds images that are alike, of the whole source; None where no type wants them."""
    if set(MATCHED_TYPES).isdisjoint(config.types):
        return None
    parser = load_parser() if config.teacher.parse else None
    whole = source.all_records if isinstance(source, ShareOfSource) else source.records
    choose = partial(choose_others, seed=config.seed, parser=parser)
    return Matcher(whole, config.seed, partial(find_split, config), choose)


def load_prompts(config: BuildConfig) -> dict[str, Prompt]:
    """Return the prompts of the build's types that have one; InstructgenError for what cannot be used."""
    folder = find_prompts_folder(config)
    return {name: load_prompt(folder, name) for name in config.types if name not in PROGRAM_TYPES}


def find_prompts_folder(config: BuildConfig) -> Path | None:
    """Return the user's own folder of prompts, or None for the shipped ones."""
    folder = Path(config.teacher.prompts) if config.teacher.prompts else None
    if folder is not None and not folder.is_dir():
        raise InstructgenError(f"teacher.prompts: no folder {folder}")
    return folder


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


def _make_teacher(config: BuildConfig, teacher: TeacherConfig, prompts: dict[str, Prompt], source: Source) -> Teacher:
    schemas: dict[str, dict[str, Any]] = {name: SAMPLE_TYPES[name].json_schema() for name in config.types}
    parts = TeacherParts(
        teacher,
        config.seed,
        make_prompt_writer(config, teacher, prompts),
        schemas,
        PictureReader(source.image_bytes, config.dataset.max_image_pixels),
    )
    return TEACHERS[choose_teacher(teacher)](parts)


def make_prompt_writer(
    config: BuildConfig, teacher: TeacherConfig, prompts: dict[str, Prompt]
) -> Callable[[Decoding], WriteMessages]:
    """Return what binds the build's prompts to the decoding settings that a teacher turns out to have."""
    seeing = load_seeing(find_prompts_folder(config), teacher)

    def write_prompts(decoding: Decoding) -> WriteMessages:
        return make_prompt_book(prompts, SAMPLE_TYPES, config.surrogate, decoding, seeing).messages

    return write_prompts


def _hash_prompts(
    config: BuildConfig, prompts: dict[str, Prompt], refining: RefinePrompts, assessor: Assessor | None
) -> dict[str, str]:
    found = {name: prompt.sha256 for name, prompt in prompts.items()} | refining.sha256
    found |= {name: hash_wordings() for name in config.types if name in PROGRAM_TYPES}
    if assessor is not None:
        found["assess"] = assessor.sha256
    seeing = load_seeing(find_prompts_folder(config), config.teacher)
    return found if seeing is None else found | {"see": seeing.sha256}


def _make_notes(config: BuildConfig, source: Source, course: Course) -> list[str]:
    teacher, is_free = course.teachers[0], choose_teacher(config.teacher) == "scene-program"
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
    if config.teacher.see_image != "no":
        notes[0] += f"; it sees each picture, {config.teacher.see_image}"
    if course.fallback_lane is not None:
        fallback = course.teachers[course.fallback_lane]
        notes.append(f"units whose answer is rejected go to {fallback.name}, model {fallback.model}")
    if config.refine.is_on:
        notes.append(describe_refinement(config.refine, course.teachers[course.refine_lane].model))
    if course.assessor is not None:
        notes.append(describe_judging(config.judge, course.teachers[course.judge_lane].model))
    return notes
