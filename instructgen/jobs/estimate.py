"""`instructgen plan`: what a build would ask, cost and take. No request, no file written, no lock, no key."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from instructgen.config import BuildConfig, ServerConfig, TeacherConfig
from instructgen.dataset.exports import check_exports
from instructgen.evaluate.assess import load_assessor
from instructgen.filters import make_corpus_filters, make_filters
from instructgen.filters.corpus import CorpusReview
from instructgen.jobs.earlier import LEDGER, open_answers, read_history
from instructgen.jobs.forecast import Estimate, Forecaster, ServerPlan
from instructgen.jobs.forecast_judge import JudgingParts
from instructgen.jobs.forecast_refine import RefiningParts, Writer
from instructgen.jobs.gates import check_gates
from instructgen.jobs.lanes import check_teachers, find_lanes, find_servers_of, list_teachers
from instructgen.jobs.outcomes import check_types
from instructgen.jobs.parts import find_prompts_folder, load_prompts, make_planner, make_prompt_writer
from instructgen.jobs.plan import Planner
from instructgen.jobs.survey import PlannedTeacher, Survey, Tell
from instructgen.prompting.prompts import Prompt
from instructgen.records import NOTHING, Message, Unit
from instructgen.refine.prompts import load_refine_prompts
from instructgen.sample_types import SAMPLE_TYPES
from instructgen.secrets import strip_url
from instructgen.sources import open_source
from instructgen.sources.base import Source
from instructgen.teachers import TEACHERS, TeacherParts, choose_teacher
from instructgen.teachers.openai_chat import DEFAULT_MODEL, find_address
from instructgen.teachers.pictures import estimate_picture_tokens
from instructgen.teachers.prices import look_up_price
from instructgen.teachers.tokens import TokenCounter, estimate_tokens, make_counter


class PlanParts(Struct, frozen=True):
    """Everything that a plan needs, made and checked as a build would, but for keys."""

    config: BuildConfig
    source: Source
    planner: Planner
    teacher: PlannedTeacher
    fallback: PlannedTeacher | None
    servers: tuple[ServerPlan, ...]
    fallback_servers: tuple[ServerPlan, ...]
    refining: RefiningParts | None = None
    judging: JudgingParts | None = None

    @property
    def default_name(self) -> str:
        """The folder that a build without --out uses."""
        split = self.config.source.split
        return f"{self.config.source.name}-{split}" if split else self.config.source.name


def make_plan_parts(config: BuildConfig) -> PlanParts:
    """Return the parts, with settings that were left open filled in.

    Raises InstructgenError for whatever does not fit: names, files, prompts, price tables.
    """
    check_types(config.types, SAMPLE_TYPES)
    config = find_servers_of(config)
    check_teachers(config)
    check_exports(config.dataset.exports)
    make_filters(config.filters)
    CorpusReview(make_corpus_filters(config.filters))  # raises for a file that is not there
    check_gates(config.gates, config.types)
    source = open_source(config.source, config.seed)
    prompts = load_prompts(config)
    fallback = config.teacher.fallback
    return PlanParts(
        config=replace(config, source=replace(config.source, split=source.split)),
        source=source,
        planner=make_planner(config, source),
        teacher=_plan_teacher(config, config.teacher, prompts),
        fallback=None if fallback is None else _plan_teacher(config, fallback, prompts),
        servers=_plan_servers(config.teacher),
        fallback_servers=() if fallback is None else _plan_servers(fallback),
        refining=_plan_refining(config, prompts),
        judging=_plan_judging(config, prompts),
    )


def make_estimate(parts: PlanParts, out: Path, tell: Tell, *, is_anew: bool = False) -> Estimate:
    """Read the source and return what a build into the dataset folder `out` would still ask and cost.

    With `is_anew`: what it would if nothing were there yet, going by the answers that there are.
    Raises InstructgenError for annotations or a ledger that cannot be used.
    """
    config = parts.config
    cache_dir = None if config.run.cache_dir is None else Path(config.run.cache_dir)
    history = read_history(out / "run")
    is_replay = choose_teacher(config.teacher) == "replay"
    replay = Path(config.teacher.replay) if is_replay and config.teacher.replay else None
    with open_answers(out / "run", cache_dir) as answers, open_answers(replay, None) as recorded:
        judge = None if parts.judging is None else parts.judging.teacher
        survey = Survey(parts.planner, parts.teacher, parts.fallback, answers, recorded.get(LEDGER), judge, is_anew)
        found = survey.run(tell)
    forecaster = Forecaster(
        config=config,
        teacher=parts.teacher,
        servers=parts.servers,
        fallback=parts.fallback,
        fallback_servers=parts.fallback_servers,
        history=replace(history, spent=NOTHING) if is_anew else history,
        refining=None if parts.refining is None else parts.refining.take(found),
        judging=parts.judging,
    )
    return forecaster.estimate(found, parts.planner.num_images, parts.planner.issues)


def _plan_teacher(config: BuildConfig, teacher: TeacherConfig, prompts: dict[str, Prompt]) -> PlannedTeacher:
    write_prompts = make_prompt_writer(config, teacher, prompts)
    name = choose_teacher(teacher)
    if name != "openai":  # these hold no key, and asking them costs nothing
        schemas: dict[str, dict[str, Any]] = {one: {} for one in config.types}
        made = TEACHERS[name](TeacherParts(teacher, config.seed, write_prompts, schemas))
        counter = TokenCounter("", is_exact=False, count_text=estimate_tokens)
        return PlannedTeacher(
            name=made.name,
            model=made.model,
            decoding=made.decoding,
            is_remote=False,
            messages=made.messages,
            counter=counter,
            schema_tokens={},
        )
    model = teacher.model or DEFAULT_MODEL
    counter = make_counter(model, teacher.tokenizer)
    schema_tokens: dict[str, int] = {}
    if teacher.decoding.output_format == "json":
        schema_tokens = {name: counter.count_text(_write_schema(name)) for name in config.types}
    return PlannedTeacher(
        name=name,
        model=model,
        decoding=teacher.decoding,
        is_remote=True,
        messages=write_prompts(teacher.decoding),
        counter=counter,
        schema_tokens=schema_tokens,
        seen_tokens=0 if teacher.see_image == "no" else estimate_picture_tokens(model, teacher.max_image_side_px),
    )


def _plan_refining(config: BuildConfig, prompts: dict[str, Prompt]) -> RefiningParts | None:
    refine_prompts = load_refine_prompts(find_prompts_folder(config), config.refine)
    if not config.refine.asks:
        return None
    settings, fallback = list_teachers(config)[find_lanes(config).refine], config.teacher.fallback
    return RefiningParts(
        teacher=_plan_teacher(config, settings, prompts),
        servers=_plan_servers(settings),
        prompts=refine_prompts,
        config=config.refine,
        writer=_plan_writer(config, config.teacher, prompts),
        fallback=None if fallback is None else _plan_writer(config, fallback, prompts),
    )


def _plan_writer(config: BuildConfig, settings: TeacherConfig, prompts: dict[str, Prompt]) -> Writer:
    planned, limit = _plan_teacher(config, settings, prompts), settings.decoding.max_tokens
    # The scene program sets no limit; what it writes is far shorter than any.
    max_tokens = limit if choose_teacher(settings) == "scene-program" else planned.decoding.max_tokens
    return Writer(planned, _plan_servers(settings), max_tokens)


def _plan_judging(config: BuildConfig, prompts: dict[str, Prompt]) -> JudgingParts | None:
    assessor, lane = load_assessor(find_prompts_folder(config), config.judge), find_lanes(config).judge
    if assessor is None or lane is None:
        return None
    settings = list_teachers(config)[lane]
    teacher = _plan_teacher(config, settings, prompts)

    def write_messages(unit: Unit) -> tuple[Message, ...]:
        return assessor.messages(unit.surrogate.text, (), teacher.decoding)

    return JudgingParts(dataclasses.replace(teacher, messages=write_messages), _plan_servers(settings), config)


def _write_schema(sample_type: str) -> str:
    return json.dumps(SAMPLE_TYPES[sample_type].json_schema())


def _plan_servers(teacher: TeacherConfig) -> tuple[ServerPlan, ...]:
    """Return what is known of each server; none for a teacher that has none."""
    if choose_teacher(teacher) != "openai":
        return ()
    shares = _share_out(teacher)
    return tuple(
        _plan_server(teacher, own, share)
        for own, share in zip(teacher.servers or (ServerConfig(),), shares, strict=True)
    )


def _share_out(teacher: TeacherConfig) -> list[float]:
    """Return the share of the requests, adding up to 1, that each of the teacher's servers gets while all work."""
    weights = [server.weight for server in teacher.servers] or [1.0]
    return [weight / sum(weights) for weight in weights]


def _plan_server(teacher: TeacherConfig, own: ServerConfig, share: float) -> ServerPlan:
    base_url = own.base_url or teacher.base_url
    model = own.model or teacher.model or DEFAULT_MODEL
    found = look_up_price(teacher, model, base_url)
    return ServerPlan(
        name=strip_url(find_address(base_url).base_url),
        model=model,
        price=found.price,
        price_origin=found.origin,
        share=share,
        concurrency=own.concurrency or teacher.concurrency,
        requests_per_minute=own.requests_per_minute or teacher.requests_per_minute,
        tokens_per_minute=own.tokens_per_minute or teacher.tokens_per_minute,
    )
