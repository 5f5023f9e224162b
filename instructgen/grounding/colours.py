"""Does a colour or a material that an answer gives agree with the captions? Boxes know nothing of either."""

from collections.abc import Set

from instructgen.grounding.attributes import Attribute
from instructgen.grounding.claims import Truth
from instructgen.grounding.evidence import Evidence, keys_of
from instructgen.grounding.judged import Judged
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.words import NEAR_COLOURS


def judge_attribute(attribute: Attribute, evidence: Evidence) -> Judged | None:
    """Judge what is said of one thing; None where the sentence only supposes it."""
    phrase = attribute.phrase
    if not phrase.is_asserted:
        return None
    if attribute.material:
        truth, said = _weigh_material(phrase, attribute.material, evidence)
    else:
        truth, said = weigh_colours(phrase, attribute.colours, evidence)
    return Judged("colour", truth, phrase.category or phrase.lemma, attribute.start, attribute.end, said)


def weigh_colours(phrase: Phrase, colours: tuple[str, ...], evidence: Evidence) -> tuple[Truth, str]:
    """Return the truth of a thing's colours, and what captions say of them.

    Contradicted where captions give the thing other colours, and these ones to nothing that could be it.
    """
    told = _told(phrase, evidence)
    if not told:
        return "unverifiable", "no caption tells its color"
    known = {colour for colours in told for colour in colours}
    said = f"captions say {', '.join(sorted(known))}"
    missing = [colour for colour in colours if not _is_near(colour, known)]
    if not missing:
        return "supported", said
    if len(missing) < len(colours) and len(known) < len(colours):
        return "unverifiable", said
    if _is_many(phrase, evidence) and any(_is_near(colour, evidence.colours) for colour in missing):
        return "unverifiable", said + ", but there are several"
    return "contradicted", said


def _told(phrase: Phrase, evidence: Evidence) -> list[tuple[str, ...]]:
    """Return the colours that captions give to the thing, by its own word or, where none does, by its category."""
    for key in keys_of(phrase):
        told = [attribute.colours for attribute in evidence.attributes.get(key, ()) if attribute.colours]
        if told:
            return told
    return []


def _is_near(colour: str, known: Set[str]) -> bool:
    return colour in known or any(colour in near and near & known for near in NEAR_COLOURS)


def _is_many(phrase: Phrase, evidence: Evidence) -> bool:
    """Return whether there may be several: of a thing without boxes, where captions or people are several."""
    if phrase.category is not None:
        return evidence.num_boxes(phrase.category) > 1 or phrase.category in evidence.plurals | evidence.crowds
    return phrase.lemma in evidence.plurals or evidence.num_boxes("person") > 1 or "person" in evidence.crowds


def _weigh_material(phrase: Phrase, material: str, evidence: Evidence) -> tuple[Truth, str]:
    known = {
        attribute.material
        for key in keys_of(phrase)
        for attribute in evidence.attributes.get(key, ())
        if attribute.material
    }
    if not known:
        return "unverifiable", "no caption tells what it is made of"
    said = f"captions say {', '.join(sorted(known))}"
    if material in known:
        return "supported", said
    return ("unverifiable" if _is_many(phrase, evidence) else "contradicted"), said
