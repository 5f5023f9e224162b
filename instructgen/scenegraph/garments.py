"""Garments that may be one: what one caption calls a dress another calls a robe, or names a part of."""

from collections.abc import Iterable

# What is worn where; a garment of the whole body covers the upper and the lower one.
_ZONES = {
    "head": "hat, cap, helmet, visor, headband, bandana, hard hat, cowboy hat, straw hat, baseball cap, wig, crown",
    "eyes": "glasses, sunglasses, goggles",
    "neck": "tie, bow tie, necktie, scarf, bow, necklace, ribbon",
    "upper": "shirt, t shirt, jacket, sweater, coat, parka, vest, hoodie, tank top, sweatshirt, blouse, blazer,"
    " raincoat, jersey, dress shirt, leather jacket, safety vest, life jacket, life vest",
    "lower": "shorts, pants, jeans, skirt",
    "whole": "suit, dress, wetsuit, uniform, robe, costume, bathing suit, swimsuit, bikini, tuxedo, outfit, ski suit,"
    " snow suit, business suit, pajamas, apron",
    "feet": "shoes, sneakers, sandals, boots",
    "hands": "gloves, baseball glove",
}
_ZONE_OF = {word: zone for zone, words in _ZONES.items() for word in words.split(", ")}
_BODY = frozenset(("upper", "lower", "whole"))
GARMENTS = frozenset(_ZONE_OF)
# That somebody wears one of these says nothing unless it is told what it is like.
EVERYDAY = frozenset(("a shirt", "pants", "clothes", "shoes"))


def may_be_one_garment(one: str, other: str) -> bool:
    """True where two words may mean one garment: both are for the head, or one covers what the other does."""
    zones = {_ZONE_OF.get(one), _ZONE_OF.get(other)}
    if one == other or one.rpartition(" ")[2] == other.rpartition(" ")[2]:
        return True
    return None not in zones and (len(zones) == 1 or ("whole" in zones and zones <= _BODY))


def clashes(word: str, worn: Iterable[str]) -> bool:
    """True where the garment may be one of those that are worn, by another name."""
    return any(may_be_one_garment(word, other) for other in worn)
