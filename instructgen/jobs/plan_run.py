"""What a build that is there tells of larger ones: bytes of a row and of an answer, CPU time, what was kept."""

import json
from pathlib import Path
from typing import Any

from msgspec import Struct

from instructgen.config import BuildConfig
from instructgen.dataset.manifest import Manifest, read_manifest
from instructgen.dataset.publish import find_version
from instructgen.errors import InstructgenError
from instructgen.resources import JOURNAL_NAME, LEDGER_NAME, RUN_NAME

_MIN_UNITS = 200  # files of fewer are mostly their own frames


class MeasuredRun(Struct, frozen=True):
    """The latest version of a dataset folder, which has enough units of the types that are planned.

    `cpu_s` is of all its units; None where the run found answers of an earlier one, or said nothing of it.
    """

    version: str
    num_units: int
    num_rows: int
    row_bytes: float
    ledger_bytes: float
    """For each unit."""
    cpu_s: float | None

    @property
    def kept_share(self) -> float:
        return self.num_rows / self.num_units


def read_measured_run(out: Path, config: BuildConfig, model: str) -> MeasuredRun | None:
    """Return what the folder's latest version tells; None where it has none that the plan can go by."""
    try:
        manifest = read_manifest(find_version(out))
    except InstructgenError:
        return None
    num_units = sum(manifest.counts.planned.values())
    num_rows = sum(shard.num_rows for shard in manifest.shards)
    is_alike = set(manifest.counts.planned) == set(config.types) and manifest.teacher.model == model
    if not is_alike or num_units < _MIN_UNITS or not num_rows:
        return None
    ledger = sum(
        path.stat().st_size for name in (LEDGER_NAME, JOURNAL_NAME) if (path := out / "run" / name).is_file()
    )
    return MeasuredRun(
        version=manifest.version,
        num_units=num_units,
        num_rows=num_rows,
        row_bytes=sum(shard.num_bytes for shard in manifest.shards) / num_rows,
        ledger_bytes=ledger / num_units,
        cpu_s=_read_cpu_s(out / "run" / RUN_NAME, manifest),
    )


def _read_cpu_s(path: Path, manifest: Manifest) -> float | None:
    """Return the CPU time of the run that made the version from nothing; None where it did not, or is not told."""
    try:
        run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        stats = run["stats"]
        is_whole = manifest.version in run["message"] and not stats["found"]
        cpu_s = stats["cpu_seconds"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return float(cpu_s) if is_whole and isinstance(cpu_s, (int, float)) and cpu_s > 0 else None
