"""Two images that are alike, compared as wholes: what differs, what they share, and a few questions more.

The sentences of the first answer are the facts of `multi`, each proved by boxes and captions of the image that it
names; the questions behind it ask for facts that the answer has not told.
"""

import random
from collections.abc import Iterator

from instructgen.config import Style
from instructgen.lexicon.words import join_words, plural_of
from instructgen.scenegraph.graph import SceneGraph
from instructgen.teachers.scene_program.multi import (
    COMPARISONS,
    find_colors,
    find_in_both,
    find_places,
    find_times,
    only_in,
    ordinals,
    word_move,
)
from instructgen.teachers.scene_program.pair import Pair
from instructgen.teachers.scene_program.several import draw_form
from instructgen.teachers.scene_program.speech import polish, say_number, say_thing
from instructgen.teachers.scene_program.talk import Move, Told

_PICTURE_WORDS = ("picture", "image", "photo")
_ASKED = {"differs": 4, "same": 2, "both": 3}  # what the comparison is asked for, and how often
_MOST_SENTENCES, _FEWEST_SENTENCES = 4, 2
_MOST_LISTED = 3
_LISTS = ("multi_both", "multi_unlike")  # the comparison was that
MOST_RATE = 2
_MORE_TURNS, _MORE_WEIGHTS = (0, 1, 2), (2, 2, 1)
_SAID_AS = {
    "multi_color_same": "say_color_same",
    "multi_color_differs": "say_color_differs",
    "multi_place_same": "say_place_same",
    "multi_place_differs": "say_place_differs",
    "multi_time_same": "say_time_same",
    "multi_time_differs": "say_time_differs",
    "multi_both": "say_both",
}
_SAME = frozenset(("say_both", "say_as_many", "say_color_same", "say_place_same", "say_time_same"))


def make_compare(first: SceneGraph, second: SceneGraph, draw: random.Random, style: Style) -> list[Told]:
    """Return a comparison and up to two turns more, or none where too little can be said for certain."""
    pair = Pair(first, second, draw)
    pic = draw.choice(_PICTURE_WORDS)
    order = sorted(_ASKED, key=lambda one: -(draw.random() ** (1 / _ASKED[one])))
    for fewest in (_FEWEST_SENTENCES, 1):
        for asked in order:
            told = _compare(pair, asked, pic, fewest)
            if told is not None:
                return [told, *_ask_more(pair, pic, style)]
    return []


def rate_pair(first: SceneGraph, second: SceneGraph, draw: random.Random) -> int:
    """Return how well the two can be compared: 2 for two facts, one of them a difference, and 0 for nothing."""
    found = _find_facts(Pair(first, second, draw))
    return min(MOST_RATE, len(found)) if any(move.family not in _SAME for move in found) else min(1, len(found))


def _compare(pair: Pair, asked: str, pic: str, fewest: int) -> Told | None:
    """Return the question with as many facts as fit its answer, and note what they tell; None for too few."""
    found = _find_facts(pair)
    same = [move for move in found if move.family in _SAME]
    differing = [move for move in found if move.family not in _SAME]
    if asked == "both":
        if not same or not differing:
            return None
        facts = [*same[: _MOST_SENTENCES // 2], *differing[: _MOST_SENTENCES // 2]]
    else:
        facts = (same if asked == "same" else differing)[:_MOST_SENTENCES]
    if len(facts) < fewest:
        return None
    for fact in facts:
        pair.said.update(fact.keys)
    sentences = [polish(draw_form(fact.family, pair.draw).format(pic=pic, **fact.tell)) for fact in facts]
    question = polish(draw_form(f"ask_{asked}", pair.draw).format(pic=pic))
    claims = tuple(dict.fromkeys(claim for fact in facts for claim in fact.claims))
    return Told(f"compare_{asked}", question, " ".join(sentences), claims)


def _find_facts(pair: Pair) -> list[Move]:
    """Return what can be told of the two, each thing once: what only one has goes before numbers and looks."""
    found: list[Move] = []
    before = frozenset(pair.said)
    for find in (_find_only, _find_numbers, _find_looks):
        for move in find(pair):
            if pair.said.isdisjoint(move.keys):
                found.append(move)
                pair.said.update(move.keys)
    pair.said.intersection_update(before)  # not told yet
    return found


def _find_only(pair: Pair) -> Iterator[Move]:
    for image in (0, 1):
        things = [one for number, one in pair.alone() if number == image and pair.is_new(one.name)][:_MOST_LISTED]
        if things:
            claims = tuple(claim for one in things for claim in only_in(image, one))
            slots = {**ordinals(image), "list": join_words([say_thing(one) for one in things])}
            yield Move("say_only", tuple(one.name for one in things), claims, slots)


def _find_numbers(pair: Pair) -> Iterator[Move]:
    for one in pair.counted():
        least, most = sorted(one.numbers)
        if not least or most < 2 or not pair.is_new(one.name):
            continue
        if least == most:
            slots = {"number": say_number(most), "xs": plural_of(one.word)}
            yield Move("say_as_many", (one.name,), one.claims, slots)
        else:
            a, b = (f"{say_number(n)} {one.word if n == 1 else plural_of(one.word)}" for n in one.numbers)
            be_a = "is" if one.numbers[0] == 1 else "are"
            yield Move("say_counts", (one.name,), one.claims, {"a": a, "b": b, "be_a": be_a})


def _find_looks(pair: Pair) -> Iterator[Move]:
    for find in (find_colors, find_places, find_times, find_in_both):
        for move in find(pair):
            yield Move(_SAID_AS[move.family], move.keys, move.claims, move.tell)


def _ask_more(pair: Pair, pic: str, style: Style) -> Iterator[Told]:
    """Yield questions after what the comparison has not told."""
    draw = pair.draw
    num_more = draw.choices(_MORE_TURNS, _MORE_WEIGHTS)[0]
    for one in sorted(COMPARISONS, key=lambda one: -(draw.random() ** (1 / max(1, one.weight)))):
        move = next(one.find(pair), None) if num_more else None
        if move is not None and move.family not in _LISTS and pair.said.isdisjoint(move.keys):
            pair.said.update(move.keys)
            num_more -= 1
            yield word_move(move, pic, draw, style)
