"""How a detailed description ends: where and when it is; what is not there only if it is short."""

import re

from instructgen.lexicon.words import join_words
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Evidence
from instructgen.scenegraph.postures import POSTURES
from instructgen.scenegraph.settings import SETTINGS, VAGUE, infer_setting
from instructgen.teachers.scene_program.absence import UNFIT, find_absent, is_absent
from instructgen.teachers.scene_program.detail_frame import tell_extent, tell_where
from instructgen.teachers.scene_program.detail_told import tell_statements
from instructgen.teachers.scene_program.generators.counts import count_claim
from instructgen.teachers.scene_program.generators.settings import find_most_named
from instructgen.teachers.scene_program.paragraph import MAX_SENTENCES, Paragraph
from instructgen.teachers.scene_program.speech import PAIRS, be_of, find_singles, say_one, say_thing
from instructgen.teachers.scene_program.talk import circumstance_claim

# Where these were said, the weather was told.
_WORDS = {"rainy": "rain", "snowy": "snow", "sunny": "sunny", "cloudy": "cloud", "foggy": "fog", "windy": "windy"}
_FEW_SENTENCES = 3  # up to which it is filled by what says little
_FEWEST_SENTENCES = 2  # below which a text that tells no place tells that it is outdoors
# The last words of all settings: a text that has one has told where it is.
_PLACE_WORDS = sorted({one.split()[-1] for one in SETTINGS} | {"platform", "subway"})
_FEWEST_WORDS = 12  # of a description without which the filter of lengths turns it away


def close_paragraph(page: Paragraph) -> None:
    """Add where and when it is; what says little only where there is hardly anything else.

    What is not there is told where what is there is next to nothing.
    """
    for tell in (_close_place, _close_time):
        if len(page.sentences) < MAX_SENTENCES:
            tell(page)
    for fill in (_tell_posture, tell_where, tell_extent, _tell_number, _tell_outdoors):
        if len(page.sentences) < _FEW_SENTENCES or _is_short(page):
            fill(page)
    if _is_short(page):
        _tell_subject(page)
    num = len(page.sentences)
    if _is_short(page):
        _tell_nobody(page)
        if len(page.sentences) == num:
            _tell_absence(page)


def _is_short(page: Paragraph) -> bool:
    return len(" ".join(page.sentences).split()) < _FEWEST_WORDS


def _close_place(page: Paragraph) -> None:
    place = page.graph.circumstance("place")
    if place is not None:
        told = "setting" in page.told or any(place.value in key.split() or key == place.value for key in page.told)
        if not told and place.value not in VAGUE and not any(map(page.has_word, _PLACE_WORDS)):
            page.add("d_setting", (circumstance_claim(place),), where=place.phrase)
            page.told.add("setting")
        return
    found = infer_setting(page.graph.boxed, page.graph.words)
    things = [one for one in page.graph.boxed_entities() if found is not None and one.name in found[1]]
    if found is not None and len(things) == len(found[1]):
        boxes = Evidence(boxes=tuple(number for one in things for number in one.evidence.boxes))
        claim = Claim("inferred", "|".join(one.name for one in things), found[0].lemma, evidence=boxes)
        page.add("d_inferred", (claim,), list=join_words([say_thing(one) for one in things]), name=found[0].name)


def _close_time(page: Paragraph) -> None:
    time, weather = page.graph.circumstance("time"), page.graph.circumstance("weather")
    if time is not None and not page.has_word(time.value):
        page.add("d_time", (circumstance_claim(time),), time=time.phrase)
    if weather is not None and len(page.sentences) < MAX_SENTENCES and not page.has_said(_WORDS[weather.value]):
        page.add("d_weather", (circumstance_claim(weather),), weather=weather.phrase)


def _tell_number(page: Paragraph) -> None:
    for one in find_singles(page.graph)[:1]:
        is_part = page.has_said(f"of {one.word}") or page.has_said(f"of a {one.word}")
        is_plain = len(page.graph.boxed_entities()) == 1 and _has_one(page.sentences[0], one.word)  # "a vase" said it
        is_alone = not is_plain and one.count == 1 and one.num_captions > 1 and one.kind != "person"
        if is_alone and "two" not in page.graph.words and not is_part and page.is_new(f"count {one.name}"):
            page.add("d_count_one", (count_claim(one),), x=one.word)
            return


def _has_one(sentence: str, word: str) -> bool:
    return re.search(rf"\ban? (?:[\w-]+ ){{0,3}}{re.escape(word)}\b", sentence, re.IGNORECASE) is not None


def _tell_posture(page: Paragraph) -> None:
    tell_statements(page, min_new=1, verbs=POSTURES)


def _tell_outdoors(page: Paragraph) -> None:
    evidence = page.graph.outdoors
    is_bare = len(page.sentences) < _FEWEST_SENTENCES or _is_short(page)
    if is_bare and evidence is not None and "setting" not in page.told:
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
