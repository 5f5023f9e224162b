"""Lies about an image: what `lying_teacher.py` puts into true answers. Each is false by boxes and captions together.

An absent thing is a category that no box has, that no caption names, not even by a hint (lexicon/categories.py), and
that annotators do not mix up with what is boxed. The wording (`lies_wording.py`) owes nothing to any checker.
"""

import random
import re
from collections.abc import Callable

import lies_wording as wording
from lies_draft import Draft, Facts, Lie, is_named, plural, single

from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.words import COLOURS, NUMBER_NAMES, NUMBER_WORDS, plural_of, with_article
from instructgen.records import Box

_NEGATED = re.compile(r"\b(?:no|not|none|nobody|neither|nor|never|without|absent|missing|vain|lacks?|cannot)\b|n't")
_PEOPLE = re.compile(r"\b(?:m[ae]n|wom[ae]n|boys?|girls?|child|children)\b")
_NUMBERS = "|".join([*NUMBER_WORDS, r"\d+"])
_COLOUR = re.compile(rf"\b(?:{'|'.join(sorted(COLOURS))})\b")
# A colour, and those that somebody may take for it.
_CONTRASTS = {
    "red": {"orange", "pink", "maroon", "brown"},
    "blue": {"purple", "teal", "turquoise"},
    "green": {"teal", "turquoise"},
    "yellow": {"orange", "gold", "golden", "tan"},
    "purple": {"pink", "blue", "maroon"},
    "pink": {"red", "purple"},
}
_SIDE = re.compile(
    r"\b(?:(?:on|to|at|in|over on|towards) the (?:far )?|(?=\w+(?:-hand)? (?:side|half|part|edge|corner)\b))"
    r"(?P<side>left|right)\b"
)
_MIRRORED = {"left": "right", "right": "left"}


def tell_lies(draft: Draft, num_lies: int) -> list[Lie]:
    """Put up to `num_lies` lies of different kinds into the draft and return them."""
    lies: list[Lie] = []
    kinds = list(KINDS)
    draft.draw.shuffle(kinds)
    for kind in kinds:
        if len(lies) == num_lies:
            break
        for tell in draft.draw.sample(KINDS[kind], len(KINDS[kind])):
            lie = tell(draft)
            if lie is not None:
                lies.append(lie)
                break
    return lies


def _find_things(sentence: str, facts: Facts) -> list[re.Match[str]]:
    """Return where the sentence names what is there; the group `name` is the words without their article."""
    found = []
    for match in wording.THING.finditer(sentence):
        name = wording.CATEGORY_BY_FORM.get(match["name"].lower())
        if name is not None and facts.is_there(name) and not wording.COMPOUND.match(sentence, match.end()):
            found.append(match)
    return found


def _category(match: re.Match[str]) -> str:
    return wording.CATEGORY_BY_FORM[match["name"].lower()]


def _swap_object(draft: Draft) -> Lie | None:
    if not draft.facts.absent:
        return None
    for pair, sentence in draft.sentences():
        things = [] if _NEGATED.search(sentence.lower()) else _find_things(sentence, draft.facts)
        if not things:
            continue
        thing = draft.draw.choice(things)
        name, absent = _category(thing), draft.draw_absent()
        is_plural = thing["name"].lower() in (CATEGORIES[name].plural, plural_of(thing["name"].lower()), "people")
        is_plural = is_plural and thing["name"].lower() != single(name)
        new = plural(absent) if is_plural else draft.draw.choice((single(absent), *wording.OTHERS.get(absent, ())))
        article = thing["article"] or ""
        if article.lower() in ("a ", "an "):
            article = with_article(new)[: -len(new)]
        after = sentence[: thing.start()] + article + new + sentence[thing.end() :]
        after = after[0].upper() + after[1:]
        if pair.question and draft.draw.random() < 0.5:
            pair.question = re.sub(rf"\b{re.escape(thing['name'].lower())}\b", new, pair.question)
        draft.replace(pair, sentence, after)
        return Lie("swapped_object", sentence, after, f"no {absent}: neither boxed nor hinted at in a caption")
    return None


def _add_object(draft: Draft) -> Lie | None:
    if not draft.facts.absent:
        return None
    absent = draft.draw_absent()
    noun = draft.draw.choice((single(absent), *wording.OTHERS.get(absent, ())))
    values = {"a": with_article(noun), "n": noun, "p": plural(absent)}
    if draft.sample_type == "conv" and draft.draw.random() < 0.4:
        after = draft.fill(wording.ADDED_ANSWERS, **values)
        draft.ask(draft.fill(wording.ADDED_QUESTIONS, **values), after)
    else:
        after = draft.fill(wording.ADDED, **values)
        draft.add(after)
    return Lie("added_object", "", after, f"no {absent}: neither boxed nor hinted at in a caption")


def _affirm_absent(draft: Draft) -> Lie | None:
    """Turn a rightful "No" into a "Yes"."""
    for pair, sentence in draft.sentences():
        named = [wording.CATEGORY_BY_FORM.get(m["name"].lower()) for m in wording.THING.finditer(pair.question)]
        if not sentence.startswith("No,") or len(named) != 1 or named[0] not in draft.facts.absent:
            continue
        name = str(named[0])
        after = draft.fill(wording.ADDED_ANSWERS, a=with_article(single(name)), n=single(name), p=plural(name))
        draft.replace(pair, sentence, after)
        return Lie("added_object", sentence, after, f"no {name}: neither boxed nor hinted at in a caption")
    return None


def _deny(draft: Draft) -> Lie | None:
    """Deny what is boxed, large enough to be seen, and named by a caption."""
    seen = [
        name
        for name, boxes in draft.facts.boxes.items()
        if name in CATEGORIES and max(box.area for box in boxes) > 0.01 and is_named(name, draft.facts.captions)
    ]
    if not seen:
        return None
    name = draft.draw.choice(seen)
    values = {"a": with_article(single(name)), "n": single(name), "p": plural(name).removeprefix("several ")}
    evidence = f"{len(draft.facts.boxes[name])} x {name} boxed, and named in a caption"
    for pair, sentence in draft.sentences():
        if sentence.startswith("Yes,") and any(
            _category(m) == name for m in _find_things(pair.question, draft.facts)
        ):
            after = draft.fill(wording.DENIED_ANSWERS, **values)
            draft.replace(pair, sentence, after)
            return Lie("denied_existence", sentence, after, evidence)
    if draft.sample_type == "conv" and draft.draw.random() < 0.5:
        after = draft.fill(wording.DENIED_ANSWERS, **values)
        draft.ask(draft.fill(wording.DENIED_QUESTIONS, **values), after)
    else:
        after = draft.fill(wording.DENIED, **values)
        draft.add(after)
    return Lie("denied_existence", "", after, evidence)


def _say_number(number: int, draw: random.Random) -> str:
    return draw.choice((NUMBER_NAMES[number], NUMBER_NAMES[number], str(number), *wording.NUMBERS.get(number, ())))


def _draw_wrong_count(draft: Draft, name: str) -> int | None:
    """Draw a number that neither boxes nor captions allow; a larger one only where no caption hints at more."""
    facts, right = draft.facts, len(draft.facts.boxes.get(name, ()))
    if name in facts.crowds or not 1 <= right <= 6:
        return None
    larger = [] if wording.MANY.search(facts.captions) else range(right + 2, right + 6)
    wrong = [*larger, *range(2, right - 1)]
    wrong = [number for number in wrong if not {NUMBER_NAMES[number], str(number)} & facts.words]
    return draft.draw.choice(wrong) if wrong else None


def _change_count(draft: Draft) -> Lie | None:
    for pair, sentence in draft.sentences():
        match = re.search(rf"\b({_NUMBERS}) (?!of\b)((?:[a-z]+ )?{wording.FORMS})\b", sentence, re.IGNORECASE)
        name = wording.CATEGORY_BY_FORM.get(match["name"].lower()) if match else None
        wrong = _draw_wrong_count(draft, name) if name and not _NEGATED.search(sentence.lower()) else None
        if match is None or wrong is None or match[1].lower() in ("1", "one"):
            continue
        right = len(draft.facts.boxes[str(name)])
        if wrong < right and not re.search(r"\b(?:exactly|only|in total|in all)\b", sentence):
            continue
        said = NUMBER_NAMES[wrong].capitalize() if match.start() == 0 else _say_number(wrong, draft.draw)
        after = sentence[: match.start()] + said + sentence[match.end(1) :]
        draft.replace(pair, sentence, after)
        return Lie("wrong_count", sentence, after, f"{right} x {name} boxed")
    return None


def _claim_count(draft: Draft) -> Lie | None:
    countable = [name for name in draft.facts.boxes if name in CATEGORIES and " of " not in single(name)]
    if not countable:
        return None
    name = draft.draw.choice(countable)
    wrong = _draw_wrong_count(draft, name)
    if wrong is None:
        return None
    values = {"k": _say_number(wrong, draft.draw), "p": CATEGORIES[name].plural}
    if draft.sample_type == "conv" and draft.draw.random() < 0.6:
        after = draft.fill(wording.COUNTED_ANSWERS, **values)
        draft.ask(draft.fill(wording.COUNTED_QUESTIONS, **values), after)
    else:
        after = draft.fill(wording.COUNTED, **values)
        draft.add(after)
    return Lie("wrong_count", "", after, f"{len(draft.facts.boxes[name])} x {name} boxed")


def _one_box(draft: Draft, name: str) -> Box | None:
    boxes = draft.facts.boxes.get(name, [])
    return boxes[0] if len(boxes) == 1 and name not in draft.facts.crowds else None


def _is_to_one_side(box: Box) -> bool:
    """Return whether all of the box is in one half, and its center is well in it."""
    return (box.x1 < 0.5 or box.x0 > 0.5) and abs(box.x0 + box.x1 - 1) > 0.2


def _mirror_side(draft: Draft) -> Lie | None:
    """Mirror left and right of a sentence about things of which there is one each, clearly to one side."""
    for pair, sentence in draft.sentences():
        sides = list(_SIDE.finditer(sentence))
        names = {_category(match) for match in _find_things(sentence, draft.facts)}
        boxes = [_one_box(draft, name) for name in sorted(names)]
        found = [box for box in boxes if box is not None]
        if len(sides) != 1 or len(found) < len(boxes) or _NEGATED.search(sentence) or _PEOPLE.search(sentence):
            continue
        if len(found) == 1:
            is_sided = _is_to_one_side(found[0])
        else:
            is_sided = len(found) == 2 and (found[0].x1 < found[1].x0 or found[1].x1 < found[0].x0)
        if is_sided:
            start, end = sides[0].span("side")
            after = sentence[:start] + _MIRRORED[sides[0]["side"]] + sentence[end:]
            draft.replace(pair, sentence, after)
            return Lie("mirrored_side", sentence, after, f"boxes {', '.join(map(_say_box, found))}")
    return None


def _say_box(box: Box) -> str:
    return f"{box.category} [{box.x0:.2f}, {box.y0:.2f}, {box.x1:.2f}, {box.y1:.2f}]"


def _claim_side(draft: Draft) -> Lie | None:
    """Put a thing of which there is one into the half of the frame, or on the side of another, where it is not."""
    lone = [box for name in draft.facts.boxes if name in CATEGORIES and (box := _one_box(draft, name))]
    lone = [box for box in lone if box.area > 0.005]
    claims = [
        (wording.SIDES, {"n": single(one.category), "s": "right" if one.x1 < 0.5 else "left"}, (one,))
        for one in lone
        if _is_to_one_side(one)
    ] + [
        (wording.RELATIONS, {"n": single(one.category), "m": single(other.category), "s": "right"}, (one, other))
        for one in lone
        for other in lone
        if one.x1 < other.x0
    ]
    if not claims:
        return None
    forms, values, boxes = draft.draw.choice(claims)
    after = draft.fill(forms, **values)
    if draft.sample_type == "conv" and draft.draw.random() < 0.5:
        draft.ask(draft.fill(wording.SIDE_QUESTIONS, **values), after)
    else:
        draft.add(after)
    return Lie("mirrored_side", "", after, f"boxes {', '.join(map(_say_box, boxes))}")


def _draw_wrong_colour(draft: Draft) -> str | None:
    """Draw a colour that no caption has, nor one like it; None where a thing may have all or none."""
    if re.search(r"black and white|color(?:ful|ed)|tie.?dye|painted|rainbow", draft.facts.captions):
        return None
    wrong = [colour for colour, like in _CONTRASTS.items() if not (like | {colour}) & draft.facts.words]
    return draft.draw.choice(wrong) if wrong else None


def _change_colour(draft: Draft) -> Lie | None:
    wrong = _draw_wrong_colour(draft)
    for pair, sentence in draft.sentences() if wrong else ():
        match = _COLOUR.search(sentence)
        if match is None or _NEGATED.search(sentence) or re.search(r"\boranges?\b", sentence):
            continue
        after = sentence[: match.start()] + str(wrong) + sentence[match.end() :]
        draft.replace(pair, sentence, after)
        return Lie("wrong_colour", sentence, after, f"captions say {match[0]}, none says {wrong}")
    return None


def _claim_colour(draft: Draft) -> Lie | None:
    wrong = _draw_wrong_colour(draft)
    coloured = list(wording.COLOURED.finditer(draft.facts.captions))
    if not wrong or not coloured:
        return None
    told = draft.draw.choice(coloured)
    values = {"n": told["noun"], "c": wrong}
    after = draft.fill(wording.PAINTED, **values)
    if draft.sample_type == "conv" and draft.draw.random() < 0.5:
        draft.ask(draft.fill(wording.PAINTED_QUESTIONS, **values), after)
    else:
        draft.add(after)
    return Lie("wrong_colour", "", after, f"a caption says {told[0]}, none says {wrong}")


KINDS: dict[str, tuple[Callable[[Draft], Lie | None], ...]] = {
    "swapped_object": (_swap_object,),
    "added_object": (_add_object, _affirm_absent),
    "denied_existence": (_deny,),
    "wrong_count": (_change_count, _claim_count),
    "mirrored_side": (_mirror_side, _claim_side),
    "wrong_colour": (_change_colour, _claim_colour),
}
