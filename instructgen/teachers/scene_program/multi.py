"""Two images compared: what both show, what one alone shows, how many, in which colors, where and when.

The first is the image before in the source's order. Whatever is said of either follows from its own boxes and
captions, and every claim names its image.
"""

import random
from collections.abc import Callable, Iterator
from itertools import product

from msgspec import Struct, structs

from instructgen.config import Style
from instructgen.lexicon.words import join_words, plural_of, with_article
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Attribute, CircumstanceKind, Entity, SceneGraph
from instructgen.teachers.scene_program.absence import find_absent, is_absent
from instructgen.teachers.scene_program.generators.looks import NEAR_COLORS
from instructgen.teachers.scene_program.pair import Pair, word_for_all
from instructgen.teachers.scene_program.phrasing import attribute_claim
from instructgen.teachers.scene_program.speech import polish, say_number, say_one, say_thing
from instructgen.teachers.scene_program.talk import Move, Told
from instructgen.teachers.scene_program.wordings import load_wordings

_TURNS, _TURN_WEIGHTS = (2, 3, 4), (2, 3, 2)
_PICTURE_WORDS = ("picture", "image", "photo")  # one of them for a whole conversation
_ORDINALS = ("first", "second")
_MOST_LISTED = 3
_DENY_SHARE = 0.3  # of conversations with room for it: a question after what neither image shows
# Places that one viewer may call the one and another the other.
_NEAR_PLACES = tuple(
    frozenset(name.strip() for name in line.split(","))
    for line in """
street, city street, road, highway, intersection, parking lot, sidewalk, dirt road, city
beach, ocean, water, lake, river, pond, harbor, marina
field, pasture, meadow, farm, grass, park, garden, yard, backyard, enclosure, pen, zoo, playground, soccer field
park, forest, woods, dirt road, field, skate park, playground, city, lake, river, pond, garden, beach, sidewalk
field, soccer field, baseball field, tennis court, playground, park, grass
slope, ski slope, mountain, hill, snow, forest, woods
field, hill, mountain, snow, road, street, desert, meadow, pasture
room, living room, bedroom, hotel room, dining room, office, classroom, library, kitchen
restaurant, dining room, bakery, store, kitchen
restroom, bathroom, hotel room, room
train station, station
airport, runway, tarmac, field
""".strip().splitlines()
)
_LIGHT, _DARK = frozenset(("day", "morning")), frozenset(("night", "dusk", "evening"))


# How a thing that one image has is asked after; yes oftener than no, which other questions have for an answer.
_OF_ONE = ("multi_which", "multi_either_yes", "multi_which", "multi_either_yes", "multi_in_both_no")


def _exists(image: int, one: Entity, word: str, *, is_many: bool = False) -> Claim:
    number = 2 if is_many else 1
    return Claim("exists", plural_of(word) if is_many else word, number=number, evidence=one.evidence, image=image)


def find_in_both(pair: Pair) -> Iterator[Move]:
    """List what both show."""
    listed: list[str] = []
    claims: list[Claim] = []
    names: list[str] = []
    for ones in pair.shared():
        word = word_for_all(list(ones))
        is_many = ones[0].is_many
        # "A dog" of one, and "dogs" of two, is what both show.
        if not word or is_many != ones[1].is_many or not pair.is_new(ones[0].name) or len(listed) == _MOST_LISTED:
            continue
        listed.append(plural_of(word) if is_many else say_one(word))
        claims += [_exists(image, one, word, is_many=is_many) for image, one in enumerate(ones)]
        names.append(ones[0].name)
    if listed:
        yield Move("multi_both", tuple(names), tuple(claims), {"list": join_words(listed)})


def find_unlike(pair: Pair) -> Iterator[Move]:
    """List what only one of them shows."""
    for image in pair.draw.sample((0, 1), 2):
        things = [one for number, one in pair.alone() if number == image and pair.is_new(one.name)][:_MOST_LISTED]
        if len(things) > 1:
            told = [claim for one in things for claim in only_in(image, one)]
            slots = {**ordinals(image), "list": join_words([say_thing(one) for one in things])}
            yield Move("multi_unlike", tuple(one.name for one in things), tuple(told), slots)


def only_in(image: int, one: Entity) -> tuple[Claim, Claim]:
    """Claim that one image has a thing, and the other has not."""
    said = one.said
    there = Claim("exists", said, number=2 if one.is_many else 1, evidence=one.evidence, image=image)
    return there, Claim("absent", said, image=1 - image)


def ordinals(image: int) -> dict[str, str]:
    """Name the image that has something, and the one that lacks it."""
    return {"has": _ORDINALS[image], "lacks": _ORDINALS[1 - image]}


def find_which(pair: Pair) -> Iterator[Move]:
    """Ask which of the two has a thing, or whether both or either do."""
    things = [(image, one) for image, one in pair.alone() if pair.is_new(one.name)]
    pair.draw.shuffle(things)
    for image, one in things:
        family = pair.draw.choice(_OF_ONE)
        many = one.is_many and family == "multi_which"
        x = one.plural if many else one.word
        slots = {**ordinals(image), "x": x, "a_x": x if many else say_one(x)}
        yield Move(family, (one.name,), only_in(image, one), slots)


def find_in_both_of(pair: Pair) -> Iterator[Move]:
    """Ask whether both have a thing that they do have."""
    things = [ones for ones in pair.shared() if pair.is_new(ones[0].name)]
    pair.draw.shuffle(things)
    for ones in things:
        word = word_for_all(list(ones))
        if word:
            claims = tuple(_exists(image, one, word) for image, one in enumerate(ones))
            yield Move("multi_in_both_yes", (ones[0].name,), claims, {"x": word, "a_x": say_one(word)})


def find_in_neither(pair: Pair) -> Iterator[Move]:
    """Ask for what would be expected in the one or the other, and is in neither."""
    for kind in find_absent(pair.draw.choice(pair.graphs), pair.draw, 4):
        absent = all(is_absent(kind.name, graph) for graph in pair.graphs)
        if absent and kind.name not in ("skis", "scissors", "broccoli") and pair.is_new(kind.name):
            claims = tuple(Claim("absent", kind.spoken, image=image) for image in (0, 1))
            slots = {"x": kind.spoken, "a_x": say_one(kind.spoken)}
            yield Move("multi_either_no", (kind.name,), claims, slots)


def find_more(pair: Pair) -> Iterator[Move]:
    """Ask which has more of a thing, where one does or where both have as many."""
    things = [one for one in pair.counted() if pair.is_new(one.name) and max(one.numbers) > 1]
    pair.draw.shuffle(things)
    for one in things:
        least, most = sorted(one.numbers)
        slots = {"xs": plural_of(one.word), "number_x": say_number(most)}
        if least == most:
            yield Move("multi_as_many", (one.name,), one.claims, slots)
        else:
            slots |= {**ordinals(one.numbers.index(most)), "number_y": say_number(least) if least else "none"}
            yield Move("multi_more", (one.name,), one.claims, slots)


def find_counts(pair: Pair) -> Iterator[Move]:
    """Ask how many of a thing each of them has."""
    things = [one for one in pair.counted() if pair.is_new(one.name) and max(one.numbers) > 1]
    pair.draw.shuffle(things)
    for one in things:
        told = [
            f"{say_number(number) if number else 'no'} {one.word if number == 1 else plural_of(one.word)}"
            for number in one.numbers
        ]
        yield Move("multi_counts", (one.name,), one.claims, {"xs": plural_of(one.word), "a": told[0], "b": told[1]})


def find_colors(pair: Pair) -> Iterator[Move]:
    """Compare the colors of single things that both have."""
    for ones in pair.shared():
        colors = [_color_of(graph, one) for graph, one in zip(pair.graphs, ones, strict=True)]
        first, second = colors
        key = f"color {ones[0].name}"
        if first is None or second is None or ones[0].word != ones[1].word or not pair.is_new(key):
            continue
        claims = tuple(
            structs.replace(attribute_claim(one, color), image=image)
            for image, (one, color) in enumerate(zip(ones, (first, second), strict=True))
        )
        slots, told = {"x": ones[0].word, "a_x": say_one(ones[0].word)}, (first.value, second.value)
        if told[0] == told[1]:
            same = {"color": told[0], "acolor": with_article(told[0])}
            yield Move("multi_color_same", (key,), claims, {**slots, **same})
        elif _are_apart(*told):
            both = {"c1": told[0], "c2": told[1], "a": with_article(told[0]), "b": with_article(told[1])}
            yield Move("multi_color_differs", (key,), claims, {**slots, **both})


def _color_of(graph: SceneGraph, one: Entity) -> Attribute | None:
    if not one.is_single or one.kind == "person":
        return None
    return next((found for found in graph.attributes_of(one) if found.kind == "color"), None)


def _are_apart(color: str, other: str) -> bool:
    """True where no viewer would take a color of the one for one of the other."""
    pairs = product(color.replace(",", " and").split(" and "), other.replace(",", " and").split(" and "))
    return all(one != two and not any({one, two} <= near for near in NEAR_COLORS) for one, two in pairs)


def find_places(pair: Pair) -> Iterator[Move]:
    told = _circumstances(pair, "place")
    if len(told) < 2:
        return
    (first, a, one), (second, b, two) = told
    if first == second:
        yield Move("multi_place_same", ("place",), (one, two), {"place": a})
    elif all(not _may_be_one(x, y) for x, y in product(*(_all_values(graph, "place") for graph in pair.graphs))):
        yield Move("multi_place_differs", ("place",), (one, two), {"a": a, "b": b})


def find_times(pair: Pair) -> Iterator[Move]:
    told = _circumstances(pair, "time")
    if len(told) < 2:
        return
    (first, a, one), (second, b, two) = told
    if first == second:
        yield Move("multi_time_same", ("time",), (one, two), {"time": a})
    elif (first in _LIGHT and second in _DARK) or (first in _DARK and second in _LIGHT):
        yield Move("multi_time_differs", ("time",), (one, two), {"a": a, "b": b})


def _circumstances(pair: Pair, kind: CircumstanceKind) -> list[tuple[str, str, Claim]]:
    """Return value, words and claim for each image of which it is known."""
    found = enumerate(graph.circumstance(kind) for graph in pair.graphs)
    return [
        (one.value, one.phrase, Claim(kind, value=one.value, evidence=one.evidence, image=image))
        for image, one in found
        if one is not None
    ]


def _all_values(graph: SceneGraph, kind: CircumstanceKind) -> list[str]:
    return [one.value for one in graph.circumstances if one.kind == kind]


def _may_be_one(place: str, other: str) -> bool:
    return place == other or any({place, other} <= near for near in _NEAR_PLACES)


class Comparison(Struct, frozen=True):
    """One kind of question on two images: its families, and how likely it comes early.

    One of weight 0 comes last, and seldom where there are turns enough without it.
    """

    name: str
    find: Callable[[Pair], Iterator[Move]]
    families: tuple[str, ...]
    weight: int


COMPARISONS = (
    Comparison("in-both", find_in_both, ("multi_both",), 5),
    Comparison("unlike", find_unlike, ("multi_unlike",), 4),
    Comparison("which", find_which, ("multi_which", "multi_in_both_no", "multi_either_yes"), 6),
    Comparison("in-both-of", find_in_both_of, ("multi_in_both_yes",), 6),
    Comparison("in-neither", find_in_neither, ("multi_either_no",), 0),
    Comparison("more", find_more, ("multi_more", "multi_as_many"), 7),
    Comparison("counts", find_counts, ("multi_counts",), 4),
    Comparison("colors", find_colors, ("multi_color_same", "multi_color_differs"), 6),
    Comparison("places", find_places, ("multi_place_same", "multi_place_differs"), 5),
    Comparison("times", find_times, ("multi_time_same", "multi_time_differs"), 4),
)


def make_multi(first: SceneGraph, second: SceneGraph, draw: random.Random, style: Style) -> list[Told]:
    """Return two to four turns, each of another kind, or none where less can be said for certain."""
    pair = Pair(first, second, draw)
    wanted = draw.choices(_TURNS, _TURN_WEIGHTS)[0]
    pic = draw.choice(_PICTURE_WORDS)
    turns: list[Told] = []
    denies = draw.random() < _DENY_SHARE
    for one in sorted(COMPARISONS, key=lambda one: -(draw.random() ** (1 / one.weight)) if one.weight else 0.0):
        enough = wanted if one.weight or denies else _TURNS[0]
        move = next(one.find(pair), None) if len(turns) < enough else None
        if move is not None:
            pair.said.update(move.keys)
            turns.append(word_move(move, pic, draw, style))
    return turns if len(turns) >= _TURNS[0] else []


def word_move(move: Move, pic: str, draw: random.Random, style: Style) -> Told:
    """Put a move into words; `pic` is what the images are called."""
    family = load_wordings()[move.family]
    asked = draw.choice(family.ask).format(pic=pic, **{**move.tell, **move.ask})
    told = draw.choice(family.tells(style)).format(pic=pic, **move.tell)
    return Told(move.family, polish(asked), polish(told), move.claims)
