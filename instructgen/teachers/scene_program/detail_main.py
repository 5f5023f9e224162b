"""What most captions tell and no sentence has said yet: a description does not leave it out."""

import re

from msgspec import structs

from instructgen.lexicon.meanings import TOLD_BY
from instructgen.lexicon.words import plural_of, with_article
from instructgen.scenegraph.corroboration import families_of
from instructgen.scenegraph.garments import EVERYDAY
from instructgen.scenegraph.graph import Action
from instructgen.teachers.scene_program.paragraph import Doer, Paragraph
from instructgen.teachers.scene_program.phrasing import say_doing
from instructgen.teachers.scene_program.speech import be, pronouns_of

_KINDS = ("person", "animal", "vehicle")
_MAX_MAIN = 2
_GROUP = re.compile(r"\b(?:couple|family|team|(?:group|herd|flock|crowd|line|row) of)\b")


def tell_main_actions(page: Paragraph) -> None:
    """Tell up to two doings that most captions tell, of who was told of before, or of somebody new."""
    num = 0
    for action in page.graph.told:
        if num == _MAX_MAIN or not action.is_main:
            return
        if action.kind not in _KINDS or page.room() <= 0 or _is_told(page, action):
            continue
        same = _find_same(page, action)
        if same is not None and (page.does_alike(same.word, action.verb) or not _may_tell(page, action, same)):
            continue
        if same is None and any(one.category == action.category for one in page.doers):
            continue  # it is not clear whose doing it is
        _tell(page, _by_same_word(page, action, same), same)
        num += 1


def _by_same_word(page: Paragraph, action: Action, same: Doer | None) -> Action:
    """Return the doing as it is told of who was named: of the man, not of "a person"."""
    told = (one for one in page.graph.told if same is not None and one.subject == same.word)
    return next((one for one in told if one.doing == action.doing), action)


def _is_told(page: Paragraph, action: Action) -> bool:
    """True where much the same was said of whom it may: "skiing" and "riding", or the place it is told with."""
    if action.verb == "wear" and (action.held in EVERYDAY or action.object in page.told):
        return True
    if action.verb in page.told or families_of(action.verb) & page.told or page.has_said(action.doing):
        return True
    if any(page.has_told_otherwise(word) for word in (action.object, action.place) if word):
        return True
    return bool(action.place) and page.has_said(action.place)


def _find_same(page: Paragraph, action: Action) -> Doer | None:
    """Return the one told of before who has to be meant: the only one, or the only several, of the category."""
    known = [one for one in page.doers if one.category == action.category]
    words = {one.word for one in known}
    if not known or len(words) > 1:
        return None
    if known[0].is_plural != action.is_plural:
        is_group = action.is_plural and _GROUP.search(page.sentences[0].lower()) is not None
        return structs.replace(known[0], word=action.subject, is_plural=True) if is_group else None
    return known[0]


def _may_tell(page: Paragraph, action: Action, same: Doer) -> bool:
    """True unless the word for who does it tells it ("a skier"), or is not the action's and has no pronoun."""
    if same.word in TOLD_BY.get(action.verb, frozenset()) or plural_of(same.lemma) in TOLD_BY.get(action.verb, ()):
        return False
    if same.word == action.subject or _by_same_word(page, action, same) is not action:
        return True
    it = pronouns_of(same.word, action.kind, is_plural=action.is_plural)
    is_anybody = action.subject in ("person", "people") or action.category != "person"  # not the child of "a woman"
    return is_anybody and len(page.sentences) == 1 and (action.is_plural or it.it == "it")


def _tell(page: Paragraph, action: Action, same: Doer | None) -> None:
    what = say_doing(page.graph, action, page.is_new)
    word = same.word if same is not None else action.subject
    it = pronouns_of(word, action.kind, is_plural=action.is_plural)
    slots = {"what": what.words, "it": it.it, "is": be(is_plural=action.is_plural)}
    if same is not None and len(page.sentences) == 1 and (action.is_plural or it.it != "they"):
        slots["is"] = it.be
        page.add("d_same_doing", what.claims, **slots)
    elif same is not None:
        page.add("d_again_doing", what.claims, the_x=f"the {word}", **slots)
    else:
        new = action.subject if action.is_plural or action.kind == "mass" else with_article(action.subject)
        known = action.category in page.named and action.subject not in ("people", "person")
        page.add("d_placed", what.claims, the_x=f"the {action.subject}" if known else new, **slots)
    page.note(action)
    page.told.update((*what.keys, action.verb, action.object))
