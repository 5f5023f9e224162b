"""What `instructgen audit` finds of the planted faults, and what it calls false that is true.

    instructgen audit planted.jsonl --root COCO --verdicts verdicts.jsonl
    python bench/planted_score.py planted.jsonl verdicts.jsonl
    python bench/planted_score.py planted.jsonl verdicts.jsonl --root COCO --show 20 [--what wrong_colour]

`found` is the share of faulty records with the verdict contradicted; `by kind` the share that also have a fault of
the planted kind. A false alarm is a record without a fault that is contradicted.
"""

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

Record = dict
# Words that a checker may use for a kind besides the planted one.
SAME_KIND = {"color": "colour", "attribute": "colour", "side": "position", "relation": "position", "number": "count"}


def read_lines(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def has_kind(verdict: Record, kind: str) -> bool:
    return any(SAME_KIND.get(fault["kind"], fault["kind"]) == kind for fault in verdict.get("faults", ()))


def is_contradicted(verdict: Record | None) -> bool:
    return bool(verdict) and verdict["verdict"] == "contradicted"


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:6.2f}%" if whole else "     -"


def recall_lines(faulty: list[Record], verdicts: dict[str, Record]) -> Iterable[str]:
    """Yield one line for each kind of fault, then each kind by source and style."""
    groups: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for record in faulty:
        what = record["planted"]["what"]
        for key in ((what,), (what, record["source"]), (what, record["style"])):
            groups[key].append(record)
    yield f"{'fault':38} {'num':>5} {'found':>8} {'by kind':>8}"
    for key, records in sorted(groups.items()):
        told = [verdicts.get(record["id"]) for record in records]
        found = sum(is_contradicted(verdict) for verdict in told)
        right = sum(
            is_contradicted(verdict) and has_kind(verdict, record["planted"]["kind"])
            for record, verdict in zip(records, told, strict=True)
        )
        name = key[0] if len(key) == 1 else f"    {key[1]}"
        yield f"{name:38} {len(records):5} {percent(found, len(records)):>8} {percent(right, len(records)):>8}"


def alarm_lines(clean: list[Record], verdicts: dict[str, Record]) -> Iterable[str]:
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in clean:
        twin = f"twin of {record['twin_what']}" if record.get("twin_what") else ""
        for key in ("all", f"source {record['source']}", f"type {record['type']}", f"style {record['style']}", twin):
            if key:
                groups[key].append(record)
    yield f"\n{'clean':38} {'num':>5} {'alarms':>8} {'unverif.':>8}"
    for key, records in sorted(groups.items()):
        told = [verdicts.get(record["id"]) for record in records]
        wrong = sum(is_contradicted(verdict) for verdict in told)
        unsure = sum(bool(verdict) and verdict["verdict"] == "unverifiable" for verdict in told)
        yield f"{key:38} {len(records):5} {percent(wrong, len(records)):>8} {percent(unsure, len(records)):>8}"


def tell_turns(record: Record) -> list[str]:
    if "conversations" in record:
        return [f"{'Q' if turn['from'] == 'human' else 'A'}: {turn['value']}" for turn in record["conversations"]]
    return [f"Q: {record['instruction']}", f"A: {record['output']}"]


def show(records: list[Record], verdicts: dict[str, Record], scenes: dict[str, object], num: int) -> None:
    """Print some records with their verdict and what is known of the image."""
    for record in random.Random(0).sample(records, min(num, len(records))):
        planted = record["planted"]
        name = f"{planted['what']}: {planted['detail']}" if planted else f"clean {record.get('twin_what', '')}"
        print(f"\n== {record['id']} {record['image']} {record['source']}/{record['style']} {name}")
        print(*tell_turns(record), sep="\n")
        for fault in (verdicts.get(record["id"]) or {}).get("faults", ()):
            print(f"  ! {fault['kind']}: {fault['text']} | {fault['evidence']}")
        scene = scenes.get(record["image"])
        if scene:
            print(*(f"  - {caption.strip()}" for caption in scene.captions), sep="\n")
            boxes = (f"{b.category} {b.x0:.2f},{b.y0:.2f}-{b.x1:.2f},{b.y1:.2f}" for b in scene.boxes[:24])
            print("  ", "; ".join(boxes))


def read_images(root: Path | None) -> dict[str, object]:
    if root is None:
        return {}
    from instructgen.records import ImageRecord
    from instructgen.sources.coco import CocoSource

    return {record.file_name: record for record in CocoSource(root).records() if isinstance(record, ImageRecord)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("planted", type=Path, help="what planted.py wrote, or bench/natural/*.jsonl")
    parser.add_argument("verdicts", type=Path, help="what instructgen audit --verdicts wrote")
    parser.add_argument("--show", type=int, default=0, help="print so many misses and so many false alarms")
    parser.add_argument("--what", default="", help="show this kind of fault only")
    parser.add_argument("--root", type=Path, help="COCO, to print captions and boxes beside them")
    args = parser.parse_args()
    records = read_lines(args.planted)
    verdicts = {str(verdict["id"]): verdict for verdict in read_lines(args.verdicts)}
    by_id = {record["id"]: record for record in records}
    faulty = [record for record in records if record["planted"]]
    clean = [record for record in records if not record["planted"]]
    for record in clean:
        if record["twin"]:
            record["twin_what"] = by_id[record["twin"]]["planted"]["what"]
    missing = sum(record["id"] not in verdicts for record in records)
    if missing:
        print(f"{missing} of {len(records)} records have no verdict; they count as not found\n")
    print(*recall_lines(faulty, verdicts), *alarm_lines(clean, verdicts), sep="\n")
    if args.show:
        scenes = read_images(args.root)
        picked = [r for r in faulty if args.what in ("", r["planted"]["what"])]
        alarms = [
            r for r in clean if args.what in ("", r.get("twin_what", "")) and is_contradicted(verdicts.get(r["id"]))
        ]
        print("\n# MISSED")
        show([r for r in picked if not is_contradicted(verdicts.get(r["id"]))], verdicts, scenes, args.show)
        print("\n# FALSE ALARMS")
        show(alarms, verdicts, scenes, args.show)


if __name__ == "__main__":
    main()
