"""Draws what a reader labels: samples of the scene program by seed, each beside its captions and boxes.

    python bench/draw_reading.py --root COCO --split val2017 --seed 20261207 --counts conv=100,detail=50,reasoning=50

Images are drawn by the seed from all that the split has, apart for each type; one of which the program has nothing to
say is passed over. Boxes are x0, y0, x1, y1 in hundredths of the frame, the largest first. What is printed holds
captions, so it stays out of the repository; labels of it go to bench/readings, a line each.
"""

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

from instructgen.records import ImageRecord
from instructgen.sources.coco import CocoSource
from instructgen.teachers.scene_program import Task, Written, write

_MOST_BOXES = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--split", default="val2017")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--counts", default="conv=100,detail=50,reasoning=50", help="samples of each type")
    args = parser.parse_args()
    records = [one for one in CocoSource(args.root, args.split).records() if isinstance(one, ImageRecord)]
    for item in args.counts.split(","):
        sample_type, _, number = item.partition("=")
        for record, said in _draw(records, sample_type, int(number), args.seed):
            _print(record, sample_type, said)


def _draw(
    records: list[ImageRecord], sample_type: str, number: int, seed: int
) -> Iterator[tuple[ImageRecord, Written]]:
    """Yield as many images as are asked for, with what the program says of them at seed 0."""
    order = random.Random(f"{seed} {sample_type}").sample(records, len(records))
    for record in order:
        said = write(Task(sample_type, record), 0)
        if said.turns or said.text:
            yield record, said
            number -= 1
        if number == 0:
            return


def _print(record: ImageRecord, sample_type: str, said: Written) -> None:
    print(f"#### {record.image_id} {sample_type}")
    for caption in record.captions:
        print(f"  - {' '.join(caption.split())}")
    boxes = sorted(record.boxes, key=lambda box: -box.area)
    shown = (
        f"{box.category}{'*' if box.is_crowd else ''}"
        f"({', '.join(f'{100 * side:.0f}' for side in (box.x0, box.y0, box.x1, box.y1))})"
        for box in boxes[:_MOST_BOXES]
    )
    print(f"  boxes: {' '.join(shown)}{' ...' if len(boxes) > _MOST_BOXES else ''}")
    for number, turn in enumerate(said.turns):
        print(f"{number} Q: {turn.question}\n  A: {turn.answer}")
    if said.text:
        print(f"> {said.text}")
    print()


if __name__ == "__main__":
    main()
