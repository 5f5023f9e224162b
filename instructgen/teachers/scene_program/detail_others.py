"""What a description names besides what it has told: things left out, but no part, general word or likeness."""

from instructgen.lexicon.generals import is_meant
from instructgen.lexicon.words import join_words
from instructgen.scenegraph.circumstances import ROOMS
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.collages import PICTURE_LEMMAS
from instructgen.scenegraph.graph import Entity, Evidence, SceneGraph, Span
from instructgen.surrogate.boxes import overlap, shared_area
from instructgen.teachers.scene_program.backdrop import find_behind, is_backdrop
from instructgen.teachers.scene_program.detail_regions import tell_by_region, tell_list
from instructgen.teachers.scene_program.detail_sure import is_certain
from instructgen.teachers.scene_program.paragraph import Paragraph
from instructgen.teachers.scene_program.speech import be, be_of, may_be_one, say_thing
from instructgen.teachers.scene_program.support import is_number_denied

_FOODS = (
    *("pizza", "pizzas", "sandwich", "sandwiches", "hot dog", "hot dogs", "cake", "cakes", "donuts", "meal", "meat"),
    *("salad", "bread", "rice", "soup", "vegetables", "fruit", "food"),
)
_FRUITS = (
    *("banana", "bananas", "apple", "apples", "orange", "oranges", "strawberry", "strawberries", "pineapple"),
    *("pineapples", "grapes", "berries", "lemon", "lemons", "pear", "pears", "peaches", "tangerines", "watermelon"),
)
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
    "skis": ("skiing", "skier", "skiers"),
    "snowboard": ("snowboarding", "snowboarder", "snowboarders"),
    "surfboard": ("surfing", "surfer", "surfers"),
    "skateboard": ("skateboarding", "skateboarder", "skateboarders"),
}
# Ground of some sort, and what a room is of: these are everywhere.
_GROUND = frozenset(
    (*("dirt", "mud", "gravel", "concrete", "pavement", "shade", "floor", "ground", "carpet", "wall", "ceiling"),)
)
_SEVERAL = 2  # captions that name a thing which should not be left out
_FEW = 5  # captions of an image below which one is enough
# What is told by each kind of it.
_ANY_FOOD = frozenset(("food", "meal", "lunch", "dinner", "breakfast", "dish", "snack", "vegetables"))
_MAX_LISTED, _MAX_UNNAMED = 7, 5  # things of a list, and those of them that no caption names
_KINDS = {"fruit": _FRUITS, "fruits": _FRUITS}
# Who is boxed beside these may be shown by them, or be one.
_SHOWING = frozenset((
    "pictures", "photos", "photographs", "photograph", "magnets", "poster", "posters", "painting", "paintings",
    "drawings", "memorabilia", "mannequin", "mannequins", "magazine", "magazines", "billboard", "mural", "statue",
    "statues", "advertisement",
))  # fmt: skip
_LIVED_WITH = ("cat", "dog", "bicycle")
_LIMBS = frozenset(("hand", "hands", "arm", "arms", "finger", "fingers", "thumb", "leg", "legs", "foot", "feet"))
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
_VEHICLES = frozenset(("bus", "train", "truck", "boat"))
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
# What lies within these is a part of them: figures on a cake.
_HOLDING = ("cake", "toilet")
_HOLDERS = {
    "person": ("tv", "laptop", "refrigerator", "book", "cell phone"),  # who lies within these is shown
    "food": ("pizza", "sandwich", "hot dog", "cake", "truck", "bus"),
    "kitchen": ("truck", "bus", "train"),  # painted on their side
}
# What may be called by these, which were told.
_OTHER_NAMES = {
    "ledge": ("wall",), "wall": ("ledge",), "potted plant": ("planter", "planters", "pots"), "fence": ("obstacle",),
    "cup": ("container", "containers"), "wooden post": ("wood", "post"), "tent": ("tarp",), "building": ("skyline",),
}  # fmt: skip
_WITHIN = 0.8  # share of a box
# What is on or in these is not beside them.
_DISHES = ("pizza", "pizzas", "sandwich", "sandwiches", "salad", "soup", "cake", "pie", "hot dog", "burger", "stew")
_SAME_PLACE = 0.7  # intersection over union of boxes that may be one thing named twice


def tell_others(page: Paragraph) -> None:
    """Name what was left out: first what several captions name, last what no caption does."""
    unsaid = _unsaid(page)
    unsaid.sort(key=lambda one: (one.num_captions < _SEVERAL, not one.num_captions, not one.category))
    things: list[Entity] = []
    for one in unsaid:
        known = [box for other in things for box in other.boxes]
        twice = any(overlap(box, other) > _SAME_PLACE for box in one.boxes for other in known)
        if not twice and not any(may_be_one(one, other) or _holds(one, other) for other in things):
            things.append(one)
    unnamed = [one for one in things if not one.num_captions][_MAX_UNNAMED:]
    _tell(page, [one for one in things if one not in unnamed][:_MAX_LISTED])


def _holds(one: Entity, other: Entity) -> bool:
    """True for the ocean and water: who is told of the one has been told of the other."""
    return other.name in _HELD_BY.get(one.name, ()) or one.name in _HELD_BY.get(other.name, ())


def _unsaid(page: Paragraph) -> list[Entity]:
    """Return what was not named, nor may be what was named by another word or box."""
    things = [
        one
        for one in page.graph.entities
        if one.member_of is None and (one.category or one.is_listed or is_backdrop(page.graph, one))
    ]
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
        and not is_doubtful(page, one)
        and not is_number_denied(one)
        and (one.category or one.name in _ALL_AROUND or is_backdrop(page.graph, one) or _is_agreed(page, one))
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


def is_doubtful(page: Paragraph, one: Entity) -> bool:
    """True for what is boxed and no caption names, where it may be a toy, a picture, or a hand that was told.

    So of animals, of vehicles in a room, and of a person of whom captions see a hand.
    """
    graph = page.graph
    if one.name == "tie" and graph.find("person") is not None:
        return True  # somebody wears it
    if _lies_within(graph, one, ("cake",)):
        return True  # surfboards on a birthday cake
    if not one.num_captions and _lies_within(graph, one, _HOLDERS.get(one.kind, _HOLDING)):
        return True
    if one.name == "person" and len(one.boxes) == 1 and one.num_plural:
        return True  # captions have several
    if one.name == "person" and len(one.boxes) == 1 and any(map(page.has_word, _LIMBS)):
        return not any(page.has_word(word) for word in (one.word, "man", "woman", "person"))
    if one.num_captions or one.name in _LIVED_WITH:
        return False
    if one.name == "person" and not graph.words.isdisjoint(_SHOWING):
        return True
    if one.name in _VEHICLES and graph.words & _VEHICLES - graph.boxed:
        return True  # "a bus" to all who have a word for it
    if one.kind == "vehicle":
        return not graph.boxed.isdisjoint(_AT_HOME) and graph.words.isdisjoint(_OUTSIDE)
    return one.kind == "animal" or (one.kind == "person" and not graph.words.isdisjoint(_LIMBS))


def _lies_within(graph: SceneGraph, one: Entity, names: tuple[str, ...]) -> bool:
    """True for surfboards whose boxes lie within a cake's, and for people's within a screen's."""
    holders = [name for name in names if name != one.name]
    holding = [box for name in holders for other in (graph.find(name),) if other is not None for box in other.boxes]
    return bool(one.boxes) and all(
        any(shared_area(box, other) > _WITHIN * box.area for other in holding) for box in one.boxes
    )


def _is_part(page: Paragraph, one: Entity) -> bool:
    """True for doors of the refrigerator that was told, for books that may be films, and apples told as fruit."""
    if any(map(page.has_word, _OTHER_NAMES.get(one.name, ()))):
        return True
    is_on_top = not one.category and (one.kind == "food" or one.name in _FRUITS)
    if is_on_top and any(map(page.has_word, _DISHES)):
        return True  # the pineapple of a pizza
    if one.name in _FRUITS and page.has_word("fruit"):
        return True
    general = sum(not words.isdisjoint(_KINDS) for words in page.graph.words_by_caption)
    is_general = one.name in _FRUITS and not one.num_captions and general > _SEVERAL
    is_film = one.name == "book" and any(map(page.has_word, _LIKE_BOOKS))
    return is_general or is_film or not page.named.isdisjoint(_PARTS.get(one.name, ()))


def _tell(page: Paragraph, things: list[Entity]) -> None:
    first = page.doers[0] if page.doers else None
    is_shown = first is not None and first.lemma in PICTURE_LEMMAS
    things = [one for one in things if one.num_captions or not is_shown]
    if not things:
        return
    if first is not None and is_shown:
        # What a collage shows is not beside it.
        tell_list(page, things, "d_in_them" if first.is_plural else "d_in_it")
    else:
        beside: list[Entity] = []
        behind: dict[str, list[tuple[Entity, Span]]] = {}
        for one in things:
            found = find_behind(page.graph, one)
            if found is None:
                beside.append(one)
            else:
                behind.setdefault(found[0], []).append((one, found[1]))
        tell_by_region(page, beside)
        for where, there in behind.items():
            if page.room() > 0:
                _tell_behind(page, where, there)


def _tell_behind(page: Paragraph, where: str, found: list[tuple[Entity, Span]]) -> None:
    """Name what a caption sees in the background."""
    claims = tuple(Claim("told", say_thing(one), where, evidence=Evidence((span,))) for one, span in found)
    are_many = len(found) > 1 or be_of(found[0][0]) == "are"
    words = join_words([say_thing(one) for one, _ in found])
    page.add("d_behind", claims, list=words, where=where, **{"is": be(is_plural=are_many)})
    page.named.update(one.name for one, _ in found)
