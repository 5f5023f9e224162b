"""`instructgen evaluate --suite retrieval`: how often a first stage finds a picture's text, and a text's picture."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from instructgen.config import SourceConfig
from instructgen.errors import InstructgenError
from instructgen.evaluate.pictures import Gallery
from instructgen.evaluate.questions import Report
from instructgen.evaluate.results import Model, SuiteFacts, describe_suite, merge_results, tell_counts
from instructgen.evaluate.retrieval import NAME, RECALLS, SHOWN, VERSION, Comparer, make_catalogue, measure_retrieval
from instructgen.report.evaluation import write_evaluation_report
from instructgen.sources import open_source
from instructgen.student.ask import Sampling

DEFAULT_LIMIT = 500
_DRAWN = ("scenes", "simple-scenes")


@dataclass(frozen=True, slots=True)
class RetrievalOptions:
    """`source_seed` is that of rendered scenes; `limit` None is 500 pictures."""

    out: Path
    source: SourceConfig
    source_seed: int = 0
    seed: int = 0
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """`report` is None where it could not be written, of which `say` has told."""

    results: dict[str, Any]
    table: tuple[str, ...]
    measured: Report
    report: Path | None


class _RetrievalSuite:
    """What tables and results.json ask of a suite; nothing is asked of a student."""

    name = NAME
    version = VERSION
    max_tokens = 0
    shown = (*SHOWN, "chance_at_1", "chance_at_5", "chance_at_10")

    def questions(self) -> Sequence[Any]:
        return ()

    def read_picture(self, image_id: str) -> bytes | None:  # noqa: ARG002  no question shows one
        return None

    def measure(self, answers: Mapping[str, Any]) -> Report:  # noqa: ARG002
        raise AssertionError("measure_retrieval does it")

    def show(self, answers: Mapping[str, Any]) -> Any:  # noqa: ARG002
        return iter(())


def evaluate_retrieval(
    options: RetrievalOptions, model: Model, comparer: Comparer, say: Callable[[str], None] = lambda _: None
) -> RetrievalResult:
    """Draw pictures with captions, compare all of them with all captions, and merge the figures into results.json."""
    limit = options.limit or DEFAULT_LIMIT
    config = replace(options.source, limit=limit if options.source.name in _DRAWN else None)
    gallery = Gallery(open_source(config, options.source_seed))
    records = gallery.draw(NAME, options.seed, limit, lambda one: bool(one.captions))
    if len(records) < 2:
        raise InstructgenError(f"{gallery.source.title}: {len(records)} pictures with captions; retrieval wants two")
    catalogue = make_catalogue({record.image_id: record.captions for record in records})
    pictures = [gallery.read(record.image_id) or b"" for record in records]
    report = measure_retrieval(catalogue, comparer.compare(pictures, catalogue.texts))
    left_out = gallery.left_out(NAME)
    facts = SuiteFacts(gallery.source.title, options.seed, Sampling(), left_out)
    suite = _RetrievalSuite()
    options.out.mkdir(parents=True, exist_ok=True)
    results = merge_results(options.out, model, {NAME: describe_suite(suite, facts, {}, report)})
    table = (*_tell(report), *tell_counts(report, {}, left_out))
    return RetrievalResult(results, table, report, _leave_report(options.out, say))


def _tell(report: Report) -> list[str]:
    """Return the figures as lines, a way each, every recall with its chance behind it."""
    lines = [" ".join([f"{'':14}", *(f"{'recall@' + str(rank):>24}" for rank in RECALLS)])]
    for way, scores in report.groups["way"].items():
        cells = []
        for rank in RECALLS:
            found, chance = scores[f"recall_at_{rank}"], scores[f"chance_at_{rank}"]
            spread = "" if found.stderr is None else f" ±{found.stderr:.3f}"
            cells.append(f"{found.value:.3f}{spread} ({chance.value:.3f})")
        lines.append(" ".join([f"{way.replace('_', ' '):14}", *(f"{cell:>24}" for cell in cells)]))
    return [*lines, "in brackets: chance"]


def _leave_report(out: Path, say: Callable[[str], None]) -> Path | None:
    """Write the report; what is wrong with it is said, for the figures are worth more than their report."""
    try:
        return write_evaluation_report(out)
    except Exception as error:  # noqa: BLE001  whatever it is, the figures are on disk and must not seem lost
        say(f"the report in {out} could not be written: {type(error).__name__}: {error}")
        return None
