"""Who does it: what one of several does is told of no group, and one person goes by one name."""

from collections.abc import Iterator, Sequence

from instructgen.scenegraph.consensus import find_tellings
from instructgen.scenegraph.corroboration import verbs_of
from instructgen.scenegraph.graph import Action
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.rivals import is_watched
from instructgen.scenegraph.saying import PLAYED
from instructgen.scenegraph.verbs import VERB_FORMS
from instructgen.scenegraph.vocabulary import GENDERS, Noun

_LIVING = ("person", "animal")
_OTHERS = frozenset(("one", "another", "other", "others", "onlookers", "spectators", "third"))
_APART = frozenset((
    "watch", "watches", "watching", "looks", "observes", "laying", "lays", "lies", "lying", "resting", "rests",
    "sleeping", "fallen", "falls", "falling", "climbs", "climbing", "leaving", "away",
))  # fmt: skip
_REACH = 5  # tokens behind "another" in which it is told what that one does
_ANYBODY = frozenset(("person", "child", "kid"))
_MIXED = frozenset(("ski", "snowboard"))
# What all may do though a caption tells it of the one that it is about.
_SHARED = frozenset((
    "be", "sit", "stand", "lie", "lay", "rest", "walk", "seat", "perch", "wait", "gather", "pose", "look", "watch",
    "graze",
))  # fmt: skip


def drop_part_acts(actions: Sequence[Action], readings: Sequence[CaptionReading]) -> list[Action]:
    """Leave out what captions tell of several, and as many others of one: of two women one holds the cake."""
    if not any(one.is_plural and one.kind in _LIVING for one in actions):
        return list(actions)
    told = [set(_find_doers(one)) for one in readings]
    captions = [one.tokens for one in readings]
    return [
        one
        for one in actions
        if not (one.is_plural and one.kind in _LIVING and (_is_of_one(one, told) or _is_of_some(one, captions)))
    ]


def drop_half_told(actions: Sequence[Action], readings: Sequence[CaptionReading]) -> list[Action]:
    """Leave out that people are playing, where two captions tell what they play."""
    if not any(one.doing == "playing" for one in actions):
        return list(actions)
    is_told = sum(any(_is_played(phrase.noun) for phrase in reading.phrases) for reading in readings) > 1
    return [one for one in actions if not (is_told and one.doing == "playing" and one.kind == "person")]


def _is_played(noun: Noun) -> bool:
    return noun.kind == "game" or noun.category == "frisbee" or noun.lemma in PLAYED


def _find_doers(reading: CaptionReading) -> Iterator[tuple[str, str, bool]]:
    """Yield who does what in a caption: the doer, the verb, and whether they are several."""
    for event in reading.events:
        yield event.subject.noun.category or event.subject.noun.lemma, event.verb.base, event.is_plural
    seen: set[tuple[str, str]] = set()
    for telling in find_tellings(reading):
        one = telling.doer, telling.verb.base
        yield *one, telling.is_plural or one in seen  # "a man riding and a woman riding": both do it
        seen.add(one)


def _is_of_one(action: Action, told: Sequence[set[tuple[str, str, bool]]]) -> bool:
    doer = action.category or action.lemma
    num_many = sum((doer, action.verb, True) in doers for doers in told)
    num_one = sum((doer, action.verb, False) in doers and (doer, action.verb, True) not in doers for doers in told)
    if action.verb in _SHARED:
        return num_one > max(num_many, 1)
    if action.held and not action.held.startswith(("a ", "an ", "the ")):
        return num_one > num_many  # "holding surfboards": each has one
    return num_one >= max(num_many, 1)


def _is_of_some(action: Action, captions: Sequence[tuple[str, ...]]) -> bool:
    """True for what people play where others watch, or one lies, or where they ski and snowboard to two captions."""
    if action.verb in _MIXED and sum(_verbs_in(tokens) >= _MIXED for tokens in captions) > 1:
        return True
    is_all = action.kind == "person" and (
        action.number or (action.lemma not in GENDERS and action.lemma not in _ANYBODY)
    )
    apart = (one for one in captions if not (_OTHERS.isdisjoint(one) or _APART.isdisjoint(one)))
    is_seen = action.kind == "person" and is_watched(action.verb, captions)
    return not is_all and (is_seen or any(_have_others(action, tokens) for tokens in apart))


def _verbs_in(tokens: tuple[str, ...]) -> set[str]:
    return {VERB_FORMS[token].base for token in tokens if token in VERB_FORMS}


def _have_others(action: Action, tokens: tuple[str, ...]) -> bool:
    """True for "while others watch", "and another lays in the shade", where the action is something else."""
    for at, word in enumerate(tokens):
        behind = tokens[at + 1 : at + 1 + _REACH]
        if word not in _OTHERS or tokens[at - 1 : at] in (("each",), ("one",)) or behind[:1] == ("another",):
            continue
        end = next((index for index, token in enumerate(behind) if token in (".", ",", "and")), len(behind))
        if any(token in _APART and action.verb not in verbs_of(token) for token in behind[:end]):
            return True
    return False


def drop_other_names(actions: Sequence[Action], readings: Sequence[CaptionReading]) -> list[Action]:
    """Leave out what a person does under another name than the best told one: the player, elsewhere "the man".

    Two names in one caption are two people, and so are a man and a woman.
    """
    people = [one for one in actions if one.kind == "person" and not one.is_plural]
    names = {one.subject for one in people}
    if not people:
        return list(actions)
    best = max(people, key=_rate).subject
    together = [{phrase.noun.lemma for phrase in reading.phrases if not phrase.is_plural} for reading in readings]
    others = {name for name in names if name != best and not any({name, best} <= said for said in together)}
    others = {name for name in others if not _are_two(name, best)}
    return [one for one in actions if one.is_plural or one.kind != "person" or one.subject not in others]


def _rate(one: Action) -> tuple[bool, bool, int]:
    """Rate a name: "person" is nobody in particular, and "the tennis player is playing tennis" tells nothing."""
    return one.subject != "person", one.verb not in one.subject, one.num_bearing_out


def _are_two(one: str, other: str) -> bool:
    return one in GENDERS and other in GENDERS and GENDERS[one] != GENDERS[other]
