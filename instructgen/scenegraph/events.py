"""Who does what, and what lies where: subject, verb, object and place, read from one caption."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from msgspec import Struct, structs

from instructgen.lexicon.categories import CATEGORIES
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.verbs import BASE_FORMS, BE, VERB_FORMS, Verb
from instructgen.scenegraph.vocabulary import BOUNDARIES, DETERMINERS, NOUNS, PREPOSITIONS, Noun


class Event(Struct, frozen=True):
    """One thing that a caption says is happening. `place` goes with `preposition`; both or neither are given.

    `manner` is how several stand to one another ("next to each other"), or "". `start` and `end` are the tokens from
    its subject to its last word. `is_parsed` marks what only a dependency parse tells: the rules' go first.
    """

    subject: NounPhrase
    is_plural: bool
    verb: Verb
    object: NounPhrase | None
    preposition: str
    place: NounPhrase | None
    start: int
    end: int
    manner: str = ""
    is_parsed: bool = False


_PEOPLE = Noun("person", "person", "a", is_plural=True, category="person")
_AUXILIARIES = frozenset({"is", "are", "that", "who", "which", "currently", "just", "all", "both"})
# Of these the particle tells what is done: "pulling up along a building" is no pulling along it.
_MOVES = frozenset({"pull", "go", "look", "reach", "take", "hold", "make", "climb", "pass"})
_PARTICLES = frozenset({"down", "up", "together", "around", "out", "outside"})
# Behind what something is done to, these tell what is done: "holding their trunks together", "his mouth open"; the
# second ones where no place follows.
_CHANGED = frozenset(("apart", "open", "closed", "shut", "upside"))
_CHANGED_AT_END = frozenset(("down", "off", "away", "aside", "up"))
_CLAUSE_ENDS = frozenset((".", ",", "and", "while", "with", "as"))
# How several may stand to one another, as captions have it, and as it is said; the longer first.
MANNERS = {
    "next to each other": "next to each other",
    "next to one another": "next to each other",
    "beside each other": "next to each other",
    "near each other": "near each other",
    "close to each other": "close to each other",
    "side by side": "side by side",
    "in a row": "in a row",
    "in a line": "in a line",
    "in a circle": "in a circle",
}
_SOME_OF = frozenset({"one", "some", "most", "two", "three", "each", "both", "many"})
_DONE_BY_ANIMALS = frozenset({"wear", "hold", "carry", "eat", "catch"})  # behind "a man with a dog": either may do it
_DOLLS = frozenset(("stuffed animal", "doll", "puppet", "statue", "toy", "robot", "sculpture"))
_LETTER_BY_GROUP = {"person": "p", "animal": "a", "vehicle": "v"}
_NEAR = frozenset({"to", "with", "by", "near", "behind", "beside", "of", "for", "at"})
# "One of them", and no "each other".
_ONE_OF_THEM, _RECIPROCAL = frozenset(("one", "another", "other")), frozenset(("each", "one", "next", "near"))
_GROUPS = frozenset(("group", "herd", "flock", "crowd", "bunch", "row", "line", "couple", "pair", "number"))
_HEAPS = frozenset(("mound", "pool", "sea", "wall", "island", "stream", "ring", "bank"))  # "on a mound of fries"
_MAX_PREPOSITION_WORDS = 4


def is_changed(tokens: tuple[str, ...], at: int) -> bool:
    """True where the token tells what becomes of the thing before it: without it another doing is told."""
    if at >= len(tokens):
        return False
    if tokens[at] == "together":  # of several things, not of "playing tennis together"
        thing = NOUNS.get(tokens[at - 1])
        return thing.is_plural and thing.kind != "game" if thing is not None else tokens[at - 1].endswith("s")
    ends = at + 1 == len(tokens) or tokens[at + 1] in _CLAUSE_ENDS or tokens[at + 1] == "to"
    return tokens[at] in _CHANGED or (ends and tokens[at] in _CHANGED_AT_END)


def find_events(tokens: tuple[str, ...], phrases: list[NounPhrase]) -> list[Event]:
    """Return what is understood in full; a clause with an unknown word gives nothing."""
    by_start = {phrase.start: phrase for phrase in phrases}
    found = _find_placements(tokens, by_start, phrases)
    for index, phrase in enumerate(phrases):
        verb_at = _skip_auxiliaries(tokens, phrase.end)
        verb = _verb_at(tokens, verb_at, phrase)
        if verb is None:
            continue
        subject = _find_subject(tokens, phrases, index, verb)
        while subject is not None and verb is not None:
            event = _read_event(tokens, by_start, subject, verb, verb_at + 1)
            if event is None:
                break
            found.append(event)
            verb_at, verb = _next_verb(tokens, event, verb_at)
    return found


def _next_verb(tokens: tuple[str, ...], event: Event, verb_at: int) -> tuple[int, Verb | None]:
    """Return the verb of the same subject that follows "and", or stands right behind what cannot do it."""
    last = event.place or event.object
    index = max(last.end if last else 0, verb_at + 1)
    joined = index < len(tokens) and tokens[index] in ("and", "while", ",")
    index += joined
    if index >= len(tokens):
        return index, None
    verb = VERB_FORMS.get(tokens[index])
    if verb is None or joined:
        return index, verb
    unclear = last is None or letter_of(last) in verb.groups or tokens[index] != verb.ing or _is_acted(last, verb)
    return index, None if unclear else verb


def _find_placements(
    tokens: tuple[str, ...], by_start: dict[int, NounPhrase], phrases: list[NounPhrase]
) -> list[Event]:
    """Read "a laptop on a desk": only of the caption's first noun, where it is clear what lies there."""
    if not phrases or phrases[0].start > 1 or phrases[0].is_likeness or phrases[0].is_negated:
        return []
    first = phrases[0]
    preposition, place = _read_place(tokens, by_start, BE, _skip_auxiliaries(tokens, first.end))
    if place is None or tokens[place.end : place.end + 1] == (",",):
        return []  # "people in cars, on bikes and on foot"
    return [Event(first, first.is_plural, BE, None, preposition, place, first.start, place.end)]


def _skip_auxiliaries(tokens: tuple[str, ...], index: int) -> int:
    while index < len(tokens) and tokens[index] in _AUXILIARIES:
        index += 1
    return index


def _verb_at(tokens: tuple[str, ...], index: int, subject: NounPhrase) -> Verb | None:
    if index >= len(tokens):
        return None
    verb = VERB_FORMS.get(tokens[index])
    if verb is None and subject.is_plural:
        return BASE_FORMS.get(tokens[index])
    return verb


def letter_of(phrase: NounPhrase) -> str:
    """Return the letter of the group of subjects that it is of (verbs.py)."""
    category = CATEGORIES.get(phrase.noun.category or "")
    return _LETTER_BY_GROUP.get(category.group, "t") if category else "t"


def _find_subject(
    tokens: tuple[str, ...], phrases: list[NounPhrase], index: int, verb: Verb
) -> tuple[NounPhrase, bool] | None:
    """Return who does it and whether they are many; None where that is ambiguous."""
    phrase = phrases[index]
    people = [other for other in phrases[:index] if other.noun.kind == "person"]
    before = tokens[phrase.start - 1] if phrase.start else ""
    if people and letter_of(phrase) == "a" and verb.base in _DONE_BY_ANIMALS and before in PREPOSITIONS:
        return None
    if phrase.noun.kind == "wear" or (letter_of(phrase) not in verb.groups and before in PREPOSITIONS):
        # "People in a store that is selling fruit": the store does.
        is_its = phrase.noun.kind == "place" and tokens[phrase.end] in ("that", "which")
        if is_its or len(people) != 1 or "p" not in verb.groups or _is_acted(phrase, verb):
            return None
        phrase, before = people[0], ""
    elif _is_beside(tokens, phrase, phrases[:index], verb) or (verb.base == "surround" and before in PREPOSITIONS):
        return None  # "a bed on a floor surrounded by bottles": the bed is
    if phrase.is_likeness or phrase.is_negated or letter_of(phrase) not in verb.groups:
        return None
    if before == "of" and phrase.start > 1 and tokens[phrase.start - 2] in _SOME_OF:
        return None
    phrase = _count_couple(tokens, phrase)
    if before == "and":
        previous = next((other for other in phrases[:index] if other.end == phrase.start - 1), None)
        if previous is None or previous.noun.kind != "person" or phrase.noun.kind != "person":
            return None
        if previous.noun.lemma != phrase.noun.lemma:
            phrase = structs.replace(phrase, noun=_PEOPLE, number=2)
        return phrase, True
    return phrase, phrase.is_plural


def _is_acted(phrase: NounPhrase, verb: Verb) -> bool:
    """True for a doll right before a verb, which may be shown doing it: "next to a teddy bear using a toilet"."""
    is_doll = phrase.noun.category == "teddy bear" or phrase.noun.lemma in _DOLLS
    return is_doll or (verb.base == "use" and phrase.noun.kind == "animal")


def _count_couple(tokens: tuple[str, ...], phrase: NounPhrase) -> NounPhrase:
    return structs.replace(phrase, number=2) if tokens[phrase.end - 1] == "couple" else phrase


def find_doer(
    tokens: tuple[str, ...], phrases: Sequence[NounPhrase], at: int, verb: Verb
) -> tuple[NounPhrase, bool] | None:
    """Return the nearest one before a verb that may do it, and whether they are several, whatever stands between."""
    nearest = max((one for one in phrases if one.end <= at), key=lambda one: one.end, default=None)
    before = [one for one in phrases if one.end <= at and letter_of(one) in verb.groups and letter_of(one) in "pav"]
    if not before or (nearest is not None and nearest is not before[-1] and _is_acted(nearest, verb)):
        return None
    phrase = before[-1]
    if _is_of_one(tokens, phrase, at):
        return None
    ahead = tokens[max(0, phrase.start - 2) : phrase.start]
    of = ahead[0] if len(ahead) == 2 and ahead[1] == "of" else ""
    phrase = _count_couple(tokens, phrase)
    is_part = of in _SOME_OF and of not in ("many", "some")
    if phrase.is_likeness or phrase.is_negated or is_part or "." in tokens[phrase.end : at]:
        return None
    if ahead[-1:] == ("and",) and len(before) > 1 and before[-2].end == phrase.start - 1:
        if letter_of(before[-2]) != letter_of(phrase):
            return None
        if before[-2].noun.lemma != phrase.noun.lemma and phrase.noun.category == "person":
            phrase = structs.replace(phrase, noun=_PEOPLE, number=2)
        return phrase, True
    return phrase, phrase.is_plural or of in _GROUPS


def _is_of_one(tokens: tuple[str, ...], phrase: NounPhrase, at: int) -> bool:
    """True behind several of whom one does it: "two women, one holding a cake", "men with one of them sitting"."""
    between = tokens[phrase.end : at]
    apart = (token in _ONE_OF_THEM and before not in _RECIPROCAL for before, token in pairwise(("", *between)))
    return phrase.is_plural and any(apart)


def _is_beside(tokens: tuple[str, ...], phrase: NounPhrase, others: list[NounPhrase], verb: Verb) -> bool:
    """True where another may do it: "an airplane with propellers flying", "a man in a boat paddling"."""
    before = tokens[phrase.start - 1] if phrase.start else ""
    people = any(other.noun.kind == "person" for other in others)
    if people and before in ("with", "on", "in") and phrase.noun.kind != "person":
        return True
    verb_before = VERB_FORMS.get(before)
    if people and verb_before is not None and verb_before.takes_object and phrase.noun.kind != "person":
        return True  # "a man holding his dog stands"
    if people and before in _NEAR and phrase.noun.kind == "person":
        return True  # "a woman next to a boy holding a knife"
    if before == "with" and letter_of(phrase) == "t" and phrase.noun.category is None:
        at = _skip_auxiliaries(tokens, phrase.end)
        if tokens[at] == verb.third:
            return True  # "a bull painted with a map sits": the bull does
    # "A boat with an umbrella sitting in the water": the boat may.
    doers = any(letter_of(one) != "t" for one in others)
    # "A boat with a rainbow umbrella": what an unknown word stands before may be with something, too.
    is_with = before == "with" or (before not in BOUNDARIES and tokens[phrase.start] not in DETERMINERS)
    return is_with and letter_of(phrase) == "t" and doers


def _read_event(
    tokens: tuple[str, ...],
    by_start: dict[int, NounPhrase],
    subject: tuple[NounPhrase, bool],
    verb: Verb,
    index: int,
) -> Event | None:
    doer, many = subject
    thing = by_start.get(index)
    if thing is not None:
        is_one_of_two = verb.base == "wear" and many and not thing.is_plural  # "a bride and a man wearing a suit"
        is_flown = verb.base == "fly" and letter_of(doer) != "p"  # "the beach flying a kite": somebody there does
        if not verb.takes_object or thing.is_negated or thing.is_likeness or is_one_of_two or is_flown:
            return None
        preposition, place = _read_place(tokens, by_start, verb, thing.end)
        if place is None and is_changed(tokens, thing.end):
            return None
        if place is not None and place.noun.kind in ("wear", "pair"):
            preposition, place = "", None  # "riding a horse in uniform": the rider is in it
        end = place.end if place is not None else thing.end
        return Event(doer, many, verb, thing, preposition, place, doer.start, end)
    preposition, place = _read_place(tokens, by_start, verb, index)
    if place is None and index < len(tokens) and tokens[index] in _PARTICLES and verb.base not in _MOVES:
        index += 1
        preposition, place = _read_place(tokens, by_start, verb, index)
    manner, after = read_manner(tokens, index, MANNERS)
    if manner and many:
        preposition, place = _read_place(tokens, by_start, verb, after)
        if manner.startswith("in "):
            preposition, place = "", None  # "in a line near water": the line is there
        end = place.end if place is not None else after
        return Event(doer, many, verb, None, preposition, place, doer.start, end, manner)
    if place is not None:
        return Event(doer, many, verb, None, preposition, place, doer.start, place.end)
    ends = index >= len(tokens) or tokens[index] in (".", ",", "and", "while", "with")
    return Event(doer, many, verb, None, "", None, doer.start, index) if verb.may_stand_alone and ends else None


def read_manner(tokens: tuple[str, ...], index: int, manners: Mapping[str, str]) -> tuple[str, int]:
    """Return how the table says the words at the token, and the token behind them; "" and the token for none."""
    for words, said in manners.items():
        end = index + words.count(" ") + 1
        if " ".join(tokens[index:end]) == words:
            return said, end
    return "", index


def _read_place(
    tokens: tuple[str, ...], by_start: dict[int, NounPhrase], verb: Verb, index: int
) -> tuple[str, NounPhrase | None]:
    for length in range(_MAX_PREPOSITION_WORDS, 0, -1):
        preposition = PREPOSITIONS.get(" ".join(tokens[index : index + length]))
        place = by_start.get(index + length)
        if preposition in verb.prepositions and place is not None and not place.is_negated:
            is_part = tokens[place.end : place.end + 1] == ("of",) and place.noun.lemma in _HEAPS
            return preposition, None if place.is_likeness or is_part else place
    return "", None


def read_preposition(tokens: tuple[str, ...], index: int, allowed: frozenset[str]) -> tuple[str, int]:
    """Return the longest preposition at the token, as we say it, and its number of tokens; "" for one not allowed."""
    for length in range(_MAX_PREPOSITION_WORDS, 0, -1):
        preposition = PREPOSITIONS.get(" ".join(tokens[index : index + length]))
        if preposition is not None:
            return (preposition, length) if preposition in allowed else ("", 0)
    return "", 0
