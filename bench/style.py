"""Template smell, measured: how much of what a teacher writes is the same few forms again.

Reads samples from a JSONL file (`id`, `type`, and `turns` as [question, answer] pairs or `text`) or from a built
dataset, and prints for each type, with val2017's captions as what people write:

- answers, and their mean length in words beside LLaVA's (arXiv 2304.08485: 17 in a conversation, 79 in a
  description, 105 in reasoning);
- distinct-3: different word trigrams by all, among answers drawn until they have --budget-words words;
- self-BLEU: mean BLEU-4 of --bleu-answers drawn answers, each against all others (Zhu et al. 2018, smoothed);
- openings: the share of --openings drawn answers that begin with one of the ten commonest openings of five words,
  and the entropy of the openings in bits (at most log2 of the number drawn, 9.55 for 750); then the same of the
  questions. A shorter text is its own opening.

Each of these depends on how much is drawn, so what has less than that is marked with * and compares with nothing.
Texts are drawn by --seed; lower is better for self-BLEU and shares, higher for distinct-3 and entropy.

    python bench/style.py new.jsonl --draft 1000 --root COCO --split val2017        draft with this tree, then measure
    python bench/style.py out/coco-val2017 --root COCO --split val2017              measure a built dataset
    git worktree add ../old COMMIT
    PYTHONPATH=../old python bench/style.py old.jsonl --draft 1000 --root COCO --split val2017       another tree's

--draft asks the scene program itself, with seed 0 and in its plain style, for the same images in every tree (they
are drawn by --seed from all that the split has); what it has nothing to say of is left out.
"""

import argparse
import json
import math
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from instructgen.records import ImageRecord
from instructgen.sources.coco import CocoSource

TYPES = ("conv", "detail", "reasoning")
CAPTIONS = "captions"
LLAVA_WORDS = {"conv": 17, "detail": 79, "reasoning": 105}
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_OPENING_WORDS = 5
_TOP = 10
_EPSILON = 0.1  # stands for no match at all (Chen and Cherry 2014, method 1)

Words = list[str]


class Sample(NamedTuple):
    """`turns` are (question, answer); the question is "" where the type has none of its own."""

    id: str
    type: str
    turns: tuple[tuple[str, str], ...]


class Draws(NamedTuple):
    """How much of a row is drawn for each measure, and by which seed."""

    budget_words: int
    bleu_answers: int
    openings: int
    seed: int


class Openings(NamedTuple):
    share: float
    entropy_bits: float
    is_short: bool
    commonest: list[tuple[str, int]]


@dataclass
class Row:
    """The figures of one type; None is what could not be measured."""

    type: str
    samples: int
    answers: int
    words_per_answer: float
    distinct_3: float | None
    distinct_is_short: bool
    self_bleu: float | None
    bleu_is_short: bool
    answer_openings: Openings | None
    question_openings: Openings | None


def read_images(root: Path, split: str | None, num: int | None, seed: int) -> list[ImageRecord]:
    """Return `num` images drawn from those of the split that can be read, or all, in the order of the file."""
    records = [record for record in CocoSource(root, split).records() if isinstance(record, ImageRecord)]
    if num is None or num >= len(records):
        return records
    return [records[place] for place in sorted(random.Random(seed).sample(range(len(records)), num))]


def draft(images: Iterable[ImageRecord], types: Sequence[str], style: str = "plain") -> list[Sample]:
    """Write samples with the scene program on sys.path, of whichever form; one that is silent gives none."""
    from instructgen.teachers.scene_program import Task, write_text

    styles = {} if style == "plain" else {"style": style}  # the first form has none
    samples = []
    for image in images:
        for sample_type in types:
            text = write_text(Task(sample_type, image), 0, **styles)  # type: ignore[arg-type]
            if text:
                samples.append(Sample(f"{image.image_id}/{sample_type}", sample_type, split_reply(text)))
    return samples


def split_reply(text: str) -> tuple[tuple[str, str], ...]:
    """Return a reply's pairs; a text without labels is one answer."""
    if not text.startswith("Question:\n"):
        return (("", text),)
    blocks = [block.split("\n", 1)[1] for block in text.split("\n===\n")]
    return tuple(zip(blocks[::2], blocks[1::2], strict=True))


def read_samples(path: Path) -> list[Sample]:
    if path.is_dir():
        return _read_dataset(path)
    samples = []
    with path.open(encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            turns = line.get("turns") or [("", line["text"])]
            samples.append(Sample(line["id"], line["type"], tuple((asked, told) for asked, told in turns)))
    return samples


def _read_dataset(dataset: Path) -> list[Sample]:
    import pyarrow.parquet as pq

    from instructgen.dataset.publish import find_version

    samples = []
    columns = ["image_id", "sample_type", "messages"]
    shards = sorted((find_version(dataset) / "data").glob("*.parquet"))
    for number, row in enumerate(
        row for shard in shards for row in pq.read_table(shard, columns=columns).to_pylist()
    ):
        told = [turn["content"] for turn in row["messages"] if turn["role"] != "system"]
        turns = tuple(zip(told[::2], told[1::2], strict=True))
        samples.append(Sample(f"{row['image_id']}/{row['sample_type']}/{number}", row["sample_type"], turns))
    return sorted(samples)


def write_samples(samples: Iterable[Sample], path: Path) -> None:
    with path.open("w", encoding="utf-8") as lines:
        for sample in samples:
            lines.write(json.dumps(sample._asdict(), ensure_ascii=False) + "\n")


def caption_samples(images: Iterable[ImageRecord]) -> list[Sample]:
    """Return what people wrote of the images, each caption a sample of its own."""
    return [
        Sample(f"{image.image_id}/{CAPTIONS}/{number}", CAPTIONS, (("", " ".join(caption.split())),))
        for image in images
        for number, caption in enumerate(image.captions)
    ]


def split_words(text: str) -> Words:
    return _WORD.findall(text.lower())


def measure(sample_type: str, samples: Sequence[Sample], draws: Draws) -> Row:
    answers = [told for sample in samples for _, told in sample.turns]
    questions = [split_words(asked) for sample in samples for asked, _ in sample.turns if asked]
    texts = [split_words(told) for told in answers]
    random.Random(draws.seed).shuffle(texts)
    random.Random(draws.seed).shuffle(questions)
    distinct, num_words = distinct_trigrams(texts, draws.budget_words)
    return Row(
        type=sample_type,
        samples=len(samples),
        answers=len(answers),
        words_per_answer=sum(len(told.split()) for told in answers) / max(len(answers), 1),
        distinct_3=distinct,
        distinct_is_short=num_words < draws.budget_words,
        self_bleu=self_bleu(texts[: draws.bleu_answers]),
        bleu_is_short=len(texts) < draws.bleu_answers,
        answer_openings=openings(texts, draws.openings),
        question_openings=openings(questions, draws.openings),
    )


def distinct_trigrams(texts: Iterable[Words], budget_words: int) -> tuple[float | None, int]:
    """Return different trigrams by all, and the words read: the last text is cut at the budget."""
    seen: set[tuple[str, ...]] = set()
    num_all = num_words = 0
    for text in texts:
        words = text[: budget_words - num_words]
        trigrams = ngrams(words, 3)
        seen.update(trigrams)
        num_all += len(trigrams)
        num_words += len(words)
        if num_words >= budget_words:
            break
    return (len(seen) / num_all if num_all else None), num_words


def ngrams(words: Words, n: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + n]) for start in range(len(words) - n + 1)]


def self_bleu(texts: Sequence[Words]) -> float | None:
    """Return the mean BLEU-4 of each text against all others together.

    For each n-gram the two largest counts suffice: what the others hold at most is the largest, or the second where
    the text itself holds the largest. So it takes one pass instead of one for each pair.
    """
    texts = [text for text in texts if text]
    if len(texts) < 2:
        return None
    counted = [[Counter(ngrams(text, n)) for n in range(1, 5)] for text in texts]
    most: dict[tuple[str, ...], tuple[int, int, int]] = {}  # largest count, whose it is, second largest
    for place, counts in enumerate(counted):
        for gram, count in (item for one in counts for item in one.items()):
            first, whose, second = most.get(gram, (0, -1, 0))
            most[gram] = (count, place, first) if count > first else (first, whose, max(second, count))
    lengths = Counter(map(len, texts))
    scores = []
    for place, (text, counts) in enumerate(zip(texts, counted, strict=True)):
        logs = []
        for one in counts:
            total = one.total()
            if not total:  # a text of fewer than four words has no such n-grams
                break
            matched = 0
            for gram, count in one.items():
                first, whose, second = most[gram]
                matched += min(count, second if whose == place else first)
            logs.append(math.log((matched or _EPSILON) / total))
        others = (length for length, num in lengths.items() if num > (length == len(text)))
        closest = min(others, key=lambda length: (abs(length - len(text)), length))
        scores.append(math.exp(sum(logs) / len(logs) + min(0.0, 1 - closest / len(text))))
    return sum(scores) / len(scores)


def openings(texts: Sequence[Words], num: int) -> Openings | None:
    drawn = [" ".join(text[:_OPENING_WORDS]) for text in texts[:num] if text]
    if not drawn:
        return None
    counts = Counter(drawn)
    commonest = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_TOP]
    entropy = -sum(count / len(drawn) * math.log2(count / len(drawn)) for count in counts.values())
    share = sum(count for _, count in commonest) / len(drawn)
    return Openings(share, entropy, len(texts) < num, commonest)


def print_rows(rows: Sequence[Row], *, with_openings: bool) -> None:
    columns = ["type", "samples", "answers", "words", "LLaVA's", "distinct-3", "self-BLEU"]
    columns += ["answers' top 10", "bits", "questions' top 10", "bits"]
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for row in rows:
        cells = [row.type, f"{row.samples:,}", f"{row.answers:,}", f"{row.words_per_answer:.1f}"]
        cells.append(str(LLAVA_WORDS.get(row.type, "-")))
        cells.append(say(row.distinct_3, "{:.3f}", is_short=row.distinct_is_short))
        cells.append(say(row.self_bleu, "{:.3f}", is_short=row.bleu_is_short))
        for found in (row.answer_openings, row.question_openings):
            is_short = found is not None and found.is_short
            cells.append(say(found and found.share, "{:.1%}", is_short=is_short))
            cells.append(say(found and found.entropy_bits, "{:.2f}", is_short=is_short))
        print(f"| {' | '.join(cells)} |")
    if with_openings:
        for row in rows:
            for what, found in (("answers", row.answer_openings), ("questions", row.question_openings)):
                for opening, count in found.commonest if found else ():
                    print(f"{row.type}, {what}: {count:>4} {opening}")


def say(figure: float | None, form: str, *, is_short: bool) -> str:
    return "-" if figure is None else form.format(figure) + "*" * is_short


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which samples are read or drafted; `choose_samples` takes them."""
    parser.add_argument("samples", type=Path, help="JSONL of samples, or a dataset; with --draft: to be written")
    parser.add_argument("--draft", type=int, metavar="N", help="write the samples of N images first")
    parser.add_argument("--types", default=",".join(TYPES), help="what --draft writes (default: %(default)s)")
    parser.add_argument("--style", default="plain", help="in which style --draft writes (default: %(default)s)")
    parser.add_argument("--root", type=Path, help="COCO folder: for --draft, and for the row of captions")
    parser.add_argument("--split")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def choose_samples(options: argparse.Namespace) -> list[Sample]:
    if options.draft is None:
        return read_samples(options.samples)
    if options.root is None:
        sys.exit("--draft needs --root, the COCO folder")
    images = read_images(options.root, options.split, options.draft, options.seed)
    samples = draft(images, options.types.split(","), options.style)
    write_samples(samples, options.samples)
    return samples


def group(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    """Return the samples by type, the types in LLaVA's order and then by name."""
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.type, []).append(sample)
    return {name: found[name] for name in sorted(found, key=lambda name: (name not in TYPES, name))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_source_options(parser)
    parser.add_argument("--budget-words", type=int, default=20_000)
    parser.add_argument("--bleu-answers", type=int, default=500)
    parser.add_argument("--openings", type=int, default=750)
    parser.add_argument("--show", action="store_true", help="list the commonest openings too")
    options = parser.parse_args()
    draws = Draws(options.budget_words, options.bleu_answers, options.openings, options.seed)
    by_type = group(choose_samples(options))
    if options.root is not None:
        by_type[CAPTIONS] = caption_samples(read_images(options.root, options.split, None, options.seed))
    rows = [measure(name, samples, draws) for name, samples in by_type.items()]
    if options.json:
        figures = [asdict(row) for row in rows]
        for figure in figures:
            for name in ("answer_openings", "question_openings"):
                figure[name] = figure[name] and figure[name]._asdict()
        print(json.dumps({"draws": draws._asdict(), "rows": figures}, indent=2, ensure_ascii=False))
    else:
        print_rows(rows, with_openings=options.show)


if __name__ == "__main__":
    main()
