"""What fills a description that would be short: how far things reach, their order and size, what is not there."""

import re
from itertools import pairwise

from instructgen.lexicon.words import join_words
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.geometry import relation_of
from instructgen.scenegraph.graph import Entity, Evidence
from instructgen.scenegraph.postures import POSTURES
from instructgen.teachers.scene_program.absence import UNFIT, find_absent, is_absent
from instructgen.teachers.scene_program.detail_frame import tell_extent, tell_where
from instructgen.teachers.scene_program.detail_told import tell_statements
from instructgen.teachers.scene_program.generators.counts import count_claim
from instructgen.teachers.scene_program.generators.places import IN_BUNCHES, may_reach_on
from instructgen.teachers.scene_program.generators.settings import find_most_named
from instructgen.teachers.scene_program.paragraph import Paragraph
from instructgen.teachers.scene_program.speech import PAIRS, be_of, find_singles, is_countable, say_number, say_one
from instructgen.teachers.scene_program.talk import SOLID_AREA

FEWEST_SENTENCES = 4  # of a description: up to so many it is filled
_FEWEST_WORDS = 12  # of a description without which the filter of lengths turns it away
_PAIR = 2
_ROW = 3  # things whose order is worth a sentence
_MOST_COUNTED = 10  # of what there are more "at least ten" are told
# That "tracks" or "trees" are told does not show that it is outdoors.
_OPEN_AIR = (
    *("field", "street", "road", "sidewalk", "beach", "ocean", "sea", "lake", "river", "sky", "snow", "snowy"),
    *("grass", "grassy", "hill", "mountain", "mountains", "slope", "runway", "tarmac", "highway", "forest", "woods"),
    *("pasture", "meadow", "desert", "yard", "wave", "waves", "outdoors", "outside", "outdoor", "harbor", "park"),
    *("water", "sunset"),
)
_NUMBERS = frozenset(("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "couple", "pair"))
_SMALL = 0.03  # share of the image up to which a thing takes up only a small part of it


def fill_up(page: Paragraph) -> None:
    """Tell how things look and lie in the frame, until the text is long enough or nothing is left."""
    for fill in _FILLERS:
        if len(page.sentences) < FEWEST_SENTENCES:
            fill(page)


def close_with_little(page: Paragraph) -> None:
    """Tell that it is outdoors and that nobody is there; what else is not there, and what it is about, if need be."""
    for tell in (_tell_only_person, _tell_outdoors):
        if len(page.sentences) < FEWEST_SENTENCES:
            tell(page)
    if _is_short(page):
        _tell_subject(page)
    if _is_short(page) or len(page.sentences) == FEWEST_SENTENCES - 1:
        _tell_nobody(page)
    if _is_short(page) and all(claim.kind != "absent" for claim in page.claims):
        _tell_absence(page)


def _is_short(page: Paragraph) -> bool:
    return len(" ".join(page.sentences).split()) < _FEWEST_WORDS


def _named_singles(page: Paragraph) -> list[Entity]:
    """Return the things that "the X" names without doubt, and that the text has named by their word."""
    singles = [one for one in find_singles(page.graph) if one.word in page.mentioned and one.name in page.named]
    return [one for one in singles if not may_reach_on(one)]


def _tell_order(page: Paragraph) -> None:
    """Tell three or four things from left to right, where no place of theirs was told."""
    things = [one for one in _named_singles(page) if one.area > SOLID_AREA and page.is_new(f"region {one.name}")]
    things.sort(key=lambda one: one.boxes[0].x0)
    is_clear = all(relation_of(one.boxes[0], other.boxes[0]) == "left" for one, other in pairwise(things))
    if len(things) >= _ROW and is_clear:
        boxes = tuple(number for one in things for number in one.evidence.boxes)
        claim = Claim("order", "|".join(one.word for one in things), "left to right", evidence=Evidence(boxes=boxes))
        page.add("d_order", (claim,), list=join_words([f"the {one.word}" for one in things]))


def _tell_small(page: Paragraph) -> None:
    """Tell that what the text opens with takes up a small part of the picture, where nothing told is larger."""
    told = [one for one in page.graph.boxed_entities() if one.num_captions > 0]
    for one in _named_singles(page):
        is_far = 0 < max((other.area for other in told), default=0) < _SMALL
        if is_far and one in told and page.has_opened_with(one):
            page.add("d_small", (Claim("extent", one.word, "small", evidence=one.evidence),), x=one.word)
            return


def _tell_number(page: Paragraph) -> None:
    for one in find_singles(page.graph):
        is_part = page.has_said(f"of {one.word}") or page.has_said(f"of a {one.word}")
        is_plain = len(page.graph.boxed_entities()) == 1 and _has_one(page.sentences[0], one.word)  # "a vase" said it
        is_alone = not is_plain and one.count == 1 and one.num_captions > 1 and one.kind in ("animal", "vehicle")
        if is_alone and "two" not in page.graph.words and not is_part and page.is_new(f"count {one.name}"):
            page.add("d_count_one", (count_claim(one),), x=one.word)
            return


def _has_one(sentence: str, word: str) -> bool:
    return re.search(rf"\ban? (?:[\w-]+ ){{0,3}}{re.escape(word)}\b", sentence, re.IGNORECASE) is not None


def _tell_least(page: Paragraph) -> None:
    """Tell how many of something there are at the least, where boxes show more than captions count."""
    for one in page.graph.boxed_entities():
        is_several = (
            len(one.boxes) > _PAIR and is_countable(one) and one.kind != "food" and one.name not in IN_BUNCHES
        )
        is_told = page.has_said(one.plural) and (one.num_plural > 0 or not one.num_captions)
        if is_several and is_told and one.count is None and not _is_counted(page, one):
            number = min(len(one.boxes), _MOST_COUNTED)
            claim = Claim("exists", one.plural, number=number, evidence=one.evidence)
            page.add("d_least", (claim,), xs=one.plural, number=say_number(number))
            page.told.add(f"count {one.name}")
            return


def _is_counted(page: Paragraph, one: Entity) -> bool:
    """True where the text or a caption counts the things."""
    disputed = any(other.about == one.name and other.kind == "count" for other in page.graph.contradictions)
    return disputed or not page.is_new(f"count {one.name}") or not page.graph.words.isdisjoint(_NUMBERS)


def _tell_posture(page: Paragraph) -> None:
    tell_statements(page, min_new=1, verbs=POSTURES)


def _tell_only_person(page: Paragraph) -> None:
    """Tell that nobody else is there beside the one person whom the text is about."""
    people = page.graph.find("person")
    is_alone = people is not None and people.is_single and people.count == 1 and page.is_new("count person")
    doer = next((one for one in page.doers if one.category == "person" and not one.is_plural), None)
    if people is not None and is_alone and doer is not None:
        claim = Claim("count", doer.word, number=1, evidence=people.evidence)
        page.add("d_one_person" if doer.word == "person" else "d_only_person", (claim,), x=doer.word)


def _tell_outdoors(page: Paragraph) -> None:
    evidence = page.graph.outdoors
    if page.graph.words.isdisjoint(_OPEN_AIR):
        return
    if evidence is not None and "setting" not in page.told:
        page.add("d_setting", (Claim("place", value="outdoors", evidence=evidence),), where="outdoors")
        page.told.add("setting")


def _tell_subject(page: Paragraph) -> None:
    """Name what nearly all captions name."""
    main = find_most_named(page.graph)
    if main is not None and main.kind != "furniture" and main.name not in ("fork", "knife", "spoon"):
        claim = Claim("main", main.said, evidence=main.evidence)
        page.add("d_main", (claim,), main=main.said, **{"is": "are" if main.name in PAIRS else be_of(main)})


def _tell_nobody(page: Paragraph) -> None:
    if is_absent("person", page.graph):
        page.add("d_nobody", (Claim("absent", "people"),))


def _tell_absence(page: Paragraph) -> None:
    """Say what is not there."""
    missing = [
        kind
        for kind in find_absent(page.graph, page.draw, 10)
        if kind.name not in UNFIT and page.is_new(f"no {kind.name}")
    ]
    if len(missing) > 1:
        one, other = missing[:2]
        claims = (Claim("absent", one.spoken), Claim("absent", other.spoken))
        slots = {"x": one.spoken, "y": other.spoken, "a": say_one(one.spoken), "b": say_one(other.spoken)}
        page.add("d_absent", claims, **slots)
        page.told.update((f"no {one.name}", f"no {other.name}"))


_FILLERS = (_tell_posture, tell_where, tell_extent, _tell_least, _tell_order, _tell_small, _tell_number)
