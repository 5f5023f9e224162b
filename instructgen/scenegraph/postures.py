"""Postures: of those that exclude each other one body is in one only, whatever captions tell."""

from collections.abc import Collection, Sequence
from functools import lru_cache

POSTURES = frozenset({"sit", "stand", "lie", "lay", "rest", "walk", "run", "perch", "seat", "be"})
# Of these one body can be in one only: where captions tell two of one subject, neither is certain. Key: the verb
# that stands for a posture; value: how captions tell it.
_POSTURE_WORDS = {
    "sit": frozenset(("sit", "sits", "sitting", "seated")),
    "stand": frozenset(("stand", "stands", "standing")),
    "lie": frozenset((
        "lie", "lies", "lying", "lay", "lays", "laying", "sleeping", "sleeps", "asleep", "resting", "rests",
    )),
    "walk": frozenset(("walk", "walks", "walking", "strolling", "wandering")),
    "run": frozenset(("run", "runs", "running")),
    "swim": frozenset(("swim", "swims", "swimming")),
}  # fmt: skip
_KEPT_WORDS = 1 << 12
_OUTWEIGHED = 2  # as many captions for one that tells otherwise are not enough
_POSTURE_OF = {"seat": "sit", "lay": "lie", "sleep": "lie"}
# A vehicle stands still or moves.
_MOTION_WORDS = {
    "park": frozenset((
        "parked", "parks", "stopped", "stops", "stopping", "waits", "waiting", "docked", "stationary", "abandoned",
        "sitting", "sits", "standing",
    )),
    "drive": frozenset((
        "driving", "drives", "traveling", "travels", "travelling", "moving", "moves", "going", "coming", "comes",
        "rolling", "passing", "passes", "approaching", "approaches", "racing", "rides", "speeding", "heading",
        "pulling", "pulls", "leaving", "arriving",
    )),
}  # fmt: skip
_MOTION_OF = {
    **dict.fromkeys(("stop", "dock", "sit", "stand", "rest"), "park"),
    **dict.fromkeys(("travel", "move", "go", "pass", "approach", "race", "ride", "pull"), "drive"),
}


def _posture_of(verb: str) -> str:
    return _POSTURE_OF.get(verb, verb)


@lru_cache(maxsize=_KEPT_WORDS)
def _rivals_of(verb: str, *, is_vehicle: bool) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words for what the verb tells, and those for what excludes it; both empty for other verbs."""
    table = _MOTION_WORDS if is_vehicle else _POSTURE_WORDS
    own = table.get(_MOTION_OF.get(verb, verb) if is_vehicle else _posture_of(verb))
    if own is None:
        return frozenset(), frozenset()
    return own, frozenset().union(*(group for group in table.values() if group is not own))


def is_doubted(verb: str, words: frozenset[str], *, is_vehicle: bool = False) -> bool:
    """True for a posture of which one caption tells, where a word of another posture stands in any."""
    return bool(_rivals_of(verb, is_vehicle=is_vehicle)[1] & words)


def is_posture_disputed(verb: str, captions: list[tuple[str, ...]], *, is_vehicle: bool = False) -> bool:
    """True if as many captions have a word of another posture as of the verb's, or only one has a word of its own."""
    own, others = _rivals_of(verb, is_vehicle=is_vehicle)
    if not others:
        return False
    agreeing = sum(not own.isdisjoint(tokens) for tokens in captions)
    against = sum(not others.isdisjoint(tokens) for tokens in captions)
    return bool(against) and agreeing <= max(1, _OUTWEIGHED * against)


def is_parking_disputed(verb: str, words: Collection[str], captions: list[tuple[str, ...]]) -> bool:
    """True for a vehicle "on the side of a street", where it is parked, if other captions have it driving."""
    return verb == "be" and "side" in words and is_posture_disputed("park", captions, is_vehicle=True)


def is_outnumbered(verb: str, captions: Sequence[tuple[str, ...]]) -> bool:
    """True for a posture of several where half as many captions as have it have some in another one."""
    own, others = _rivals_of(verb, is_vehicle=False)
    against = sum(not others.isdisjoint(tokens) for tokens in captions)
    agreeing = sum(not own.isdisjoint(tokens) for tokens in captions)
    return bool(against) and (against >= agreeing or (against > 1 and _OUTWEIGHED * against > agreeing))


def excludes(one: str, other: str) -> bool:
    postures = {_posture_of(one), _posture_of(other)}
    return len(postures) == 2 and postures <= _POSTURE_WORDS.keys()
