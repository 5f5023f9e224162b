"""Questions and answers with planted faults, each beside a clean twin, to measure what the grounding checks find.

    python bench/planted.py --root COCO --out planted.jsonl          400 faults of each of six kinds, and their twins
    python bench/planted.py --root COCO --out clean.jsonl --clean    2,000 clean answers of the scene program
    python bench/planted.py --root COCO --read 10                    some of each kind with captions and boxes

The texts are made from captions, from the scene program and from frames of the benchmark's own; what is true is read
strictly (planted_truth.py), and nothing here uses the checker. Every line has `id`, `image`, `instruction`, `output`,
`type`, `planted` (null or kind, what, detail), `twin`, `source` and `style`; planted_score.py reads them.
"""

import argparse
import json
import random
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from planted_kinds import KIND_OF, PLANTERS, true_sentences  # noqa: E402  this script is no part of a package
from planted_text import Plant, compose  # noqa: E402
from planted_truth import Scene, good_captions, read_scenes, word_frequency  # noqa: E402

from instructgen.teachers.scene_program import Task, write_text  # noqa: E402

Record = dict[str, object]
# Key: a fault; value: shares of frames, captions and the scene program (what a source does not have is skipped).
SOURCES = {
    "swapped_object": (0.25, 0.5, 0.25),
    "added_object": (0.5, 0.3, 0.2),
    "wrong_count": (0.35, 0.5, 0.15),
    "mirrored_side": (0.75, 0.0, 0.25),
    "wrong_colour": (0.4, 0.4, 0.2),
    "negated_existence": (0.6, 0.25, 0.15),
}


def read_pairs(scene: Scene, kind: str, seed: int) -> list[tuple[str, str]]:
    """Return the scene program's questions and answers; a description has the question ""."""
    text = write_text(Task(kind, scene.record), seed)
    if kind == "detail":
        return [("", text)] if text else []
    blocks = [block.partition("\n")[2] for block in text.split("\n===\n")] if text else []
    return list(zip(blocks[::2], blocks[1::2], strict=True))


def _texts(scene: Scene, source: str, captions: list[str], seed: int, draw: random.Random) -> list[tuple[str, str]]:
    if source == "frame":
        return []
    if source == "caption":
        return [("", text) for text in draw.sample(captions, len(captions))]
    pairs = read_pairs(scene, "conv", seed)
    pairs += [("Describe this image in detail.", text) for _, text in read_pairs(scene, "detail", seed)]
    draw.shuffle(pairs)
    return pairs


def _record(number: int, letter: str, scene: Scene, plant: Plant, about: tuple[str, str]) -> Record:
    is_faulty = letter != "clean"
    return {
        "id": f"{number:05d}{'ab'[is_faulty]}",
        "image": scene.record.file_name,
        "instruction": plant.question if is_faulty else plant.clean_question or plant.question,
        "output": plant.faulty if is_faulty else plant.clean,
        "type": about[0],
        "planted": {"kind": KIND_OF[plant.what], "what": plant.what, "detail": plant.detail} if is_faulty else None,
        "twin": f"{number:05d}{'ba'[is_faulty]}",
        "source": plant.source,
        "style": about[1],
    }


def make_planted(scenes: list[Scene], num_each: int, seed: int) -> list[Record]:
    """Return `num_each` pairs of each fault, every image asked in turn and again until there are enough."""
    draw = random.Random(seed)
    frequency = word_frequency(scenes)
    captions = {scene.record.image_id: good_captions(scene, frequency) for scene in scenes}
    records: list[Record] = []
    for what, plant_one in PLANTERS.items():
        done: set[str] = set()
        for turn in range(12):
            for scene in draw.sample(scenes, len(scenes)):
                if len(done) >= num_each:
                    break
                source = draw.choices(("frame", "caption", "program"), SOURCES[what])[0]
                known = captions[scene.record.image_id]
                plant = plant_one(scene, source, _texts(scene, source, known, seed + turn, draw), draw)
                whole = compose(plant, known, true_sentences(scene, draw), draw) if plant else None
                if not whole or whole[2].faulty in done or whole[2].faulty == whole[2].clean:
                    continue
                done.add(whole[2].faulty)
                number = len(records) // 2
                records += [_record(number, letter, scene, whole[2], whole[:2]) for letter in ("clean", "faulty")]
    draw.shuffle(records)
    return records


def make_clean(scenes: list[Scene], num: int, seed: int) -> list[Record]:
    """Return answers of the scene program: half of them from conversations, a quarter each of the other types."""
    draw = random.Random(seed)
    records: list[Record] = []
    shares = {"conv": num // 2, "detail": num // 4, "reasoning": num - num // 2 - num // 4}
    for kind, wanted in shares.items():
        pairs = [(scene, pair) for scene in scenes for pair in read_pairs(scene, kind, seed)]
        for scene, (question, answer) in draw.sample(pairs, min(wanted, len(pairs))):
            records.append(
                {
                    "id": f"clean-{len(records):05d}",
                    "image": scene.record.file_name,
                    "instruction": question or "Describe this image in detail.",
                    "output": answer,
                    "type": kind,
                    "planted": None,
                    "twin": None,
                    "source": "program",
                    "style": "answer",
                }
            )
    return records


def show(records: list[Record], scenes: list[Scene], num: int) -> None:
    """Print pairs of each kind with what is known of their images."""
    by_file = {scene.record.file_name: scene for scene in scenes}
    by_id = {record["id"]: record for record in records}
    shown: Counter[str] = Counter()
    for record in records:
        planted = record["planted"]
        if not isinstance(planted, dict) or shown[planted["what"]] >= num:
            continue
        shown[planted["what"]] += 1
        scene = by_file[str(record["image"])]
        print(f"\n== {record['id']} {planted['what']} ({planted['detail']}) {record['source']}/{record['style']}")
        print(f"Q: {record['instruction']}\nFALSE: {record['output']}\nTRUE:  {by_id[record['twin']]['output']}")
        print(*(f"  - {caption.strip()}" for caption in scene.record.captions), sep="\n")
        print("  ", ", ".join(f"{b.category} {b.x0:.2f}-{b.x1:.2f}" for b in scene.record.boxes[:14]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="COCO: annotations/ with one split")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=400, help="faults of each kind")
    parser.add_argument("--clean", action="store_true", help="clean answers of the scene program only")
    parser.add_argument("--read", type=int, default=0, help="print so many pairs of each kind")
    args = parser.parse_args()
    scenes = list(read_scenes(args.root))
    records = make_clean(scenes, 2000, args.seed) if args.clean else make_planted(scenes, args.each, args.seed)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    counts = Counter(r["planted"]["what"] if isinstance(r["planted"], dict) else "clean" for r in records)
    print(len(records), "records;", ", ".join(f"{what} {n}" for what, n in sorted(counts.items())), file=sys.stderr)
    show(records, scenes, args.read)


if __name__ == "__main__":
    main()
