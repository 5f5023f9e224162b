"""Statements without what hangs loose: "while standing" that has lost its place, and people told beside children."""

from msgspec import structs

from instructgen.scenegraph.graph import Statement, StatementPart

# Behind "while" these tell nothing alone.
_POSTURES = frozenset((
    "standing", "sitting", "seated", "walking", "lying", "holding", "wearing", "looking", "riding", "facing",
))  # fmt: skip
_OWN_DOINGS = {
    "skier": "skiing", "snowboarder": "snowboarding", "surfer": "surfing", "skateboarder": "skateboarding",
}  # fmt: skip
_WHO = frozenset(("children", "men", "women", "boys", "girls", "babies", "kids"))
_ONE_OF_THEM = frozenset(("a person", "a man", "a woman", "a boy", "a girl"))
_LOOSE = 2  # parts: "while", and the doing


def tidy(one: Statement) -> Statement:
    """Return the statement without its loose end, and with nobody beside the people whom he is one of."""
    return structs.replace(one, subject=_join_people(one.subject), predicate=_cut_loose(one))


def _cut_loose(one: Statement) -> tuple[StatementPart, ...]:
    if len(one.predicate) <= _LOOSE:
        return one.predicate
    joiner, doing = (part.text.strip() for part in one.predicate[-_LOOSE:])
    is_loose = joiner == "while" and (doing in _POSTURES or _OWN_DOINGS.get(one.lemma) == doing)
    return one.predicate[:-_LOOSE] if is_loose else one.predicate


def _join_people(parts: tuple[StatementPart, ...]) -> tuple[StatementPart, ...]:
    """Say "people" for "children and people", and for "a man and a person"."""
    texts = [part.text.strip() for part in parts]
    for at in range(2, len(parts)):
        pair = {texts[at - 2], texts[at]}
        if texts[at - 1] == "and" and "a person" in pair and pair < _ONE_OF_THEM:
            return (*parts[: at - 2], StatementPart("people", None), *parts[at + 1 :])
    at = next((at for at in range(2, len(parts)) if texts[at] == "people" and texts[at - 1] == "and"), 0)
    if not at or texts[at - 2].rpartition(" ")[2] not in _WHO:
        return parts
    before = parts[at - 2].text.rpartition(texts[at - 2].rpartition(" ")[2])[0]
    return (*parts[: at - 2], StatementPart(f"{before}people", None), *parts[at + 1 :])
