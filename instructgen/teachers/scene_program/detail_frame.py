"""The middle of a detailed description: where things are in the frame, how many, how large."""

from instructgen.lexicon.generals import is_meant
from instructgen.lexicon.words import join_words
from instructgen.scenegraph.circumstances import ROOMS
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.collages import PICTURE_LEMMAS
from instructgen.scenegraph.geometry import side_of
from instructgen.scenegraph.graph import Entity, Evidence
from instructgen.surrogate.boxes import overlap
from instructgen.teachers.scene_program.detail_sure import is_certain
from instructgen.teachers.scene_program.generators.counts import count_claim
from instructgen.teachers.scene_program.generators.places import (
    extent_of,
    half_of,
    is_on_both_sides,
    largest_of,
)
from instructgen.teachers.scene_program.generators.presence import region_claim
from instructgen.teachers.scene_program.paragraph import Paragraph, say_counted
from instructgen.teachers.scene_program.speech import (
    be,
    be_of,
    find_singles,
    is_countable,
    may_be_one,
    region_of,
    say_number,
    say_one,
)
from instructgen.teachers.scene_program.talk import SOLID_AREA, exists

_FOODS = (
    *("pizza", "pizzas", "sandwich", "sandwiches", "hot dog", "hot dogs", "cake", "cakes", "donuts", "meal", "meat"),
    *("salad", "bread", "rice", "soup", "vegetables", "fruit", "food"),
)
_FRUITS = (
    *("banana", "bananas", "apple", "apples", "orange", "oranges", "strawberry", "strawberries", "pineapple"),
    *("pineapples", "grapes", "berries", "lemon", "lemons", "pear", "pears", "peaches", "tangerines", "watermelon"),
)
_BROAD = 0.45  # share of the width from which what is tall fills the picture
_ENOUGH = 4  # sentences from which on no place is told
_MOST_PLACES = 2  # sentences of place or number
_SEEN_AREA = 0.002  # of the image, from which a thing that no caption names is worth a word
_BUILDINGS = ("house", "building", "apartment", "hotel", "restaurant", "store", "tower")
# What is said by these already: who stands in a field stands on grass.
_HELD_BY = {
    "grass": ("grassy", "field", "pasture", "meadow", "lawn", "yard", "park"),
    "water": ("ocean", "sea", "lake", "river", "pond", "pool", "wave", "waves", "beach", "surf", "surfing", "harbor"),
    "ocean": ("sea", "beach", "wave", "waves", "surf", "surfing", "water"),
    "sand": ("beach", "sandy"),
    "snow": ("snowy", "ski", "skiing", "slope", "snowboarding"),
    "dirt": ("field", "road", "ground"),
    "food": _FOODS,
    "meat": _FOODS,
    "bread": ("loaf", "loaves", "sandwich", "sandwiches", "toast"),
    "fruit": _FRUITS,
    "fruits": _FRUITS,
    "building": ("wall", "house", "store", "shop", "station", "restaurant", "barn", "city", "street corner"),
    "luggage": ("suitcase", "suitcases", "bag", "bags"),
}
# Ground of some sort, and what a room is of: these are everywhere.
_GROUND = frozenset(
    (*("dirt", "mud", "gravel", "concrete", "pavement", "shade", "floor", "ground", "carpet", "wall", "ceiling"),)
)
_SEVERAL = 2  # captions that name a thing which should not be left out
_FEW = 5  # captions of an image below which one is enough
_PAIR = 2
# What is told by each kind of it.
_ANY_FOOD = frozenset(("food", "meal", "lunch", "dinner", "breakfast", "dish", "snack", "vegetables"))
_MAX_LISTED = 5
_KINDS = {"fruit": _FRUITS, "fruits": _FRUITS}
_LIVED_WITH = ("cat", "dog", "bicycle")
_AT_HOME = frozenset(
    ("bed", "couch", "oven", "refrigerator", "toilet", "tv", "laptop", "keyboard", "microwave", "clock")
)
_OUTSIDE = frozenset(
    (
        *("street", "road", "sidewalk", "city", "park", "outside", "outdoor", "outdoors", "patio", "porch", "beach"),
        *("building", "buildings", "tower", "station", "traffic", "sky", "grass", "field", "yard"),
    )
)
_NEVER = frozenset(("trick", "stage", "centerpiece", "stunt"))  # no things of their own
# What lies all around is there if one caption has it; of other things without a box two have to.
_ALL_AROUND = frozenset(("snow", "grass", "water", "ocean", "sand", "sky"))
_DRIVEN = ("bus", "train", "tram", "car", "truck", "van", "vehicle", "airplane")
_HOUSES = ("building", "house", "tower", "clock tower", "church", "barn", "shop", "store", "storefront")
_LIKE_BOOKS = ("movies", "dvds", "cds", "magazines", "notebook", "notebooks")
# Parts, and the wholes that have them: where such a whole was told, a part is no further thing.
_PARTS = {
    "door": frozenset((*_DRIVEN, *_HOUSES, "refrigerator", "oven", "microwave", "cabinet", "closet", "cat")),
    "window": frozenset((*_DRIVEN, *_HOUSES, "cell phone")),
    "roof": frozenset(_HOUSES),
    "screen": frozenset(("tv", "laptop", "computer", "monitor", "computer monitor", "cell phone", "phone")),
    "wheel": frozenset((*_DRIVEN, "motorcycle", "bicycle", "skateboard", "cart", "carriage", "wagon", "suitcase")),
    "tire": frozenset((*_DRIVEN, "motorcycle", "bicycle")),
    "seat": frozenset((*_DRIVEN, "toilet", "bench", "motorcycle", "bicycle", "boat", "chair", "stadium")),
    "lid": frozenset(("toilet", "toilet seat", "pot", "container", "box", "jar")),
    "tank": frozenset(("toilet", "toilet seat")),
    "branch": frozenset(("tree",)),
    "leaf": frozenset(("tree", "branch", "tree branch", "plant", "potted plant")),
    "drawer": frozenset(("dresser", "desk", "cabinet")),
    "headboard": frozenset(("bed",)),
    "bun": frozenset(("hot dog", "burger", "hamburger", "sandwich")),
    "crust": frozenset(("pizza", "pie")),
}
_SAME_PLACE = 0.7  # intersection over union of boxes that may be one thing named twice


def tell_frame(page: Paragraph) -> None:
    """Name what was left out; then places and a number of what captions name, if these have not filled the text."""
    if page.room() > 0:
        _tell_others(page)
    num = 0
    for tell in (_tell_places, _tell_count, _tell_sides, _tell_spread, _tell_pair, _tell_largest):
        if num < _MOST_PLACES and len(page.sentences) < _ENOUGH:
            before = len(page.sentences)
            tell(page)
            num += len(page.sentences) - before


def _solid(page: Paragraph) -> list[Entity]:
    """Return single things of some size that captions name and the text does, or cannot have by another word."""
    solid = [one for one in find_singles(page.graph) if one.area > SOLID_AREA]
    solid = [one for one in solid if one.num_captions or page.is_told_by_place(one)]
    return [one for one in solid if one.word in page.mentioned or not page.may_have_said(one)]


def _tell_places(page: Paragraph) -> None:
    spots: list[tuple[Entity, str]] = []
    for one in _solid(page):
        region = region_of(one.boxes[0])
        if region and region not in (other for _, other in spots):
            spots.append((one, region))
    if not spots:
        return
    claims = tuple(region_claim(one, region) for one, region in spots[:2])
    first = page.name(spots[0][0])
    where = page.say_region(spots[0][1])
    page.told.update(f"region {one.name}" for one, _ in spots[:2])
    if len(spots) > 1:
        second = page.name(spots[1][0])
        page.add("d_place_two", claims, x=first, where=where, y=second, there=page.say_region(spots[1][1]))
    else:
        page.add("d_place_one", claims, x=first, where=where)


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
        and one.num_captions
        and len(one.boxes) == 1
        and not one.has_crowd
        and side_of(one.boxes[0]) == side
    ][:3]


def _tell_count(page: Paragraph) -> None:
    for one in page.graph.boxed_entities():
        is_twice = one.kind == "food" and one.name not in page.named and is_meant(one.category, page.text())
        is_sure = (one.count or 0) > 1 and is_countable(one) and one.num_captions
        # "a man and a woman" told how many
        is_twice = is_twice or (one.count == 2 and page.has_said_several(one) and not page.has_said(one.plural))
        if is_sure and page.is_new(f"count {one.name}") and not is_twice:
            page.add("d_count", (count_claim(one),), xs=one.plural, number=say_number(one.count or 0))
            page.named.add(one.name)
            page.told.add(f"count {one.name}")
            return


def _tell_others(page: Paragraph) -> None:
    """Name in one sentence what was left out: first what several captions name, then what boxes hold."""
    unsaid = _unsaid(page)
    unsaid.sort(key=lambda one: (one.num_captions < _SEVERAL, not one.category))
    things: list[Entity] = []
    for one in unsaid:
        known = [box for other in things for box in other.boxes]
        twice = any(overlap(box, other) > _SAME_PLACE for box in one.boxes for other in known)
        if not twice and not any(may_be_one(one, other) for other in things):
            things.append(one)
    _list(page, things[:_MAX_LISTED])


def _unsaid(page: Paragraph) -> list[Entity]:
    """Return what was not named, nor may be what was named by another word or box."""
    things = [one for one in page.graph.entities if one.member_of is None and (one.category or one.is_listed)]
    known = [box for one in things if one.name in page.named for box in one.boxes]
    place = page.graph.circumstance("place")
    inside = place is not None and place.value in ROOMS
    fresh = [
        one
        for one in things
        if one.name not in {*page.named, *_NEVER} and is_certain(one) and (one.category or " of " not in one.word)
    ]
    fresh = [one for one in fresh if one.name not in _GROUND and (one.num_captions or one.area > _SEEN_AREA)]
    is_fed = any(one.kind == "food" and one.name not in _ANY_FOOD for one in things)
    fresh = [one for one in fresh if not is_fed or one.name not in _ANY_FOOD]
    fresh = [one for one in fresh if not inside or one.name not in _BUILDINGS]  # these are what the room is in
    return [
        one
        for one in fresh
        if not page.may_have_said(one)
        and not _is_part(page, one)
        and not _may_be_toy(page, one)
        and (one.category or one.name in _ALL_AROUND or _is_agreed(page, one))
        and not is_meant(one.category or one.name, page.text())
        and not any(page.has_word(word) for word in _HELD_BY.get(one.name, ()))
        and not any(overlap(box, other) > _SAME_PLACE for box in one.boxes for other in known)
    ]


def _is_agreed(page: Paragraph, one: Entity) -> bool:
    """True for a thing without a box for which two captions have the word; of fruit, where none tells the kind."""
    graph = page.graph
    if one.name in _KINDS and not graph.words.isdisjoint(_KINDS[one.name]):
        return False
    naming = sum(not words.isdisjoint((one.word, one.plural)) for words in graph.words_by_caption)
    return graph.num_captions < _FEW or max(naming, one.num_captions) >= _SEVERAL


def _may_be_toy(page: Paragraph, one: Entity) -> bool:
    """True for the horse or truck that somebody boxed in a room, and no caption names: these are toys or pictures."""
    graph = page.graph
    is_odd = one.kind in ("animal", "vehicle") and not one.num_captions and one.name not in _LIVED_WITH
    return is_odd and not graph.boxed.isdisjoint(_AT_HOME) and graph.words.isdisjoint(_OUTSIDE)


def _is_part(page: Paragraph, one: Entity) -> bool:
    """True for doors of the refrigerator that was told, for books that may be films, and apples told as fruit."""
    general = sum(not words.isdisjoint(_KINDS) for words in page.graph.words_by_caption)
    is_general = one.name in _FRUITS and not one.num_captions and general > _SEVERAL
    is_film = one.name == "book" and any(map(page.has_word, _LIKE_BOOKS))
    return is_general or is_film or not page.named.isdisjoint(_PARTS.get(one.name, ()))


def _list(page: Paragraph, things: list[Entity]) -> None:
    if not things:
        return
    said = [say_counted(page, one) for one in things]
    claims = [exists(one) for one in things] + [claim for phrase in said for claim in phrase.claims]
    plural = len(things) > 1 or be_of(things[0]) == "are"
    slots = {"list": join_words([phrase.words for phrase in said]), "is": be_of(things[0])}
    family = "d_others" if plural else "d_other"
    first = page.doers[0] if page.doers else None
    if first is not None and first.lemma in PICTURE_LEMMAS:
        family = "d_in_them" if first.is_plural else "d_in_it"  # what a collage shows is not beside it
    page.add(family, tuple(claims), **slots)
    page.named.update(one.name for one in things)


def _tell_largest(page: Paragraph) -> None:
    """Tell where the one lies that clearly looks larger than the others of its kind."""
    for one in page.graph.boxed_entities()[:3]:
        is_main = one.name != "person" and page.has_opened_with(one) and page.has_said(one.plural)
        is_main = is_main and page.is_new(f"region {one.name}")
        found = largest_of(one) if is_main else None
        region = region_of(found[1]) if found is not None else ""
        if found is not None and region:
            claim = Claim("largest", one.word, region, evidence=Evidence(boxes=(found[0],)))
            family = "d_largest_two" if len(one.boxes) == 2 else "d_largest"
            page.add(family, (claim,), x=one.word, xs=one.plural, where=page.say_region(region))
            return


def _tell_spread(page: Paragraph) -> None:
    """Tell in which half all things of a kind are, or that they are in both."""
    things = [one for one in page.graph.boxed_entities() if page.has_said(one.plural)]
    _spread(page, [one for one in things if one.name == "person" or page.has_opened_with(one)])


def tell_where(page: Paragraph) -> None:
    """Tell in which half something is that was named by whatever word: "children", and then "the people"."""
    if page.is_new("halves"):
        things = [one for one in page.graph.boxed_entities() if one.name in page.named]
        _spread(page, [one for one in things if one.name == "person" or page.has_opened_with(one)])
    for one in find_singles(page.graph):
        half = half_of(one)
        if half and one.word in page.mentioned and page.is_new("halves", f"region {one.name}"):
            page.add("d_half_one", (Claim("half", one.word, half, evidence=one.evidence),), x=one.word, half=half)
            return


def _spread(page: Paragraph, things: list[Entity]) -> None:
    for one in things:
        if len(one.boxes) < 2 or not is_countable(one):
            continue
        half = "" if one.has_crowd else half_of(one)
        is_known = page.has_said_several(one)
        if half and not is_known:
            continue  # nobody has spoken of several yet
        if half:
            family = "d_half_two" if one.count == _PAIR else "d_half"
            page.add(family, (Claim("half", one.plural, half, evidence=one.evidence),), xs=one.plural, half=half)
        elif len(one.boxes) > 2 and is_on_both_sides(one):
            family = "d_both_halves" if is_known else "d_both_sides"
            page.add(family, (Claim("half", one.plural, "both", evidence=one.evidence),), xs=one.plural)
        else:
            continue
        page.told.add("halves")
        return


def _tell_pair(page: Paragraph) -> None:
    """Tell of two things of a kind that one is on the left and the other on the right."""
    for one in page.graph.boxed_entities():
        sides = sorted(side_of(box) or "" for box in one.boxes)
        is_sure = is_countable(one) and not one.has_crowd and one.num_captions and one.count == _PAIR
        is_sure = is_sure and (one.name != "person" or len(page.sentences) == 1) and page.is_new("halves")
        if is_sure and sides == ["left", "right"] and page.has_said_several(one):
            page.add(
                "d_sides_of_two", (Claim("sides", one.plural, "opposite", evidence=one.evidence),), xs=one.plural
            )
            page.told.add(f"region {one.name}")
            return


def tell_extent(page: Paragraph) -> None:
    """Tell how far the main thing reaches."""
    for one in find_singles(page.graph)[:3]:
        if one.name not in page.named or not page.has_opened_with(one):
            continue
        box, extent = one.boxes[0], extent_of(one)
        if extent and (extent != "tall" or box.x1 - box.x0 >= _BROAD):  # a pole at the edge fills nothing
            page.add(f"d_{extent}", (Claim("extent", one.word, extent, evidence=one.evidence),), x=one.word)
            return
