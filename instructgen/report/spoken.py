"""What the answers speak of, held against what is annotated: how often each object, and where in the frame."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from instructgen.evaluate.chair import is_mention
from instructgen.grounding.claims import Findings
from instructgen.grounding.samples import find_evidence
from instructgen.records import Box, ImageRecord
from instructgen.report.shown import check_claims
from instructgen.report.texts import TextRow

GRID = (16, 12)  # cells across and down


def _empty_grid() -> list[list[int]]:
    return [[0] * GRID[0] for _ in range(GRID[1])]


@dataclass(slots=True)
class Spoken:
    """Counts of rows that were checked. A grid counts boxes by the cell that their centre lies in."""

    num_checked: int = 0
    annotated: Counter[str] = field(default_factory=Counter)
    """Category -> rows on an image that has it boxed."""
    mentioned: Counter[str] = field(default_factory=Counter)
    """Category -> such rows whose answers speak of it."""
    spoken_grid: list[list[int]] = field(default_factory=_empty_grid)
    passed_grid: list[list[int]] = field(default_factory=_empty_grid)
    truths: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Kind and truth of claims."""
    faults: list[tuple[int, TextRow]] = field(default_factory=list)
    """Rows with contradicted claims, and how many."""

    def observe(self, row: TextRow, record: ImageRecord, findings: Findings) -> None:
        self.num_checked += 1
        evidence = find_evidence(record)
        said = {claim.subject for claim in findings.claims if is_mention(claim, evidence)}
        boxed = {box.category for box in record.boxes}
        self.annotated.update(boxed)
        self.mentioned.update(boxed & said)
        for box in record.boxes:
            if not box.is_crowd:
                _count_centre(self.spoken_grid if box.category in said else self.passed_grid, box)
        self.truths.update((claim.kind, claim.truth) for claim in findings.claims)
        num_faults = len(findings.faults)
        if num_faults:
            self.faults.append((num_faults, row))

    @property
    def coverage(self) -> float | None:
        """Share of the annotated categories, row by row, that are spoken of."""
        total = self.annotated.total()
        return self.mentioned.total() / total if total else None


def check_rows(rows: list[TextRow], records: Mapping[str, ImageRecord], two_image_types: frozenset[str]) -> Spoken:
    """Return what the rows say of the images whose annotations are at hand; of two images one proves nothing."""
    spoken = Spoken()
    for row in sorted(rows, key=lambda one: one.image_id):  # evidence is kept for the samples of an image
        record = records.get(row.image_id)
        if record is None or row.sample_type in two_image_types:
            continue
        findings = check_claims(row.turns, record, row.sample_type)
        if findings is not None:
            spoken.observe(row, record, findings)
    return spoken


def _count_centre(grid: list[list[int]], box: Box) -> None:
    column = min(GRID[0] - 1, max(0, int((box.x0 + box.x1) / 2 * GRID[0])))
    line = min(GRID[1] - 1, max(0, int((box.y0 + box.y1) / 2 * GRID[1])))
    grid[line][column] += 1
