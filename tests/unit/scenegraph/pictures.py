"""Made-up pictures, and their graphs put into words that tests can compare."""

import re

from instructgen.records import Box, ImageRecord
from instructgen.scenegraph.graph import SceneGraph
from instructgen.scenegraph.read import read_graph
from tests.support.make import make_record


def make_picture(captions: str, boxes: str = "") -> ImageRecord:
    """`captions` are parted by "|"; `boxes` by commas, "2 dog" for two, "sheep*" for a crowd; none overlap."""
    names: list[str] = []
    for entry in filter(None, (part.strip() for part in boxes.split(","))):
        number, name = re.fullmatch(r"(?:(\d+) )?(.+)", entry).groups()  # type: ignore[union-attr]
        names += [name] * int(number or 1)
    assert len(names) <= 12
    places = [(0.02 + 0.16 * (at % 6), 0.1 + 0.5 * (at // 6)) for at in range(len(names))]
    found = tuple(
        Box(name.rstrip("*"), x, y, x + 0.12, y + 0.3, name.endswith("*"))
        for name, (x, y) in zip(names, places, strict=True)
    )
    return make_record(captions=tuple(caption.strip() for caption in captions.split("|")), boxes=found)


def read(captions: str, boxes: str = "") -> SceneGraph:
    return read_graph(make_picture(captions, boxes))


def things(graph: SceneGraph) -> set[str]:
    """Name all that boxes hold, by the word that is said of it."""
    return {one.word for one in graph.boxed_entities()}


def unboxed(graph: SceneGraph) -> set[str]:
    return {one.name for one in graph.entities if not one.category}


def attributes(graph: SceneGraph) -> set[str]:
    """Say "bus color red" of each attribute."""
    return {f"{graph.entities[one.entity].name} {one.kind} {one.value}" for one in graph.attributes}


def actions(graph: SceneGraph) -> set[str]:
    """Say "man holding a kite on a beach" of each action, and "laptop on a desk" of what merely lies there."""
    return {" ".join(filter(None, (one.subject, one.doing, one.where))) for one in graph.actions}


def circumstances(graph: SceneGraph) -> set[str]:
    return {f"{one.kind} {one.value}" for one in graph.circumstances}


def disputes(graph: SceneGraph) -> set[str]:
    return {f"{one.about} {one.kind}" for one in graph.contradictions}
