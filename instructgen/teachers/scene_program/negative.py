"""Negative samples: questions about what is not there, met half of the time by what is (POPE, arXiv 2305.10355;
LRV-Instruction, arXiv 2306.14565), so that a student learns to say no and not to say it always."""

import random

from instructgen.config import Style
from instructgen.scenegraph.graph import SceneGraph
from instructgen.teachers.scene_program.conversation import ask
from instructgen.teachers.scene_program.talk import Talk, Told
from instructgen.teachers.scene_program.wordings import load_wordings

_MIN_TURNS, _MAX_TURNS = 2, 5
_DENYING = ("absence", "absence", "false-premise", "neither", "missing", "odd-one-out", "which-present")


def make_negative(graph: SceneGraph, draw: random.Random, style: Style) -> list[Told]:
    """Return two to five turns, as many affirming as denying to within one; none where too little is certain."""
    talk = Talk(graph, draw, load_wordings(), style)
    denying = list(_DENYING)
    draw.shuffle(denying)
    turns: list[Told] = []
    if not graph.entities:
        return turns
    wanted = draw.randint(_MIN_TURNS, _MAX_TURNS)
    affirms = draw.random() < 0.5
    while len(turns) < wanted:
        names = ["existence"] if affirms else denying
        told = _next(talk, names)
        if told is None:
            break
        turns.append(told)
        affirms = not affirms
    return turns if len(turns) >= _MIN_TURNS else []


def _next(talk: Talk, names: list[str]) -> Told | None:
    """Word the first turn that one of the generators can give, each denying one once."""
    while names:
        name = names[0] if names == ["existence"] else names.pop(0)
        told = ask(talk, name)
        if told is not None:
            return told
        if names == ["existence"]:
            return None
    return None
