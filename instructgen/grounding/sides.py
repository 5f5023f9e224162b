"""Where a sentence places things: "on the left side of the picture", "to the right of the dog"."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.subjects import is_led_in
from instructgen.grounding.words import DETERMINERS, PICTURE_NOUNS, STOPS, as_words

Side = Literal["left", "right", "top", "bottom", "middle"]

_SIDES: dict[str, Side] = {
    "left": "left", "leftmost": "left", "lefthand": "left", "leftward": "left",
    "right": "right", "rightmost": "right", "righthand": "right", "rightward": "right",
    "top": "top", "upper": "top", "bottom": "bottom", "lower": "bottom", "middle": "middle", "center": "middle", "centre": "middle", "central": "middle",
}  # fmt: skip
_OPPOSITE = frozenset({"left", "right"})
_STRENGTHS = frozenset({"far", "very", "extreme", "more", "most", "immediate", "mid"})
_SIDE_NOUNS = as_words(
    """
    hand side sides part parts half edge corner portion section area region third end quadrant most corners
    """
)
_LEADS = as_words(
    """
    on at to in toward towards near along from by into around over of
    """
)
# A body's or a speaker's side, a direction, or the other meanings of the words.
_NOT_SIDES_BEFORE = as_words(
    """
    his her their its my your turn turns turned turning be was been just has have had be is are being were
    being
    """
)
_NOT_SIDES_AFTER = as_words(
    """
    arm leg foot turn shoulder ear eye field over behind alone out now away next beside angle
    handed wing paw hip knee cheek front turns wrist thumb side's fielder lane
    """
)
_DIRECTIONS = as_words(
    """
    facing looking heading leaning moving turned turning pointing going gazing staring tilted glancing faces
    looks heads headed leans walking running turns moves
    """
)
_OWNERS = frozenset({"his", "her", "their", "my", "your", "its", "turn", "turns", "be", "hard"})
_JOINS = frozenset({"and", "also", "over", "while", "with", "then", "but", "the", "answer"})
_RELATIVES = frozenset({"which", "who", "that"})
_PRONOUNS = as_words(
    """
    it one another they he she it's they're other others these those this that
    """
)
# A stretch that fills the picture: its left is the picture's.
_FRAMES = PICTURE_NOUNS | frozenset(
    {
        "room",
        "kitchen",
        "bathroom",
        "screen",
        "bedroom",
        "page",
        "field",
        "pasture",
        "meadow",
        "sky",
        "beach",
        "center",
        "centre",
        "middle",
    }
)
_VERTICAL = {"above": "top", "below": "bottom", "beneath": "bottom", "underneath": "bottom"}


class Placement(Struct, frozen=True):
    """A thing is said to lie on `sides` of the picture, or of `target`. `subjects` are whom it may speak of.

    `is_edge` marks "on the left side of the table", which may mean a part of the table.
    """

    sides: tuple[Side, ...]
    subjects: tuple[Phrase, ...]
    target: Phrase | None
    is_edge: bool
    start: int
    end: int


def find_placements(
    sentence: Sentence, phrases: Sequence[Phrase], context: Phrase | None, *, is_place_asked: bool = False
) -> list[Placement]:
    """Return the placements in order; `context` is what "it" and "one" stand for, and whose place was asked."""
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
        start, end, sides, is_edge = span
        target, end, is_frame = _read_target(sentence, phrases, end, sides)
        if target is None and not is_frame and not _OPPOSITE & set(sides):
            index = end  # "the top of it", "the middle": of what cannot be told
            continue
        subjects = _find_subjects(sentence, phrases, (start, end), context, is_place_asked=is_place_asked)
        if subjects and not _is_denied(sentence, start):
            found.append(Placement(sides, subjects, target, is_edge, start, end))
        index = end
    return found


def _read_sides(sentence: Sentence, index: int) -> tuple[int, int, tuple[Side, ...], bool] | None:
    """Return (start, end, sides, is an edge) of "on the far left side"; None where the word says something else."""
    words = sentence.words
    start = index
    while start > 0 and (words[start - 1] in _STRENGTHS or words[start - 1] in ("the", "its")) and index - start < 3:
        start -= 1
    before = words[start - 1] if start > 0 else ""
    if before not in _LEADS:
        following = words[index + 1] if index + 1 < len(words) else ""
        if (
            words[index] not in _OPPOSITE
            or (len(words) > 1 and (following not in _SIDE_NOUNS and following != "of"))
            or before in _OWNERS
        ):
            return None
        before = ""
    sides: list[Side] = []
    end = index
    while end < len(words) and (words[end] in _SIDES or words[end] in _SIDE_NOUNS or words[end] in ("and", "of")):
        if words[end] in ("and", "of") and not (
            end + 1 < len(words) and words[end + 1] in _SIDES and words[end] != "of"
        ):
            break
        if words[end] in _SIDES:
            sides.append(_SIDES[words[end]])
        if end > index and sentence.gaps[end].strip("-"):
            break
        end += 1
    following = words[end] if end < len(words) else ""
    is_edge = any(word in _SIDE_NOUNS for word in words[index:end])
    if following in _NOT_SIDES_AFTER and not is_edge and not sentence.gaps[end]:
        return None
    if (
        words[index - 1 : index]
        and words[index - 1] in _NOT_SIDES_BEFORE
        and following != "of"
        and "of" not in words[index:end]
    ):
        return None
    if (
        {"left", "right"} <= set(sides)
        or words[end : end + 2] == ("of", "way")
        or words[end - 1 : end + 1] == ("of", "way")
        or _is_noun_of(words, start, end)
    ):
        return None
    return max(0, start - 1) if before else start, end, tuple(dict.fromkeys(sides)), is_edge


def _is_noun_of(words: tuple[str, ...], start: int, end: int) -> bool:
    """Return whether "on top" or "at the bottom" only says that one thing is on another."""
    return words[start:end] in (("top",), ("bottom",)) or (
        words[start:end] == ("the", "top") and end < len(words) and words[end] != "of"
    )


def _read_target(
    sentence: Sentence, phrases: Sequence[Phrase], end: int, sides: tuple[Side, ...]
) -> tuple[Phrase | None, int, bool]:
    """Return (the thing whose side it is, the end, whether it is the picture's side)."""
    words = sentence.words
    if end >= len(words) or words[end] != "of" or sentence.gaps[end].strip("-"):
        return None, end, False
    frames = _FRAMES if _OPPOSITE & set(sides) else PICTURE_NOUNS
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


def _find_subjects(
    sentence: Sentence,
    phrases: Sequence[Phrase],
    span: tuple[int, int],
    context: Phrase | None,
    *,
    is_place_asked: bool,
) -> tuple[Phrase, ...]:
    start, end = span
    clause = sentence.clauses[start]
    first = next(index for index in range(len(sentence.words)) if sentence.clauses[index] == clause)
    before = [phrase for phrase in phrases if phrase.end <= start and phrase.first >= first]
    if start > 0 and sentence.words[start - 1] in ("it", "them") and context is not None:
        return (context,)
    if before:
        if _DIRECTIONS & set(sentence.words[max(first, start - 3) : start + 1]) and "to" in _lead(sentence, start):
            return ()
        leading = [phrase for phrase in before if not is_led_in(sentence, phrase)]
        nearest = before[-1]
        chosen = [leading[-1] if len(leading) > 1 and leading[-1] is nearest else (leading or before)[0]]
        if nearest not in chosen and not _has_other_target(sentence, nearest):
            chosen.append(nearest)
        return tuple(chosen)
    lead = sentence.words[first:start]
    stands_for = next((word for word in lead if word not in _JOINS), "")
    earlier = [phrase for phrase in phrases if phrase.end <= first]
    if earlier and (stands_for in _RELATIVES or (not stands_for and sentence.words[first] == "but")):
        return (earlier[-1],)
    if stands_for in _PRONOUNS and not sentence.possessive[first]:
        return (context,) if context is not None else ()
    after = [phrase for phrase in phrases if phrase.start >= end]
    if not phrases and context is not None and not _has_unknown(sentence, start):
        return (context,)
    if after and not (is_place_asked and context is not None and not _says_what(sentence, first, after[0])):
        return (next((phrase for phrase in after if not phrase.is_weak), after[0]),)
    is_told_to_look = lead[:1] in (("look",), ("to",), ("towards",), ("toward",))
    return (context,) if context is not None and (not stands_for or is_told_to_look or is_place_asked) else ()


def _lead(sentence: Sentence, start: int) -> tuple[str, ...]:
    """Return "to" and its kin where one leads the side in: it may be a direction then."""
    return ("to",) if sentence.words[start] in ("to", "toward", "towards") else ()


def _has_unknown(sentence: Sentence, start: int) -> bool:
    """Return whether a word before the place may be a thing of no table, whose place is told."""
    return any(word not in STOPS and word not in DETERMINERS for word in sentence.words[:start])


def _says_what(sentence: Sentence, first: int, phrase: Phrase) -> bool:
    """Return whether the clause goes on to say what is there: "on the left there is a dog"."""
    return bool({"is", "are", "there", "sits", "stands"} & set(sentence.words[first : phrase.first]))


def _is_denied(sentence: Sentence, start: int) -> bool:
    """Return whether the clause says where things are not: "the clock isn't on the left"."""
    return any(
        (word == "not" or word.endswith("n't")) and sentence.clauses[index] == sentence.clauses[start]
        for index, word in enumerate(sentence.words[:start])
    )


def _has_other_target(sentence: Sentence, phrase: Phrase) -> bool:
    """Return whether the thing is only what the subject holds or wears, whose place is the subject's anyway."""
    before = sentence.words[phrase.first - 1] if phrase.first > 0 else ""
    return before in ("with", "wearing", "holding", "carrying", "in", "using")


def _read_vertical(sentence: Sentence, phrases: Sequence[Phrase], index: int) -> Placement | None:
    target = next((phrase for phrase in phrases if index < phrase.start and phrase.first == index + 1), None)
    before = [phrase for phrase in phrases if phrase.end == index or phrase.end == index - 1]
    if target is None or not before or sentence.clauses[before[-1].start] != sentence.clauses[index]:
        return None
    return Placement((_VERTICAL[sentence.words[index]],), (before[-1],), target, False, index, target.end)  # type: ignore[arg-type]
