"""Few-shot samples: one question asked of several images in one form, or a caption of each (Flamingo's prompts).

What is asked is drawn from what the last image, the sample's own, can answer; the images before it have to answer it
too, and not all alike. Every answer is proved by the boxes and captions of its own image.
"""

import random
from collections.abc import Callable, Sequence

from msgspec import Struct, structs

from instructgen.lexicon.categories import CATEGORIES
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Action, SceneGraph
from instructgen.teachers.scene_program.absence import UNFIT, find_absent, is_absent
from instructgen.teachers.scene_program.generators.doings import STILL
from instructgen.teachers.scene_program.phrasing import attribute_claim, doing_claim, told_claim
from instructgen.teachers.scene_program.several import load_several
from instructgen.teachers.scene_program.speech import is_countable, polish, say_number, say_one
from instructgen.teachers.scene_program.talk import SOLID_AREA, Told

_NUM_SHOTS = (2, 3, 4)
MOST_SHOTS = max(_NUM_SHOTS)
_TERSE_SHARE = 0.6
_DOCUMENT_FORMS = {"shot_caption": "document_caption"}
_STATEMENT_WORDS = (4, 25)


class Shot(Struct, frozen=True):
    """What one image answers: its family, what fills the form, and the claims. `sort` tells answers apart."""

    family: str
    sort: str
    tell: dict[str, str]
    claims: tuple[Claim, ...]


class Topic(Struct, frozen=True):
    """A question that may be asked of every image. One of `must_vary` is not asked where all would answer alike."""

    family: str
    ask: dict[str, str]
    answer: Callable[[SceneGraph], Shot | None]
    weight: int
    must_vary: bool = True


class Chosen(Struct, frozen=True):
    """A topic and the images, by their numbers, that answer it before the last one does."""

    topic: Topic
    numbers: tuple[int, ...]


def choose_shots(
    graph: SceneGraph, others: Sequence[SceneGraph], draw: random.Random, num: int | None = None
) -> Chosen | None:
    """Return what is asked, and which of the others come before; the nearest of them go first where they answer.

    `num` images are wanted, by default a number that is drawn. With what this returns as `others`, it returns all of
    them: a topic that they can answer and that comes earlier would have been chosen before.
    """
    drawn = draw.choice(_NUM_SHOTS)
    wanted = drawn if num is None else num
    for topic in _order_topics(graph, draw):
        numbers = _choose_numbers(topic, others, wanted) if topic.answer(graph) is not None else ()
        if numbers:
            return Chosen(topic, numbers)
    return None


def _choose_numbers(topic: Topic, others: Sequence[SceneGraph], num: int) -> tuple[int, ...]:
    """Return the first so many that answer, the last of them the first that answers otherwise where it must be.

    No more of the others are looked at than that takes: each has to be read.
    """
    found: list[tuple[int, str]] = []
    for number in range(len(others)):
        shot = topic.answer(others[number])
        if shot is None:
            continue
        found.append((number, shot.sort))
        varies = not topic.must_vary or len({sort for _, sort in found}) > 1
        if len(found) >= num and varies:
            return tuple(number for number, _ in (*found[: num - 1], found[-1]))
    return ()


def make_shots(others: Sequence[SceneGraph], graph: SceneGraph, draw: random.Random) -> list[Told]:
    """Return a turn for each image, the sample's own last; none where the images have no question in common."""
    chosen = choose_shots(graph, others, draw, len(others)) if others else None
    if chosen is None:
        return []
    family = load_several()[chosen.topic.family]
    asked = polish(draw.choice(family.ask).format(**chosen.topic.ask))
    is_terse, number = draw.random() < _TERSE_SHARE, draw.randrange(100)
    turns = []
    for image, one in enumerate((*others, graph)):
        shot = chosen.topic.answer(one)
        assert shot is not None
        forms = load_several()[shot.family]
        told = (forms.terse if is_terse else forms.plain)[number % len(forms.terse if is_terse else forms.plain)]
        claims = tuple(structs.replace(claim, image=image) for claim in shot.claims)
        turns.append(Told(shot.family, asked, polish(told.format(**shot.tell)), claims))
    return turns


def write_document(turns: Sequence[Told], draw: random.Random) -> list[str]:
    """Return the turns as texts of one form, each for one image."""
    if not turns:
        return []
    form = draw.choice(load_several()[_DOCUMENT_FORMS.get(turns[0].family, "document_question")].plain)
    return [form.format(q=one.question, a=one.answer) for one in turns]


def _order_topics(graph: SceneGraph, draw: random.Random) -> list[Topic]:
    topics = [*_list_counts(graph), *_list_colors(graph), *_list_things(graph, draw), *_list_doings(graph)]
    topics += [
        Topic("shot_place", {}, _answer_place, 3),
        Topic("shot_caption", {}, _answer_caption, 4, must_vary=False),
    ]
    num_alike = {family: sum(one.family == family for one in topics) for family in {one.family for one in topics}}
    return sorted(topics, key=lambda one: -(draw.random() ** (num_alike[one.family] / one.weight)))


def _list_counts(graph: SceneGraph) -> list[Topic]:
    return [
        Topic("shot_count", {"xs": one.plural}, _Count(one.name, one.word), 5)
        for one in graph.boxed_entities()
        if one.count is not None and is_countable(one) and one.name != "person"
    ]


def _list_colors(graph: SceneGraph) -> list[Topic]:
    words = {
        graph.entities[found.entity].word: graph.entities[found.entity].name
        for found in graph.attributes
        if found.kind == "color"
    }
    return [Topic("shot_color", {"x": word}, _Color(name, word), 6) for word, name in words.items()]


def _list_things(graph: SceneGraph, draw: random.Random) -> list[Topic]:
    there = [one.name for one in graph.boxed_entities() if one.name in CATEGORIES][:3]
    absent = [kind.name for kind in find_absent(graph, draw, 3)]
    return [
        Topic("shot_there_yes", {"a_x": say_one(CATEGORIES[name].spoken)}, _There(name), 4)
        for name in (*there, *absent)
        if name not in UNFIT
    ]


def _list_doings(graph: SceneGraph) -> list[Topic]:
    words = dict.fromkeys(one.subject for one in graph.told if _is_told_of_one(graph, one))
    return [Topic("shot_doing", {"x": word}, _Doing(word), 5) for word in words]


class _Count(Struct, frozen=True):
    name: str
    word: str

    def __call__(self, graph: SceneGraph) -> Shot | None:
        one = graph.find(self.name)
        if one is None or one.count is None or one.word != self.word:
            return None
        said = one.word if one.count == 1 else one.plural
        claim = Claim("count", said, number=one.count, evidence=one.evidence)
        tell = {"number": say_number(one.count), "counted": said, "be": "is" if one.count == 1 else "are"}
        return Shot("shot_count", str(one.count), tell, (claim,))


class _Color(Struct, frozen=True):
    name: str
    word: str

    def __call__(self, graph: SceneGraph) -> Shot | None:
        for one in graph.entities:
            if one.name == self.name and one.word == self.word and one.is_single and one.member_of is None:
                for found in graph.attributes_of(one):
                    if found.kind == "color":
                        tell = {"x": one.word, "color": found.value}
                        return Shot("shot_color", found.value, tell, (attribute_claim(one, found),))
        return None


class _There(Struct, frozen=True):
    name: str

    def __call__(self, graph: SceneGraph) -> Shot | None:
        word = CATEGORIES[self.name].spoken
        tell = {"x": word, "a_x": say_one(word)}
        one = graph.find(self.name)
        if one is not None and one.category and (one.num_captions > 1 or one.area > SOLID_AREA):
            claim = Claim("exists", word, number=1, evidence=one.evidence)
            return Shot("shot_there_yes", "yes", tell, (claim,))
        if one is None and graph.num_captions and is_absent(self.name, graph):
            return Shot("shot_there_no", "no", tell, (Claim("absent", word),))
        return None


class _Doing(Struct, frozen=True):
    subject: str

    def __call__(self, graph: SceneGraph) -> Shot | None:
        for one in graph.told:
            if one.subject == self.subject and _is_told_of_one(graph, one):
                doing = f"{one.doing} {one.where}".strip()
                return Shot("shot_doing", one.verb, {"x": one.subject, "doing": doing}, (doing_claim(one),))
        return None


def _is_told_of_one(graph: SceneGraph, one: Action) -> bool:
    """Return whether somebody or something alone in the image does it, and does something."""
    entity = graph.entities[one.entity] if one.entity is not None else None
    does = bool(one.doing) and one.verb not in STILL and not one.is_plural
    return does and entity is not None and entity.is_single and one.subject == entity.word


def _answer_place(graph: SceneGraph) -> Shot | None:
    found = graph.circumstance("place")
    if found is None:
        return None
    claim = Claim("place", value=found.value, evidence=found.evidence)
    return Shot("shot_place", found.value, {"where": found.phrase}, (claim,))


def _answer_caption(graph: SceneGraph) -> Shot | None:
    """Say the caption's clause that is understood and that most captions bear out, the first of them."""
    least, most = _STATEMENT_WORDS
    for one in graph.statements:
        text = one.text.strip()
        if one.predicate and least <= len(text.split()) <= most:
            claim = told_claim(one)
            return Shot("shot_caption", text, {"caption": text}, (claim,))
    return None
