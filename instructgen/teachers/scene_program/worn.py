"""What the one person of an image wears, where no action tells it: "a man in a red shirt rides a horse"."""

from collections.abc import Iterator

from instructgen.lexicon.words import with_article
from instructgen.scenegraph.garments import GARMENTS, clashes
from instructgen.scenegraph.graph import Action, Evidence, SceneGraph
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.vocabulary import GENDERS
from instructgen.teachers.scene_program.paragraph import Doer

_WEARING = frozenset(("in", "wearing", "wears"))
_NO_CLOTHES = frozenset(("glove", "baseball glove", "bow", "ribbon"))


def find_worn(graph: SceneGraph, doer: Doer) -> Iterator[Action]:
    """Yield what captions of one person each have this person wear, and none has by another word."""
    readings = graph.sources.readings if graph.sources is not None else ()
    people = [[one for one in reading.phrases if one.noun.category == "person"] for reading in readings]
    if doer.is_plural or any(len(found) > 1 or any(one.is_plural for one in found) for found in people):
        return
    garments = {phrase.noun.lemma for reading in readings for phrase in reading.phrases} & GARMENTS
    entity = graph.find("person")
    is_alone = entity is not None and entity.is_single and bool(entity.boxes)
    seen: set[str] = set()
    for reading, found in zip(readings, people, strict=True):
        who = next((one for one in found if _is_same(one, doer, is_alone=is_alone)), None)
        for worn in reading.phrases if who is not None else ():
            lemma = worn.noun.lemma
            is_new = lemma in garments - seen and lemma not in _NO_CLOTHES
            if (
                who is not None
                and is_new
                and _is_put_on(reading, who, worn)
                and not clashes(lemma, garments - {lemma})
            ):
                seen.add(lemma)
                yield _make(doer, reading, who, worn)


def _is_same(phrase: NounPhrase, doer: Doer, *, is_alone: bool) -> bool:
    """True for the person of the text by the same word, or by one of no other sex where one box holds all people."""
    lemma = phrase.noun.lemma
    if lemma == doer.word:
        return True
    return is_alone and GENDERS.get(lemma, "") in ("", GENDERS.get(doer.word, ""))


def _is_put_on(reading: CaptionReading, who: NounPhrase, worn: NounPhrase) -> bool:
    """True for the suit of "a man in a suit": it stands right behind him, and is nobody else's."""
    before = reading.tokens[who.end : worn.start]
    is_real = not (worn.is_plural or worn.is_negated or worn.is_likeness)
    return is_real and len(before) == 1 and before[0] in _WEARING and worn.noun.kind == "wear"


def _make(doer: Doer, reading: CaptionReading, who: NounPhrase, worn: NounPhrase) -> Action:
    held = with_article(worn.noun.lemma)
    return Action(
        entity=None,
        subject=doer.word,
        category="person",
        kind="person",
        is_plural=False,
        verb="wear",
        object=worn.noun.lemma,
        preposition="",
        place="",
        doing=f"wearing {held}",
        where="",
        held=held,
        things=frozenset(),
        evidence=Evidence((reading.span(who.start, worn.end),)),
        certainty="likely",
        num_captions=1,
        lemma=doer.lemma,
    )
