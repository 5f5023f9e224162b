"""`instructgen prompts`: what would be sent, exactly."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from instructgen.cli.pipelines import find_pipeline
from instructgen.errors import InstructgenError
from instructgen.resources import shared_folder

if TYPE_CHECKING:
    from instructgen.config import BuildConfig
    from instructgen.records import Unit

prompts_app = typer.Typer(
    name="prompts", no_args_is_help=True, rich_markup_mode=None, help="Look at the prompts that teachers are sent."
)


def add_to(app: typer.Typer) -> None:
    app.add_typer(prompts_app)


@prompts_app.command("show")
def show_prompt(
    sample_type: str = typer.Argument(metavar="TYPE", help="conv, detail, reasoning or caption."),
    image: str | None = typer.Option(None, help="Image id, as coco/000000391895.  [default: the first image]"),
    root: Path | None = typer.Option(None, help="COCO folder; the bundled sample without it."),
    split: str | None = typer.Option(None, help="Which split of the root."),
    pipeline: str | None = typer.Option(None, help="Shipped pipeline or a .toml with its settings and prompts."),
    as_json: bool = typer.Option(False, "--json", help="Print the image id and the messages as one object."),
) -> None:
    """Print the exact messages that would be sent for an image. Nothing is sent.

    \b
    Examples:
      instructgen prompts show conv
      instructgen prompts show detail --root coco --split val2017 --image coco/000000000139
      instructgen prompts show reasoning --pipeline llava --json
    """
    import msgspec
    from msgspec.structs import replace

    from instructgen.config import BuildConfig, load_config
    from instructgen.jobs.outcomes import check_types
    from instructgen.jobs.parts import load_prompts, make_prompt_writer
    from instructgen.sample_types import SAMPLE_TYPES

    config = BuildConfig() if pipeline is None else load_config(find_pipeline(pipeline))
    given = {key: value for key, value in (("root", root and str(root)), ("split", split)) if value}
    config = replace(config, types=(sample_type,), source=replace(config.source, **given))
    check_types(config.types, SAMPLE_TYPES)
    write = make_prompt_writer(config, config.teacher, load_prompts(config))(config.teacher.decoding)
    unit = _find_unit(config, image)
    messages = write(unit)
    if as_json:
        shown = [msgspec.to_builtins(message) for message in messages]
        typer.echo(json.dumps({"image_id": unit.record.image_id, "messages": shown}))
        return
    for message in messages:
        picture = message.picture
        shown_px = "" if picture is None else f" (with the picture, at most {picture.max_side_px} pixels a side)"
        typer.echo(f"--- {message.role}{shown_px}\n{message.content}\n")


@prompts_app.command("copy")
def copy_prompts(folder: Path = typer.Argument(help="Where to put them; must not exist yet.")) -> None:
    """Copy the shipped prompts, to write your own: name the folder as `prompts` in a pipeline's [teacher].

    \b
    Examples:
      instructgen prompts copy my-prompts
    """
    if folder.exists():
        raise InstructgenError(f"{folder} is there already; name a new folder")
    shutil.copytree(shared_folder("prompts"), folder)
    typer.echo(f'copied to {folder}; put `prompts = "{folder}"` into the [teacher] table of a pipeline')


def _find_unit(config: "BuildConfig", image_id: str | None) -> "Unit":
    from instructgen.jobs.parts import make_planner
    from instructgen.records import Unit
    from instructgen.sources import open_source

    source = open_source(config.source, config.seed)
    for planned in make_planner(config, source).images():
        if image_id in (None, planned.image_id):
            ((_, unit),) = planned.units
            if isinstance(unit, Unit):
                return unit
            if image_id is not None:
                raise InstructgenError(f"{image_id} cannot be asked about: {unit.reason} {unit.detail}")
    raise InstructgenError(f"{source.title} has no image {image_id or 'that can be asked about'}")
