"""Grammar errors in what a teacher writes, by a checker that is not ours, beside those in val2017's captions.

The checker is Harper (https://github.com/automattic/harper, Apache-2.0) as the npm package harper.js: rules in
WebAssembly, run by node on this machine. Install it outside the repository, then draft and check in one go:

    npm install --prefix ../harper harper.js@2.10.0
    python bench/grammar.py draft.jsonl --draft 5000 --root COCO --split val2017 --harper ../harper

Without --draft it reads such a JSONL or a built dataset, as style.py does, whose text also says how to draft with
another commit's tree. --num samples are drawn by --seed, as many of each type as there are for an equal share;
of captions the same number, each a sample. Questions and answers are checked one by one.

Printed are, by type and by kind of error, the share of samples with one and their number for each 1,000 words, then
the commonest. Not counted are the kinds and rules of IGNORED_KINDS and IGNORED_RULES, which are matters of taste,
and FALSE_ALARMS, right English that Harper finds wrong; --json holds how many of each there were. A spelling that
American or British English knows is right, as are the words of COCO's categories and KNOWN_WORDS.

What Harper is blind to: of errors planted one by one into sentences of the scene program it found 60 of 60 wrong
articles and doubled words and 53 of 60 small initials, but 7 of 20 "there is" before a plural, 13 of 60 wrong verb
forms, 2 of 14 singulars after a number and none of 174 verbs that disagree ("the people is") or articles left out.
So OWN_RULES look for disagreement of COCO's nouns and of pronouns; they are marked "own". What is left is read.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import msgspec
from style import CAPTIONS, Sample, add_source_options, caption_samples, choose_samples, group, read_images

from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.words import plural_of

IGNORED_KINDS = {
    "Enhancement": "a better word may exist",
    "Readability": "long sentences",
    "Redundancy": "wordy: 'all of the chairs'",
    "Regionalism": "American or British words",
    "Style": "the comma before 'and', numbers written out or not",
}
IGNORED_RULES = {
    "CompoundNouns": "COCO's spellings: cell phone, hair dryer",
    "SplitWords": "one word or two: wetsuit",
    "MergeWords": "one word or two: city scape",
    "Laptop": "one word or two: lap top",
    "DisjointPrefixes": "with a hyphen or without: multi-colored",
    "VeryUnique": "a matter of taste",
    "HowTo": "a guess, wrong in each of the cases read: tend to change how people",
    "MissingPreposition": "a guess, wrong in each of the cases read (40, of captions too): dogs are social animals",
    "MissingTo": "a guess, wrong in each of the cases read: can be seen preparing bread",
    "ModalBeAdjective": "a guess, wrong in each of the cases read: how might picky eaters",
}
# Rule, what its context holds, and why it is right.
FALSE_ALARMS = (
    ("QuiteQuiet", re.compile(r"(?:some|a little) «quiet»"), "a noun"),
    ("PronounVerbAgreement", re.compile(r"be they «"), "a subjunctive"),
    (
        "PronounVerbAgreement",
        re.compile(r"What \w+ \w+ tells you «is»|is (?:he|she) «busy»"),
        "one verb, one subject",
    ),
    ("NounVerbConfusion", re.compile(r"gives? it «weight»"), "a noun"),
    ("NominalWants", re.compile(r"(?:might|would) \w+ «want»"), "an infinitive"),
    ("PhrasalVerbAsCompoundNoun", re.compile(r"«backup» systems", re.IGNORECASE), "a noun"),
    ("WhomSubjectOfVerb", re.compile(r"(?:for|with|by|to|of) «whom»", re.IGNORECASE), "after a preposition"),
    (
        "MassNouns",
        re.compile(r"«.*(?:craving|outing|parking|pride|railing|tasting|thief|using|awning)»"),
        "counted, or a verb",
    ),
    ("Everyone", re.compile(r"«every one» of", re.IGNORECASE), "each of them"),
    ("AWhile", re.compile(r"(?:takes?|for) «a while»"), "a noun with its article"),
    ("FindOut", re.compile(r"«find out» before"), "asked, not met"),
    ("InDetail", re.compile(r"differ «in details»"), "in single points"),
    ("InflectedVerbAfterTo", re.compile(r"from .*«to clothes»"), "from one to the other"),
    ("OneOfTheSingular", re.compile(r"one of the «sheep»"), "a plural like its singular"),
    ("PronounKnew", re.compile(r"anything «new»"), "an adjective"),
    ("TheirToThere", re.compile(r"rely on «their» right"), "a possessive"),
    ("ThereIsAgreement", re.compile(r"«?are (?:sheep|deer|fish|moose|bison)»"), "a plural like its singular"),
    ("ThatThan", re.compile(r"«that» (?:is|was|looks|appears|seems)"), "a relative clause, nothing compared"),
    ("ThereToTheir", re.compile(r"(?:Is|Are|are|is) «there» .* anywhere"), "asked, nobody's"),
    ("ToTwoToo", re.compile(r"attention «to» here|then «to» wide"), "a preposition without its noun"),
)
# Besides the categories' own.
KNOWN_WORDS = (
    "bailer",
    "decker",
    "deckers",
    "overwatering",
    "racquet",
    "racquets",
    "togethers",
    "x0",
    "x1",
    "y0",
    "y1",
)
_NUM_SHOWN = 10
_CONTEXT_CHARS = 60


def _own_rules() -> dict[str, re.Pattern[str]]:
    """Return what finds disagreement; the error is the group `wrong`."""
    nouns = {"man", "woman", "child", "boy", "girl", "building", "tree", "skier", "player", *CATEGORIES}
    pairs = {noun: plural_of(noun) for noun in nouns if plural_of(noun) != noun}
    one, many = ("|".join(sorted(words, key=lambda word: (-len(word), word))) for words in (pairs, pairs.values()))
    start, end = r"(?:^|[.!?,:] )", r"(?= (?:is|are|on|in|and|at|with|near)\b|[.,;?])"
    rules = {
        "own: pronoun": rf"{start}(?P<wrong>they (?:is|was|has)|(?:he|she|it) are)\b",
        "own: plural subject": rf"{start}the (?:{many}) (?P<wrong>is|was|has)\b",
        "own: singular subject": rf"{start}(?:the|an?) (?:{one}) (?P<wrong>are|were|have)\b",
        "own: number": rf"\b(?P<wrong>(?:two|three|four|five|six|several|many) (?:{one})){end}",
        "own: there is": rf"\b(?P<wrong>there is (?:two|three|four|five|several|{many})\b)",
        "own: there are": rf"\b(?P<wrong>there are an? (?:{one}))(?=\.)",
        "own: article": rf"\b(?P<wrong>an? (?:{many})){end}",
    }
    return {name: re.compile(pattern, re.IGNORECASE) for name, pattern in rules.items()}


OWN_RULES = _own_rules()


class Lint(msgspec.Struct, frozen=True):
    """One finding; `id` is the text's number."""

    id: int
    rule: str
    kind: str
    message: str
    text: str
    context: str
    suggestion: str | None


class Found(NamedTuple):
    """The lints of the samples of one type, one list for each sample."""

    type: str
    lints: list[list[Lint]]
    num_words: int


def draw_evenly(by_type: dict[str, list[Sample]], num: int, seed: int) -> dict[str, list[Sample]]:
    """Draw `num` samples, as equal numbers of each type as there are."""
    drawn: dict[str, list[Sample]] = {}
    left = num
    for done, name in enumerate(sorted(by_type, key=lambda name: len(by_type[name]))):
        samples = by_type[name]
        share = min(len(samples), left // (len(by_type) - done))
        drawn[name] = random.Random(seed).sample(samples, share)
        left -= share
    return {name: drawn[name] for name in by_type}


def pieces_of(sample: Sample) -> list[str]:
    return [piece for turn in sample.turns for piece in turn if piece]


def check(texts: Sequence[str], harper: Path, num_jobs: int) -> dict[str, list[Lint]]:
    """Return every text's lints; equal texts are checked once."""
    node = shutil.which("node")
    if node is None:
        sys.exit("node is not there: install Node.js 20 or newer")
    if not (harper / "node_modules" / "harper.js").is_dir():
        sys.exit(f"{harper} has no harper.js: npm install --prefix {harper} harper.js")
    distinct = list(dict.fromkeys(texts))
    lines = [json.dumps({"id": number, "text": text}) for number, text in enumerate(distinct)]
    words = sorted({*KNOWN_WORDS, *(word for category in CATEGORIES for word in category.split())})
    environment = os.environ | {"KNOWN_WORDS": ",".join(words)}
    command = [node, str(Path(__file__).with_name("grammar_check.mjs")), str(harper)]

    def check_part(part: list[str]) -> str:
        told = "".join(f"{line}\n" for line in part)
        done = subprocess.run(command, input=told, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout

    found = {text: find_disagreement(number, text) for number, text in enumerate(distinct)}
    with ThreadPoolExecutor(num_jobs) as pool:
        for output in pool.map(check_part, [lines[start::num_jobs] for start in range(num_jobs)]):
            for line in output.splitlines():
                lint = msgspec.json.decode(line, type=Lint)
                others = found[distinct[lint.id]]
                if lint.kind == "Agreement":  # found by both is one
                    others[:] = [one for one in others if one.rule not in OWN_RULES or lint.text not in one.text]
                others.append(lint)
    return found


def find_disagreement(number: int, text: str) -> list[Lint]:
    found = []
    for rule, pattern in OWN_RULES.items():
        for match in pattern.finditer(text):
            start, end = match.span("wrong")
            before, after = text[max(start - _CONTEXT_CHARS, 0) : start], text[end : end + _CONTEXT_CHARS]
            wrong = match["wrong"]
            told = f"{before}«{wrong}»{after}"
            found.append(Lint(number, rule, "Agreement", "It disagrees in number.", wrong, told, None))
    return found


def why_ignored(lint: Lint) -> str | None:
    """Return what a lint is ignored for, or None where it counts."""
    if lint.kind in IGNORED_KINDS:
        return lint.kind
    if lint.rule in IGNORED_RULES:
        return lint.rule
    for rule, pattern, _ in FALSE_ALARMS:
        if lint.rule == rule and pattern.search(lint.context):
            return f"{rule} (false alarm)"
    return None


def find(by_type: dict[str, list[Sample]], lints: dict[str, list[Lint]], ignored: Counter[str]) -> list[Found]:
    rows = []
    for name, samples in by_type.items():
        row = Found(name, [], sum(len(piece.split()) for sample in samples for piece in pieces_of(sample)))
        for sample in samples:
            kept = []
            for lint in (lint for piece in pieces_of(sample) for lint in lints[piece]):
                why = why_ignored(lint)
                if why is None:
                    kept.append(lint)
                else:
                    ignored[why] += 1
            row.lints.append(kept)
        rows.append(row)
    return rows


def rates(lints: Sequence[Sequence[Lint]], num_words: int) -> dict[str, float]:
    num_lints = sum(map(len, lints))
    return {
        "samples": len(lints),
        "words": num_words,
        "lints": num_lints,
        "share_of_samples": sum(map(bool, lints)) / max(len(lints), 1),
        "per_1000_words": 1000 * num_lints / max(num_words, 1),
    }


def by_kind(row: Found) -> dict[str, dict[str, float]]:
    kinds = Counter(lint.kind for lints in row.lints for lint in lints)
    only = {kind: [[lint for lint in lints if lint.kind == kind] for lints in row.lints] for kind in kinds}
    return {kind: rates(only[kind], row.num_words) for kind, _ in kinds.most_common()}


def commonest(rows: Iterable[Found], num: int) -> list[dict[str, object]]:
    """Return the commonest errors: those of one rule whose spans read the same are one."""
    counts: Counter[tuple[str, str]] = Counter()
    types: dict[tuple[str, str], Counter[str]] = {}
    examples: dict[tuple[str, str], Lint] = {}
    for row in rows:
        for lint in (lint for lints in row.lints for lint in lints):
            key = (lint.rule, lint.text.strip().lower())
            counts[key] += 1
            types.setdefault(key, Counter())[row.type] += 1
            examples.setdefault(key, lint)
    return [
        {
            "count": count,
            "kind": examples[key].kind,
            "rule": key[0],
            "text": key[1],
            "types": dict(types[key]),
            "message": examples[key].message,
            "suggestion": examples[key].suggestion,
            "example": examples[key].context,
        }
        for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:num]
    ]


def report(rows: Sequence[Found], num_shown: int, ignored: Counter[str]) -> dict[str, object]:
    told = [row for row in rows if row.type != CAPTIONS]
    written = [row for row in rows if row.type == CAPTIONS]
    together = Found("all", [lints for row in told for lints in row.lints], sum(row.num_words for row in told))
    return {
        "types": {row.type: rates(row.lints, row.num_words) for row in (*told, together, *written)},
        "kinds": {row.type: by_kind(row) for row in (*told, together, *written)},
        "commonest": commonest(told, num_shown),
        "commonest_captions": commonest(written, num_shown),
        "ignored": dict(ignored.most_common()),
    }


def print_report(found: dict[str, object]) -> None:
    plain = msgspec.convert(found["types"], dict[str, dict[str, int | float]])
    kinds = msgspec.convert(found["kinds"], dict[str, dict[str, dict[str, int | float]]])
    print("| type | kind | samples | words | errors | samples with one | in 1,000 words |\n|" + " --- |" * 7)
    for name, total in plain.items():
        for kind, figures in {"all": total, **kinds[name]}.items():
            numbers = " | ".join(f"{figures[column]:,}" for column in ("samples", "words", "lints"))
            share, rate = figures["share_of_samples"], figures["per_1000_words"]
            print(f"| {name} | {kind} | {numbers} | {share:.2%} | {rate:.3f} |")
    for title, column in (("commonest", "commonest"), ("commonest in captions", "commonest_captions")):
        print(f"\n{title}:")
        for one in msgspec.convert(found[column], list[dict[str, object]]):
            print(f"{one['count']:>5} {one['kind']}/{one['rule']} '{one['text']}' {one['types']}")
            print(f"      {one['message']}\n      {one['example']}")
    print(f"\nignored: {found['ignored']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_source_options(parser)
    parser.add_argument("--harper", type=Path, required=True, help="folder where npm installed harper.js")
    parser.add_argument("--num", type=int, default=5000, help="samples to check (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="node processes")
    parser.add_argument("--show", type=int, default=_NUM_SHOWN, help="how many of the commonest errors")
    options = parser.parse_args()
    by_type = draw_evenly(group(choose_samples(options)), options.num, options.seed)
    if options.root is not None:
        captions = caption_samples(read_images(options.root, options.split, None, options.seed))
        by_type[CAPTIONS] = draw_evenly({CAPTIONS: captions}, options.num, options.seed)[CAPTIONS]
    texts = [piece for samples in by_type.values() for sample in samples for piece in pieces_of(sample)]
    lints = check(texts, options.harper, options.jobs)
    ignored: Counter[str] = Counter()
    found = report(find(by_type, lints, ignored), options.show, ignored)
    if options.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print_report(found)


if __name__ == "__main__":
    main()
