"""The other things of a detailed description, by region: those that lie in one part of the frame together."""

from typing import Literal

from msgspec import Struct

from instructgen.lexicon.words import join_words
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.geometry import lean_of, side_of
from instructgen.scenegraph.graph import Entity
from instructgen.teachers.scene_program.generators.places import half_of, is_on_both_sides, may_reach_on
from instructgen.teachers.scene_program.generators.presence import region_claim
from instructgen.teachers.scene_program.paragraph import Paragraph, say_counted
from instructgen.teachers.scene_program.phrasing import Phrase
from instructgen.teachers.scene_program.speech import be_of, is_countable, region_of, say_thing
from instructgen.teachers.scene_program.talk import exists

_WHOLE_TABLE = 0.35  # share of the image from which a table's box is taken for all of it
_PAIR = 2
_SIDES = {"upper": "top", "lower": "bottom"}  # what lies in a half is told together with what lies on its side
_MOST_SPOTS = 2  # places that one sentence tells
# Places after the first of a sentence, which has said of what they are a part.
_BRIEFLY = {
    "left": "on the left",
    "right": "on the right",
    "top": "in the upper half",
    "bottom": "in the lower half",
    "middle": "in the center",
    "left top": "in the upper left",
    "left bottom": "in the lower left",
    "right top": "in the upper right",
    "right bottom": "in the lower right",
    "near left": "just left of the center",
    "near right": "just right of the center",
}


class Spot(Struct, frozen=True):
    """Where a thing lies: `kind` of claim ("region", "half", "sides") and its value; "" for nowhere in particular."""

    entity: Entity
    kind: Literal["region", "half", "sides", ""] = ""
    value: str = ""

    @property
    def claim(self) -> Claim:
        if self.kind == "region":
            return region_claim(self.entity, self.value)
        return Claim(self.kind or "half", self.entity.said, self.value, evidence=self.entity.evidence)


def where_of(one: Entity) -> str:
    """Return the region of a single thing; "" where its place is not clear, or things hide most of it."""
    if one.name == "dining table" and (may_reach_on(one) or one.area < _WHOLE_TABLE):
        return ""
    lean = lean_of(one.boxes[0])
    return region_of(one.boxes[0]) or (f"near {lean}" if lean else "")


def find_spot(one: Entity) -> Spot:
    """Return where a thing, or all of a kind, can be said to be."""
    if not one.boxes or one.has_crowd or not is_countable(one) or may_reach_on(one):
        return Spot(one)
    if one.is_single:
        region = where_of(one)
        return Spot(one, "region", region) if region else Spot(one)
    if len(one.boxes) < _PAIR or (len(one.boxes) == _PAIR and one.count != _PAIR):
        return Spot(one)
    half = half_of(one)
    if half:
        return Spot(one, "half", half)
    if sorted(side_of(box) for box in one.boxes) == ["left", "right"]:
        return Spot(one, "sides", "opposite")
    is_both = len(one.boxes) > _PAIR and is_on_both_sides(one, may_be_between=True)
    return Spot(one, "half", "both") if is_both else Spot(one)


def tell_by_region(page: Paragraph, things: list[Entity]) -> None:
    """Name things: first those of no clear place, then the others by their places, two places a sentence."""
    spots = [find_spot(one) for one in things]
    somewhere = [spot for spot in spots if not spot.kind]
    groups: dict[str, list[Spot]] = {}
    for spot in spots:
        if spot.kind:
            groups.setdefault(_SIDES.get(spot.value, spot.value), []).append(spot)
    if somewhere:
        tell_list(page, [spot.entity for spot in somewhere])
    placed = list(groups.values())
    num = _MOST_SPOTS if len(placed) > _MOST_SPOTS else 1  # a sentence for each, where there are few
    while placed and page.room() > 0:
        _tell_spots(page, placed[:num])
        placed = placed[num:]


def tell_list(page: Paragraph, things: list[Entity], family: str = "") -> None:
    """Name things in one sentence, without their places."""
    words, claims = _say_all(page, things)
    plural = len(things) > 1 or be_of(things[0]) == "are"
    page.add(family or ("d_others" if plural else "d_other"), claims, list=words, **{"is": be_of(things[0])})
    page.named.update(one.name for one in things)


def _say_all(page: Paragraph, things: list[Entity], *, is_counted: bool = True) -> tuple[str, tuple[Claim, ...]]:
    """Word things for a list; "three people on both sides" would be six."""
    said = [say_counted(page, one) if is_counted else Phrase(say_thing(one)) for one in things]
    claims = [exists(one) for one in things] + [claim for phrase in said for claim in phrase.claims]
    return join_words([phrase.words for phrase in said]), tuple(claims)


def _tell_spots(page: Paragraph, groups: list[list[Spot]]) -> None:
    slots: dict[str, str] = {}
    claims: list[Claim] = []
    for spots, (what, where) in zip(groups, (("x", "where"), ("y", "there")), strict=False):
        things = [spot.entity for spot in spots]
        slots[what], proved = _say_all(page, things, is_counted=spots[0].value != "both")
        claims += [*proved, *(spot.claim for spot in spots)]
        widest = next((spot for spot in spots if spot.kind != "region"), spots[0])
        slots[where] = _say_where(page, widest, is_first=what == "x")
        page.named.update(one.name for one in things)
        page.told.update(key for spot in spots for key in _keys_of(spot))
    first = [spot.entity for spot in groups[0]]
    slots["is"] = be_of(first[0])
    page.add("d_spot_two" if len(groups) > 1 else "d_spot", tuple(claims), **slots)


def _say_where(page: Paragraph, spot: Spot, *, is_first: bool) -> str:
    of_picture = f" of the {page.pic}" if is_first else ""
    if spot.kind == "region":
        return page.say_region(spot.value) if is_first else _BRIEFLY[spot.value]
    if spot.kind == "sides":
        return f"on opposite sides{of_picture}"
    if spot.value == "both":
        return f"on both the left and the right{of_picture}"
    return f"in the {spot.value} half{of_picture}"


def _keys_of(spot: Spot) -> tuple[str, ...]:
    return (f"region {spot.entity.name}", *((f"halves {spot.entity.name}",) if spot.kind != "region" else ()))
