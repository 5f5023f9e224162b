"""From an image's record to its scene graph."""

from collections.abc import Sequence

from instructgen.records import ImageRecord
from instructgen.scenegraph.actions import find_actions
from instructgen.scenegraph.agreement import collect_sources
from instructgen.scenegraph.attributes import find_attributes
from instructgen.scenegraph.circumstances import find_circumstances, find_outdoors
from instructgen.scenegraph.collages import find_collage, shows_twice, tell_each_once
from instructgen.scenegraph.corroboration import find_told, hear
from instructgen.scenegraph.doers import drop_other_names
from instructgen.scenegraph.entities import find_entities
from instructgen.scenegraph.graph import Contradiction, SceneGraph
from instructgen.scenegraph.likenesses import is_all_likeness
from instructgen.scenegraph.loose_ends import tidy
from instructgen.scenegraph.parsing import CaptionParser
from instructgen.scenegraph.people import read_person_words
from instructgen.scenegraph.prepositions import find_placings
from instructgen.scenegraph.quoting import find_quotes
from instructgen.scenegraph.reading import find_common, read_captions
from instructgen.scenegraph.statements import find_statements


def read_graph(record: ImageRecord, parser: CaptionParser | None = None) -> SceneGraph:
    """Read captions and boxes once; everything that is said later comes from here. A parser reads more of them."""
    readings = read_captions(record)
    if parser is not None:
        readings = parser.complete(record.captions, readings, frozenset(box.category for box in record.boxes))
    words_by_caption = tuple(_forms_of(reading.tokens) for reading in readings)
    words = frozenset().union(*words_by_caption)
    boxed = frozenset(box.category for box in record.boxes)
    person = read_person_words(
        [list(reading.phrases) for reading in readings], [reading.tokens for reading in readings]
    )
    entities, disputes = find_entities(record, readings, words, person)
    collage = find_collage(record.captions)
    if collage is not None or shows_twice(record.captions):
        entities = tell_each_once(entities, person)
    attributes, disputed_attributes = find_attributes(readings, entities)
    voices, placings = hear(readings), find_placings(readings)
    actions, disputed_actions = find_actions(readings, entities, person, voices, placings)
    circumstances, disputed_circumstances = find_circumstances(record.captions, readings, boxed, placings)
    if collage is not None:  # what goes on in one of the pictures is told of none
        attributes, actions, circumstances = [], [], []
    disputes = [*disputes, *disputed_attributes, *disputed_actions, *disputed_circumstances]
    sources = collect_sources(readings, entities, person, disputes, voices, placings)
    statements = [collage] if collage is not None else find_statements(readings, sources)
    quotes = [] if any(one.verb not in ("", "be") for one in statements) else find_quotes(readings, sources)
    is_drawn = is_all_likeness([reading.tokens for reading in readings])
    if collage is not None or is_drawn:
        quotes = []
    if is_drawn:  # a drawing of a room is none
        circumstances = []
        statements = [one for one in statements if one.kind != "place"]
    return SceneGraph(
        image_id=record.image_id,
        entities=tuple(entities),
        attributes=tuple(attributes),
        actions=tuple(actions),
        told=tuple(drop_other_names(list(find_told(actions)), readings)),
        circumstances=tuple(circumstances),
        statements=tuple(map(tidy, statements)),
        quotes=tuple(quotes),
        contradictions=_drop_repeats(tuple(disputes)),
        num_captions=len(record.captions),
        words=words,
        words_by_caption=words_by_caption,
        outdoors=find_outdoors(readings, boxed),
        boxed=boxed,
        person=person,
        common=find_common(readings),
        sources=None if collage is not None or is_drawn else sources,
    )


def _forms_of(tokens: Sequence[str]) -> frozenset[str]:
    """Return the words of a caption, and what they have before an apostrophe."""
    return frozenset(form for word in tokens for form in (word, word.split("'")[0]))


def _drop_repeats(disputes: tuple[Contradiction, ...]) -> tuple[Contradiction, ...]:
    """Keep the first of those that name the same values, whatever their order."""
    return tuple({(one.about, one.kind, frozenset(one.values)): one for one in reversed(disputes)}.values())[::-1]
