"""The middle of a detailed description: where things are in the frame, how many, how large."""

from instructgen.lexicon.generals import is_meant
from instructgen.lexicon.words import join_words
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.geometry import relation_of, side_of
from instructgen.scenegraph.graph import Entity, Evidence
from instructgen.teachers.scene_program.detail_others import is_doubtful, tell_others
from instructgen.teachers.scene_program.detail_regions import where_of
from instructgen.teachers.scene_program.detail_sure import is_certain
from instructgen.teachers.scene_program.generators.counts import count_claim
from instructgen.teachers.scene_program.generators.places import (
    RELATIONS,
    extent_of,
    half_of,
    is_on_both_sides,
    largest_of,
    may_reach_on,
    relation_claim,
)
from instructgen.teachers.scene_program.generators.presence import region_claim
from instructgen.teachers.scene_program.paragraph import Paragraph
from instructgen.teachers.scene_program.speech import (
    be,
    find_singles,
    is_countable,
    region_of,
    say_number,
    say_one,
)
from instructgen.teachers.scene_program.talk import SOLID_AREA, exists

_BROAD = 0.45  # share of the width from which what is tall fills the picture
_LARGE = 0.25  # share of the image from which a thing takes up a large part of it
_ENOUGH = 6  # sentences from which on no place is told
_MOST_PLACES = 4  # sentences of place or number
_PAIR = 2


def tell_frame(page: Paragraph) -> None:
    """Tell where the main things are, name the others by region, then tell places and a number, if there is room."""
    _tell_places(page)
    if page.room() > 0:
        tell_others(page)
    num = 0
    for tell in _FRAME:
        if num < _MOST_PLACES and len(page.sentences) < _ENOUGH:
            before = len(page.sentences)
            tell(page)
            num += len(page.sentences) - before


def _solid(page: Paragraph) -> list[Entity]:
    """Return single things of some size that captions name and the text does, or cannot have by another word."""
    solid = [one for one in find_singles(page.graph) if one.area > SOLID_AREA]
    named = [one for one in solid if one.num_captions and one.name in page.named]
    solid = [one for one in solid if one in named or page.is_told_by_place(one)]
    return [one for one in solid if one.word in page.mentioned or not page.may_have_said(one)]


def _tell_places(page: Paragraph) -> None:
    """Tell where up to two things are of which that is not known yet, each in another part of the frame."""
    spots: list[tuple[Entity, str]] = []
    for one in _solid(page):
        region = where_of(one)
        if region and page.is_new(f"region {one.name}", region) and region not in (other for _, other in spots):
            spots.append((one, region))
    if not spots:
        return
    claims = tuple(region_claim(one, region) for one, region in spots[:2])
    first = page.name(spots[0][0])
    where = page.say_region(spots[0][1])
    page.told.update(key for one, region in spots[:2] for key in (f"region {one.name}", region))
    if len(spots) > 1:
        second = page.name(spots[1][0])
        page.add("d_place_two", claims, x=first, where=where, y=second, there=page.say_region(spots[1][1]))
    else:
        page.add("d_place_one", claims, x=first, where=where)


def _tell_relation(page: Paragraph) -> None:
    """Tell how one thing lies to another, where that of one of them is not known yet."""
    things = [one for one in _solid(page) if one.name in page.named and not may_reach_on(one)]
    for one, other in ((one, other) for one in things for other in things if one is not other):
        relation = relation_of(one.boxes[0], other.boxes[0])
        if relation in ("left", "right") and page.is_new(f"region {one.name}"):
            first, second = page.name(one), page.name(other)
            page.add(f"d_{RELATIONS[relation]}", (relation_claim(one, other, relation),), x=first, y=second)
            page.told.add(f"region {one.name}")
            return


def _tell_sides(page: Paragraph) -> None:
    """Tell what else is on each side of the frame."""
    by_side = {side: _on_side(page, side) for side in ("left", "right")}
    claims = tuple(
        claim
        for side, things in by_side.items()
        for one in things
        for claim in (exists(one), region_claim(one, side))
    )
    said = {side: join_words([say_one(one.word) for one in things]) for side, things in by_side.items()}
    many = {side: len(things) > 1 for side, things in by_side.items()}
    if by_side["left"] and by_side["right"]:
        page.add("d_sides", claims, list=said["left"], others=said["right"], **{"is": be(is_plural=many["left"])})
    else:
        for side, things in by_side.items():
            if things:
                page.add("d_side", claims, side=side, list=said[side], **{"is": be(is_plural=many[side])})
    page.named.update(one.name for things in by_side.values() for one in things)
    page.told.update(f"region {one.name}" for things in by_side.values() for one in things)


def _on_side(page: Paragraph, side: str) -> list[Entity]:
    return [
        one
        for one in page.graph.boxed_entities()
        if one.name not in page.named
        and not page.may_have_said(one)
        and is_countable(one)
        and is_certain(one)
        and not is_doubtful(page, one)
        and one.num_captions
        and len(one.boxes) == 1
        and not one.has_crowd
        and side_of(one.boxes[0]) == side
    ][:3]


def _tell_count(page: Paragraph) -> None:
    for one in page.graph.boxed_entities():
        is_twice = one.kind == "food" and one.name not in page.named and is_meant(one.category, page.text())
        is_sure = (one.count or 0) > 1 and is_countable(one) and _is_told_as_several(one)
        # "a man and a woman" told how many
        is_twice = is_twice or (one.count == 2 and page.has_said_several(one) and not page.has_said(one.plural))
        is_twice = is_twice or (one.name != "person" and not page.has_word(one.plural) and page.may_have_said(one))
        if is_sure and page.is_new(f"count {one.name}") and not is_twice:
            page.add("d_count", (count_claim(one),), xs=one.plural, number=say_number(one.count or 0))
            page.named.add(one.name)
            page.told.add(f"count {one.name}")
            return


def _is_told_as_several(one: Entity) -> bool:
    """True where half of the captions that name it have several: halves of a sandwich have a box each."""
    return one.num_captions > 0 and (
        one.num_plural > 0 if one.kind == "person" else 2 * one.num_plural >= one.num_captions
    )


def _tell_largest(page: Paragraph) -> None:
    """Tell where the one lies that clearly looks larger than the others of its kind."""
    for one in page.graph.boxed_entities()[:3]:
        is_main = (
            one.num_captions > 0 and one.name != "person" and page.has_opened_with(one) and page.has_said(one.plural)
        )
        is_main = is_main and page.is_new(f"region {one.name}")
        is_main = is_main and (len(one.boxes) > _PAIR or one.count == _PAIR)
        found = largest_of(one) if is_main else None
        region = region_of(found[1]) if found is not None else ""
        if found is not None and region:
            claim = Claim("largest", one.word, region, evidence=Evidence(boxes=(found[0],)))
            family = "d_largest_two" if len(one.boxes) == 2 else "d_largest"
            page.add(family, (claim,), x=one.word, xs=one.plural, where=page.say_region(region))
            return


def _tell_spread(page: Paragraph) -> None:
    """Tell in which half all things of a kind are, or that they are in both."""
    things = [one for one in page.graph.boxed_entities() if one.num_captions and page.has_said(one.plural)]
    _spread(page, [one for one in things if one.name == "person" or page.has_opened_with(one)])


def tell_where(page: Paragraph) -> None:
    """Tell in which half something is that was named by whatever word: "children", and then "the people"."""
    if page.is_new("halves"):
        things = [one for one in page.graph.boxed_entities() if one.name in page.named and one.num_captions]
        _spread(page, [one for one in things if one.name == "person" or page.has_opened_with(one)])
    for one in find_singles(page.graph):
        half = half_of(one)
        is_named = one.num_captions > 0 and one.word in page.mentioned
        if half and is_named and page.is_new("halves", f"region {one.name}"):
            page.add("d_half_one", (Claim("half", one.word, half, evidence=one.evidence),), x=one.word, half=half)
            return


def _spread(page: Paragraph, things: list[Entity]) -> None:
    for one in things:
        if len(one.boxes) < 2 or not is_countable(one) or not page.is_new(f"halves {one.name}"):
            continue
        half = "" if one.has_crowd or (len(one.boxes) == _PAIR and one.count != _PAIR) else half_of(one)
        is_known = page.has_said_several(one)
        if half and not is_known:
            continue  # nobody has spoken of several yet
        if half:
            family = "d_half_two" if one.count == _PAIR else "d_half"
            page.add(family, (Claim("half", one.plural, half, evidence=one.evidence),), xs=one.plural, half=half)
        elif len(one.boxes) > _PAIR and is_on_both_sides(one, may_be_between=True) and not _is_fewer(page, one):
            family = "d_both_halves" if is_known else "d_both_sides"
            page.add(family, (Claim("half", one.plural, "both", evidence=one.evidence),), xs=one.plural)
        else:
            continue
        page.told.update(("halves", f"halves {one.name}"))
        return


def _is_fewer(page: Paragraph, one: Entity) -> bool:
    """True where the text has told of two, or of one thing, whatever is boxed."""
    is_one = one.kind not in ("person", "animal", "vehicle") and page.has_word(one.word)
    return page.has_said(f"two {one.plural}") or (is_one and one.word != one.plural)


def _tell_pair(page: Paragraph) -> None:
    """Tell of two things of a kind that one is on the left and the other on the right."""
    for one in page.graph.boxed_entities():
        sides = sorted(side_of(box) or "" for box in one.boxes)
        is_sure = is_countable(one) and not one.has_crowd and one.num_captions and one.count == _PAIR
        is_sure = (
            is_sure
            and (one.name != "person" or len(page.sentences) == 1)
            and page.is_new("halves", f"halves {one.name}")
        )
        if is_sure and sides == ["left", "right"] and page.has_said_several(one):
            page.add(
                "d_sides_of_two", (Claim("sides", one.plural, "opposite", evidence=one.evidence),), xs=one.plural
            )
            page.told.add(f"region {one.name}")
            return


def tell_extent(page: Paragraph) -> None:
    """Tell how far the main thing reaches."""
    for one in find_singles(page.graph)[:3]:
        key = f"extent {one.name}"
        is_main = one.num_captions > 0 and one.name in page.named and page.has_opened_with(one)
        if not is_main or not page.is_new(key):
            continue
        box, extent = one.boxes[0], extent_of(one)
        if any(claim.kind == "extent" for claim in page.claims):
            return  # one sentence of size is enough
        if extent == "tall" and box.x1 - box.x0 < _BROAD:
            extent = ""  # a pole at the edge fills nothing
        if not extent and one.area > _LARGE and not may_reach_on(one):
            extent = "large"
        if extent:
            page.add(f"d_{extent}", (Claim("extent", one.word, extent, evidence=one.evidence),), x=one.word)
            page.told.add(key)
            return


_FRAME = (
    _tell_places,
    _tell_count,
    _tell_sides,
    _tell_spread,
    _tell_pair,
    _tell_largest,
    _tell_places,
    _tell_relation,
    tell_extent,
)
