"""What is said of several images, proved from their records: each image's part from its own record alone.

A comparison is read sentence by sentence, by patterns of the prover's own, and what is read is looked up in boxes and
captions: of a sentence that it cannot read it says so. Questions asked of image after image are held each against its
own image, as those about one image are.
"""

# ruff: noqa: E501 - a pattern is a line

import re
from collections.abc import Callable, Iterator, Sequence

from instructgen.records import ImageRecord
from instructgen.teachers.scene_program import Written
from instructgen.teachers.scene_program.talk import Told
from instructgen.teachers.scene_program.wordings import load_wordings
from tests.provers.align import sentences_of
from tests.provers.audit import audit
from tests.provers.claims import doubt_claim
from tests.provers.evidence import Evidence, category_of, find_things
from tests.provers.questions import doubt_question

Pair = tuple[ImageRecord, ImageRecord]
NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
ORDINALS = ("first", "second")
# Which images must have a box of the category: the family's meaning, apart from its words.
ONE_HAS = ("multi_which", "multi_in_both_no", "multi_either_yes", "multi_unlike")
BOTH_HAVE = ("multi_both", "multi_in_both_yes")
SHOT_TYPES = ("few-shot", "interleaved")
_NUMBER = "|".join(NUMBERS[1:])
_PIC = r"(?:pictures?|images?|photos?)"
_ONE = r"(first|second)"
# A sentence of a comparison: what it says, and a pattern whose groups are read by the function of that name.
_READINGS = (
    ("only", rf"only the {_ONE} {_PIC} shows (?P<list>[^.]+)\."),
    ("only", rf"the {_ONE} {_PIC} has (?P<list>[^.]+), and the {_ONE} one does not\."),
    ("only", rf"you can see (?P<list>[^.]+) in the {_ONE} {_PIC}, but not in the {_ONE} one\."),
    ("place_both", rf"both {_PIC} are set (?P<both>[^.]+)\.|the two {_PIC} were both taken (?P<again>[^.]+)\."),
    ("place_each", rf"the first {_PIC} is set (?P<a>[^.]+), and the second is set (?P<b>[^.]+)\."),
    ("place_each", rf"the first {_PIC} was taken (?P<a>[^.]+), while the second one was taken (?P<b>[^.]+)\."),
    (
        "time_both",
        rf"both {_PIC} were taken (?P<both>[^.]+)\.|the first {_PIC} was taken (?P<again>[^.]+), and so was the second\.",
    ),
    ("time_each", rf"the first {_PIC} was taken (?P<a>[^.]+), and the second one (?P<b>[^.]+)\."),
    ("time_each", rf"while the first {_PIC} was taken (?P<a>[^.]+), the second was taken (?P<b>[^.]+)\."),
    ("color_both", rf"the (?P<x>[^.]+) is (?P<c>[a-z ,]+) in both {_PIC}\."),
    ("color_both", rf"in both {_PIC} the (?P<x>[^.]+) is (?P<c>[a-z ,]+)\."),
    ("color_each", rf"the (?P<x>[^.]+) is (?P<c>[a-z ,]+) in the first {_PIC} and (?P<d>[a-z ,]+) in the second\."),
    (
        "color_each",
        rf"in the first {_PIC} the (?P<x>[^.]+) is (?P<c>[a-z ,]+), while the (?P<y>[^.]+) in the second one is (?P<d>[a-z ,]+)\.",
    ),
    ("number_both", rf"both {_PIC} show (?P<n>{_NUMBER}) (?P<x>[a-z ]+)\."),
    ("number_both", rf"each of the two {_PIC} has (?P<n>{_NUMBER}) (?P<x>[a-z ]+) in it\."),
    ("number_both", rf"the number of (?P<x>[a-z ]+) is the same: both {_PIC} show (?P<n>{_NUMBER})\."),
    (
        "number_each",
        rf"the first {_PIC} shows (?P<n>{_NUMBER}) (?P<x>[a-z ]+), and the second shows (?P<m>{_NUMBER}) (?P<y>[a-z ]+)\.",
    ),
    (
        "number_each",
        rf"there (?:is|are) (?P<n>{_NUMBER}) (?P<x>[a-z ]+) in the first {_PIC} and (?P<m>{_NUMBER}) (?P<y>[a-z ]+) in the second\.",
    ),
    (
        "number_each",
        rf"you can count (?P<n>{_NUMBER}) (?P<x>[a-z ]+) in the first {_PIC} and (?P<m>{_NUMBER}) (?P<y>[a-z ]+) in the second one\.",
    ),
    ("both", rf"both {_PIC} show (?P<list>[^.]+)\."),
    ("both", rf"the two {_PIC} have (?P<list>[^.]+) in common\."),
    ("both", rf"there is (?P<list>[^.]+) in both {_PIC}\."),
)
# What the question of a comparison asks for, by what its sentences may say.
_ASKED_FOR = {
    "compare_differs": {"only", "place_each", "time_each", "color_each", "number_each"},
    "compare_same": {"both", "place_both", "time_both", "color_both", "number_both"},
}


def find_objections_in_several(records: Sequence[ImageRecord], sample_type: str, written: Written) -> list[str]:
    """Return why what was written of the images, in the order of the row, is not proved; none where it is sound."""
    evidence = [Evidence(record) for record in records]
    faults = [
        fault
        for told in written.turns
        for claim in told.claims
        for fault in (
            doubt_claim(evidence[claim.image], claim) if claim.image < len(evidence) else ["claim: no such image"]
        )
    ]
    if sample_type in SHOT_TYPES:
        faults += _doubt_shots(evidence, written)
        return faults + (list(_doubt_texts(written)) if sample_type == "interleaved" else [])
    pair = records[0], records[1]
    for told in written.turns:
        if {claim.image for claim in told.claims} != {0, 1}:
            faults.append(f"claim: it does not speak of both [{told.answer}]")
        if told.family.startswith("compare_"):
            faults += _doubt_comparison((evidence[0], evidence[1]), told)
        else:
            faults += [f"text {fault} [{told.answer}]" for fault in doubt_meaning(pair, told)]
    return faults + list(_find_told_again(written.turns))


def _find_told_again(turns: Sequence[Told]) -> Iterator[str]:
    known: set[tuple[str, str, int]] = set()
    for told in turns:
        keys = {(claim.kind, claim.subject, claim.image) for claim in told.claims if claim.kind != "exists"}
        yield from (f"repeated: {' '.join(key[:2])} [{told.question}]" for key in sorted(keys & known))
        known |= keys


def _doubt_shots(evidence: Sequence[Evidence], written: Written) -> Iterator[str]:
    if written.turns and len(written.turns) != len(evidence):
        yield f"shots: {len(written.turns)} turns for {len(evidence)} images"
        return
    if len({told.question for told in written.turns}) > 1:
        yield "shots: not one question"
    for image, (told, own) in enumerate(zip(written.turns, evidence, strict=False)):
        if {claim.image for claim in told.claims} != {image}:
            yield f"shots: turn {image} claims of other images [{told.answer}]"
        question = "" if told.family == "shot_caption" else told.question
        yield from audit(own, told.answer, list(told.claims), question)
        family = {"shot_there_yes": "present_one", "shot_there_no": "absent_one"}.get(told.family, told.family)
        if question:
            yield from doubt_question(own, Told(family, question, told.answer, told.claims))


def _doubt_texts(written: Written) -> Iterator[str]:
    if len(written.texts) != len(written.turns):
        yield f"texts: {len(written.texts)} for {len(written.turns)} turns"
        return
    for text, told in zip(written.texts, written.turns, strict=True):
        asked, answer = re.escape(told.question), re.escape(told.answer)
        if told.family == "shot_caption":
            asked = ""
        form = (
            rf"(?:Question: ?)?{asked} ?(?:(?:Short answer|Answer): ?)?{answer}"
            if asked
            else rf"(?:Output:)?{answer}"
        )
        if not re.fullmatch(form, text):
            yield f"texts: is not its question and answer [{text}]"


def _doubt_comparison(evidence: tuple[Evidence, Evidence], told: Told) -> Iterator[str]:
    said: set[str] = set()
    named: set[str] = set()
    for sentence in sentences_of(told.answer):
        lowered = sentence.lower().replace("t-shirt", "t shirt")
        kind, match = next(
            ((kind, found) for kind, form in _READINGS if (found := re.fullmatch(form, lowered))), ("", None)
        )
        if match is None:
            yield f"text: cannot be read [{sentence}]"
            continue
        said.add(kind)
        named |= {thing.category for thing in find_things(lowered) if thing.category}
        yield from (f"text {fault} [{sentence}]" for fault in _LOOK_UP[kind](evidence, told, match))
    wanted = _ASKED_FOR.get(told.family)
    if wanted is not None and not said <= wanted:
        yield f"question: was not asked for {sorted(said - wanted)} [{told.question}]"
    claimed = {category_of(claim.subject) for claim in told.claims if claim.kind in ("exists", "absent", "count")}
    yield from (f"claim: {one} is claimed and not said [{told.answer}]" for one in claimed if one not in named)


_LookUp = Callable[[tuple[Evidence, Evidence], Told, re.Match[str]], Iterator[str]]


def _categories(listed: str) -> list[str]:
    """Return the category of each thing of a list; "" for one that the prover does not know."""
    known = [thing.category for thing in find_things(listed)]
    return known + [""] * (len(re.split(r", and |, | and ", listed)) - len(known))


def _look_up_only(evidence: tuple[Evidence, Evidence], _told: Told, match: re.Match[str]) -> Iterator[str]:
    ordinals = [group for group in match.groups() if group in ORDINALS]
    image = ORDINALS.index(ordinals[0])
    if len(ordinals) > 1 and ordinals[0] == ordinals[1]:
        yield f"names the {ordinals[0]} image twice"
    for category in _categories(match["list"]):
        if not category or not evidence[image].is_boxed(category):
            yield f"{match['list']}: the {ORDINALS[image]} image has none"
        elif evidence[1 - image].doubts_absence(category):
            yield f"{match['list']}: the other image may have one"


def _look_up_both(evidence: tuple[Evidence, Evidence], _told: Told, match: re.Match[str]) -> Iterator[str]:
    for category in _categories(match["list"]):
        if not category or not all(one.is_boxed(category) for one in evidence):
            yield f"{match['list']}: not in both"


def _look_up_number_both(evidence: tuple[Evidence, Evidence], told: Told, match: re.Match[str]) -> Iterator[str]:
    yield from _doubt_numbers(evidence, told, (match["n"], match["n"]), (match["x"], match["x"]))


def _look_up_number_each(evidence: tuple[Evidence, Evidence], told: Told, match: re.Match[str]) -> Iterator[str]:
    yield from _doubt_numbers(evidence, told, (match["n"], match["m"]), (match["x"], match["y"]))


def _doubt_numbers(
    evidence: tuple[Evidence, Evidence], _told: Told, numbers: tuple[str, str], nouns: tuple[str, str]
) -> Iterator[str]:
    for own, number, noun in zip(evidence, numbers, nouns, strict=True):
        category = category_of(noun)
        boxes = [] if category is None else [box for box in own.record.boxes if box.category == category]
        if len(boxes) != NUMBERS.index(number) or any(box.is_crowd for box in boxes):
            yield f"{number} {noun}: boxes are {len(boxes)}"


def _look_up_claims(kind: str, *groups: str) -> _LookUp:
    """Hold what is said of each image against its claim of that kind, which the record has to prove by itself."""

    def look_up(_evidence: tuple[Evidence, Evidence], told: Told, match: re.Match[str]) -> Iterator[str]:
        for image in (0, 1):
            said = match[groups[image]] or match["again"] if "again" in match.re.groupindex else match[groups[image]]
            claims = [one for one in told.claims if one.kind == kind and one.image == image]
            if kind == "attribute":
                claims = [one for one in claims if one.subject.lower() == match["x"]]
                fits = any(one.value == said for one in claims)
            else:
                fits = any(_is_value_of(one.value, said) for one in claims)
            if not fits:
                yield f"{said}: is claimed of the {ORDINALS[image]} image by nothing"

    return look_up


def _is_value_of(value: str, phrase: str) -> bool:
    words = phrase.split()
    return value in phrase or (value == "day" and "day" in words)


_LOOK_UP: dict[str, _LookUp] = {
    "only": _look_up_only,
    "both": _look_up_both,
    "number_both": _look_up_number_both,
    "number_each": _look_up_number_each,
    "color_both": _look_up_claims("attribute", "c", "c"),
    "color_each": _look_up_claims("attribute", "c", "d"),
    "place_both": _look_up_claims("place", "both", "both"),
    "place_each": _look_up_claims("place", "a", "b"),
    "time_both": _look_up_claims("time", "both", "both"),
    "time_each": _look_up_claims("time", "a", "b"),
}


def boxes_of(record: ImageRecord, noun: str) -> int:
    category = category_of(noun)
    assert category is not None, noun
    return sum(box.category == category for box in record.boxes)


def doubt_meaning(pair: tuple[ImageRecord, ImageRecord], told: Told) -> list[str]:
    """Return why boxes do not bear out what the family says of the two; nothing where they do."""
    faults = []
    nouns = {claim.subject for claim in told.claims if claim.kind in ("exists", "absent", "count")}
    for noun in nouns:
        has = [boxes_of(record, noun) for record in pair]
        if told.family in ONE_HAS:
            (image,) = [number for number in (0, 1) if has[number]] if min(has) == 0 < max(has) else (None,)
            faults += [] if image is not None and says_has(told, image) else [f"{noun}: boxes are {has}"]
        elif told.family in BOTH_HAVE:
            faults += [] if min(has) else [f"{noun}: not in both, boxes are {has}"]
        elif told.family == "multi_either_no":
            faults += [] if not any(has) else [f"{noun}: there, boxes are {has}"]
        elif told.family == "multi_more":
            faults += [] if has[0] != has[1] and says_more(told, has) else [f"{noun}: boxes are {has}"]
        elif told.family == "multi_as_many":
            even = has[0] == has[1] and any(NUMBERS[has[0]] in form for form in (told.answer.lower(), "neither."))
            faults += [] if even else [f"{noun}: boxes are {has}"]
    return faults


def says_has(told: Told, image: int) -> bool:
    """Return whether the words could be those for an image that has it, and not those for the other."""
    return fits(told, has=ORDINALS[image], lacks=ORDINALS[1 - image]) and not (
        fits(told, has=ORDINALS[1 - image], lacks=ORDINALS[image])
    )


def says_more(told: Told, has: list[int]) -> bool:
    image = has.index(max(has))
    numbers = {"number_x": NUMBERS[max(has)], "number_y": NUMBERS[min(has)]}
    return fits(told, has=ORDINALS[image], lacks=ORDINALS[1 - image], **numbers)


def fits(told: Told, **known: str) -> bool:
    """Return whether question and answer together are forms of the family with these slots, whatever the rest is."""
    family = load_wordings()[told.family]
    forms = [(asked, said) for asked in family.ask for said in (*family.plain, *family.terse, *family.warm)]
    texts = (told.question.lower(), told.answer.lower())

    def pattern(form: str) -> str:
        parts = re.split(r"\{(\w+)\}", form.lower())
        return "".join(
            re.escape(part) if number % 2 == 0 else re.escape(known[part]) if part in known else ".+"
            for number, part in enumerate(parts)
        )

    tied = [(a, b) for a, b in forms if any(name in a + b for name in ("{has}", "{lacks}"))]
    hits = [(a, b) for a, b in forms if re.fullmatch(pattern(a), texts[0]) and re.fullmatch(pattern(b), texts[1])]
    return bool(hits) and (any(hit in tied for hit in hits) or told.answer in ("Yes.", "No.") or not tied)
