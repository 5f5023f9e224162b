"""Actions that captions tell otherwise, and those that were told before by another word, are left out."""

from collections.abc import Sequence

from instructgen.scenegraph.garments import may_be_one_garment
from instructgen.scenegraph.graph import Action, Contradiction, Evidence
from instructgen.scenegraph.postures import POSTURES, excludes, is_doubted, is_outnumbered
from instructgen.scenegraph.rivals import is_outvoted
from instructgen.scenegraph.unboxed import SAID_TWICE


def drop_disputed(
    actions: list[Action], captions: Sequence[tuple[str, ...]]
) -> tuple[list[Action], list[Contradiction]]:
    """Return the actions that captions can agree on, in their order, and the postures that disagree."""
    words = frozenset(token for tokens in captions for token in tokens)
    kept, disputed = _drop_rivals(actions)
    kept = [one for one in kept if not is_outvoted(f"{one.doing} {one.where}".split(), one.verb, captions)]
    kept = [one for one in kept if not (one.is_plural and is_outnumbered(one.verb, captions))]
    kept = [one for one in kept if one.num_bearing_out > 1 or not _is_doubted(one, words)]
    return _drop_renamed(kept), disputed


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
