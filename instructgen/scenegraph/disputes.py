"""Actions that captions tell otherwise, and those that were told before by another word, are left out."""

from collections import Counter
from collections.abc import Sequence

from msgspec import structs

from instructgen.lexicon.words import plural_of, with_article
from instructgen.scenegraph.garments import may_be_one_garment
from instructgen.scenegraph.graph import Action, Contradiction, Evidence
from instructgen.scenegraph.postures import POSTURES, excludes, is_doubted, is_outnumbered
from instructgen.scenegraph.rivals import is_one_aloft, is_outvoted
from instructgen.scenegraph.unboxed import SAID_TWICE
from instructgen.scenegraph.vocabulary import GENDERS, NOUNS


def drop_disputed(
    actions: list[Action], captions: Sequence[tuple[str, ...]]
) -> tuple[list[Action], list[Contradiction]]:
    """Return the actions that captions can agree on, in their order, and the postures that disagree."""
    words = frozenset(token for tokens in captions for token in tokens)
    whom = _count_people(captions)
    kept, disputed = _drop_rivals([_settle_whom(one, whom) for one in actions])
    kept = [one for one in kept if not _is_outvoted(one, captions)]
    kept = [one for one in kept if not (one.is_plural and is_outnumbered(one.verb, captions))]
    kept = [one for one in kept if one.num_bearing_out > 1 or not _is_doubted(one, words)]
    return _drop_renamed(_drop_fewer(kept)), disputed


def _is_outvoted(action: Action, captions: Sequence[tuple[str, ...]]) -> bool:
    words = f"{action.doing} {action.where}".split()
    are_planes = action.is_plural and action.category == "airplane"
    return is_outvoted(words, action.verb, captions) or (are_planes and is_one_aloft(words, captions))


def _count_people(captions: Sequence[tuple[str, ...]]) -> Counter[str]:
    """Return how many captions have a word for somebody of known sex, "woman's" too."""
    said = [{noun.lemma for word in one if (noun := NOUNS.get(word.split("'")[0])) is not None} for one in captions]
    return Counter(lemma for lemmas in said for lemma in sorted(lemmas) if lemma in GENDERS)


def _settle_whom(action: Action, votes: Counter[str]) -> Action:
    """Name who something is done to as most captions do: of four women and a girl it is a woman who is kissed."""
    own = action.object
    if own not in GENDERS or action.held != with_article(own):
        return action
    alike = [lemma for lemma in votes if GENDERS[lemma] == GENDERS[own] and lemma != action.subject]
    word = max(alike, key=lambda lemma: votes[lemma], default=own)
    if votes[word] <= votes[own]:
        return action
    held = with_article(word)
    return structs.replace(action, object=word, held=held, doing=f"{action.doing.removesuffix(action.held)}{held}")


def _drop_fewer(actions: list[Action]) -> list[Action]:
    """Leave out "holding a cell phone" where two captions have them hold two."""
    many = {(one.subject, one.verb, one.object) for one in actions if one.num_bearing_out > 1 and _has_many(one)}
    return [one for one in actions if _has_many(one) or (one.subject, one.verb, one.object) not in many]


def _has_many(one: Action) -> bool:
    return one.held == plural_of(one.object) != one.object


def _drop_renamed(actions: list[Action]) -> list[Action]:
    """Leave out clothes that may have been named before by another word: "a dress shirt" and "a blue shirt".

    What one caption names side by side is two.
    """
    worn: list[Action] = []
    kept = []
    for action in actions:
        if action.verb == "wear":
            if any(_may_be_renamed(action, other) for other in worn if other.subject == action.subject):
                continue
            worn.append(action)
        kept.append(action)
    return kept


def _may_be_renamed(action: Action, other: Action) -> bool:
    captions = {span.caption for span in action.evidence.spans} & {span.caption for span in other.evidence.spans}
    is_one_word = action.object.rpartition(" ")[2] == other.object.rpartition(" ")[2]
    return may_be_one_garment(action.object, other.object) and (is_one_word or not captions)


def _is_doubted(action: Action, words: frozenset[str]) -> bool:
    """True for what one caption tells and a word of another speaks against: a posture, or clothes by another name."""
    if action.verb == "wear":
        return not SAID_TWICE.get(action.object, frozenset()).isdisjoint(words)
    return is_doubted(action.verb, words, is_vehicle=action.kind == "vehicle")


def _drop_rivals(actions: list[Action]) -> tuple[list[Action], list[Contradiction]]:
    """Keep the best supported posture of each subject; where another is supported alike, keep neither."""
    best: dict[tuple[str, str], Action] = {}
    disputed: list[Contradiction] = []
    unclear: set[tuple[str, str]] = set()
    for action in actions:
        key = (action.category, action.subject)
        if action.verb not in POSTURES:
            continue
        first = best.setdefault(key, action)
        if excludes(first.verb, action.verb):
            spans = (*first.evidence.spans, *action.evidence.spans)
            disputed.append(Contradiction(action.subject, "posture", (first.verb, action.verb), Evidence(spans)))
            if action.num_bearing_out == first.num_bearing_out:
                unclear.add(key)
    kept = []
    for action in actions:
        key = (action.category, action.subject)
        if action.verb not in POSTURES or (best[key] is action and key not in unclear):
            kept.append(action)
    return kept, disputed
