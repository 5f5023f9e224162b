"""What stands behind docs/evaluation.md: the words of captions, and how far one gets without looking.

    python bench/evaluation.py words --root COCO --split val2017     (pip install pycocoevalcap; Java on the PATH)
    python bench/evaluation.py guess --scenes 300
    python bench/evaluation.py guess --root COCO --split val2017 --images 500

`words` holds one caption of each image, drawn by --seed, against its others, with the words as Stanford's tokeniser
and as `split_caption` split them; it prints how many captions are split alike, and both figures.

`guess` asks the questions of the suite `qa` a guesser that sees no picture but knows the world: of the labels that a
question has it takes the one that is most often true of that thing in other pictures (of other seeds; of COCO the
images that are not asked about).
"""

import argparse
import random
from collections import Counter, defaultdict
from pathlib import Path

from instructgen.evaluate.captioning import split_caption
from instructgen.evaluate.qa_claims import find_facts
from instructgen.evaluate.qa_questions import QaQuestion, make_qa
from instructgen.evaluate.suites.qa import PER_KIND
from instructgen.records import ImageRecord
from instructgen.sources.coco import CocoSource
from instructgen.sources.scenes import ScenesSource

_SIZE_PX = (96, 72)  # scenes are the same at any size; small ones are drawn quickly


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("words", "guess"))
    parser.add_argument("--root", type=Path)
    parser.add_argument("--split", default="val2017")
    parser.add_argument("--scenes", type=int, default=0)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.what == "words":
        compare_words(read_coco(args.root, args.split), args.seed)
    elif args.scenes:
        asked, others = read_scenes(args.scenes, args.seed + 2), read_scenes(2 * args.scenes, args.seed + 1)
        guess(asked, others, args.seed)
    else:
        records = read_coco(args.root, args.split)
        random.Random(args.seed).shuffle(records)
        guess(records[: args.images], records[args.images :], args.seed)


def read_coco(root: Path, split: str) -> list[ImageRecord]:
    return [one for one in CocoSource(root, split, None).records() if isinstance(one, ImageRecord)]


def read_scenes(number: int, seed: int) -> list[ImageRecord]:
    return list(ScenesSource(number, seed, _SIZE_PX).records())


def compare_words(records: list[ImageRecord], seed: int) -> None:
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    draw = random.Random(seed)
    references: dict[str, list[str]] = {}
    written: dict[str, list[str]] = {}
    for record in records:
        if len(record.captions) > 1:
            number = draw.randrange(len(record.captions))
            written[record.image_id] = [record.captions[number]]
            references[record.image_id] = [*record.captions[:number], *record.captions[number + 1 :]]
    split = PTBTokenizer()

    def by_stanford(texts: dict[str, list[str]]) -> dict[str, list[str]]:
        return dict(split.tokenize({key: [{"caption": text} for text in of] for key, of in texts.items()}))

    def by_us(texts: dict[str, list[str]]) -> dict[str, list[str]]:
        return {key: [split_caption(text) for text in of] for key, of in texts.items()}

    stanford, ours = (by_stanford(references), by_stanford(written)), (by_us(references), by_us(written))
    pairs = [
        (one, other)
        for theirs, own in zip(stanford, ours, strict=True)
        for key in own
        for one, other in zip(theirs[key], own[key], strict=True)
    ]
    print(f"{sum(one == other for one, other in pairs)} of {len(pairs)} captions are split alike")
    for name, (held_against, told) in (("Stanford", stanford), ("split_caption", ours)):
        cider, _ = Cider().compute_score(held_against, told)
        bleu, _ = Bleu(4).compute_score(held_against, told, verbose=0)
        print(f"{name:14} CIDEr {cider:.4f}  BLEU " + " ".join(f"{one:.4f}" for one in bleu))


def guess(asked: list[ImageRecord], others: list[ImageRecord], seed: int) -> None:
    seen: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for fact in find_facts(others, seed):
        seen[fact.kind, fact.group][fact.label] += 1
    by_kind: dict[str, list[QaQuestion]] = defaultdict(list)
    for question in make_qa(asked, seed, PER_KIND):
        by_kind[question.kind].append(question)
        by_kind["all"].append(question)
    for kind, questions in by_kind.items():
        right = sum(
            one.truth == max(one.labels, key=lambda label: (seen[one.kind, one.group][label], label))
            for one in questions
        )
        chance = sum(1 / len(one.labels) for one in questions)
        num = len(questions)
        print(f"{kind:10} {num:5} questions  guessed {right / num:.3f}  chance {chance / num:.3f}")


if __name__ == "__main__":
    main()
