"""`instructgen fetch`: pictures from the web, COCO's or those of a table of addresses."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from instructgen.cli.failures import told_as_json
from instructgen.errors import InstructgenError
from instructgen.fetch.options import OPT_OUT, USER_AGENT, Limits, Politeness

if TYPE_CHECKING:
    from tqdm import tqdm

    from instructgen.fetch.coco import Archive
    from instructgen.fetch.index import Report
    from instructgen.fetch.store import Result

_PLAIN_EVERY_S = 5.0
_STOPPED = "stopped; the same command goes on from here"
_MB = 1 << 20

fetch_app = typer.Typer(
    name="fetch", no_args_is_help=True, rich_markup_mode=None, help="Fetch pictures: COCO's, or those of a table."
)


def add_to(app: typer.Typer) -> None:
    app.add_typer(fetch_app)


@fetch_app.command("coco")
def fetch_coco(
    out: Path = typer.Option(help="Folder to fetch into; --source coco --root reads it."),
    split: str = typer.Option("val2017", help="train2017, val2017, test2017, unlabeled2017, train2014, val2014, ..."),
    what: str = typer.Option("annotations,images", help="What to fetch: annotations, images or both."),
    base_url: str | None = typer.Option(
        None, help="A mirror's address.  [default: COCO's own, http://images.cocodataset.org]"
    ),
    any_checksum: bool = typer.Option(
        False, "--any-checksum", help="Take archives that are not COCO's own, byte for byte."
    ),
    keep_archives: bool = typer.Option(False, "--keep-archives", help="Keep the zips in .fetch/ after unpacking."),
    max_gb: int = typer.Option(60, min=1, help="Largest archive, packed and unpacked, in GB."),
    allow_private: bool = typer.Option(
        False, "--allow-private", help="Also ask servers of this machine and of private networks."
    ),
    plain: bool = typer.Option(False, "--plain", help="Progress as plain lines, also on a terminal."),
    as_json: bool = typer.Option(False, "--json", help="Print the result as one JSON object."),
) -> None:
    """Fetch and unpack a split of COCO: annotations and pictures. The same command goes on where it was stopped.

    \b
    Examples:
      instructgen fetch coco --split val2017 --out coco
      instructgen fetch coco --split train2017 --what annotations --out coco
      instructgen fetch coco --split val2017 --out coco --base-url https://mirror.example/coco
    """
    progress = _Progress(is_live=sys.stderr.isatty() and not plain and not as_json)
    with told_as_json(as_json=as_json, stopped=_STOPPED):
        from instructgen.fetch.coco import BASE_URL, MD5, CocoOptions
        from instructgen.fetch.coco import fetch_coco as run

        chosen = [each.strip() for each in what.split(",") if each.strip()]
        if not chosen or set(chosen) - {"annotations", "images"}:
            raise InstructgenError(f"--what {what}: give annotations, images or annotations,images")
        options = CocoOptions(
            split=split,
            what=tuple(name for name in ("annotations", "images") if name in chosen),
            base_url=base_url or BASE_URL,
            md5=None if any_checksum else MD5,
            max_bytes=max_gb << 30,
            keeps_archives=keep_archives,
            limits=Limits(connect_timeout_s=30, read_timeout_s=60, total_timeout_s=0, allows_private=allow_private),
        )
        try:
            archives = run(out, options, progress)
        finally:
            progress.close()
    if as_json:
        import msgspec

        typer.echo(json.dumps({"out": str(out), "archives": msgspec.to_builtins(archives)}))
        return
    for archive in archives:
        typer.echo(_describe_archive(archive, out))


@fetch_app.command("images")
def fetch_images(
    table: Path = typer.Argument(help="TSV, CSV, Parquet or JSON lines with a column of addresses."),
    out: Path = typer.Option(help="Folder to fetch into, or to go on in."),
    url_column: str = typer.Option("", help="Column of the addresses.  [default: url, image_url]"),
    id_column: str = typer.Option("", help="Column that names the files.  [default: file_name, id, key, ...]"),
    caption_column: str = typer.Option("", help="Column of the captions.  [default: caption, text]"),
    retry: list[str] = typer.Option([], help="Ask again for what is gone, or failed, since an earlier run."),
    concurrency: int = typer.Option(64, min=1, max=4096, help="Requests at a time."),
    per_host: int = typer.Option(8, min=1, help="Requests at a time to one server."),
    per_host_rate: float | None = typer.Option(
        None, min=0.001, help="Requests a second to one server.  [default: any]"
    ),
    max_tries: int = typer.Option(4, min=1, help="Tries for a picture that fails in a way that may pass."),
    max_wait_s: float = typer.Option(300.0, min=0, help="Longest wait that a server may ask for (Retry-After)."),
    timeout_s: float = typer.Option(180.0, min=1, help="Longest time for one try."),
    max_mb: float = typer.Option(64.0, min=0.001, help="Largest picture in MB, unpacked."),
    max_megapixels: float = typer.Option(100.0, min=0.001, help="Largest picture in millions of pixels."),
    resize_max_side: int | None = typer.Option(
        None, min=1, help="Keep pictures with at most this many pixels a side."
    ),
    user_agent: str = typer.Option(USER_AGENT, help="What servers are told of who asks."),
    opt_out: str = typer.Option(",".join(OPT_OUT), help="X-Robots-Tag directives that are heeded."),
    ignore_opt_out: bool = typer.Option(False, "--ignore-opt-out", help="Heed none of them."),
    allow_private: bool = typer.Option(
        False, "--allow-private", help="Also ask servers of this machine and of private networks."
    ),
    plain: bool = typer.Option(False, "--plain", help="Progress as plain lines, also on a terminal."),
    as_json: bool = typer.Option(False, "--json", help="Print the report as one JSON object."),
) -> None:
    """Fetch the pictures that a table has addresses of. The same command goes on where it was stopped.

    Ends with 0 where all are there, with 4 where some are not; the report says why.

    \b
    Examples:
      instructgen fetch images cc3m.tsv --out cc3m
      instructgen fetch images laion.parquet --out laion --resize-max-side 512 --per-host-rate 10
      instructgen fetch images cc3m.tsv --out cc3m --retry failed
    """
    progress = _Progress(is_live=sys.stderr.isatty() and not plain and not as_json)
    with told_as_json(as_json=as_json, stopped=_STOPPED):
        from instructgen.fetch.images import count_rows
        from instructgen.fetch.images import fetch_images as run
        from instructgen.fetch.options import FetchOptions
        from instructgen.fetch.tables import Columns

        if set(retry) - {"gone", "failed"}:
            raise InstructgenError(f"--retry {', '.join(retry)}: give gone or failed, or both one after the other")
        heeded = "" if ignore_opt_out else opt_out.lower()
        politeness = Politeness(
            concurrency=concurrency,
            per_host=per_host,
            per_host_per_s=per_host_rate,
            max_wait_s=max_wait_s,
            max_tries=max_tries,
            user_agent=_check_agent(user_agent),
            opt_out=tuple(each.strip() for each in heeded.split(",") if each.strip()),
        )
        limits = Limits(
            max_bytes=int(max_mb * _MB),
            max_pixels=int(max_megapixels * 1_000_000),
            total_timeout_s=timeout_s,
            allows_private=allow_private,
        )
        options = FetchOptions(politeness, limits, frozenset(retry), resize_max_side)  # type: ignore[arg-type]
        if table.exists():
            progress.begin("fetching", count_rows(table))
        try:
            report = run(table, out, Columns(url_column, id_column, caption_column), options, progress)
        finally:
            progress.close()
    _tell(report, out, as_json=as_json)
    if report.num_missing:
        raise typer.Exit(4)


def _check_agent(text: str) -> str:
    if not text.strip() or not text.isascii() or not text.isprintable():
        raise InstructgenError("--user-agent: give a name of plain letters, such as my-lab/1.0 (mail@example.org)")
    return text.strip()


def _tell(report: "Report", out: Path, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        typer.echo(json.dumps({"out": str(out), **msgspec.to_builtins(report)}))
        return
    for line in describe(report):
        typer.echo(line)
    typer.echo(f"{out}: index.parquet has a row for each, report.json these counts")


def describe(report: "Report") -> list[str]:
    """Return a line for what is there, and one for each reason why something is not."""
    from instructgen.fetch.reasons import MEANINGS, status_of

    num_all = report.there + report.num_missing
    asked = f"{report.asked:,} requests in {report.seconds:.1f} s"
    lines = [f"{report.there:,} of {num_all:,} pictures are there, {report.num_bytes / 1e6:,.1f} MB; {asked}"]
    width = max((len(reason) for reason in report.reasons), default=0)
    for reason, count in report.reasons.items():
        share = f"{count / num_all:6.1%}"
        lines.append(f"  {status_of(reason):8} {reason:{width}} {count:>9,} {share}  {MEANINGS.get(reason, '')}")
    if report.failed:
        lines.append("--retry failed asks again for those that failed")
    if "private_address" in report.reasons:
        lines.append("--allow-private --retry gone asks those with a private address")
    return lines


def _describe_archive(archive: "Archive", out: Path) -> str:
    place = f"{archive.num_files:,} files in {out / archive.folder}"
    if archive.was_there:
        return f"{archive.name}: {place}, as before"
    return f"{archive.name}: {place}, from {archive.num_bytes / 1e6:,.1f} MB, md5 {archive.md5}"


class _Progress:
    """Implements FetchWatch and CocoWatch: a bar on a terminal, a line now and then elsewhere; on standard error."""

    def __init__(self, *, is_live: bool) -> None:
        self._is_live = is_live
        self._bar: tqdm[NoReturn] | None = None
        self._stage = ""
        self._num_done = self._num_there = self._num_missing = self._num_bytes = 0
        self._total: int | None = None
        self._counts_bytes = True
        self._started_s = self._told_s = time.monotonic()

    def begin(self, stage: str, total: int | None) -> None:
        """Begin a stage; `total` is of rows where a table is fetched, else of bytes, None for not known."""
        self.close()
        self._stage, self._total = stage, total
        self._counts_bytes = stage != "fetching"
        self._num_done = self._num_bytes = 0
        self._started_s = self._told_s = time.monotonic()
        if self._is_live:
            from tqdm import tqdm

            unit, scale = ("B", True) if self._counts_bytes else (" rows", False)
            self._bar = tqdm(
                total=total, desc=stage, unit=unit, unit_scale=scale, file=sys.stderr, dynamic_ncols=True
            )

    def rows(self, num_rows: int, num_there: int) -> None:
        self._num_there += num_there
        self._num_missing += num_rows - num_there
        self._step(num_rows)

    def settled(self, result: "Result") -> None:
        self._num_there += result.status == "there"
        self._num_missing += result.status != "there"
        self._step(1)

    def bytes(self, num_bytes: int) -> None:
        self._num_bytes += num_bytes
        if self._counts_bytes:
            self._step(num_bytes)

    def _step(self, num: int) -> None:
        self._num_done += num
        if self._bar is not None:
            if self._bar.update(num) and not self._counts_bytes:
                self._bar.set_postfix_str(self._counts(), refresh=False)
        elif time.monotonic() - self._told_s >= _PLAIN_EVERY_S:
            self._told_s = time.monotonic()
            of = f" of {self._total:,}" if self._total else ""
            done = self._counts() if self._counts_bytes else f"{self._num_done:,}{of} rows, {self._counts()}"
            typer.echo(f"{self._stage}: {done}", err=True)

    def _counts(self) -> str:
        rate = self._num_bytes / 1e6 / max(time.monotonic() - self._started_s, 1e-9)
        counts = f"{self._num_bytes / 1e6:,.0f} MB, {rate:.1f} MB/s"
        return counts if self._counts_bytes else f"{self._num_there:,} there, {self._num_missing:,} not, {counts}"

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
