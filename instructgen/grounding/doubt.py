"""Which things a sentence names without saying that they are there: likened, pictured, meant or only supposed."""

from msgspec.structs import replace

from instructgen.grounding.nouns import singular_of
from instructgen.grounding.phrases import Phrase, find_phrases
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.words import (
    AUXILIARIES,
    MODALS,
    SHAPED,
    STOPS,
    UNREAL_ADJECTIVES,
    UNREAL_BEFORE,
    UNREAL_MATERIALS,
    as_words,
)

# Of wood, plastic or glass, and none the less the thing itself.
_MADE_THINGS = as_words("""
    bench chair table bowl cup spoon fork knife boat bat bottle vase clock bed stool desk fence umbrella couch sofa
    plate racket skis sink toilet skateboard surfboard kite scissors oven refrigerator microwave toaster suitcase
    canoe hydrant meter frisbee keyboard phone handbag box wall building tray sign train truck bus car bridge tower
    rack
    """)


def is_unreal(sentence: Sentence, phrase: Phrase) -> bool:
    """Return whether the thing is only likened to or pictured: "a cat-shaped pillow", "a statue of a horse"."""
    words, first, end = sentence.words, phrase.first, phrase.end
    if sentence.quoted[phrase.start]:
        return True
    if end < len(words) and words[end] in SHAPED and not sentence.gaps[end].strip("-"):
        return True
    qualities = set(phrase.adjectives[-2:])
    is_made = singular_of(words[end - 1]) in _MADE_THINGS
    is_material = bool(UNREAL_MATERIALS & qualities) and not is_made
    if words[phrase.start] != "teddy" and (UNREAL_ADJECTIVES & qualities or is_material):
        return True
    before = " " + " ".join(words[max(0, first - 3) : first])
    if words[end - 1] == "ball" and before.endswith("into"):
        return True  # a cat curls up into one
    return before.endswith(UNREAL_BEFORE)


def is_supposed(sentence: Sentence, phrase: Phrase) -> bool:
    """Return whether the sentence only supposes the thing; "the dog may sleep" still says that there is a dog."""
    words, first, end = sentence.words, phrase.first, phrase.end
    if phrase.is_definite and phrase.category != "person":
        return False
    if sentence.doubtful[first] or sentence.intended[first] or sentence.quoted[first]:
        return True
    before = words[first - 1] if first else ""
    is_for = before == "for" and not words[max(0, first - 2)].endswith("ing")
    if is_for and phrase.determiner in ("", "a", "an", "any"):
        return True
    after = words[end] if end < len(words) else ""
    if after in MODALS or after == "or" or before == "or":
        return True
    is_bare = not phrase.determiner and phrase.number is None and phrase.at_least is None and not phrase.colours
    return is_bare and phrase.is_plural and _is_general(sentence, phrase)


def _is_general(sentence: Sentence, phrase: Phrase) -> bool:
    """Return whether a bare plural speaks of all such things: "cats are known to be curious", "dogs often prefer"."""
    words = sentence.words
    clause = [index for index in range(len(words)) if sentence.clauses[index] == sentence.clauses[phrase.start]]
    if any(sentence.habitual[index] for index in clause):
        return True
    if phrase.first > clause[0]:
        return False
    after = words[phrase.end] if phrase.end < len(words) else ""
    return bool(after) and after not in AUXILIARIES and after not in STOPS and not after.endswith(("ing", "ed"))


def read_phrases(sentence: Sentence) -> list[Phrase]:
    """Return the sentence's phrases, marked where they are unreal or only supposed."""
    marked = []
    for phrase in find_phrases(sentence):
        unreal, supposed = is_unreal(sentence, phrase), is_supposed(sentence, phrase)
        marked.append(replace(phrase, is_unreal=unreal, is_supposed=supposed) if unreal or supposed else phrase)
    return marked
