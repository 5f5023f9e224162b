"""`instructgen model`: what a recipe's model is made of, without its weights."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from instructgen.cli.failures import told_as_json
from instructgen.cli.pipelines import find_recipe
from instructgen.cli.sizes import show_bytes

if TYPE_CHECKING:
    from instructgen.models.counts import Counts
    from instructgen.models.memory import Memory
    from instructgen.train.recipe import Recipe

model_app = typer.Typer(
    name="model",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What a recipe's model is made of: parameters, what trains, memory.",
)


def add_to(app: typer.Typer) -> None:
    app.add_typer(model_app)


@model_app.callback()
def _keep_subcommand() -> None:
    """With one command alone typer would take `describe` for a recipe."""


@model_app.command("describe")
def describe(
    recipe: str = typer.Argument(help="A shipped stage of training (`instructgen pipelines`) or a recipe's path."),
    changes: list[str] = typer.Option(
        [],
        "--set",
        metavar="KEY=VALUE",
        help="Change a key of the recipe, as model.language.name=lmsys/vicuna-7b-v1.5.",
    ),
    processes: int = typer.Option(1, "--processes", min=1, help="How many processes share the memory."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Count a recipe's model by part, and estimate what its training takes; no weights are read.

    \b
    Examples:
      instructgen model describe llava15-stage2
      instructgen model describe llava-stage1 --set model.language.name=lmsys/vicuna-7b-v1.3 --json
      instructgen model describe my-stage2.toml --processes 8
    """
    with told_as_json(as_json=as_json):
        path = find_recipe(recipe)
        table = _describe(path, changes, processes)
    if as_json:
        typer.echo(json.dumps(table))
        return
    for line in _show(table):
        typer.echo(line)


def _describe(path: Path, changes: list[str], processes: int) -> dict[str, Any]:
    from instructgen.errors import InstructgenError

    try:
        from instructgen.jobs.training_plan import make_workload
        from instructgen.models.build import build_on_meta
        from instructgen.models.counts import count_parameters
        from instructgen.models.lora import apply_lora
        from instructgen.models.memory import estimate_memory
    except ImportError as error:
        raise InstructgenError(f"models need the extra [train] ({error}): pip install 'instructgen[train]'") from None
    from instructgen.train.overrides import apply_overrides
    from instructgen.train.recipe import make_recipe, read_table
    from instructgen.train.representation_recipe import is_representation

    if is_representation(read_table(path)):
        return _describe_representation(path, changes, processes)
    recipe = make_recipe(apply_overrides(read_table(path), changes), str(path))
    model = build_on_meta(recipe.model)
    lora = recipe.train.lora
    if lora is not None:
        apply_lora(model, rank=lora.rank, alpha=lora.alpha, dropout=lora.dropout)
    model.freeze_all_but(recipe.train.trains)
    work = make_workload(recipe, processes)
    counts, memory = count_parameters(model), estimate_memory(model, work)
    return {
        "recipe": path.stem,
        "about": recipe.about,
        **_list_counts(recipe, counts),
        "image_px": model.vision.image_px,
        "visual_tokens_per_image": model.tokens_per_image,
        "memory": _list_memory(memory, work.row_tokens, processes),
    }


def _describe_representation(path: Path, changes: list[str], processes: int) -> dict[str, Any]:
    import msgspec

    from instructgen.jobs.representation import estimate
    from instructgen.models.blip2.build import outline_representation
    from instructgen.models.blip2.counts import count_representation
    from instructgen.train.overrides import apply_overrides
    from instructgen.train.recipe import read_table
    from instructgen.train.representation_recipe import RepresentationRecipe, make_representation_recipe

    table = apply_overrides(read_table(path), changes, RepresentationRecipe)
    recipe = make_representation_recipe(table, str(path))
    model = outline_representation(recipe.model)
    counts, batch = count_representation(model), recipe.rows.batch
    return {
        "recipe": path.stem,
        "about": recipe.about,
        "names": {
            "vision": recipe.model.vision.name or "from nothing",
            "qformer": "image half, with its queries",
            "connector": "what compares and matches",
            "language": f"text half, from {recipe.model.text.name or 'nothing'}",
        },
        "trains": list(recipe.train.trains),
        "parameters": {part: count.total for part, count in counts.parts.items()},
        "parts": msgspec.to_builtins(counts.parts),
        "vision_final_norm": counts.final_norm,
        "lora": None,
        "used_parameters": counts.used,
        "trained_parameters": counts.trained,
        "image_px": model.vision.image_px,
        "visual_tokens_per_image": model.num_queries,
        "memory": {
            **_list_memory(estimate(recipe, model, batch, processes), recipe.rows.text_tokens, processes),
            "pairs": -(-batch // processes),
        },
    }


def _list_counts(recipe: "Recipe", counts: "Counts") -> dict[str, Any]:
    import msgspec

    lora = recipe.train.lora
    return {
        "names": {
            "vision": recipe.model.vision.name or "from nothing",
            "connector": recipe.model.connector.kind,
            "language": recipe.model.language.name or "from nothing",
        },
        "trains": list(recipe.train.trains),
        "parameters": {part: count.total for part, count in counts.parts.items()},
        "parts": msgspec.to_builtins(counts.parts),
        "vision_final_norm": counts.final_norm,
        "lora": None if lora is None else {"rank": lora.rank, "parameters": counts.adapters},
        "used_parameters": counts.used,
        "trained_parameters": counts.trained,
    }


def _list_memory(memory: "Memory", row_tokens: int, processes: int) -> dict[str, int]:
    return {
        "weights_bytes": memory.weights,
        "gradients_bytes": memory.gradients,
        "optimiser_bytes": memory.optimiser,
        "activations_bytes": memory.activations,
        "total_bytes": memory.total,
        "row_tokens": row_tokens,
        "processes": processes,
    }


def _show(table: dict[str, Any]) -> list[str]:
    lines = [f"{table['recipe']}: {table['about']}", ""]
    lines.append(f"{'part':12}{'parameters':>16}{'used':>16}{'trained':>16}  what")
    for part, count in table["parts"].items():
        if count["total"]:
            numbers = "".join(f"{count[key]:>16,}" for key in ("total", "used", "trained"))
            lines.append(f"{part:12}{numbers}  {table['names'].get(part, '')}".rstrip())
    if norm := table["vision_final_norm"]:
        lines.append(f"{'':12}{'':16}{norm:>16,}{'':16}  of vision: the norm after its last layer")
    if (lora := table["lora"]) is not None:
        number = f"{lora['parameters']:>16,}"
        lines.append(f"{'adapters':12}{number * 3}  LoRA of rank {lora['rank']}")
    lines.append(f"{'together':12}{'':16}{table['used_parameters']:>16,}{table['trained_parameters']:>16,}")
    memory = table["memory"]
    plural = "s" if table["visual_tokens_per_image"] != 1 else ""
    lines += ["", f"{table['visual_tokens_per_image']} token{plural} an image, of {table['image_px']} px a side"]
    where = "one process" if memory["processes"] == 1 else f"each of {memory['processes']} processes"
    rows = f"{memory['pairs']} pairs" if "pairs" in memory else f"rows of {memory['row_tokens']} tokens"
    lines.append(f"memory of {where}, about, with {rows}:")
    for key in ("weights", "gradients", "optimiser", "activations", "total"):
        lines.append(f"  {key:12}{show_bytes(memory[f'{key}_bytes']):>10}")
    return lines
