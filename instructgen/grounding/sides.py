"""Where a sentence places things: "on the left side of the picture", "to the right of the dog"."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.subjects import find_held, is_led_in, is_main
from instructgen.grounding.words import DETERMINERS, PICTURE_NOUNS, PREPOSITIONS, STOPS, as_words

Side = Literal["left", "right", "top", "bottom", "middle"]

_SIDES: dict[str, Side] = {
    "left": "left", "leftmost": "left", "lefthand": "left", "leftward": "left", "right": "right",
    "rightmost": "right", "righthand": "right", "rightward": "right", "top": "top", "upper": "top",
    "bottom": "bottom", "lower": "bottom", "middle": "middle", "center": "middle", "centre": "middle",
    "central": "middle",
}  # fmt: skip
_OPPOSITE = as_words("left right")
_STRENGTHS = as_words("the its far very extreme more most immediate mid")
_SIDE_NOUNS = as_words("""
    hand side sides part parts half edge corner portion section area region third end quadrant most corners
    """)
_SIDE_WORDS = _SIDES.keys() | _SIDE_NOUNS | {"and"}
_LEADS = as_words("on at to in toward towards near along from by into around over of")
# A body's or a speaker's side, a direction, or the other meanings of the words.
_NOT_SIDES_BEFORE = as_words("""
    his her their its my your turn turns turned turning be was been just has have had is are being were
    """)
_NOT_SIDES_AFTER = as_words("""
    arm leg foot turn shoulder ear eye field over behind alone out now away next beside angle handed wing paw hip knee
    cheek front turns wrist thumb side's fielder lane
    """)
_DIRECTIONS = as_words("""
    facing looking heading leaning moving turned turning pointing going gazing staring tilted glancing faces looks
    heads headed leans walking running turns moves
    """)
_TOWARD = as_words("to toward towards")
_LOOK = as_words("look to toward towards")
_PRONOUNS_BEHIND = as_words("him her them me us it this that which whom")
_FURTHER = as_words("further farther")
_VIEWERS = as_words("viewer viewers observer camera")
_COPULAS = as_words("is are sits sit stands stand lies lie there we you hangs")
_OWNERS = as_words("his her their my your its turn turns be hard")
_JOINS = as_words("and also over while with then but the answer")
_RELATIVES = as_words("which who that")
_PRONOUNS = as_words("it one another they he she it's they're other others these those this that")
# A stretch that fills the picture: its left is the picture's.
_FRAMES = PICTURE_NOUNS | as_words("""
    room kitchen bathroom screen bedroom page field pasture meadow sky beach center centre middle
    """)
_VERTICAL: dict[str, Side] = {"above": "top", "below": "bottom", "beneath": "bottom", "underneath": "bottom"}


class Placement(Struct, frozen=True):
    """A thing is said to lie on `sides` of the picture, or of `target`. `subjects` are whom it may speak of.

    `is_edge` marks "on the left side of the table", which may mean a part of the table; `is_main`, that it is the
    one that the picture is about, where one is much the largest. What the subject holds, `held`, is there too.
    """

    sides: tuple[Side, ...]
    subjects: tuple[Phrase, ...]
    target: Phrase | None
    is_edge: bool
    start: int
    end: int
    is_main: bool = False
    held: tuple[Phrase, ...] = ()


class _Span(Struct, frozen=True):
    """The words `start` to `end` that name sides; `is_edge` as for Placement."""

    start: int
    end: int
    sides: tuple[Side, ...]
    is_edge: bool


def find_placements(
    sentence: Sentence,
    phrases: Sequence[Phrase],
    context: Phrase | None,
    *,
    is_place_asked: bool = False,
    reference: Phrase | None = None,
) -> list[Placement]:
    """Return the placements in order; `context` is what "it" and "one" stand for, and whose place was asked.

    `reference` is what a question wants the place told by: "where is the cat relative to the dog?".
    """
    words = sentence.words
    found: list[Placement] = []
    index = 0
    while index < len(words):
        span = _read_sides(sentence, index) if words[index] in _SIDES else None
        if span is None:
            placement = _read_vertical(sentence, phrases, index) if words[index] in _VERTICAL else None
            if placement is not None:
                found.append(placement)
            index += 1
            continue
        target, index, is_frame = _read_target(sentence, phrases, span)
        if target is None and not is_frame and words[span.end : span.end + 1] == ("of",):
            target = _find_meant(sentence, phrases, span, context)
            if target is None and words[index : index + 1] and words[index] in _PRONOUNS_BEHIND:
                continue
        if target is None and not is_frame:
            target = reference
        if target is None and _is_further(sentence, span.start):
            continue
        if target is None and not is_frame and not _OPPOSITE & set(span.sides):
            continue  # "the top of it", "the middle": of what cannot be told
        subjects = _find_subjects(sentence, phrases, (span.start, index), context, is_place_asked=is_place_asked)
        if subjects and not _is_denied(sentence, span.start):
            found.append(
                Placement(
                    sides=span.sides,
                    subjects=subjects,
                    target=target,
                    is_edge=span.is_edge,
                    start=span.start,
                    end=index,
                    is_main=is_main(sentence, phrases, subjects, span.start),
                    held=find_held(sentence, phrases, subjects),
                )
            )
    return found


def _read_sides(sentence: Sentence, index: int) -> _Span | None:
    """Return the words of "on the far left side"; None where the word says something else."""
    words = sentence.words
    start = index
    while start > 0 and words[start - 1] in _STRENGTHS and index - start < 3:
        start -= 1
    is_led = start > 0 and (words[start - 1] in _LEADS or words[start - 1] in _VIEWERS)
    is_led = is_led or words[max(0, start - 1) : start] in (("further",), ("farther",))
    if not is_led and not _stands_alone(words, start, index):
        return None
    sides, end = _read_side_words(sentence, index)
    following = words[end] if end < len(words) else ""
    is_edge = bool(_SIDE_NOUNS & set(words[index:end]))
    is_other_noun = following in _NOT_SIDES_AFTER and not is_edge and not sentence.gaps[end]
    is_owned = index > 0 and words[index - 1] in _NOT_SIDES_BEFORE and following != "of"
    owner = words[start - 1] if start > 0 and sentence.possessive[start - 1] else "image"
    is_owned = is_owned or owner not in _FRAMES | _VIEWERS
    is_right_of_way = ("of", "way") in (words[end : end + 2], words[end - 1 : end + 1])
    # "From left to right" is a direction.
    is_direction = {*words[max(0, start - 2) : start], *words[end : end + 2]} >= {"to", *(_OPPOSITE - {words[index]})}
    is_no_side = is_direction or is_other_noun or is_owned or is_right_of_way
    if is_no_side or sides.keys() >= _OPPOSITE or _is_noun_of(words, start, end):
        return None
    return _Span(start - 1 if is_led else start, end, tuple(sides), is_edge)


def _is_further(sentence: Sentence, start: int) -> bool:
    """Return whether a side is told by another thing's place: "further to the left", "farther right than the dog"."""
    return bool(_FURTHER & set(sentence.words[max(0, start - 2) : start + 1]))


def _stands_alone(words: tuple[str, ...], start: int, index: int) -> bool:
    """Return whether a side that no preposition leads in is one: "left side", "the right of", or a bare "Left."."""
    before = words[start - 1] if start > 0 else ""
    following = words[index + 1] if index + 1 < len(words) else ""
    is_whole = index + 1 - start == len(words) or following in _SIDE_NOUNS or following == "of"
    return words[index] in _OPPOSITE and is_whole and before not in _OWNERS


def _read_side_words(sentence: Sentence, index: int) -> tuple[dict[Side, None], int]:
    """Return the sides of "lower left corner", "top and to the left", in order, and the end of their words."""
    words = sentence.words
    sides: dict[Side, None] = {}
    end = index
    while end < len(words) and words[end] in _SIDE_WORDS:
        goes_on = end + 1 < len(words) and words[end + 1] in _SIDES
        if words[end] == "and" and not goes_on:
            break
        if words[end] in _SIDES:
            sides[_SIDES[words[end]]] = None
        if end > index and sentence.gaps[end].strip("-"):
            break
        end += 1
    return sides, end


def _is_noun_of(words: tuple[str, ...], start: int, end: int) -> bool:
    """Return whether "on top" or "at the bottom" only says that one thing is on another."""
    return words[start:end] in (("top",), ("bottom",)) or (
        words[start:end] == ("the", "top") and end < len(words) and words[end] != "of"
    )


def _read_target(sentence: Sentence, phrases: Sequence[Phrase], span: _Span) -> tuple[Phrase | None, int, bool]:
    """Return the thing whose side it is, the end of its words, and whether it is the picture's side."""
    words, end = sentence.words, span.end
    is_than = words[end : end + 1] == ("than",) and _is_further(sentence, span.start)
    if end >= len(words) or not (words[end] == "of" or is_than) or sentence.gaps[end].strip("-"):
        return None, end, False
    frames = _FRAMES if _OPPOSITE & set(span.sides) else PICTURE_NOUNS
    for offset in range(1, 4):
        index = end + offset
        if index < len(words) and words[index] in frames:
            return None, index + 1, True
        if index < len(words) and words[index] not in DETERMINERS:
            break
    target = next((phrase for phrase in phrases if end < phrase.start <= end + 5), None)
    if target is not None and words[target.end - 1] in frames:
        return None, target.end, True
    return target, target.end if target else end + 1, False


def _find_meant(sentence: Sentence, phrases: Sequence[Phrase], span: _Span, context: Phrase | None) -> Phrase | None:
    """Return the person of "to the left of him": the sentence's, else the one who was spoken of."""
    if sentence.words[span.end + 1 : span.end + 2] not in (("him",), ("her",)):
        return None
    known = [phrase for phrase in phrases if phrase.end <= span.start] + ([] if context is None else [context])
    return next((phrase for phrase in known if phrase.category == "person"), None)


def _find_subjects(
    sentence: Sentence,
    phrases: Sequence[Phrase],
    span: tuple[int, int],
    context: Phrase | None,
    *,
    is_place_asked: bool,
) -> tuple[Phrase, ...]:
    """Return whom the place in the words of `span` may be said of; () where that cannot be told."""
    start, end = span
    words = sentence.words
    first = sentence.clauses.index(sentence.clauses[start])
    before = [phrase for phrase in phrases if phrase.end <= start and phrase.first >= first]
    if "," in sentence.gaps[start] and end < len(words) and words[end] in _COPULAS:
        before = []  # "on the left is a dog, on the right is a cat"
    is_seen = start > 0 and words[start - 1] in ("it", "them")  # "you find it on the left"
    if is_seen and context is not None and words[max(0, start - 2)] not in PREPOSITIONS:
        return (context,)
    if before:
        is_way = words[start] in _TOWARD and bool(_DIRECTIONS & set(words[max(first, start - 3) : start + 1]))
        return () if is_way else _choose_subjects(sentence, before)
    stands_for = next((word for word in words[first:start] if word not in _JOINS), "")
    earlier = [phrase for phrase in phrases if phrase.end <= first]
    if earlier and (stands_for in _RELATIVES or (not stands_for and words[first] == "but")):
        return (earlier[-1],)
    known = () if context is None else (context,)
    if stands_for in _PRONOUNS and not sentence.possessive[first]:
        return known
    if not phrases and known and not _has_unknown(sentence, 0, start):
        return known
    clause, is_unknown = sentence.clauses[start], bool(stands_for) and _has_unknown(sentence, first, start)
    is_unknown = is_unknown and not stands_for.endswith("ing")  # "looking at the left side, one sees"
    # "The conductor is on the left, and the bicycles ...": what no table knows is no thing of the next clause.
    after = [
        phrase
        for phrase in phrases
        if phrase.start >= end
        and (not is_unknown or sentence.clauses[phrase.start] == clause or "where" in words[end : phrase.start])
    ]
    if after and not (is_place_asked and known and not _says_what(sentence, first, after[0])):
        return (next((phrase for phrase in after if not phrase.is_weak), after[0]),)
    is_told_to_look = first < start and words[first] in _LOOK
    return known if not stands_for or is_told_to_look or is_place_asked else ()


def _choose_subjects(sentence: Sentence, before: Sequence[Phrase]) -> tuple[Phrase, ...]:
    """Return of the things before a place the one that the clause is about, and the nearest, if it is another."""
    leading = [phrase for phrase in before if not is_led_in(sentence, phrase)]
    nearest = before[-1]
    is_new = len(leading) > 1 and leading[-1] is nearest
    main = nearest if is_new else (leading or before)[0]
    return (main,) if main == nearest or _is_carried(sentence, nearest) else (main, nearest)


def _has_unknown(sentence: Sentence, first: int, start: int) -> bool:
    """Return whether a word before the place may be a thing of no table, whose place is told."""
    return any(word not in STOPS and word not in DETERMINERS for word in sentence.words[first:start])


def _says_what(sentence: Sentence, first: int, phrase: Phrase) -> bool:
    """Return whether the clause goes on to say what is there: "on the left there is a dog"."""
    return bool({"is", "are", "there", "sits", "stands"} & set(sentence.words[first : phrase.first]))


def _is_denied(sentence: Sentence, start: int) -> bool:
    """Return whether the clause says where things are not: "the clock isn't on the left"."""
    return any(
        (word == "not" or word.endswith("n't")) and sentence.clauses[index] == sentence.clauses[start]
        for index, word in enumerate(sentence.words[:start])
    )


def _is_carried(sentence: Sentence, phrase: Phrase) -> bool:
    """Return whether the thing is only what the subject holds or wears, whose place is the subject's anyway."""
    before = sentence.words[phrase.first - 1] if phrase.first > 0 else ""
    return before in ("with", "wearing", "holding", "carrying", "in", "using")


def _read_vertical(sentence: Sentence, phrases: Sequence[Phrase], index: int) -> Placement | None:
    target = next((phrase for phrase in phrases if index < phrase.start and phrase.first == index + 1), None)
    before = [phrase for phrase in phrases if phrase.end == index or phrase.end == index - 1]
    if target is None or not before or sentence.clauses[before[-1].start] != sentence.clauses[index]:
        return None
    sides = (_VERTICAL[sentence.words[index]],)
    return Placement(sides, (before[-1],), target, is_edge=False, start=index, end=target.end)
