"""How a detailed description ends: where it is, what matters most, what is not there."""

from instructgen.lexicon.words import with_article
from instructgen.teachers.scene_program import detail_forms
from instructgen.teachers.scene_program.absence import find_absent, is_absent
from instructgen.teachers.scene_program.paragraph import MAX_SENTENCES, MIN_SENTENCES, Paragraph
from instructgen.teachers.scene_program.scene import Thing
from instructgen.teachers.scene_program.settings import UNNAMED
from instructgen.teachers.scene_program.wording import say_list, say_thing

_LONG_ABSENCE = 0.5  # share of the longer paragraphs that end with what is absent
_UNFIT = ("person", "skis", "scissors")


def close_paragraph(page: Paragraph) -> None:
    """Add up to three sentences, as many as there is room for."""
    for tell in (_close_place, _close_attention, _close_absence):
        if len(page.sentences) < MAX_SENTENCES:
            tell(page)


def _close_place(page: Paragraph) -> None:
    scene = page.scene
    if scene.setting is not None and not _is_place_told(page, scene.setting.lemma):
        tells = detail_forms.CLOSE_SETTING[:2] if scene.setting.lemma in UNNAMED else detail_forms.CLOSE_SETTING
        page.add(tells, where=scene.setting.phrase, name=scene.setting.name)
    elif scene.inferred is not None and all(scene.find_thing(sign) for sign in scene.inferred[1]):
        setting, signs = scene.inferred
        listed = [say_thing(thing) for thing in scene.things if thing.name in signs]
        page.add(detail_forms.CLOSE_INFERRED, list=say_list(listed), name=setting.name)


def _is_place_told(page: Paragraph, lemma: str) -> bool:
    """True also where a narrower word was used: a city street is a street."""
    return "setting" in page.placed or any(lemma in place.split() or lemma == place for place in page.placed)


def _close_attention(page: Paragraph) -> None:
    main = next((thing for thing in page.scene.things[:1] if thing.num_captions > 1), None)
    nobody = is_absent("person", page.scene)
    if main is None:
        if nobody:
            page.add(detail_forms.CLOSE_NOBODY)
        return
    page.add(detail_forms.CLOSE_EMPTY if nobody else detail_forms.CLOSE_MAIN, main=_say_main(main))


def _close_absence(page: Paragraph) -> None:
    """Name two absent things where the paragraph is short; twice where it would else be too short."""
    missing = [kind for kind in find_absent(page.scene, page.draw, 5) if kind.name not in _UNFIT]
    num = len(page.sentences)
    if len(missing) < 2 or (num > MIN_SENTENCES and page.draw.random() > _LONG_ABSENCE):
        return
    tells = page.draw.sample(detail_forms.CLOSE_ABSENT, 2)
    names = [with_article(kind.spoken) for kind in missing]
    page.add((tells[0],), a=names[0], b=names[1])
    if num == MIN_SENTENCES - 2 and len(names) > 3:
        page.add((tells[1],), a=names[2], b=names[3])


def _say_main(thing: Thing) -> str:
    return thing.plural if thing.is_many else thing.word
