"""`instructgen evaluate`: measures a trained model, or one behind a server."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from instructgen.cli.build_options import to_text
from instructgen.cli.evaluate_retrieval import evaluate_retrieval, wants_retrieval
from instructgen.cli.failures import told_as_json
from instructgen.cli.stages import StageProgress
from instructgen.cli.students import TEMPLATE
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.config import SourceConfig, TeacherConfig
    from instructgen.evaluate.results import Model
    from instructgen.jobs.evaluate import EvaluateOptions, Evaluation
    from instructgen.student.ask import Student

_DRAWN = ("scenes", "simple-scenes")
_INCOMPLETE = 4
_KEY = "OPENAI_API_KEY"


def add_to(app: typer.Typer) -> None:
    app.command("evaluate")(evaluate)


def evaluate(
    model: str = typer.Argument(metavar="MODEL", help="Folder of a trained model, or http://.../v1 of a server."),
    suite: str = typer.Option(
        "pope,chair,qa", help="With commas: pope, chair, captions, qa, llava-bench, scienceqa, new-names; retrieval."
    ),
    source: str = typer.Option("coco", help="Where pictures come from: coco, scenes:SEED or simple-scenes:SEED."),
    root: Path | None = typer.Option(None, help="COCO folder. Without it: the bundled sample."),
    split: str | None = typer.Option(None, help="Which split of the root, as val2017."),
    limit: int | None = typer.Option(None, min=1, help="At most so many images, drawn by seed.  [default: by suite]"),
    seed: int = typer.Option(0, help="Seed of what is asked."),
    out: Path | None = typer.Option(None, help="Folder of results.  [default: out/evaluation-<model>]"),
    temperature: float = typer.Option(0.0, min=0.0, help="0 takes the likeliest token each time."),
    beams: int = typer.Option(1, min=1, help="Follow so many answers at once and take the likeliest: 3, say."),
    length_penalty: float = typer.Option(0.0, help="Of beams: below 0 is for short answers, above it for long ones."),
    max_tokens: int | None = typer.Option(None, min=1, help="Of an answer.  [default: by suite]"),
    batch: int | None = typer.Option(None, min=1, help="Questions at once.  [default: 32; 128 for a server]"),
    device: str = typer.Option("auto", help="Where a folder's model runs: auto, cpu, cuda."),
    template: str = TEMPLATE,
    qa_by: Literal["answer", "likeliest"] = typer.Option(
        "answer", help="qa: the answer that is written, or the likeliest of the candidates."
    ),
    score_by: Literal["sum", "mean"] = typer.Option(
        "sum", help="Candidates are weighed by the sum of their tokens' log-probabilities, or by their mean."
    ),
    shots: str | None = typer.Option(None, help="Examples before each question, with commas: 0,4,8."),
    shots_from: str | None = typer.Option(
        None, help="Where examples come from: coco:SPLIT, scenes:SEED, simple-scenes:SEED.  [default: --source]"
    ),
    shots_pool: int = typer.Option(2048, min=2, help="How many examples there are to choose from."),
    shot_separator: str = typer.Option("\\n", help="Text between an example and the next; \\n is a line end."),
    shot_orders: int = typer.Option(1, min=1, help="Score candidates in so many orders of the examples: 6, say."),
    rices: bool = typer.Option(
        False, "--rices", help="Take the examples whose pictures are most like the question's."
    ),
    rices_by: Path | None = typer.Option(
        None, help="Folder of what looks for them: a CLIP or a trained model.  [default: MODEL]"
    ),
    names_of: str = typer.Option("color", help="new-names: what the words stand for: color, kind, count, column."),
    names_are: str = typer.Option("", help="new-names: the words themselves, with commas; two or more of your own."),
    names_vary: bool = typer.Option(
        False, "--names-vary", help="new-names: all else differs from picture to picture, too."
    ),
    served: str | None = typer.Option(None, "--model", help="Name under which the server knows the model."),
    api_key_env: str = typer.Option(_KEY, help="Variable or keyring entry that holds the server's key."),
    judge: str | None = typer.Option(None, help="llava-bench: model that judges."),
    judge_url: str | None = typer.Option(None, help="Its OpenAI-compatible server.  [default: OpenAI]"),
    judge_key_env: str = typer.Option(_KEY, help="Variable or keyring entry that holds the judge's key."),
    reference: str | None = typer.Option(
        None, help="llava-bench: text model, at the judge's server, that writes the reference answers."
    ),
    reference_answers: Path | None = typer.Option(None, help="llava-bench: JSON lines with reference answers."),
    bench: Path | None = typer.Option(None, help="llava-bench: folder with questions, contexts and images."),
    scienceqa: Path | None = typer.Option(None, help="Folder with problems.json, pid_splits.json and images/."),
    scienceqa_split: str = typer.Option("test", help="Split of ScienceQA."),
    budget_usd: float | None = typer.Option(None, min=0.0, help="Dollars that all runs in the folder may spend."),
    prices: Path | None = typer.Option(None, help="Price table (.toml) to use before the shipped one."),
    plain: bool = typer.Option(False, "--plain", help="Progress as plain lines, also on a terminal."),
    as_json: bool = typer.Option(False, "--json", help="Print the results as one JSON object."),
) -> None:
    """Ask a model what is known of pictures, and measure its answers; each figure comes with its standard error.

    \b
    Examples:
      instructgen evaluate out/student --suite pope,chair,captions --root coco --split val2017
      instructgen evaluate out/student --suite qa --source scenes:7 --limit 300 --json
      instructgen evaluate http://127.0.0.1:8000/v1 --model my-vision-model --suite pope --root coco --split val2017
      instructgen evaluate runs/blip2-stage1 --suite retrieval --source scenes:7 --limit 200
      instructgen evaluate out/student --suite llava-bench --judge gpt-4o-mini --budget-usd 1
      instructgen evaluate out/flamingo --suite qa --shots 0,4,8 --source scenes:7 --shots-from scenes:8

    \b
    Answers are kept in <out>/predictions.jsonl as they come: the same command goes on where it was stopped, and
    asks no question twice. Suites of one model gather in <out>/results.json; <out>/report.html shows them, with
    pictures and answers. docs/evaluation.md says what each suite asks and measures.
    Exit codes: 0 done, 2 bad input, 3 stopped (run again), 4 some questions had no answer, 5 the budget is spent.
    """
    progress = StageProgress(sys.stderr.isatty() and not plain and not as_json, unit="questions")
    with told_as_json(as_json=as_json, stopped="stopped; run it again to go on"):
        from instructgen.cli.evaluate_shots import open_embedder, read_shots
        from instructgen.jobs.evaluate import EvaluateOptions, Evaluation, check_suites, describe_model

        found = describe_model(model, served, template)
        name, source_seed = _split_source(source)
        place = out or Path("out") / f"evaluation-{found.name.replace('/', '-')}"
        if wants_retrieval(suite):
            from instructgen.jobs.retrieval import RetrievalOptions

            retrieval = RetrievalOptions(place, _make_source(name, root, split), source_seed, seed, limit)
            evaluate_retrieval(model, found, retrieval, device, progress.say, as_json=as_json)
            return
        options = EvaluateOptions(
            suites=tuple(dict.fromkeys(one.strip() for one in suite.split(",") if one.strip())),
            out=place,
            source=_make_source(name, root, split),
            source_seed=source_seed,
            seed=seed,
            limit=limit,
            temperature=temperature,
            max_tokens=max_tokens,
            batch=batch,
            qa_by=qa_by,
            judge=_make_teacher(judge, judge_url, judge_key_env, prices),
            reference=_make_teacher(reference, judge_url, judge_key_env, prices),
            reference_answers=reference_answers,
            bench=bench,
            scienceqa=scienceqa,
            scienceqa_split=scienceqa_split,
            budget_usd=budget_usd,
            shots=read_shots(
                shots,
                shots_from,
                root,
                pool_size=shots_pool,
                by_likeness=rices,
                num_orders=shot_orders,
                between=shot_separator.replace("\\n", "\n"),
                attributes=tuple(one.strip() for one in names_of.split(",")),
                varies=names_vary,
                words=tuple(one.strip() for one in names_are.split(",") if one.strip()),
            ),
            beams=beams,
            length_penalty=length_penalty,
            by_mean=score_by == "mean",
        )
        evaluation = Evaluation(options, progress.tell, progress.say)
        server = _make_teacher(served, model, api_key_env, prices)
        student = None
        try:
            if rices:
                check_suites(options)
                student = None if rices_by else _open_student(model, found, (device, template), evaluation, server)
                evaluation.open_embedder = partial(open_embedder, rices_by, student, found.digest, device)
            evaluation.prepare()
            student = student or _open_student(model, found, (device, template), evaluation, server)
            results, measured = evaluation.run(student, found)
        finally:
            evaluation.close()
            progress.close()
    if as_json:
        typer.echo(json.dumps({"out": str(options.out), **results}))
    else:
        _tell(options, found, [(one.name, one.table) for one in measured])
        if evaluation.report is not None:
            typer.echo(f"report: {evaluation.report}")
    if any(one.num_failed for one in measured):
        raise typer.Exit(_INCOMPLETE)


def _open_student(
    place: str, model: "Model", asked: tuple[str, str], evaluation: "Evaluation", server: "TeacherConfig | None"
) -> "Student":
    from instructgen.jobs.evaluate import is_address

    if is_address(place):
        assert server is not None, f"{model.name} was checked to have a name"
        return evaluation.open_endpoint(server)
    from instructgen.student.load import load_student

    device, template = asked
    return load_student(Path(place), device, template=template)


def _split_source(source: str) -> tuple[str, int]:
    name, _, seed = source.partition(":")
    is_drawn = name in _DRAWN
    if is_drawn and not seed.isdecimal():
        raise InstructgenError(
            f"--source {source}: rendered scenes want a seed, as {name}:7, another than the training data's"
        )
    if not is_drawn and seed:
        raise InstructgenError(f"--source {source}: only scenes have a seed behind a colon")
    if not is_drawn and name != "coco":
        raise InstructgenError(
            f"--source {source}: pictures to ask about come from coco, scenes:SEED or simple-scenes:SEED"
        )
    return name, int(seed or 0)


def _make_source(name: str, root: Path | None, split: str | None) -> "SourceConfig":
    from instructgen.config import SourceConfig

    return SourceConfig(name=name, root=to_text(root), split=split)


def _make_teacher(name: str | None, url: str | None, key_env: str, prices: Path | None) -> "TeacherConfig | None":
    """Return the settings of a model behind a server, or None for no model; how it answers is each use's own."""
    from instructgen.config import TeacherConfig
    from instructgen.jobs.evaluate import JUDGE_DECODING

    if name is None:
        return None
    return TeacherConfig(
        name="openai",
        model=name,
        base_url=url,
        api_key_env=key_env,
        decoding=JUDGE_DECODING,
        prices=to_text(prices),
    )


def _tell(options: "EvaluateOptions", model: "Model", tables: list[tuple[str, tuple[str, ...]]]) -> None:
    typer.echo(f"{model.name} ({model.digest[:12]}), seed {options.seed}; ± is one standard error")
    for name, lines in tables:
        typer.echo(f"\n{name}")
        for line in lines:
            typer.echo(f"  {line}")
    typer.echo(f"\nresults and answers: {options.out}")
