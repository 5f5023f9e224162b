"""What most captions say of the things in the first sentence, word by word: how many, what color, of what kind."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

from instructgen.lexicon.words import COLOURS, with_article
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Entity, Evidence, SceneGraph, Span
from instructgen.scenegraph.vocabulary import BOUNDARIES, LIKENESS, NOUNS, UNREAL
from instructgen.teachers.scene_program.paragraph import Paragraph
from instructgen.teachers.scene_program.speech import say_number

_MOST = 3  # captions
_MAX_ADDED = 2
_MOST_COUNTED = 9
_MOST_BOXES = 5  # by how many times as many boxes a number is not that of the main ones
_OPENING = r"(?:^|(?:, |shows |see |captures |(?:picture|image|photo) of ))"
_AMONG = rf"(?P<before>{_OPENING}|\b(?:two|three|four|some|several|many|of) )"
_ONE = r"\b(?P<before>[Aa]n? (?:[a-z]+ )?)"
_LOOKS = r"(?:(?:young|old|older|little|white|black|brown) )?"
_OF_PEOPLE = frozenset(("young",))
_TOLD_YOUNG = ("boy", "girl", "man", "woman")
_MATERIALS = re.compile(r"(?:wooden|metal|steel|plastic|glass|leather|stone|and|,) ?$")
_LIKENED = LIKENESS | UNREAL
_COLORS = frozenset(COLOURS.values())
_BEFORE_COLORS = re.compile(r"\b(?:large|small|big|little|huge|long|short|tall|tiny|young|old|double) $")
# What tells the kind of a thing, or its state.
_MODIFYING = frozenset((
    *("baby", "street", "park", "food", "semi", "trolley", "tour", "police", "fire", "dump", "cruise"),
    *("beer", "water", "birthday", "glazed", "chocolate", "digital", "passenger", "military", "calico", "tabby"),
    *("broken", "half", "chopped", "sliced", "paddle", "hockey", "hospital", "hotel", "garbage", "pickup", "school"),
    *("commuter", "freight", "electric", "parked", "wine", "christmas", "wedding", "city", "fighter", "cargo"),
))  # fmt: skip


def tell_shared(page: Paragraph) -> None:
    """Put into the first sentence how many it begins with, and looks that most captions give its things."""
    sources = page.graph.sources
    if sources is None or not page.sentences:
        return
    _tell_number(page)
    num = 0
    for entity in page.graph.entities:
        if num < _MAX_ADDED and entity.member_of is None:
            num += _tell_look(page, entity)


def _tell_number(page: Paragraph) -> None:
    """Say "two men" for the men that the sentence begins with, where most captions do and none has another number."""
    first = page.sentences[0]
    for name, word, number, span in _numbers_of(page.graph):
        found = re.search(
            rf"{_OPENING}(?P<who>{_LOOKS}{word})\b(?! of| and|,| with [a-z]+ and)", first, re.IGNORECASE
        )
        if found is None:
            continue
        at = found.start("who")
        said = say_number(number)
        rest = first[at].lower() + first[at + 1 :]
        page.sentences[0] = f"{first[:at]}{said.capitalize() if at == 0 else said} {rest}"
        page.told.add(f"count {name}")
        page.claims.append(Claim("told", f"{said} {word}", evidence=Evidence((span,))))
        return


def _numbers_of(graph: SceneGraph) -> Iterator[tuple[str, str, int, Span]]:
    """Yield the plural words that captions put a number to, with the one number that most have, and where."""
    by_name: dict[str, dict[Span, tuple[str, int]]] = {}
    for reading in graph.sources.readings if graph.sources is not None else ():
        for phrase in reading.phrases:
            said = {say_number(phrase.number), str(phrase.number)} if phrase.number is not None else set()
            is_told = not said.isdisjoint(reading.tokens[phrase.start : phrase.end])  # not "a couple of"
            if phrase.number is not None and is_told and phrase.is_plural and not phrase.is_likeness:
                word = _noun_of(" ".join(reading.tokens[phrase.start : phrase.end]))
                found = by_name.setdefault(phrase.noun.category or phrase.noun.lemma, {})
                found[reading.span(phrase.start, phrase.end)] = word, phrase.number
    for name, told in by_name.items():
        entity, numbers = graph.find(name), {number for _, number in told.values()}
        is_unlike = entity is not None and len(entity.boxes) == 1 and not entity.has_crowd
        is_unlike = is_unlike or (entity is not None and len(entity.boxes) > _MOST_BOXES * min(numbers))
        is_agreed = len(numbers) == 1 and len({span.caption for span in told}) >= _MOST
        if is_agreed and not is_unlike and 1 < min(numbers) <= _MOST_COUNTED:
            yield from ((name, word, number, span) for span, (word, number) in told.items())


def _noun_of(words: str) -> str:
    """Return the noun that a phrase ends with, of two words if there is such a noun."""
    last = " ".join(words.split()[-2:])
    return last if last in NOUNS else words.rpartition(" ")[2]


def _tell_look(page: Paragraph, entity: Entity) -> bool:
    first = page.sentences[0]
    is_several = not entity.is_single and entity.kind != "person"
    word = entity.plural if is_several else entity.word
    if entity.kind == "person":
        word = next((one for one in _TOLD_YOUNG if re.search(rf"\b[Aa] {one}\b", first)), "")
    if not word or word not in first or (is_several and len(entity.boxes) == 1):
        return False
    runs = list(_runs(page.graph, entity, is_plural=is_several))
    look = _find_look([run for run, _ in runs], entity, is_plural=is_several)
    found = _before(word, is_several=is_several).search(first) if look else None
    if not look or found is None or look in word.split() or page.has_word(look) or not _fits(page, look, word):
        return False
    behind = first[found.end() + len(word) :].split()[:1]
    if _MATERIALS.search(found["before"]) or (behind and f"{word} {behind[0]}" in NOUNS):
        return False
    said = f"{found['before']}{look} " if is_several else _put_in(found["before"], look)
    kind = said.partition(f"{look} ")[2]
    cited = next(
        (span for run, span in runs if {look, *kind.split()} <= {COLOURS.get(one, one) for one in run}), None
    )
    if cited is None:
        return False
    page.sentences[0] = f"{first[: found.start()]}{said}{first[found.end() :]}"
    page.told.update((f"color {entity.name}", f"looks {entity.name}"))
    page.claims.append(Claim("told", f"{look} {kind}{word}", evidence=Evidence((cited,))))
    return True


@cache
def _before(word: str, *, is_several: bool) -> re.Pattern[str]:
    return re.compile(rf"{_AMONG if is_several else _ONE}(?={re.escape(word)}\b)")


def _fits(page: Paragraph, look: str, word: str) -> bool:
    """True for any color; what tells the kind is not put into a clause that a caption is cited for."""
    told = (f" {one.subject} {one.value} {one.other} " for one in page.claims if one.kind in ("told", "doing"))
    return look in _COLORS or look in _OF_PEOPLE or not any(f" {word} " in one for one in told)


def _put_in(before: str, look: str) -> str:
    """Put the look into "a city ": a color before what tells the kind, "a red city ", and behind a size."""
    _, _, between = before.partition(" ")
    is_first = look in _COLORS and between and not _BEFORE_COLORS.search(before)
    said = with_article(f"{look} {between}" if is_first else f"{between}{look} ")
    return f"A{said[1:]}" if before[0] == "A" else said


def _find_look(runs: list[tuple[str, ...]], entity: Entity, *, is_plural: bool) -> str:
    """Return the color or the word of kind that most captions have right before a word for the thing."""
    if any(not _LIKENED.isdisjoint(run) for run in runs):
        return ""
    colored = [{COLOURS[word] for word in run if word in COLOURS} for run in runs]
    colored = [one for one in colored if one]
    counted = Counter(COLOURS.get(word, word) for run in runs for word in set(run))
    # Of as many captions a color goes first; the order is the same in each process.
    for look, num in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0] not in _COLORS, pair[0])):
        if num < _MOST:
            return ""
        if look in _COLORS and entity.kind != "person" and _is_main_color(look, colored, is_plural=is_plural):
            return look
        if look in (_OF_PEOPLE if entity.kind == "person" else _MODIFYING):
            return look
    return ""


def _is_main_color(look: str, colored: list[set[str]], *, is_plural: bool) -> bool:
    """True for the color that all tell who tell any, and most as the only one: not of "a white and red bus"."""
    num_alone = sum(one == {look} for one in colored)
    is_main = 2 * num_alone > len(colored) and all(look in one for one in colored)
    return is_main and (not is_plural or num_alone == len(colored))


def _runs(graph: SceneGraph, entity: Entity, *, is_plural: bool) -> Iterator[tuple[tuple[str, ...], Span]]:
    """Yield for each caption the words that stand before the first word for the thing, and where both are."""
    for reading in graph.sources.readings if graph.sources is not None else ():
        tokens = reading.tokens
        for at, token in enumerate(tokens):
            noun = NOUNS.get(token)
            is_it = noun is not None and (noun.category or noun.lemma) == entity.name and noun.is_plural == is_plural
            if not is_it or (at + 1 < len(tokens) and (tokens[at + 1] in NOUNS or tokens[at + 1] == "'s")):
                continue
            start = at
            while start and (tokens[start - 1] not in BOUNDARIES or (tokens[start - 1] == "and" and start < at)):
                start -= 1
            yield tokens[start:at], reading.span(start, at + 1)
            break
