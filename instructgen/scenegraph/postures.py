"""Postures: of those that exclude each other one body is in one only, whatever captions tell."""

POSTURES = frozenset({"sit", "stand", "lie", "lay", "rest", "walk", "run", "perch", "seat", "be"})
# Of these one body can be in one only: where captions tell two of one subject, neither is certain. Key: the verb
# that stands for a posture; value: how captions tell it.
_POSTURE_WORDS = {
    "sit": frozenset(("sit", "sits", "sitting", "seated")),
    "stand": frozenset(("stand", "stands", "standing")),
    "lie": frozenset(("lie", "lies", "lying", "lay", "lays", "laying", "sleeping", "sleeps", "asleep")),
    "walk": frozenset(("walk", "walks", "walking", "strolling", "wandering")),
    "run": frozenset(("run", "runs", "running")),
}
_POSTURE_OF = {"seat": "sit", "lay": "lie", "sleep": "lie"}


def _posture_of(verb: str) -> str:
    return _POSTURE_OF.get(verb, verb)


def is_doubted(verb: str, words: frozenset[str]) -> bool:
    """True for a posture of which one caption tells, where a word of another posture stands in any."""
    own = _POSTURE_WORDS.get(_posture_of(verb))
    return own is not None and any(group & words for group in _POSTURE_WORDS.values() if group is not own)


def is_posture_disputed(verb: str, captions: list[tuple[str, ...]]) -> bool:
    """True if as many captions have a word of another posture as of the verb's, or only one has a word of its own."""
    own = _POSTURE_WORDS.get(_posture_of(verb))
    if own is None:
        return False
    agreeing = sum(not own.isdisjoint(tokens) for tokens in captions)
    others = [group for group in _POSTURE_WORDS.values() if group is not own]
    against = sum(any(not group.isdisjoint(tokens) for group in others) for tokens in captions)
    return bool(against) and agreeing <= max(1, against)


def excludes(one: str, other: str) -> bool:
    postures = {_posture_of(one), _posture_of(other)}
    return len(postures) == 2 and postures <= _POSTURE_WORDS.keys()
