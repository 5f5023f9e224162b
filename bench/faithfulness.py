"""What the grounding filter makes of a bad teacher's answers: CHAIR_i before and after, and the yield.

Both are datasets of one run: the first built without any filter ([filters] use = []), the second with the pipeline
that is measured. Answers are bought once: the same --out with another pipeline makes another version of the same
answers, or `--teacher replay --replay RUN` reads them from elsewhere.

    python bench/lying_teacher.py --root coco --log lies.jsonl --port 8300 &
    instructgen build --pipeline no-filter.toml --root coco --split val2017 --base-url http://127.0.0.1:8300/v1 \\
        --model liar --no-alarm --out out/liar
    instructgen build --root coco --split val2017 --teacher replay --replay out/liar/run --no-alarm --out out/kept
    python bench/faithfulness.py out/liar out/kept --root coco --lies lies.jsonl

CHAIR_i is `instructgen audit`'s, which finds objects by the same code as the filter: what both overlook is not in it.
So with --lies, the log of `lying_teacher.py`, it is also told of each kind how many lies came in and how many still
stand in what is published, and how many answers without a lie were lost, which owes nothing to that code.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEASURES = ("chair_i", "chair_s", "contradicted_samples", "contradicted_claims", "count_accuracy")
_MAX_SHARE = 0.2  # of CHAIR_i that may be left (issue 4)


@dataclass(frozen=True)
class Answers:
    """A dataset's answers, by image and type; `num` counts them and `num_words` their words."""

    texts: dict[tuple[str, str], str]
    num_samples: int
    num: int
    num_words: int


def audit(dataset: Path, root: Path, split: str | None) -> dict[str, Any]:
    command = [sys.executable, "-m", "instructgen", "audit", str(dataset), "--root", str(root), "--json"]
    command += ["--split", split] if split else []
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    if found.returncode:
        sys.exit(f"the audit of {dataset} failed:\n{found.stdout}{found.stderr}")
    report: dict[str, Any] = json.loads(found.stdout)
    return report


def read_answers(dataset: Path) -> Answers:
    """Read a dataset's newest version, or the version whose folder is named."""
    import pyarrow.parquet as pq

    from instructgen.dataset.publish import find_version

    texts: dict[tuple[str, str], str] = {}
    num_samples = num = num_words = 0
    shards = sorted((find_version(dataset) / "data").glob("*.parquet"))
    columns = ["image_id", "sample_type", "messages"]
    for row in (row for shard in shards for row in pq.read_table(shard, columns=columns).to_pylist()):
        told = [turn["content"] for turn in row["messages"] if turn["role"] == "assistant"]
        key = (row["image_id"], row["sample_type"])
        texts[key] = "\n".join([texts[key], *told] if key in texts else told)
        num_samples += 1
        num += len(told)
        num_words += sum(len(text.split()) for text in told)
    return Answers(texts, num_samples, num, num_words)


def compare_audits(before: dict[str, Any], after: dict[str, Any]) -> None:
    columns = {"all": (before["total"], after["total"])}
    columns |= {name: (before["types"][name], after["types"].get(name, {})) for name in before["types"]}
    for name, (came, left) in columns.items():
        print(name)
        for measure in MEASURES:
            print(f"  {measure:22} {say(came.get(measure)):>8} -> {say(left.get(measure)):>8}")
    came, left = before["total"]["chair_i"], after["total"]["chair_i"]
    if came and left is not None:
        verdict = "holds" if left <= _MAX_SHARE * came else "MISSED"
        print(f"CHAIR_i of what is published is {left / came:.3f} of what came in (at most {_MAX_SHARE}: {verdict})")


def say(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"


def compare_yields(before: Answers, after: Answers) -> None:
    for name in sorted({sample_type for _, sample_type in before.texts}):
        came = sum(sample_type == name for _, sample_type in before.texts)
        left = sum(sample_type == name for _, sample_type in after.texts)
        print(f"yield of {name}: {left:,} of {came:,} ({left / came:.1%})")
    for what, came, left in (
        ("samples", before.num_samples, after.num_samples),
        ("answers", before.num, after.num),
        ("words", before.num_words, after.num_words),
    ):
        print(f"yield in {what}: {left:,} of {came:,} ({left / came:.1%})")


def count_lies(log: Path, before: Answers, after: Answers) -> None:
    """Say what became of each kind of lie; one still stands where its sentence does."""
    told: Counter[str] = Counter()
    left: Counter[str] = Counter()
    liars: set[tuple[str, str]] = set()
    unharmed = 0
    for line in map(json.loads, log.read_text(encoding="utf-8").splitlines()):
        key = (line["image_id"], line["type"])
        if key not in before.texts:
            continue
        liars.add(key)
        lies = [lie for lie in line["lies"] if lie["after"] in before.texts[key]]
        standing = [lie["kind"] for lie in lies if lie["after"] in after.texts.get(key, "")]
        told.update(lie["kind"] for lie in lies)
        left.update(standing)
        unharmed += bool(standing)
    for kind, num in told.most_common():
        print(f"lies, {kind:18} {num:>6,} -> {left[kind]:>6,} ({left[kind] / num:.1%} still stand)")
    total = told.total()
    if total:
        print(f"lies, {'all':18} {total:>6,} -> {left.total():>6,} ({left.total() / total:.1%} still stand)")
    honest = [key for key in before.texts if key not in liars]
    lost = sum(key not in after.texts for key in honest)
    changed = sum(key in after.texts and after.texts[key] != before.texts[key] for key in honest)
    print(
        f"samples that lie: {len(liars):,} of {len(before.texts):,}; published: {unharmed:,} of {len(after.texts):,}"
    )
    print(f"samples that do not: {len(honest):,}, of which {lost:,} are lost and {changed:,} cut")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, help="what came in: a dataset, or one folder below its versions/")
    parser.add_argument("after", type=Path, help="what is published of it")
    parser.add_argument("--root", type=Path, required=True, help="COCO folder")
    parser.add_argument("--split")
    parser.add_argument("--lies", type=Path, help="the log of lying_teacher.py")
    options = parser.parse_args()
    before, after = read_answers(options.before), read_answers(options.after)
    compare_audits(
        audit(options.before, options.root, options.split), audit(options.after, options.root, options.split)
    )
    compare_yields(before, after)
    if options.lies:
        count_lies(options.lies, before, after)


if __name__ == "__main__":
    main()
