"""How a detailed description ends: where and when it is, what matters most; what is not there only if it is short."""

from instructgen.lexicon.words import join_words
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Evidence
from instructgen.scenegraph.settings import infer_setting
from instructgen.teachers.scene_program.absence import UNFIT, find_absent, is_absent
from instructgen.teachers.scene_program.generators.counts import count_claim
from instructgen.teachers.scene_program.generators.settings import find_most_named
from instructgen.teachers.scene_program.paragraph import MAX_SENTENCES, MIN_SENTENCES, Paragraph
from instructgen.teachers.scene_program.speech import be_of, find_singles, say_one, say_thing
from instructgen.teachers.scene_program.talk import circumstance_claim

_CLOSING_SHARE = 0.4  # of the longer paragraphs that end with what matters most


def close_paragraph(page: Paragraph) -> None:
    """Add what there is room for; short paragraphs are filled up to four sentences where that is possible."""
    for tell in (_close_place, _close_time):
        if len(page.sentences) < MAX_SENTENCES:
            tell(page)
    if len(page.sentences) < MIN_SENTENCES:
        _tell_number(page)
    several = len([one for one in page.graph.boxed_entities() if one.name in page.named]) > 1
    if len(page.sentences) < MIN_SENTENCES or (several and page.draw.random() < _CLOSING_SHARE):
        _close_attention(page)
    if len(page.sentences) < MIN_SENTENCES:
        _close_absence(page)


def _close_place(page: Paragraph) -> None:
    place = page.graph.circumstance("place")
    if place is not None:
        told = "setting" in page.told or any(place.value in key.split() or key == place.value for key in page.told)
        if not told:
            page.add("d_setting", (circumstance_claim(place),), where=place.phrase)
        return
    found = infer_setting(page.graph.boxed)
    things = [one for one in page.graph.boxed_entities() if found is not None and one.name in found[1]]
    if found is not None and len(things) == len(found[1]):
        boxes = Evidence(boxes=tuple(number for one in things for number in one.evidence.boxes))
        claim = Claim("inferred", "|".join(one.name for one in things), found[0].lemma, evidence=boxes)
        page.add("d_inferred", (claim,), list=join_words([say_thing(one) for one in things]), name=found[0].name)


def _close_time(page: Paragraph) -> None:
    time, weather = page.graph.circumstance("time"), page.graph.circumstance("weather")
    if time is not None:
        page.add("d_time", (circumstance_claim(time),), time=time.phrase)
    if weather is not None and len(page.sentences) < MAX_SENTENCES:
        page.add("d_weather", (circumstance_claim(weather),), weather=weather.phrase)


def _tell_number(page: Paragraph) -> None:
    for one in find_singles(page.graph)[:1]:
        if one.kind != "person" and one.count == 1 and one.num_captions > 1 and page.is_new(f"count {one.name}"):
            page.add("d_count_one", (count_claim(one),), x=one.word)
            return


def _close_attention(page: Paragraph) -> None:
    if len(page.sentences) >= MAX_SENTENCES:
        return
    main = find_most_named(page.graph)
    nobody = is_absent("person", page.graph)
    absent = (Claim("absent", "people"),) if nobody else ()
    if main is None:
        if nobody:
            page.add("d_nobody", absent)
        return
    word = main.said
    claims = (*absent, Claim("main", word, evidence=main.evidence))
    family = "d_nobody_main" if nobody and page.draw.random() < 0.5 else "d_main"
    kept = claims if family == "d_nobody_main" else claims[-1:]
    page.add(family, kept, main=word, **{"is": be_of(main)})


def _close_absence(page: Paragraph) -> None:
    """Name absent things where the paragraph is too short otherwise."""
    missing = [kind for kind in find_absent(page.graph, page.draw, 10) if kind.name not in UNFIT]
    for at in (0, 2, 4):
        if len(page.sentences) < MIN_SENTENCES and len(missing) > at + 1:
            one, other = missing[at : at + 2]
            claims = (Claim("absent", one.spoken), Claim("absent", other.spoken))
            page.add("d_absent", claims, a=say_one(one.spoken), b=say_one(other.spoken))
