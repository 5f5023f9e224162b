"""Things without a box that two captions name: trees, a fence, a plate."""

from instructgen.lexicon.words import plural_of, with_article
from instructgen.teachers.scene_program.phrases import NounPhrase

_KINDS = frozenset({"surface", "thing", "wear"})
_NOT_THINGS = frozenset(
    [
        "picture",
        "photo",
        "game",
        "corner",
        "cell",
        "trick",
        "skateboard",
        "trick",
        "snow",
        "board",
        "trick",
        "painting",
        "poster",
        "map",
        "goal",
        "body",
        "of",
        "water",
        "card",
        "instrument",
        "tool",
        "stand",
        "meal",
        "snack",
        "computer",
        "monitor",
        "screen",
        "bike",
        "glass",
        "pole",
        "toy",
        "net",
        "flower",
        "pot",
        "plant",
        "wave",
        "van",
        "vegetable",
        "stove",
        "top",
        "countertop",
        "net",
        "mound",
        "computer",
        "desk",
        "wheel",
        "tire",
        "light",
    ]
)
_SAID_TWICE = {"desk": {"table"}, "stroller": {"cart"}}


def find_extras(phrases_by_caption: list[list[NounPhrase]], words: frozenset[str]) -> list[str]:
    """Return them with their article ("a fence", "trees"), the most named first."""
    by_lemma: dict[str, list[list[NounPhrase]]] = {}
    for phrases in phrases_by_caption:
        found: dict[str, list[NounPhrase]] = {}
        for phrase in phrases:
            noun = phrase.noun
            if noun.kind in _KINDS and noun.article == "a" and not (phrase.is_negated or phrase.is_likeness):
                found.setdefault(noun.lemma, []).append(phrase)
        for lemma, said in found.items():
            by_lemma.setdefault(lemma, []).append(said)
    extras = []
    for lemma, captions in sorted(by_lemma.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        many = {phrase.is_plural for said in captions for phrase in said}
        if len(captions) < 2 or len(many) > 1 or lemma in _NOT_THINGS or _SAID_TWICE.get(lemma, set()) & words:
            continue
        extras.append(plural_of(lemma) if True in many else with_article(lemma))
    return extras
