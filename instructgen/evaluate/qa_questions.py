"""From facts to questions with candidates, and from an answer in words to the candidate that it means."""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct

from instructgen.draws import make_generator
from instructgen.evaluate.pope import read_answer
from instructgen.evaluate.qa_claims import KINDS, Fact, balance, find_facts
from instructgen.lexicon.words import COLOURS, NUMBER_NAMES, NUMBER_WORDS
from instructgen.records import ImageRecord
from instructgen.teachers.scene_program.speech import polish
from instructgen.teachers.scene_program.wordings import load_wordings
from instructgen.text import split_words

_NUM_COLORS = 8
_PICTURE = "image"
_ARTICLES = re.compile(r"^(?:the|a|an)\s+")
_REGION_WORDS = {
    "left": "left", "right": "right", "top": "top", "upper": "top", "bottom": "bottom", "lower": "bottom",
    "middle": "middle", "center": "middle", "centre": "middle",
}  # fmt: skip
_REGIONS = ("left top", "left bottom", "right top", "right bottom", "left", "right", "middle", "top", "bottom")
_WHERE = {
    "left top": "in the upper left", "left bottom": "in the lower left",
    "right top": "in the upper right", "right bottom": "in the lower right",
    "left": "on the left side", "right": "on the right side", "middle": "in the middle",
    "top": "in the upper half", "bottom": "in the lower half",
}  # fmt: skip


class QaQuestion(Struct, frozen=True):
    """A question with its labels, one of which is `truth`, and an answer in words for each; `group` is the fact's."""

    kind: str
    image_id: str
    text: str
    labels: tuple[str, ...]
    answers: tuple[str, ...]
    truth: str
    group: str = ""


def make_qa(records: Sequence[ImageRecord], seed: int, per_kind: int) -> list[QaQuestion]:
    """Return up to `per_kind` questions of each kind; the same records and seed give the same ones."""
    by_kind: dict[str, list[Fact]] = defaultdict(list)
    for fact in find_facts(records, seed):
        by_kind[fact.kind].append(fact)
    made = []
    for kind in KINDS:
        labels = _collect_labels(by_kind[kind])
        chosen = balance(by_kind[kind], per_kind, make_generator(seed, "evaluate/qa/balance", kind))
        for number, fact in enumerate(chosen):
            draw = make_generator(seed, f"evaluate/qa/word/{kind}/{number}", fact.image_id)
            made.append(_word(fact, labels[fact.group], draw))
    return made


def read_label(question: QaQuestion, answer: str) -> str | None:
    """Return the label that the answer is, or names as the only one; None where it names none or several."""
    words = split_words(answer)
    whole = _ARTICLES.sub("", " ".join(words))
    if whole in question.labels:
        return whole
    if question.kind == "existence":
        return read_answer(answer) if {"yes", "no", "not"} & {*words} else None
    if question.kind == "region":
        return _read_region(words)
    named = {label for label in question.labels if _names(words, label, question.kind)}
    if question.kind == "larger" and len(named) == 2:
        return _first_named(words, question.labels)
    return named.pop() if len(named) == 1 else None


def _collect_labels(facts: Iterable[Fact]) -> dict[str, list[str]]:
    labels: dict[str, set[str]] = defaultdict(set)
    for fact in facts:
        labels[fact.group].add(fact.label)
    return {group: sorted(of_group) for group, of_group in labels.items()}


def _word(fact: Fact, seen: Sequence[str], draw: random.Random) -> QaQuestion:
    labels = _choose_labels(fact, seen, draw)
    asked = draw.choice(load_wordings()[fact.family].ask)
    text = polish(asked.format(pic=_PICTURE, **fact.slots))
    answers = tuple(_say(fact, label) for label in labels)
    return QaQuestion(fact.kind, fact.image_id, text, labels, answers, fact.label, fact.group)


def _choose_labels(fact: Fact, seen: Sequence[str], draw: random.Random) -> tuple[str, ...]:
    match fact.kind:
        case "existence":
            return ("yes", "no")
        case "relation":
            return ("left", "right")
        case "larger":
            return (fact.slots["first"], fact.slots["second"])
        case "counting":
            return tuple(sorted(seen, key=lambda label: NUMBER_WORDS[label]))
        case "region":
            return tuple(label for label in _REGIONS if label in seen)
    others = [label for label in seen if label != fact.label]
    chosen = [fact.label, *draw.sample(others, min(_NUM_COLORS - 1, len(others)))]
    return tuple(draw.sample(chosen, len(chosen)))


def _say(fact: Fact, label: str) -> str:
    """Return the answer for a label in the plain form that the scene program has first."""
    family, slots = _form_of(fact, label)
    form = load_wordings()[family].plain[0]
    return polish(form.format(pic=_PICTURE, **{**fact.slots, **slots}))


def _form_of(fact: Fact, label: str) -> tuple[str, dict[str, str]]:
    match fact.kind:
        case "existence" if fact.family == "present_many":
            return ("present_many" if label == "yes" else "absent_many"), {}
        case "existence":
            return ("present_one_bare" if label == "yes" else "absent_one"), {}
        case "counting":
            return ("count_one" if label == NUMBER_NAMES[1] else "count"), {"number": label}
        case "color":
            return "color", {"color": label}
        case "region":
            return "region", {"where": f"{_WHERE[label]} of the {_PICTURE}"}
        case "relation":
            return "side_choice", {"side": label}
    other = fact.slots["second"] if label == fact.slots["first"] else fact.slots["first"]
    return "larger", {"x": label, "y": other}


def _names(words: Sequence[str], label: str, kind: str) -> bool:
    if kind == "counting":
        return label in words or str(NUMBER_WORDS[label]) in words
    if kind == "color":
        return label in {COLOURS.get(word, word) for word in words}
    return _find(words, label) >= 0


def _find(words: Sequence[str], label: str) -> int:
    """Return where a label's words stand first; -1 for nowhere."""
    parts = label.split()
    places = range(len(words) - len(parts) + 1)
    return next((at for at in places if list(words[at : at + len(parts)]) == parts), -1)


def _read_region(words: Sequence[str]) -> str | None:
    found = {_REGION_WORDS[word] for word in words if word in _REGION_WORDS}
    if len(found) > 1:
        found.discard("middle")
    label = " ".join(sorted(found, key=("left", "right", "middle", "top", "bottom").index))
    return label if label in _REGIONS else None


def _first_named(words: Sequence[str], labels: Sequence[str]) -> str | None:
    """Return the thing that comes first: "the bus looks larger than the dog"."""
    places = [_find(words, label) for label in labels]
    if "smaller" in words or places[0] == places[1]:
        return None
    return labels[0] if places[0] < places[1] else labels[1]
