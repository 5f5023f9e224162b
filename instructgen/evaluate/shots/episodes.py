"""Episodes whose labels are new words: nothing but the shots can tell what they mean.

An episode has an attribute of rendered pictures (their colour, say), two values of it (red and green) and a made-up
word for each ("dav", "wiz"). Pictures of both values stand there with their words; of one more the word is wanted.
The words are drawn apart from the values, and each episode asks about one picture of either value, with the same
shots before it: whoever does not see the picture, or does not learn from the shots, is right half of the time.

Words and pairs of values that are asked about are never in episodes for training, and which attributes are trained on
is for the caller to say, so that the one that is asked about can be one that no training episode was about.
"""

import hashlib
import random
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from instructgen.draws import draw_fraction, make_generator
from instructgen.errors import InstructgenError
from instructgen.evaluate.shots.forms import LABEL
from instructgen.lexicon.words import plural_of
from instructgen.scenes.scene import Scene
from instructgen.scenes.simple import PLACES_A_SIDE, SIMPLE_COLOURS, SIMPLE_KINDS, lay_out_alike
from instructgen.train.marks import END_OF_CHUNK, PICTURE, Part

Split = Literal["training", "asked"]
Attribute = Literal["color", "kind", "count", "column"]
ATTRIBUTES: tuple[Attribute, ...] = ("color", "kind", "count", "column")
NUM_CLASSES = 2
_SIZE_PX = (160, 120)
_ASKED_WORDS, _ASKED_PAIRS = 0.2, 0.3  # the shares that training never has
_BEGINS, _VOWELS, _ENDS = "bdfgklmnprstvwz", "aeiou", "vz"  # few English words are of these
_COUNTS = ("one", "two", "three", "four")
_COLUMNS = ("left", "middle", "right")
_VALUES: dict[Attribute, tuple[str, ...]] = {
    "color": SIMPLE_COLOURS,
    "kind": SIMPLE_KINDS,
    "count": _COUNTS,
    "column": _COLUMNS,
}


class EpisodeRules(Struct, frozen=True):
    """What episodes are about. With `varies` what the label does not tell differs from picture to picture, too; else
    it is the same in all pictures of an episode, but for places, sizes and which way things look.

    With `num_variants` episodes share pictures, so many of each look, which makes many episodes of few pictures: for
    training, where each need not be new. With `num_differing` an episode's classes differ in so many attributes at
    once, which is easier to learn from. `words` are all that episodes have; with none they have the split's.
    """

    seed: int = 0
    split: Split = "asked"
    attributes: tuple[Attribute, ...] = ("color",)
    varies: bool = False
    num_variants: int | None = None
    num_differing: int = 1
    words: tuple[str, ...] = ()


class Episode(Struct, frozen=True):
    """`words[n]` is what pictures of `values[n]` are called; `also` are values of more attributes that differ."""

    number: int
    rules: EpisodeRules
    attribute: Attribute
    values: tuple[str, ...]
    words: tuple[str, ...]
    common: dict[Attribute, str]
    also: dict[Attribute, tuple[str, ...]] = {}

    def draw_class(self, place: int) -> int:
        """Return of which class the shot at that place is: each pair of places has both, in a drawn order.

        For training that is so of the first pair only. Were it so of all, half of the words would follow from the
        words before them, and nobody would need to look.
        """
        pair, second = divmod(place, NUM_CLASSES)
        if pair and self.rules.split == "training":
            return self._draw("class", place).randrange(NUM_CLASSES)
        order = list(range(NUM_CLASSES))
        self._draw("order", pair).shuffle(order)
        return order[second]

    def draw_picture(self, of_class: int, name: str) -> bytes:
        """Return a picture of a class as a JPEG; another name gives another picture."""
        return _paint(self.lay_out(of_class, name))

    def lay_out(self, of_class: int, name: str) -> Scene:
        """Return what `draw_picture` draws."""
        draw = self._draw("picture", name)
        shown = {one: draw.choice(_VALUES[one]) for one in ATTRIBUTES} if self.rules.varies else dict(self.common)
        shown |= {self.attribute: self.values[of_class], **{one: told[of_class] for one, told in self.also.items()}}
        if "column" in (self.attribute, *self.also):  # several things have none
            shown["count"] = _COUNTS[0]
        return _lay_out(self.rules, shown, draw)

    def _draw(self, stage: str, name: object) -> random.Random:
        rules = self.rules
        return make_generator(rules.seed, f"episodes/{stage}", f"{rules.split}/{self.number}/{self.attribute}/{name}")


class EpisodeDocument(Struct, frozen=True):
    """An episode to train on: every picture and its word, `texts[n]` said of `pictures[n]`."""

    key: str
    texts: tuple[str, ...]
    pictures: tuple[bytes, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The document as a few-shot prompt with all its answers."""
        parts: list[Part] = []
        for text in self.texts:
            parts += ["\n"] * bool(parts)
            parts += [PICTURE, text, END_OF_CHUNK]
        return tuple(parts)


def make_episode(rules: EpisodeRules, number: int) -> Episode:
    """Return episode `number`; it depends on the rules and the number alone.

    Raises InstructgenError for attributes that there are not, that are too few to differ in, or that exclude each
    other; and for too few words.
    """
    unknown = [one for one in rules.attributes if one not in ATTRIBUTES]
    if unknown or not rules.attributes:
        raise InstructgenError(f"no attribute '{', '.join(unknown)}'; there are: {', '.join(ATTRIBUTES)}")
    if rules.words and len({*rules.words}) < NUM_CLASSES:
        raise InstructgenError(f"an episode has {NUM_CLASSES} words, and there are: {', '.join(rules.words)}")
    if rules.num_differing > len(rules.attributes):
        raise InstructgenError(
            f"classes cannot differ in {rules.num_differing} of {len(rules.attributes)} attributes"
        )
    if rules.num_differing > 1 and {"count", "column"} <= {*rules.attributes}:
        raise InstructgenError(
            "classes that differ in several attributes have count or column: several things have none"
        )
    draw = make_generator(rules.seed, "episodes", f"{rules.split}/{number}")
    attribute = draw.choice(rules.attributes)
    values = draw.choice(list_pairs(attribute, rules.split))
    words = tuple(draw.sample(rules.words or list_words(rules.split), NUM_CLASSES))
    common = {one: draw.choice(_VALUES[one]) for one in ATTRIBUTES}
    if attribute != "count":
        common["count"] = _COUNTS[0]
    others = draw.sample([one for one in rules.attributes if one != attribute], rules.num_differing - 1)
    also = {one: draw.choice(list_pairs(one, rules.split)) for one in others}
    return Episode(number, rules, attribute, values, words, common, also)


def make_training_documents(rules: EpisodeRules, num_documents: int, num_pictures: int) -> Iterator[EpisodeDocument]:
    """Yield documents of so many pictures each, for a model that is to learn to learn from its context."""
    painted: dict[Scene, bytes] = {}
    for number in range(num_documents):
        episode = make_episode(rules, number)
        classes = [episode.draw_class(place) for place in range(num_pictures)]
        scenes = [episode.lay_out(one, f"shot {place}") for place, one in enumerate(classes)]
        if rules.num_variants is None:
            painted.clear()
        painted.update((scene, _paint(scene)) for scene in scenes if scene not in painted)
        yield EpisodeDocument(
            f"episodes-{rules.num_differing}/{rules.split}/{number:08d}",
            tuple(f"{LABEL.wording}{episode.words[one]}" for one in classes),
            tuple(painted[scene] for scene in scenes),
        )


def make_look_documents(rules: EpisodeRules, num_documents: int, num_pictures: int) -> Iterator[EpisodeDocument]:
    """Yield documents of any pictures, each of which says what it shows: "one red dog left", "two blue cups"."""
    painted: dict[Scene, bytes] = {}
    for number in range(num_documents):
        draw = make_generator(rules.seed, "episodes/looks", f"{rules.split}/{number}")
        texts, pictures = [], []
        for _ in range(num_pictures):
            shown = {one: draw.choice(_VALUES[one]) for one in ATTRIBUTES}
            scene = _lay_out(rules, shown, draw)
            if scene not in painted:
                painted[scene] = _paint(scene)
            pictures.append(painted[scene])
            kind = shown["kind"] if shown["count"] == _COUNTS[0] else plural_of(shown["kind"])
            place = f" {shown['column']}" if shown["count"] == _COUNTS[0] else ""
            texts.append(f"{LABEL.wording}{shown['count']} {shown['color']} {kind}{place}")
        if rules.num_variants is None:
            painted.clear()
        yield EpisodeDocument(f"looks/{rules.split}/{number:08d}", tuple(texts), tuple(pictures))


def write_documents(documents: Iterable[EpisodeDocument], folder: Path) -> Path:
    """Write the documents as `build --source interleaved` reads them: lines, and pictures by their sha256."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    path = folder / "episodes.jsonl"
    with path.open("wb") as file:
        for document in documents:
            parts: list[dict[str, str]] = []
            for text, picture in zip(document.texts, document.pictures, strict=True):
                name = f"{hashlib.sha256(picture).hexdigest()}.jpg"
                (images / name).write_bytes(picture)
                parts += [{"image": name}, {"text": text}]
            file.write(msgspec.json.encode({"id": document.key, "parts": parts}) + b"\n")
    return path


def _lay_out(rules: EpisodeRules, shown: dict[Attribute, str], draw: random.Random) -> Scene:
    if rules.num_variants is not None:
        look = "/".join(shown[one] for one in ATTRIBUTES)
        variant = draw.randrange(rules.num_variants)
        draw = make_generator(rules.seed, "episodes/look", f"{rules.split}/{look}/{variant}")
    places = _choose_places(draw, _COUNTS.index(shown["count"]) + 1, shown["column"])
    return lay_out_alike(draw, shown["kind"], shown["color"], places, _SIZE_PX[0] / _SIZE_PX[1])


def _paint(scene: Scene) -> bytes:
    from instructgen.scenes.render import draw_scene
    from instructgen.sources.scenes import encode_jpeg

    return encode_jpeg(draw_scene(scene, _SIZE_PX))


def list_words(split: Split) -> list[str]:
    """Return the made-up words of a split: consonant, vowel, consonant, none of them in both."""
    words = [f"{a}{b}{c}" for a in _BEGINS for b in _VOWELS for c in _ENDS if a != c]
    return [word for word in words if _is_asked("words", word, _ASKED_WORDS) == (split == "asked")]


def list_pairs(attribute: Attribute, split: Split) -> list[tuple[str, ...]]:
    """Return the pairs of values of a split, in one order each; every attribute has some in both."""
    pairs: list[tuple[str, ...]] = [*combinations(_VALUES[attribute], 2)]
    pairs.sort(key=lambda pair: draw_fraction(0, "episodes/pairs", " ".join(pair)))
    num_asked = max(1, round(_ASKED_PAIRS * len(pairs)))
    return pairs[:num_asked] if split == "asked" else pairs[num_asked:]


def _is_asked(stage: str, name: str, share: float) -> bool:
    return draw_fraction(0, f"episodes/{stage}", name) < share


def _choose_places(draw: random.Random, count: int, column: str) -> list[int]:
    """Return places row by row: one of the column for a single thing, any for several."""
    of_column = [row * PLACES_A_SIDE + _COLUMNS.index(column) for row in range(PLACES_A_SIDE)]
    return draw.sample(of_column if count == 1 else range(PLACES_A_SIDE**2), count)
