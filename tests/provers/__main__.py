"""Proves what the scene program writes of COCO val2017, and counts objections by kind.

    python -m tests.provers --all [--json] [--types conv,detail] [--seed 7] [--style plain] [--coco FOLDER]

Types of several images (compare, few-shot, interleaved) are proved where they are named.
Without --all the first 500 images are read. Exits with 1 where there is an objection.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from instructgen.jobs.likeness import Likeness
from instructgen.records import ImageRecord
from instructgen.sample_types import MATCHED_TYPES, SHOT_TYPES
from instructgen.sources.coco import CocoSource
from instructgen.teachers.scene_program import Task, choose_others, write
from instructgen.teachers.scene_program.wordings import STYLES
from tests.provers.scene_program import find_objections
from tests.provers.several import find_objections_in_several

TYPES = ("conv", "detail", "reasoning", "negative", "referring")
_COCO = Path(__file__).resolve().parents[3] / "shared" / "data" / "coco-val2017"
_FIRST = 500
_SHOWN = 5
_NUM_CANDIDATES = 12


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.provers", description="Prove what the scene program writes."
    )
    parser.add_argument("--all", action="store_true", help=f"all images, not the first {_FIRST}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--types", default=",".join(TYPES), help="sample types, parted by commas")
    parser.add_argument("--seed", type=int, default=7, help="seed of the program")
    parser.add_argument("--style", choices=STYLES, default="plain", help="style of the answers")
    parser.add_argument("--coco", type=Path, default=_COCO, help="folder with annotations/")
    parser.add_argument("--shown", type=int, default=_SHOWN, help="examples printed of each kind")
    options = parser.parse_args()
    records = [one for one in CocoSource(options.coco).records() if isinstance(one, ImageRecord)]
    report = {}
    for sample_type in options.types.split(","):
        chosen = records if options.all else records[:_FIRST]
        proves = prove_several if sample_type in MATCHED_TYPES else prove
        report[sample_type] = proves(chosen, sample_type, options.seed, options.style)
    if options.json:
        sys.stdout.write(json.dumps(report, indent=1) + "\n")
    else:
        for sample_type, found in report.items():
            _print(sample_type, found, options.shown)
    return 1 if any(found["objections"] for found in report.values()) else 0


def prove(records: list[ImageRecord], sample_type: str, seed: int, style: str) -> dict[str, object]:
    """Return how many images got a text, how many texts are sound, and the objections with their images."""
    kinds: Counter[str] = Counter()
    objections: list[str] = []
    written = faulty = 0
    for record in records:
        said = write(Task(sample_type, record), seed, style)  # type: ignore[arg-type]
        written += bool(said.turns or said.text)
        found = find_objections(record, sample_type, said)
        faulty += bool(found)
        kinds.update(objection.split(":")[0] for objection in found)
        objections += [f"{record.image_id}: {objection}" for objection in found]
    return {
        "images": len(records),
        "written": written,
        "faulty": faulty,
        "kinds": dict(kinds.most_common()),
        "objections": objections,
    }


def prove_several(records: list[ImageRecord], sample_type: str, seed: int, style: str) -> dict[str, object]:
    """Return the same of samples that speak of several images, chosen among the records."""
    likeness = Likeness(records, seed, lambda _: "")
    objections: list[str] = []
    written = faulty = 0
    for record in records:
        others = choose_others(sample_type, record, likeness.find(record.image_id, _NUM_CANDIDATES), seed)
        is_pair = sample_type not in SHOT_TYPES
        task = Task(sample_type, record, others[0] if is_pair and others else None, () if is_pair else others)
        said = write(task, seed, style)  # type: ignore[arg-type]
        written += bool(said.turns)
        found = find_objections_in_several((*others, record), sample_type, said)
        faulty += bool(found)
        objections += [f"{record.image_id}: {objection}" for objection in found]
    kinds = Counter(objection.split(": ", 1)[1].split(":")[0] for objection in objections)
    return {
        "images": len(records),
        "written": written,
        "faulty": faulty,
        "kinds": dict(kinds.most_common()),
        "objections": objections,
    }


def _print(sample_type: str, found: dict[str, object], num_shown: int) -> None:
    objections, kinds = found["objections"], found["kinds"]
    assert isinstance(objections, list)
    assert isinstance(kinds, dict)
    sys.stdout.write(
        f"{sample_type}: {found['written']} of {found['images']} images told, {found['faulty']} faulty\n"
    )
    for kind, count in kinds.items():
        sys.stdout.write(f"  {count:6} {kind}\n")
        shown = [one for one in objections if one.split(": ", 1)[1].startswith(f"{kind}:")]
        for one in shown[:: max(1, len(shown) // max(1, num_shown))][:num_shown]:
            sys.stdout.write(f"         {one}\n")


if __name__ == "__main__":
    sys.exit(main())
