"""The first sentences of a detailed description: what captions state as a whole, said anew and merged."""

import re
from collections.abc import Collection

from instructgen.lexicon.words import COLOURS
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.collages import PICTURE_LEMMAS
from instructgen.scenegraph.garments import GARMENTS, clashes
from instructgen.scenegraph.graph import SceneGraph, Statement
from instructgen.scenegraph.own_words import find_own_words
from instructgen.scenegraph.settings import SETTINGS
from instructgen.scenegraph.unboxed import SAID_TWICE
from instructgen.scenegraph.vocabulary import AGES, GENDERS
from instructgen.scenegraph.whole import count_told, find_whole, read_wholes
from instructgen.scenegraph.whole_nouns import name_key
from instructgen.teachers.scene_program.borne_out import is_called_otherwise, is_sure_statement
from instructgen.teachers.scene_program.paragraph import Doer, Paragraph, doer_of
from instructgen.teachers.scene_program.phrasing import told_claim
from instructgen.teachers.scene_program.speech import be, pronouns_of

_MOST = 3  # captions
_MAX_MORE = 2  # statements after the first
_MIN_NEW = 2  # how many things and doings a further statement has to add
# By how much a caption told whole has to tell more than a list, than what merely is somewhere, and than a doing.
_LIST_MARGIN, _BARE_MARGIN, _MARGIN = 0, 1, 2
_FAR_MORE = 1  # from which on a caption may have a word of its own
_LONG = 9  # words of a statement to which no place is added
_ALOFT = frozenset(("jump", "leap", "fly", "flip", "do", "perform"))
_COLORS = frozenset(COLOURS.values())
_WORD = re.compile(r"[a-z]+")


def open_with_statement(page: Paragraph) -> bool:
    """Write what most captions speak of as the first sentence; False where no caption is understood."""
    first = _find_first(page)
    if first is not None:
        _open_with(page, first)
    return first is not None


def open_with_whole(page: Paragraph) -> Paragraph:
    """Return the page, or one that opens with a caption told whole, where that tells clearly more."""
    if page.graph.sources is None:
        return page
    tells_doing = bool(page.doers) and page.doers[0].verb not in ("", "be")
    margin = _MARGIN if tells_doing else _BARE_MARGIN if page.doers else _LIST_MARGIN
    is_list = not page.doers and all(claim.kind != "told" for claim in page.claims)
    said = " ".join(page.sentences)
    one = find_whole(
        page.graph.sources,
        said,
        margin,
        needs_verb=tells_doing,
        may_end_early=is_list,
        may_end_at_doing=not tells_doing,
    )
    if one is not None and not is_sure_statement(one, page.graph):
        one = None
    most_alone = int(is_list and one is None)  # better one word of one caption than a bare list
    told = one.text if one is not None else said
    own = find_own_words(page.graph.sources, told, max(margin, _BARE_MARGIN), most_alone)
    if own is not None and (most_alone or is_sure_statement(own, page.graph)):
        one = own
    one = _find_far_more(page.graph, one.text if one is not None else said) or one
    if one is None:
        return page
    fresh = Paragraph(page.graph, page.draw, page.wordings)
    _open_with(fresh, one)
    return fresh


def _find_far_more(graph: SceneGraph, said: str) -> Statement | None:
    """Return a caption with one word of its own, where it tells far more of what several tell than was said."""
    one = find_own_words(graph.sources, said, _FAR_MORE, most_alone=2) if graph.sources is not None else None
    return one if one is not None and not is_called_otherwise(one, graph) else None


def _open_with(page: Paragraph, first: Statement) -> None:
    subject, predicate = page.say(first.subject), page.say(first.predicate)
    is_short = len(f"{subject.words}{predicate.words}".split()) <= _LONG
    place = page.graph.circumstance("place")
    said = f"{subject.words} {predicate.words}".split()
    is_placed = first.keys & SETTINGS.keys() or (place is not None and place.value.split()[-1] in said)
    is_placed = is_placed or first.verb == "wear"  # one wears it anywhere
    is_placed = is_placed or (place is not None and place.phrase.startswith("at ") and "at" in said)
    setting, placed = page.set_scene() if is_short and not is_placed else ("", ())
    claims = (told_claim(first), *subject.claims, *predicate.claims, *placed)
    page.told.update((*subject.keys, *predicate.keys))
    page.note_statement(first)
    slots = {"who": subject.words, "what": predicate.words, "setting": setting}
    page.add(_family_of(first), claims, **slots, **{"is": be(is_plural=first.is_plural)})


def _find_first(page: Paragraph) -> Statement | None:
    """Return what tells a doing, or else a quote; where most captions tell a doing it has to be that."""
    found, quotes = page.graph.statements, page.graph.quotes
    first = next((one for one in found if one.verb not in ("", "be")), None)
    if first is not None:
        return first
    told = [one.verb for one in page.graph.told if one.is_main]
    if told:
        return next((one for one in quotes if one.verb in told), None)
    return next((one for one in quotes if one.verb not in ("", "be")), None) or next(iter((*found, *quotes)), None)


def _family_of(one: Statement) -> str:
    """Return how a first sentence is worded: where the subject is long, its verb has to stay near."""
    if one.lemma in PICTURE_LEMMAS:
        return "d_open_collage"
    if not one.predicate:
        return "d_open_scene"
    if one.verb == "be":
        return "d_open_being"
    return "d_open_action" if len(one.subject) == 1 else "d_open_long"


def tell_statements(page: Paragraph, *, min_new: int = _MIN_NEW, verbs: Collection[str] = ()) -> None:
    """Tell up to two more statements, each of which adds something, of a subject that is clear.

    With `verbs` these are the only doings it tells.
    """
    num = 0
    for one in page.graph.statements:
        if num == _MAX_MORE:
            return
        least = 1 if one.verb == "be" else min_new
        if (not verbs or one.verb in verbs) and _is_new(page, one, least):
            num += _tell_if_clear(page, one)


def tell_common(page: Paragraph) -> None:
    """Tell one more clause with what most captions have and no sentence has, and nothing that one alone has."""
    sources = page.graph.sources
    if sources is None or page.room() <= 0:
        return
    counted, said = count_told(sources), set(map(name_key, _WORD.findall(page.text())))
    lacking = {key for key, num in counted.items() if num >= _MOST} - said
    if not lacking:
        return
    alone = {key for key, num in counted.items() if num == 1} - said
    told = {one: _keys_of(one) for one in (*page.graph.statements, *page.graph.quotes, *read_wholes(sources))}
    for one in sorted(told, key=lambda one: -len(lacking & told[one])):
        is_shared = lacking & told[one] and not alone & told[one]
        if is_shared and _is_new(page, one, 1) and _tell_if_clear(page, one):
            return


def _keys_of(one: Statement) -> set[str]:
    """Return what its predicate tells."""
    return {name_key(word) for part in one.predicate for word in _WORD.findall(part.text)}


def _is_new(page: Paragraph, one: Statement, least: int) -> bool:
    """True for what adds `least` things and doings, and repeats none that was told by another name."""
    new = one.keys - page.told - page.named - _COLORS
    if not one.verb or len(new) < least or (one.verb == "wear" and new == {"wear"}):
        return False
    if (one.verb == "be" and _is_placed(page, one)) or _has_said_doing(page, one):
        return False
    if one.keys & SETTINGS.keys() and "setting" in page.told:
        return False
    if any(clashes(word, page.told & GARMENTS) for word in one.keys & GARMENTS):
        return False
    return not any(page.has_told_otherwise(word) for word in one.keys - {one.category, one.lemma})


def _tell_if_clear(page: Paragraph, one: Statement) -> bool:
    """Tell it if it is clear whether its subject was told of before; False where that is not."""
    doer = doer_of(one)
    same = next((known for known in page.doers if _is_same(page, known, doer)), None)
    is_person = one.category == "person" or "person" in one.keys
    if same is None and (_may_be_known(page, doer) or (is_person and "person" in page.named)):
        return False
    if same is not None and _is_told(page, one, same):
        return False
    _tell(page, one, same)
    return True


def _has_said_doing(page: Paragraph, one: Statement) -> bool:
    """True where the word for the doing was said: of "a smiling man"."""
    words = one.said.split()[:1]
    return any(word.endswith("ing") and page.has_said(word) for word in words)


def _is_placed(page: Paragraph, one: Statement) -> bool:
    """True where what it is by was told of: "on a tennis court", and then "on a court"; who jumps is in the air."""
    others = one.keys - {one.category, one.lemma, "be"}
    is_aloft = "air" in others and any(known.verb in _ALOFT for known in page.doers)
    return is_aloft or any(map(page.has_word, others)) or not others.isdisjoint(page.named)


def _is_told(page: Paragraph, one: Statement, same: Doer) -> bool:
    """True for a doing that was told of the same one, if only as its second ("holding a plate and eating")."""
    return page.does_alike(same.word, one.verb) or len(one.subject) > 1 or one.verb in page.told - {"be"}


def _may_be_known(page: Paragraph, doer: Doer) -> bool:
    """True for what may have been told of before, by the same word or another."""
    is_renamed = page.has_told_otherwise(doer.category or doer.lemma)
    return is_renamed or any(may_be_same(known, doer) for known in page.doers)


def _tell(page: Paragraph, one: Statement, same: Doer | None) -> None:
    predicate = page.say(one.predicate)
    it = pronouns_of(same.word if same is not None else one.lemma, one.kind, is_plural=one.is_plural)
    slots = {"what": page.refer_back(predicate.words), "it": it.it, "is": it.be}
    claims: tuple[Claim, ...] = (told_claim(one), *predicate.claims)
    if same is None:
        page.told.update(predicate.keys)
        subject = page.say(one.subject)
        claims = (told_claim(one), *subject.claims, *predicate.claims)
        who = page.refer_back(subject.words)
        slots |= {"who": who, "the_x": who, "is": be(is_plural=one.is_plural)}
        page.told.update(subject.keys)
        page.add("d_again_doing" if who.startswith("the ") else "d_other_doing", claims, **slots)
    elif one.verb != "be" and len(page.sentences) == 1 and (one.is_plural or it.it != "they"):
        page.add("d_same_doing", claims, **slots)
    elif one.verb == "be":
        page.add(
            "d_placed", claims, the_x=f"the {same.word}", what=slots["what"], **{"is": be(is_plural=one.is_plural)}
        )
    else:
        slots |= {"the_x": f"the {same.word}", "is": be(is_plural=one.is_plural)}
        page.add("d_again_doing", claims, **slots)
    page.told.update(predicate.keys)
    page.note_statement(one)


def _is_same(page: Paragraph, known: Doer, doer: Doer) -> bool:
    """True where both are the one of the image, or all of its kind."""
    if (known.word, known.is_plural) != (doer.word, doer.is_plural):
        return False
    entity = page.graph.find(doer.category or doer.lemma)
    return entity is not None and (entity.is_single or doer.kind == "person" or doer.is_plural)


def may_be_same(known: Doer, doer: Doer) -> bool:
    """True where it is not clear whether somebody was spoken of before: "a person", "people"."""
    if (known.category or known.lemma) != (doer.category or doer.lemma):
        return doer.lemma in SAID_TWICE.get(known.lemma, frozenset()) or known.lemma in doer.lemma.split()
    if doer.category != "person":
        return True
    return not any(
        table.get(known.lemma, "") != table.get(doer.lemma, "") and {known.lemma, doer.lemma} <= table.keys()
        for table in (GENDERS, AGES)
    )
