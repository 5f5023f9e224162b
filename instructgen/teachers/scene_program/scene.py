"""What is certain of an image: its things with counts, and the facts that captions and boxes agree on."""

from msgspec import Struct

from instructgen.lexicon.categories import Category, find_category
from instructgen.records import Box, ImageRecord
from instructgen.surrogate.boxes import overlap
from instructgen.teachers.scene_program.colours import Colour, find_colours
from instructgen.teachers.scene_program.events import find_events
from instructgen.teachers.scene_program.extras import find_extras
from instructgen.teachers.scene_program.facts import Fact, make_facts
from instructgen.teachers.scene_program.people import PersonWords, read_person_words
from instructgen.teachers.scene_program.phrases import NounPhrase, find_noun_phrases, tokenise
from instructgen.teachers.scene_program.settings import Setting, find_setting, infer_setting

_SAME_PLACE = 0.8  # intersection over union of two boxes that may be one thing named twice
_MIN_AREA = 0.0025  # a smaller box that no caption names is not spoken of


class Thing(Struct, frozen=True):
    """One boxed category. `count` is None where captions do not confirm the number of boxes.

    `word` and `plural` are how it is said in this image. `boxes` leave out crowds.
    """

    category: Category
    word: str
    plural: str
    boxes: tuple[Box, ...]
    has_crowd: bool
    num_captions: int
    is_single: bool
    count: int | None

    @property
    def name(self) -> str:
        return self.category.name

    @property
    def is_many(self) -> bool:
        """True where at least two are certain."""
        return self.has_crowd or len(self.boxes) > 1

    @property
    def area(self) -> float:
        """Share of the image that the largest one takes; a crowd is not measured."""
        return max((box.area for box in self.boxes), default=0.0)


class Scene(Struct, frozen=True):
    """An image read. `things` begin with the most important; `words` are all words of the captions."""

    image_id: str
    things: tuple[Thing, ...]
    facts: tuple[Fact, ...]
    colours: tuple[Colour, ...]
    setting: Setting | None
    inferred: tuple[Setting, tuple[str, str]] | None
    extras: tuple[str, ...]
    words: frozenset[str]
    boxed: frozenset[str]
    person: PersonWords

    def find_thing(self, name: str) -> Thing | None:
        return next((thing for thing in self.things if thing.name == name), None)


def read_scene(record: ImageRecord) -> Scene:
    """Read captions and boxes once; everything that is said later comes from here."""
    tokens = [tokenise(caption) for caption in record.captions]
    phrases = [find_noun_phrases(words) for words in tokens]
    events = [find_events(words, found) for words, found in zip(tokens, phrases, strict=True)]
    words = frozenset(form for caption in tokens for word in caption for form in (word, word.split("'")[0]))
    boxed = frozenset(box.category for box in record.boxes)
    person = read_person_words(phrases)
    things = _find_things(record, phrases, words, person)
    by_name = {thing.name: thing for thing in things}
    setting = find_setting(tokens, phrases, boxed)
    return Scene(
        image_id=record.image_id,
        things=tuple(things),
        facts=tuple(make_facts(events, phrases, _numbers(by_name), person)),
        colours=tuple(
            find_colours(tokens, phrases, {name: thing.word for name, thing in by_name.items() if thing.is_single})
        ),
        setting=setting,
        inferred=infer_setting(boxed) if setting is None else None,
        extras=tuple(find_extras(phrases, words)),
        words=words,
        boxed=boxed,
        person=person,
    )


def _numbers(things: dict[str, Thing]) -> dict[str, int]:
    """Map each category to the number of its boxes; a crowd counts as two more, as it holds several."""
    return {name: 1 if thing.is_single else len(thing.boxes) + 2 * thing.has_crowd for name, thing in things.items()}


def _find_things(
    record: ImageRecord, phrases: list[list[NounPhrase]], words: frozenset[str], person: PersonWords
) -> list[Thing]:
    by_category: dict[str, list[Box]] = {}
    for box in record.boxes:
        by_category.setdefault(box.category, []).append(box)
    things = []
    for name, boxes in by_category.items():
        mentions = [[phrase for phrase in found if phrase.noun.category == name] for found in phrases]
        thing = _make_thing(find_category(name), boxes, mentions, words, person)
        if thing.num_captions or (thing.area >= _MIN_AREA and not _is_doubtful(name, boxes, record.boxes, words)):
            things.append(thing)
    return sorted(things, key=lambda thing: (-_weight(thing), thing.name))


def _weight(thing: Thing) -> float:
    return thing.num_captions + 2 * thing.area + (0.5 if thing.category.group in ("person", "animal") else 0.0)


def _make_thing(
    category: Category,
    boxes: list[Box],
    mentions: list[list[NounPhrase]],
    words: frozenset[str],
    person: PersonWords,
) -> Thing:
    plain = tuple(box for box in boxes if not box.is_crowd)
    has_crowd = len(plain) < len(boxes)
    said = [phrase for found in mentions for phrase in found if not phrase.is_negated]
    single = len(plain) == 1 and not has_crowd and not any(phrase.is_plural for phrase in said)
    word, plural = _say(category, words)
    if category.name == "person":
        word, plural = person.singular if single else "person", "people"
    return Thing(
        category=category,
        word=word,
        plural=plural,
        boxes=plain,
        has_crowd=has_crowd,
        num_captions=sum(1 for found in mentions if any(not phrase.is_negated for phrase in found)),
        is_single=single,
        count=None if has_crowd else _confirmed_count(len(plain), mentions),
    )


def _say(category: Category, words: frozenset[str]) -> tuple[str, str]:
    """Choose the word of the people who saw it where one category holds two kinds of things."""
    if category.name == "tv" and not words & {"tv", "television", "tvs", "televisions"}:
        return "screen", "screens"
    if category.name == "remote" and words & {"wii", "controller", "controllers", "nintendo"}:
        return "game controller", "game controllers"
    if category.name == "oven" and "stove" in words and "oven" not in words:
        return "stove", "stoves"
    return category.spoken, category.plural


def _confirmed_count(num_boxes: int, mentions: list[list[NounPhrase]]) -> int | None:
    totals: set[int | None] = set()
    for found in mentions:
        if found:
            totals.add(_caption_total(found))
    stated = {total for total in totals if total is not None}
    if num_boxes == 1:
        return 1 if stated == {1} and None not in totals else None
    return num_boxes if num_boxes in stated and stated <= {num_boxes, 1} and num_boxes > 1 else None


def _caption_total(found: list[NounPhrase]) -> int | None:
    """Return how many the caption speaks of; None where that is not clear.

    Only different people are added up ("a man and a woman"): a thing may be mentioned twice.
    """
    if any(phrase.noun.is_plural and phrase.number is None for phrase in found):
        return None
    if len(found) == 1:
        return found[0].number or 1
    lemmas = {phrase.noun.lemma for phrase in found}
    apart = found[0].noun.category == "person" and len(lemmas) == len(found) and "person" not in lemmas
    return len(found) if apart and not any(phrase.is_plural for phrase in found) else None


# A category whose boxes annotators may mean where people say otherwise.
_RIVALS = {
    "sheep": {"goat", "goats"},
    "cow": {"horse", "horses", "goat", "goats", "sheep", "buffalo", "yak"},
    "horse": {"cow", "cows", "donkey", "donkeys"},
    "dining table": {"desk", "counter", "bed"},
    "sandwich": {"hot", "pizza"},
    "bird": {"kite", "kites"},
    "truck": {"van", "bus", "suv"},
    "teddy bear": {"doll", "dolls"},
    "bed": {"couch", "sofa"},
    "couch": {"bed", "chair"},
    "skis": {"snowboard", "snowboards"},
    "laptop": {"tablet"},
    "boat": {"surfboard", "surfboards"},
    "cake": {"pie", "donut", "donuts", "bread"},
    "donut": {"cake", "bagel", "bread"},
    "bear": {"teddy", "stuffed", "dog"},
}


def _is_doubtful(name: str, boxes: list[Box], others: tuple[Box, ...], words: frozenset[str]) -> bool:
    """True for a thing no caption names that another category's box covers, or that people call otherwise."""
    if _RIVALS.get(name, set()) & words:
        return True
    return any(other.category != name and overlap(box, other) > _SAME_PLACE for box in boxes for other in others)
