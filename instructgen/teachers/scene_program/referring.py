"""Referring expressions with boxes, in the manner of Shikra (arXiv 2306.15195): what is where, as numbers.

Boxes are written [x0, y0, x1, y1] in fractions of the frame's width and height with three decimals, origin top left.
Only a thing that its words single out is referred to.
"""

import random

from instructgen.lexicon.words import with_article
from instructgen.records import Box
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Evidence, SceneGraph
from instructgen.teachers.scene_program.generators.places import largest_of
from instructgen.teachers.scene_program.phrasing import say_described
from instructgen.teachers.scene_program.talk import Talk, Told
from instructgen.teachers.scene_program.wordings import load_wordings

_MIN_TURNS, _MAX_TURNS = 2, 5
_MIN_AREA = 0.005


def make_referring(graph: SceneGraph, draw: random.Random) -> list[Told]:
    """Return two to five turns, boxes asked for by words or words by boxes; none where too few are clear."""
    talk = Talk(graph, draw, load_wordings(), "plain")
    targets = [*_find_single(talk), *_find_largest(talk)]
    draw.shuffle(targets)
    turns = [_word(talk, *target) for target in targets[:_MAX_TURNS]]
    return turns if len(turns) >= _MIN_TURNS else []


def say_box(box: Box) -> str:
    return f"[{box.x0:.3f}, {box.y0:.3f}, {box.x1:.3f}, {box.y1:.3f}]"


Target = tuple[str, str, Box, tuple[Claim, ...]]


def _find_single(talk: Talk) -> list[Target]:
    found: list[Target] = []
    for one in talk.singles:
        if one.area < _MIN_AREA or not (one.num_captions or one.area > 5 * _MIN_AREA):
            continue
        said = say_described(talk.graph, one, talk.is_new)
        found.append((one.word, said.words, one.boxes[0], (*said.claims, _located(one.word, one.evidence))))
    return found


def _find_largest(talk: Talk) -> list[Target]:
    found: list[Target] = []
    for one in talk.graph.boxed_entities():
        largest = largest_of(one)
        if largest is not None and one.num_captions:
            evidence = Evidence(boxes=(largest[0],))
            claims = (Claim("largest", one.word, evidence=evidence), _located(one.word, evidence))
            found.append((one.word, f"largest {one.word}", largest[1], claims))
    return found


def _located(word: str, evidence: Evidence) -> Claim:
    return Claim("located", word, evidence=Evidence(boxes=evidence.boxes))


def _word(talk: Talk, word: str, words: str, box: Box, claims: tuple[Claim, ...]) -> Told:
    slots = {"x": words, "box": say_box(box), "a_x": with_article(word)}
    family = "refer_box" if talk.draw.random() < 0.6 or words.startswith("largest") else "refer_words"
    form = talk.wordings[family]
    if family == "refer_words":
        claims = claims[-1:]  # the answer gives the word alone
    return Told(family, talk.fill(form.ask, slots), talk.fill(form.plain, slots), claims)
