"""Questions about held-out scenes that neither teacher wrote: the truth is the records', the words are this file's.

| kind | asks | balanced so that a student who sees nothing stays at |
| --- | --- | --- |
| named | name a thing: a dog or a cat, where one of them is | 1/2, for every pair of categories |
| exist_random | is there a dog? | 1/2: every category is asked for as often where it is as where it is not |
| exist_adversarial | the same, but the "no" scenes hold what is mostly seen with a dog | 1/2, in the same way |
| count | how many dogs, one to three | 1/3: every number equally often, for every category |
| color | which of four colours that the category comes in, as captions tell it | about 1/4 |
| side | is the dog in the left or the right part? | 1/2, for every category |
| relation | is the dog left or right of the bench? | 1/2 |
| larger | which of the two is larger? | 1/2, for every pair of categories |

Truth with room to spare: a thing asked for has at least _MIN_AREA of the picture, sides are _MIN_OFF_CENTRE off the
middle, two things _MIN_APART apart, the larger of two has _MIN_RATIO times the other's area.

Each kind has several forms, so that no dataset gains by one lucky wording. `fair_forms` leaves out those that a
dataset asks too or that have a word which a dataset never says; such things and colours aren't asked for either.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

import msgspec
from student_data import split_words

from instructgen.lexicon.words import with_article
from instructgen.records import Box, ImageRecord
from instructgen.scenes.palette import PAINT
from instructgen.scenes.phrases import NOUNS

KINDS = ("named", "exist_random", "exist_adversarial", "count", "color", "side", "relation", "larger")
_MIN_AREA = 0.01
_MIN_OFF_CENTRE = 0.12
_MIN_APART = 0.25
_MIN_RATIO = 2.0
_HARD_SHARE = 0.15  # of the scenes without a category: those most like scenes with it
_NUM_COLOURS = 4
_NUM_OTHERS = 4  # categories that are not seen, for each that is
_NUMBERS = ("one", "two", "three")
_SIDES = ("left", "right")
_PICTURE_WORDS = frozenset(("picture", "photo", "photograph", "scene", "frame", "shot", "view"))

# A form: how it is asked, and an answer for every label, or one for all with the label in it.
Form = tuple[str, tuple[str, ...]]
_EXISTENCE: tuple[Form, ...] = (
    ("Does this image contain {a}?", ("Yes.", "No.")),
    ("Is {a} one of the things in this image?", ("Yes, there is {a}.", "No, there is no {noun}.")),
    ("Can {a} be found in this image?", ("Yes, {a} can be found.", "No, {a} cannot be found.")),
    ("Looking at the image, would you find {a}?", ("Yes, {a} is in the image.", "No, no {noun} is in the image.")),
)
_FULL_COUNTS = ("There is one {noun}.", *(f"There are {number} {{plural}}." for number in _NUMBERS[1:]))
FORMS: dict[str, tuple[Form, ...]] = {
    "named": (
        ("Looking at the image, what is there?", ("There is {label}.",)),
        ("In this image, what can be found?", ("{label}.",)),
        ("Which of the things is in this image?", ("In this image, there is {label}.",)),
    ),
    "exist_random": _EXISTENCE,
    "exist_adversarial": _EXISTENCE,
    "count": (
        ("Count the {plural} in the image: how many are there?", ("{label}.",)),
        ("What is the total of {plural} in this image?", _FULL_COUNTS),
        ("In the image, how many {plural} are there?", _FULL_COUNTS),
    ),
    "color": (
        ("In this image, what color is the {noun}?", ("{label}.",)),
        ("Which color is the {noun} here?", ("The {noun} is {label}.",)),
        ("The {noun} in the image is of which color?", ("It is {label}.",)),
    ),
    "side": (
        ("Is the {noun} on the left or on the right?", ("On the {label}.",)),
        ("On which side of the image is the {noun}?", ("The {noun} is on the {label} side.",)),
        ("Which side is the {noun} on, left or right?", ("It is on the {label} of the image.",)),
    ),
    "relation": (
        ("Is the {one} to the left or to the right of the {other}?", ("To the {label}.",)),
        ("On which side of the {other} is the {one}?", ("The {one} is to the {label} of the {other}.",)),
        ("Seen from the {other}, is the {one} to the left or to the right?", ("It is to the {label}.",)),
    ),
    "larger": (
        ("Is it the {one} or the {other} that is larger here?", ("The {label}.",)),
        ("Which is larger in the image, the {one} or the {other}?", ("The {label} is larger.",)),
        ("Of the {one} and the {other} here, which is the larger one?", ("The larger one is the {label}.",)),
    ),
}


class Probe(NamedTuple):
    """One question; a wording is a text to ask with and an answer for each label. `truth` counts into the labels."""

    kind: str
    image: int
    labels: tuple[str, ...]
    truth: int
    wordings: tuple[tuple[str, tuple[str, ...]], ...]


class Claim(NamedTuple):
    """What is true of one scene. Within a `group` all labels are to be asked for equally often."""

    image: int
    group: str
    topic: tuple[str, ...]
    label: str


def make_probes(records: list[ImageRecord], per_kind: int, seed: int, said: Collection[str]) -> list[Probe]:
    """Return up to `per_kind` questions of every kind; `image` counts into the records.

    Things and colours are asked for where their words are among `said`, the words of every dataset's answers.
    """
    draw = random.Random(seed)
    colours = [colour for colour in PAINT if colour in said]
    records = [_keep_said(record, said) for record in records]
    yes_no = ("yes", "no")
    random_claims = _balance(_claim_presence(records, is_hard=False), yes_no, per_kind, draw)
    hard_claims = _balance(_claim_presence(records, is_hard=True), yes_no, per_kind, draw)
    probes = [_ask_name(claim) for claim in _balance(_claim_names(records, draw), ("0", "1"), per_kind, draw)]
    probes += [_ask_presence("exist_random", claim) for claim in random_claims]
    probes += [_ask_presence("exist_adversarial", claim) for claim in hard_claims]
    probes += [_ask_count(claim) for claim in _balance(_claim_counts(records), _NUMBERS, per_kind, draw)]
    probes += _ask_colours(list(_claim_colours(records, colours)), per_kind, draw)
    probes += [_ask_side(claim) for claim in _balance(_claim_sides(records), _SIDES, per_kind, draw)]
    probes += [_ask_relation(claim) for claim in _balance(_claim_relations(records, draw), _SIDES, per_kind, draw)]
    probes += [_ask_larger(claim) for claim in _balance(_claim_sizes(records), ("0", "1"), per_kind, draw)]
    return probes


def fair_forms(
    probes: list[Probe], asked: Iterable[str], known: Collection[str], said: Collection[str]
) -> dict[str, list[int]]:
    """Return by kind the numbers of the forms that no dataset asks and whose own words all datasets have.

    `asked` are the datasets' questions, "picture" for "image" or "the" for "this" being no other question; `known`
    are the words of all datasets, `said` those of all datasets' answers.
    """
    taught = {_unify(text) for text in asked}
    used = {
        (probe.kind, n) for probe in probes for n, (text, _) in enumerate(probe.wordings) if _unify(text) in taught
    }
    return {
        kind: [
            number
            for number, (text, answers) in enumerate(forms)
            if (kind, number) not in used
            and all(word in known for word in _own_words(text))
            and all(word in said for answer in answers for word in _own_words(answer))
        ]
        for kind, forms in FORMS.items()
    }


def _own_words(form: str) -> list[str]:
    return split_words(re.sub(r"{\w+}", " ", form))


def _unify(text: str) -> str:
    """Return the words alone, with one word for what the image is called and for how it is pointed at."""
    words = (word for word in split_words(text) if word[0].isalnum())
    return " ".join("image" if word in _PICTURE_WORDS else "the" if word == "this" else word for word in words)


def _keep_said(record: ImageRecord, said: Collection[str]) -> ImageRecord:
    def is_said(category: str) -> bool:
        return all(word in said for word in split_words(f"{_noun(category)} {_plural(category)}"))

    return msgspec.structs.replace(record, boxes=tuple(box for box in record.boxes if is_said(box.category)))


def _balance(claims: Iterable[Claim], labels: tuple[str, ...], limit: int, draw: random.Random) -> list[Claim]:
    """Take from every group as many claims of each label as there are of the rarest, up to the limit in all."""
    found: dict[str, dict[str, list[Claim]]] = defaultdict(lambda: {label: [] for label in labels})
    for claim in claims:
        found[claim.group][claim.label].append(claim)
    rounds: list[tuple[Claim, ...]] = []
    for by_label in found.values():
        for of_label in by_label.values():
            draw.shuffle(of_label)
        rounds += list(zip(*by_label.values(), strict=False))
    draw.shuffle(rounds)
    return [claim for together in rounds[: limit // len(labels)] for claim in together]


def _boxes_by_category(record: ImageRecord) -> dict[str, list[Box]]:
    boxes: dict[str, list[Box]] = defaultdict(list)
    for box in record.boxes:
        boxes[box.category].append(box)
    return boxes


def _singles(record: ImageRecord) -> list[Box]:
    """Return the things that are alone of their category and large enough."""
    groups = _boxes_by_category(record).values()
    return [group[0] for group in groups if len(group) == 1 and group[0].area >= _MIN_AREA]


def _centre(box: Box) -> float:
    return (box.x0 + box.x1) / 2


def _claim_presence(records: list[ImageRecord], *, is_hard: bool) -> Iterator[Claim]:
    boxes = [_boxes_by_category(record) for record in records]
    together: Counter[tuple[str, str]] = Counter()
    for of_scene in boxes:
        together.update((one, other) for one in of_scene for other in of_scene if one != other)
    for category in sorted({category for of_scene in boxes for category in of_scene}):
        absent = []
        for image, of_scene in enumerate(boxes):
            if category not in of_scene:
                likeness = sum(together[category, other] for other in of_scene) / max(1, len(of_scene))
                absent.append((-likeness, image))
            elif max(box.area for box in of_scene[category]) >= _MIN_AREA:
                yield Claim(image, category, (category,), "yes")
        kept = sorted(absent)[: round(_HARD_SHARE * len(absent))] if is_hard else absent
        yield from (Claim(image, category, (category,), "no") for _, image in kept)


def _claim_names(records: list[ImageRecord], draw: random.Random) -> Iterator[Claim]:
    """Pair what is seen with some of what is not; the label is the position of the former in the topic."""
    categories = sorted({box.category for record in records for box in record.boxes})
    for image, record in enumerate(records):
        boxes = _boxes_by_category(record)
        for category in sorted(boxes):
            others = (
                draw.sample(categories, _NUM_OTHERS) if max(box.area for box in boxes[category]) >= _MIN_AREA else []
            )
            for other in others:
                if other not in boxes:
                    one, two = sorted((category, other))
                    yield Claim(image, f"{one}/{two}", (one, two), str(int(category == two)))


def _claim_counts(records: list[ImageRecord]) -> Iterator[Claim]:
    for image, record in enumerate(records):
        for category, boxes in _boxes_by_category(record).items():
            if len(boxes) <= len(_NUMBERS) and min(box.area for box in boxes) >= _MIN_AREA / 2:
                yield Claim(image, category, (category,), _NUMBERS[len(boxes) - 1])


def _claim_colours(records: list[ImageRecord], known_colours: list[str]) -> Iterator[Claim]:
    """Yield what captions say of things that are alone of their category, where they say one colour."""
    colours = "|".join(known_colours)
    for image, record in enumerate(records):
        text = " ".join(record.captions).lower()
        for box in _singles(record):
            said = set(re.findall(rf"\b({colours}) {_noun(box.category).lower()}\b", text))
            if len(said) == 1:
                yield Claim(image, box.category, (box.category,), said.pop())


def _claim_sides(records: list[ImageRecord]) -> Iterator[Claim]:
    for image, record in enumerate(records):
        for box in _singles(record):
            if abs(_centre(box) - 0.5) >= _MIN_OFF_CENTRE:
                yield Claim(image, box.category, (box.category,), "left" if _centre(box) < 0.5 else "right")


def _claim_relations(records: list[ImageRecord], draw: random.Random) -> Iterator[Claim]:
    """Yield one pair of a scene, named in either order."""
    for image, record in enumerate(records):
        singles = _singles(record)
        pairs = [(a, b) for a in singles for b in singles if abs(_centre(a) - _centre(b)) >= _MIN_APART]
        if pairs:
            one, other = draw.choice(pairs)
            label = "left" if _centre(one) < _centre(other) else "right"
            yield Claim(image, "", (one.category, other.category), label)


def _claim_sizes(records: list[ImageRecord]) -> Iterator[Claim]:
    """Yield all pairs whose sizes differ clearly; the label is the position of the larger in the topic."""
    for image, record in enumerate(records):
        for one, other in combinations(sorted(_singles(record), key=lambda box: box.category), 2):
            if max(one.area, other.area) >= _MIN_RATIO * min(one.area, other.area):
                pair = one.category, other.category
                yield Claim(image, "/".join(pair), pair, "0" if one.area > other.area else "1")


def _noun(category: str) -> str:
    return "person" if category == "person" else NOUNS[category][0][0]


def _plural(category: str) -> str:
    return "people" if category == "person" else NOUNS[category][0][1]


def _word(claim: Claim, kind: str, labels: tuple[str, ...], slots: dict[str, str], said: tuple[str, ...]) -> Probe:
    """Fill the forms of a kind; `said` are the labels as answers have them."""
    wordings = []
    for asked, answers in FORMS[kind]:
        of_labels = answers * len(labels) if len(answers) == 1 else answers
        told = [one.format(label=label, **slots) for one, label in zip(of_labels, said, strict=True)]
        wordings.append((asked.format(**slots), tuple(text[:1].upper() + text[1:] for text in told)))
    return Probe(kind, claim.image, labels, labels.index(claim.label), tuple(wordings))


def _ask_presence(kind: str, claim: Claim) -> Probe:
    noun, labels = _noun(claim.topic[0]), ("yes", "no")
    return _word(claim, kind, labels, {"a": with_article(noun), "noun": noun}, labels)


def _ask_name(claim: Claim) -> Probe:
    said = with_article(_noun(claim.topic[0])), with_article(_noun(claim.topic[1]))
    return _word(claim, "named", ("0", "1"), {}, said)


def _ask_count(claim: Claim) -> Probe:
    category = claim.topic[0]
    return _word(claim, "count", _NUMBERS, {"noun": _noun(category), "plural": _plural(category)}, _NUMBERS)


def _ask_colours(claims: list[Claim], limit: int, draw: random.Random) -> list[Probe]:
    """Set each colour beside three others in which the same category is seen elsewhere."""
    seen: dict[str, set[str]] = defaultdict(set)
    for claim in claims:
        seen[claim.group].add(claim.label)
    usable = [claim for claim in claims if len(seen[claim.group]) >= _NUM_COLOURS]
    draw.shuffle(usable)
    probes = []
    for claim in usable[:limit]:
        others = draw.sample(sorted(seen[claim.group] - {claim.label}), _NUM_COLOURS - 1)
        labels = tuple(draw.sample([claim.label, *others], _NUM_COLOURS))
        probes.append(_word(claim, "color", labels, {"noun": _noun(claim.topic[0])}, labels))
    return probes


def _ask_side(claim: Claim) -> Probe:
    return _word(claim, "side", _SIDES, {"noun": _noun(claim.topic[0])}, _SIDES)


def _ask_relation(claim: Claim) -> Probe:
    one, other = map(_noun, claim.topic)
    return _word(claim, "relation", _SIDES, {"one": one, "other": other}, _SIDES)


def _ask_larger(claim: Claim) -> Probe:
    one, other = (_noun(category) for category in claim.topic)
    truth = int(claim.label)
    if claim.image % 2:  # half of the time the second of the alphabet is named first
        one, other, truth = other, one, 1 - truth
    labels = ("first", "second")
    return _word(claim._replace(label=labels[truth]), "larger", labels, {"one": one, "other": other}, (one, other))
