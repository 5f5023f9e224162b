"""`build --send-to`: the finished version goes to another store as well, such as a bucket."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from instructgen.cli.bars import Bar
from instructgen.cli.sizes import show_bytes

if TYPE_CHECKING:
    from instructgen.jobs.datasets import MadeVersion


def send_version(
    version_folder: Path, address: str | None, gate_faults: Sequence[object], *, is_part: bool = False, as_json: bool
) -> "MadeVersion | None":
    """Copy the version and tag it there as it is here; None where none was asked for, or a gate holds it up.

    Shards that are there are not sent again. Raises InstructgenError where the store takes it not: the version stays
    in its folder, and the same command sends it.
    """
    if address is None or gate_faults:
        return None
    from instructgen.dataset.stores.base import LATEST
    from instructgen.dataset.versions import open_version
    from instructgen.jobs.datasets import copy_version
    from instructgen.jobs.merge_part import PART_TAG

    with Bar("send", None, is_shown=not as_json) as bar:
        tags = [PART_TAG if is_part else LATEST]
        return copy_version(open_version(str(version_folder)), address, tags, bar.tell)


def tell_sent(sent: "MadeVersion | None") -> None:
    if sent is not None:
        typer.echo(f"  sent to {sent.ref}, tag {sent.tags[0]}: {show_bytes(sent.num_bytes)} were not there")
