"""`instructgen evaluate`: a model's answers to suites of questions, measured."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from instructgen.config import SourceConfig, TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.evaluate.answering import Asker, Tell, count_failures
from instructgen.evaluate.bench_files import read_bench, read_bench_picture
from instructgen.evaluate.endpoint import EndpointStudent
from instructgen.evaluate.paid import PaidAsker
from instructgen.evaluate.pictures import Gallery
from instructgen.evaluate.predictions import PREDICTIONS_NAME, PredictionFile
from instructgen.evaluate.questions import Prediction, Question, Suite
from instructgen.evaluate.results import (
    Model,
    SuiteFacts,
    describe_suite,
    merge_results,
    table_of,
    tell_counts,
)
from instructgen.evaluate.shots.features import Embedder
from instructgen.evaluate.shown import keep_shown
from instructgen.evaluate.suites.captions import CaptionsSuite
from instructgen.evaluate.suites.chair import ChairSuite
from instructgen.evaluate.suites.few_shot import FewShotSuite, inner_name
from instructgen.evaluate.suites.llava_bench import LlavaBenchSuite, make_bench
from instructgen.evaluate.suites.pope import PopeSuite
from instructgen.evaluate.suites.qa import AnswerBy, QaSuite
from instructgen.evaluate.suites.scienceqa import ScienceQaSuite
from instructgen.jobs.evaluate_shots import (
    NEW_NAMES,
    NO_SHOTS,
    ShotMaker,
    ShotOptions,
    check_shots,
    refuse_embedder,
)
from instructgen.ledger.ledger import Ledger
from instructgen.records import Decoding
from instructgen.report.evaluation import write_evaluation_report
from instructgen.secrets import strip_url
from instructgen.sources import open_source
from instructgen.student.ask import BeamSampling, Sampling, Student

SUITES = ("pope", "chair", "captions", "qa", "llava-bench", "scienceqa", NEW_NAMES)
JUDGE_DECODING = Decoding(temperature=0.2, max_tokens=1024)  # LLaVA's
LOCAL_BATCH, REMOTE_BATCH = 32, 128
NUM_SCENES = 500
# What makes a model what it is; logs, pictures and optimiser states beside it do not.
_WEIGHTS = (".safetensors", ".bin", ".json", ".jinja", ".model", ".txt", ".toml")
_MODEL = "model"  # where a run of training keeps what it made
_FAILED_LATER = ("judge_failed", "reference_failed")
_NOT_OF_MODEL = ("checkpoint", "evaluation", "runs", "logs", ".")


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """What the command line says. `source_seed` is that of rendered scenes; `max_tokens` None is the suite's own."""

    suites: tuple[str, ...]
    out: Path
    source: SourceConfig
    source_seed: int = 0
    seed: int = 0
    limit: int | None = None
    temperature: float = 0.0
    max_tokens: int | None = None
    batch: int | None = None
    qa_by: AnswerBy = "answer"
    judge: TeacherConfig | None = None
    reference: TeacherConfig | None = None
    reference_answers: Path | None = None
    bench: Path | None = None
    scienceqa: Path | None = None
    scienceqa_split: str = "test"
    budget_usd: float | None = None
    beams: int = 1
    length_penalty: float = 0.0
    shots: ShotOptions = NO_SHOTS
    by_mean: bool = False


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """`described` is its part of results.json."""

    name: str
    described: dict[str, Any]
    table: tuple[str, ...]
    num_failed: int


@dataclass(slots=True)
class Evaluation:
    """One run. `tell` hears how far it is, `say` what the user should know."""

    options: EvaluateOptions
    tell: Tell = lambda _suite, _done, _total: None
    say: Callable[[str], None] = lambda _: None
    open_embedder: Callable[[], Embedder] = refuse_embedder
    """What --rices looks with, loaded when it is wanted."""
    report: Path | None = None
    """Where it is, once there is one."""
    _stack: ExitStack = field(default_factory=ExitStack)
    _asked: list[tuple[Suite, Sequence[Question]]] = field(default_factory=list)
    _gallery: Gallery | None = None
    _ledger: Ledger | None = None
    _shots: ShotMaker | None = None

    def prepare(self) -> None:
        """Make the suites and their questions, so that a mistake shows before a model is loaded.

        Raises InstructgenError for a suite that cannot be made.
        """
        check_suites(self.options)
        self._asked = []
        for name in self.options.suites:
            suite = self._make_suite(name) if not self.options.shots.numbers else self._make_with_shots(name)
            questions = suite.questions()
            if not questions:
                raise InstructgenError(f"{name}: nothing can be asked of {self._source_of(suite)}")
            self._asked.append((suite, questions))

    def run(self, student: Student, model: Model) -> tuple[dict[str, Any], tuple[SuiteResult, ...]]:
        """Return results.json as it is now and what this run measured, suite by suite.

        Each suite's figures are written when it ends. Raises RunStoppedError where the student cannot be asked on.
        """
        with self._stack:
            if not self._asked:
                self.prepare()
            file = self._stack.enter_context(PredictionFile(self.options.out))
            results: dict[str, Any] = {}
            measured: list[SuiteResult] = []
            for suite, questions in self._asked:
                asker = self._make_asker(suite, student, model, file)
                predictions = asker.answer(suite.name, questions, suite.read_picture)
                one = self._measure(suite, predictions, asker)
                results = merge_results(self.options.out, model, {suite.name: one.described})
                measured.append(one)
                self._leave_report(suite, predictions)
        return results, tuple(measured)

    def _make_asker(self, suite: Suite, student: Student, model: Model, file: PredictionFile) -> Asker:
        options = self.options
        # Who takes the likeliest token draws nothing: another seed must not ask the same anew.
        seed = options.seed if options.temperature else 0
        sampling = Sampling(options.max_tokens or suite.max_tokens, options.temperature, seed=seed)
        if options.beams > 1:
            sampling = BeamSampling(
                sampling.max_tokens, sampling.temperature, beams=options.beams, length_penalty=options.length_penalty
            )
        batch = options.batch or (REMOTE_BATCH if isinstance(student, EndpointStudent) else LOCAL_BATCH)
        return Asker(student, model.digest, file, sampling, batch, self.tell, options.by_mean)

    def _measure(self, suite: Suite, predictions: Mapping[str, Prediction], asker: Asker) -> SuiteResult:
        report = suite.measure({key: one for key, one in predictions.items() if not one.failure})
        name = inner_name(suite.name)
        left_out = self._open_gallery().left_out(name) if self._is_of_gallery(name) else {}
        facts = SuiteFacts(self._source_of(suite), self.options.seed, asker.sampling, left_out)
        described = describe_suite(suite, facts, predictions, report)
        failed = count_failures(predictions)
        num_failed = sum(failed.values()) + sum(report.counts.get(word, 0) for word in _FAILED_LATER)
        return SuiteResult(
            suite.name, described, (*table_of(suite, report), *tell_counts(report, failed, left_out)), num_failed
        )

    def _leave_report(self, suite: Suite, predictions: Mapping[str, Prediction]) -> None:
        """Write the report; what is wrong with it is said, for the figures are worth more than their report."""
        try:
            keep_shown(self.options.out, suite, predictions)
            self.report = write_evaluation_report(self.options.out)
        except Exception as error:  # noqa: BLE001  whatever it is, the figures are on disk and must not seem lost
            self.say(f"the report in {self.options.out} could not be written: {type(error).__name__}: {error}")

    def open_endpoint(self, config: TeacherConfig) -> EndpointStudent:
        """Return a student behind a server, which ends with the run."""
        return self._stack.enter_context(
            EndpointStudent(config, self._open_ledger(), self.options.budget_usd, self.say)
        )

    def close(self) -> None:
        """Let go of what a run has opened; `run` does so itself."""
        self._stack.close()

    def _is_of_gallery(self, name: str) -> bool:
        """Return whether a suite asks about the source's pictures, and not about those of files of its own."""
        return name not in ("scienceqa", NEW_NAMES) and not (name == "llava-bench" and self.options.bench is not None)

    def _source_of(self, suite: Suite) -> str:
        if isinstance(suite, FewShotSuite) and inner_name(suite.name) == NEW_NAMES:
            return suite.title
        if self._is_of_gallery(inner_name(suite.name)):
            return self._open_gallery().source.title
        if self.options.bench is not None and suite.name == "llava-bench":
            return self.options.bench.name
        return f"ScienceQA, {self.options.scienceqa_split}"

    def _make_with_shots(self, name: str) -> FewShotSuite:
        options = self.options
        if self._shots is None:
            folder = options.out / "features"
            self._shots = ShotMaker(options.shots, options.seed, self._open_gallery, self.open_embedder, folder)
        if name == NEW_NAMES:
            return self._shots.make_new_names(options.source_seed or options.seed, options.limit, options.qa_by)
        return self._shots.put_before(self._make_suite(name))

    def _make_suite(self, name: str) -> Suite:
        options = self.options
        match name:
            case "pope":
                return PopeSuite(self._open_gallery(), options.seed, options.limit)
            case "chair":
                return ChairSuite(self._open_gallery(), options.seed, options.limit)
            case "captions":
                return CaptionsSuite(self._open_gallery(), options.seed, options.limit)
            case "qa":
                is_short = bool(options.shots.numbers)
                return QaSuite(self._open_gallery(), options.seed, options.limit, options.qa_by, is_short=is_short)
            case "scienceqa" if options.scienceqa is not None:
                return ScienceQaSuite(options.scienceqa, options.scienceqa_split, options.seed, options.limit)
        return self._make_llava_bench()

    def _make_llava_bench(self) -> LlavaBenchSuite:
        options = self.options
        assert options.judge is not None, "check_suites has seen to it"
        judge = self._open_asker(options.judge, "judge")
        reference = None if options.reference is None else self._open_asker(options.reference, "reference")
        if options.bench is not None:
            folder = options.bench
            bench = read_bench(folder, options.reference_answers)[: options.limit]
            return LlavaBenchSuite(bench, lambda image: read_bench_picture(folder, image), judge, reference)
        gallery = self._open_gallery()
        bench = make_bench(gallery, options.seed, options.limit, with_references=reference is None)
        return LlavaBenchSuite(bench, gallery.read, judge, reference)

    def _open_asker(self, config: TeacherConfig, what: str) -> PaidAsker:
        return self._stack.enter_context(
            PaidAsker(
                replace(config, name="openai"),
                self._open_ledger(),
                budget_usd=self.options.budget_usd,
                say=self.say,
                tell=lambda done, total: self.tell(what, done, total),
            )
        )

    def _open_ledger(self) -> Ledger:
        if self._ledger is None:
            self._ledger = self._stack.enter_context(Ledger(self.options.out / "run", say=self.say))
        return self._ledger

    def _open_gallery(self) -> Gallery:
        """Open the source once for all suites: what is frequent is counted over all of it, whatever the limit."""
        if self._gallery is None:
            options = self.options
            limit = (options.limit or NUM_SCENES) if options.source.name in ("scenes", "simple-scenes") else None
            self._gallery = Gallery(open_source(replace(options.source, limit=limit), options.source_seed))
        return self._gallery


def check_suites(options: EvaluateOptions) -> None:
    """Raise InstructgenError for a suite that is not there or lacks what it needs."""
    if not options.suites:
        raise InstructgenError(f"--suite names none; there are: {', '.join(SUITES)}")
    for name in options.suites:
        if name not in SUITES:
            raise InstructgenError(f"no suite called '{name}'; there are: {', '.join(SUITES)}")
    check_shots(options.shots, options.suites)
    if options.beams > 1 and options.temperature:
        raise InstructgenError("--beams looks for the likeliest answer and draws nothing: leave --temperature out")
    if "llava-bench" in options.suites and options.judge is None:
        raise InstructgenError("llava-bench wants a judge: --judge MODEL, and --judge-url where it is not OpenAI's")
    if "scienceqa" in options.suites and options.scienceqa is None:
        raise InstructgenError("scienceqa wants --scienceqa FOLDER, with problems.json, pid_splits.json and images/")
    if "captions" in options.suites:
        from instructgen.evaluate.captioning import require_captioning

        require_captioning()


def describe_model(place: str, served_as: str | None, template: str = "") -> Model:
    """Return the name and the digest of a model's folder, or of a model behind an address.

    Asked in the words of another `template` it counts as another model.
    Raises InstructgenError where there is neither.
    """
    if is_address(place) and template:
        raise InstructgenError("--template is for a folder's model; a server writes its own prompts")
    if is_address(place):
        if served_as is None:
            raise InstructgenError(f"{strip_url(place)} is a server: name the model that it serves with --model NAME")
        where = strip_url(place).rstrip("/")
        return Model(served_as, hashlib.sha256(f"{where}\0{served_as}".encode()).hexdigest())
    folder = Path(place)
    if not folder.is_dir():
        raise InstructgenError(f"no model {folder}: give the folder of a trained model, or a server's address")
    if served_as is not None:
        raise InstructgenError("--model names what a server serves, and the model is a folder; leave it out")
    digest = hash_model(_find_weights(folder))
    if template:
        digest = hashlib.sha256(f"{digest}\0{template}".encode()).hexdigest()
    return Model(_name_of(folder), digest)


def is_address(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def hash_model(folder: Path) -> str:
    """Return the sha256 of names and contents of the files that make the model; an evaluation in it is none."""
    digest = hashlib.sha256()
    evaluations = {path.parent for path in folder.rglob(PREDICTIONS_NAME)} - {folder}
    for path in sorted(folder.rglob("*")):
        is_beside = any(part.startswith(_NOT_OF_MODEL) for part in path.relative_to(folder).parts[:-1])
        is_beside |= not evaluations.isdisjoint(path.parents)
        if path.suffix in _WEIGHTS and not is_beside and path.is_file():
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def _find_weights(folder: Path) -> Path:
    """Return the folder of the model itself, where `folder` is a run's."""
    return folder / _MODEL if (folder / _MODEL).is_dir() else folder


def _name_of(folder: Path) -> str:
    folder = folder.resolve()
    return folder.parent.name if folder.name == _MODEL and folder.parent.name else folder.name
