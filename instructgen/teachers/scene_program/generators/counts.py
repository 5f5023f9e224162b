"""How many there are: counts that boxes and a caption agree on, compared and alone."""

from collections.abc import Iterator

from instructgen.lexicon.words import plural_of
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Entity
from instructgen.teachers.scene_program.speech import say_number
from instructgen.teachers.scene_program.talk import Generator, Move, Talk, subject_of


def count_claim(entity: Entity) -> Claim:
    word = entity.word if entity.count == 1 else entity.plural
    return Claim("count", word, number=entity.count or 0, evidence=entity.evidence)


def find_count(talk: Talk) -> Iterator[Move]:
    things = talk.counted()
    talk.draw.shuffle(things)
    for one in things:
        keys = (f"count {one.name}", f"there {one.name}")
        if talk.is_new(keys[0]):
            slots = {"xs": one.plural, "x": one.word, "number": say_number(one.count or 0)}
            yield Move("count", keys, (count_claim(one),), slots, about=subject_of(one))


def find_count_of_one(talk: Talk) -> Iterator[Move]:
    for one in talk.singles[:2]:
        keys = (f"count {one.name}", f"there {one.name}")
        if one.count == 1 and one.num_captions > 1 and talk.is_new(*keys):
            slots = {"xs": plural_of(one.word), "x": one.word}
            yield Move("count_one", keys, (count_claim(one),), slots, about=subject_of(one))


def find_more(talk: Talk) -> Iterator[Move]:
    counted = talk.counted()
    for one in counted:
        for other in counted:
            if (one.count or 0) < 2 or (one.count or 0) <= (other.count or 0):
                continue
            keys = ("more", f"count {one.name}", f"count {other.name}")
            if not talk.is_new(*keys):
                continue
            asked = talk.draw.sample([one.plural, other.plural], 2)
            tell = {
                "xs": one.plural,
                "ys": other.plural,
                "number_x": say_number(one.count or 0),
                "number_y": say_number(other.count or 0),
            }
            claims = (count_claim(one), count_claim(other), Claim("more", one.name, other=other.name))
            yield Move("more", keys, claims, tell, {"xs": asked[0], "ys": asked[1]})


COUNTS = (
    Generator("counting", find_count, ("count",), ("count",)),
    Generator("counting-to-one", find_count_of_one, ("count_one",), ("count",)),
    Generator("more", find_more, ("more",), ("count", "more")),
)
