"""`instructgen build --engine ray`: the parts of one build on a cluster, then their merge."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from instructgen.cli.bars import Bar
from instructgen.cli.build_sending import send_version
from instructgen.cli.merge import end_merge
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.config import BuildConfig

_NUM_PARTS = 64  # small enough that few answers are in one folder, and that no worker waits long for the last


def build_on_ray(
    config: "BuildConfig",
    out: Path | None,
    address: str | None,
    num_parts: int | None,
    send_to: str | None,
    *,
    as_json: bool,
) -> None:
    """Build all parts, merge them, and send the whole to a store where one is given."""
    import msgspec

    from instructgen.engine.leases import list_rates
    from instructgen.engine.on_ray import RayOptions, run_on_ray
    from instructgen.engine.work import PartWork
    from instructgen.jobs.lanes import find_servers_of
    from instructgen.jobs.merge import merge_parts
    from instructgen.jobs.parts import make_parts

    if config.run.batch:
        raise InstructgenError(
            "--batch waits at one server's queue and gains nothing from --engine ray; leave one out"
        )
    config = find_servers_of(config)  # so that all parts ask the same
    parts = make_parts(config)  # all mistakes in the settings are found here
    for line in parts.notes:
        typer.echo(line, err=True)
    folder = (out or Path("out") / parts.default_name).absolute()
    work = PartWork(msgspec.json.encode(config), num_parts or _NUM_PARTS, str(folder), str(Path.cwd()))
    budget = config.run.budget_usd, config.run.budget_tokens

    def say(text: str) -> None:
        typer.echo(text, err=True)

    with Bar("parts", work.num_parts, is_shown=not as_json) as bar:
        reports = run_on_ray(work, list_rates(parts.teachers), budget, RayOptions(address), say, bar.reach)
    say(f"{len(reports)} parts are built, with {sum(one.num_new_requests for one in reports)} new requests")
    folders = [str(work.folder(report.index)) for report in reports]
    with Bar("merge", None, is_shown=not as_json) as bar:
        result = merge_parts(folders, folder, (), say, bar.reach)
    sent = send_version(result.version_folder, send_to, result.gate_faults, as_json=as_json)
    end_merge(result, sent, as_json=as_json)
