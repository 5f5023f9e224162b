"""How a detailed description ends: what fills it where it is short, then where and when it is."""

from instructgen.lexicon.words import join_words
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Evidence
from instructgen.scenegraph.settings import SETTINGS, VAGUE, infer_setting
from instructgen.teachers.scene_program.detail_fill import FEWEST_SENTENCES, close_with_little, fill_up
from instructgen.teachers.scene_program.detail_style import tell_style
from instructgen.teachers.scene_program.paragraph import MAX_SENTENCES, Paragraph
from instructgen.teachers.scene_program.speech import say_thing
from instructgen.teachers.scene_program.talk import circumstance_claim

# Where these were said, the weather was told.
_WORDS = {"rainy": "rain", "snowy": "snow", "sunny": "sunny", "cloudy": "cloud", "foggy": "fog", "windy": "windy"}
# The last words of all settings: a text that has one has told where it is.
_PLACE_WORDS = sorted({one.split()[-1] for one in SETTINGS} | {"platform", "subway"})


def close_paragraph(page: Paragraph) -> None:
    """Add where and when it is; before it what fills a short text, behind it what says little."""
    end = page.mark()
    for tell in (_close_place, _close_time, tell_style):
        if len(page.sentences) < MAX_SENTENCES:
            tell(page)
    middle = page.mark()
    fill_up(page)
    page.turn(end, middle)
    if len(page.sentences) < FEWEST_SENTENCES:
        close_with_little(page)


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
