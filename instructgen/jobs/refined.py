"""Writes refined.jsonl: every text that was changed on its way, before and after, side by side."""

import hashlib
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

import msgspec

from instructgen.dataset.manifest import RefinementFacts
from instructgen.jobs.course import Change, Ended
from instructgen.records import Unit
from instructgen.refine.diff import diff_words

if TYPE_CHECKING:
    from instructgen.jobs.parts import BuildParts


class RefinedFile:
    """One line for each change; use it as a context manager. The file is made when it is first wanted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._digest = hashlib.sha256()
        self._steps: dict[str, Counter[str]] = {}
        self._rules: Counter[str] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, unit: Unit, ended: Ended) -> None:
        """Write what was done to one unit's texts, in the order in which it was done."""
        for change in ended.changes:
            self._count(change)
            line = msgspec.json.encode(
                {
                    "unit_id": unit.unit_id,
                    "step": change.step,
                    "request_id": change.request_id,
                    "before": change.before,
                    "after": change.after,
                    "diff": diff_words(change.before, change.after),
                    "rules": change.rules,
                    "is_unchanged": change.before == change.after,
                    "outcome": change.outcome,
                }
            )
            self._digest.update(line)
            self._open().write(line + b"\n")

    def make_facts(self, parts: "BuildParts") -> RefinementFacts | None:
        """Return what the manifest says of it; None where nothing was to be refined and nothing was changed."""
        if not parts.config.refine.is_on and self._file is None:
            return None
        self._open()
        refiner = parts.refiner
        return RefinementFacts(
            teacher=refiner.name,
            model=refiner.model,
            decoding=msgspec.to_builtins(refiner.decoding),
            steps={step: dict(sorted(counts.items())) for step, counts in sorted(self._steps.items())},
            rules=dict(sorted(self._rules.items())),
            refined_sha256=self._digest.hexdigest(),
        )

    def _count(self, change: Change) -> None:
        counts = self._steps.setdefault(change.step, Counter(changed=0, unchanged=0))
        counts["unchanged" if change.before == change.after else "changed"] += 1
        counts[change.outcome] += 1
        self._rules.update(change.rules)

    def _open(self) -> BinaryIO:
        if self._file is None:
            self._file = self._path.open("wb")
        return self._file
