"""Samples that a model will be examined on (docs/filters.md): pictures and texts of evaluation sets."""

import json
import re
from collections.abc import Iterator, Set
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta, Struct

from instructgen.config import Fraction
from instructgen.errors import InstructgenError
from instructgen.filters.questions import pair_turns
from instructgen.filters.quotes import shorten
from instructgen.filters.shingles import hash_shingles, hash_words
from instructgen.records import Fault, ImageRecord, Sample

if TYPE_CHECKING:
    from instructgen.filters.shingles import Hashes

# Under these names the evaluation sets of the field keep their pictures; "id" is one only where it looks like one.
_IMAGE_KEYS = frozenset({"image", "images", "image_id", "imageId", "img", "image_path", "image_file", "file_name"})
_TEXT_KEYS = frozenset(
    {"question", "questions", "text", "instruction", "output", "answer", "answers", "prompt", "caption", "captions"}
    | {"value", "content", "response", "query", "gt_answer", "label"}
)
_COCO_NAME = re.compile(r"(?:coco_)?(?:train|val|test)(?:\d{4})?_(?=\d)", re.IGNORECASE)
_IMAGE_NAME = re.compile(r"(?:\S*/)?\S*\d\S*\.(?:jpe?g|png|webp|gif|bmp)|\w+/\d+|(?:COCO_\w+_)?\d{4,}")
_LONG_ID = re.compile(r"\d{12}")
_BATCH_PAIRS = 256
_MAX_CHARS = 1 << 16


class Contamination(Struct, frozen=True, forbid_unknown_fields=True):
    """Drop samples whose picture, or whose text, is in one of the evaluation files.

    Each question is judged with its answer: `max_share`, 0 to 1, of their runs of `n` words may be known ones.
    """

    reasons: ClassVar[tuple[str, ...]] = ("contaminated_image", "contaminated_text")
    is_default: ClassVar[bool] = False

    against: tuple[str, ...] = ()
    # GPT-3 (arXiv 2005.14165, appendix C) took 8 to 13 words, by the length of the set's texts.
    n: Annotated[int, Meta(ge=3, le=30)] = 8
    max_share: Fraction = 0.5

    def start(self) -> "ContaminationPass":
        if not self.against:
            raise InstructgenError(
                "[filters.options.contamination] names no evaluation files; say against = ['FILE.jsonl']"
            )
        return ContaminationPass(self, [Path(name) for name in self.against])


class ContaminationPass:
    """Keeps what was found, and the hashes of the evaluation sets."""

    def __init__(self, options: Contamination, paths: list[Path]) -> None:
        import numpy as np

        self._options = options
        self._image_names: set[str] = set()
        hashes = [np.zeros(0, dtype=np.uint64)]
        for path in paths:
            texts: list[str] = []
            names: set[str] = set()
            for is_image, value in read_evaluation(path):
                if is_image:
                    names.add(image_name(value))
                else:
                    texts.append(value)
            runs = _hash_texts(texts, options.n)
            if not names and not len(runs):
                raise InstructgenError(
                    f"{path} holds no image and no text of {options.n} words under a key that is known "
                    "(docs/filters.md): nothing could be found by it; leave it out or name its keys as they are there"
                )
            self._image_names |= names
            hashes.append(runs)
        self._known = np.unique(np.concatenate(hashes))
        self._faults: dict[str, Fault] = {}
        self._waiting: list[tuple[str, str, str]] = []

    def observe(self, sample: Sample, record: ImageRecord) -> None:
        for one in (record, *sample.others):
            names = {image_name(one.image_id), image_name(one.file_name)}
            if not names.isdisjoint(self._image_names):
                self._faults[sample.sample_id] = Fault("contaminated_image", shorten(one.file_name))
                return
        for asked, answer in pair_turns(sample.turns):
            self._waiting.append((sample.sample_id, asked[:_MAX_CHARS], answer[:_MAX_CHARS]))
        if len(self._waiting) >= _BATCH_PAIRS:
            self._compare()

    def decide(self, dropped: Set[str] = frozenset()) -> dict[str, Fault]:
        self._compare()
        return {sample_id: fault for sample_id, fault in self._faults.items() if sample_id not in dropped}

    def _compare(self) -> None:
        import numpy as np

        waiting, self._waiting = self._waiting, []
        if not waiting or not len(self._known):
            return
        words, word_places = hash_words([text for _, *texts in waiting for text in texts])
        hashes, places = hash_shingles(words, word_places, self._options.n)
        at = np.minimum(np.searchsorted(self._known, hashes), len(self._known) - 1)
        # A text shorter than n words is one run, too short to tell: it counts neither way.
        is_long = np.repeat(np.diff(word_places) >= self._options.n, np.diff(places))
        num_known = np.concatenate(([0], np.cumsum((self._known[at] == hashes) & is_long)))
        num_long = np.concatenate(([0], np.cumsum(is_long)))
        for number, (sample_id, asked, answer) in enumerate(waiting):
            start, end = places[2 * number], places[2 * number + 2]
            num, known = num_long[end] - num_long[start], num_known[end] - num_known[start]
            if known > self._options.max_share * num:
                fault = Fault("contaminated_text", shorten(f"{known} of {num} runs: {asked.strip()} {answer}"))
                self._faults.setdefault(sample_id, fault)


def _hash_texts(texts: list[str], n: int) -> "Hashes":
    """Return the hashes of the runs of n words; a text of fewer words has none."""
    import numpy as np

    found = [np.zeros(0, dtype=np.uint64)]
    for start in range(0, len(texts), _BATCH_PAIRS):
        words, word_places = hash_words(texts[start : start + _BATCH_PAIRS])
        hashes, places = hash_shingles(words, word_places, n)
        found.append(hashes[np.repeat(np.diff(word_places) >= n, np.diff(places))])
    return np.unique(np.concatenate(found))


def image_name(name: str) -> str:
    """Return what an image is known by in any file.

    "coco/000000391895" and "COCO_val2014_000000391895.jpg" are both "391895"; a number is one whatever its source.
    """
    stem = name.replace("\\", "/").rpartition("/")[2].lower()
    stem = _COCO_NAME.sub("", re.sub(r"\.(?:jpe?g|png|webp|gif|bmp)$", "", stem))
    return stem.lstrip("0") or stem


def read_evaluation(path: Path) -> Iterator[tuple[bool, str]]:
    """Yield (is an image, value) for all images and texts of a .json, .jsonl or .txt file.

    A line of a .txt file is an image where it looks like an image's name or number, and a text otherwise.
    Raises InstructgenError naming the file, and the line where there is one.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InstructgenError(f"[filters.options.contamination]: {path} cannot be read as text: {error}") from None
    if path.suffix not in (".json", ".jsonl"):
        lines = [line.strip() for line in content.split("\n")]
        yield from ((bool(_IMAGE_NAME.fullmatch(line)), line) for line in lines if line)
        return
    # Not splitlines: U+2028 and others at which it splits may stand inside a JSON string.
    whole = [(1, content)] if path.suffix == ".json" else enumerate(content.split("\n"), 1)
    for number, part in whole:
        try:
            found = json.loads(part) if part.strip() else None
        except json.JSONDecodeError as error:
            raise InstructgenError(f"{path} line {max(number, error.lineno)} is not valid JSON: {error}") from None
        yield from _walk(found, "")


def _walk(value: object, key: str) -> Iterator[tuple[bool, str]]:
    """Yield the images and texts of a parsed file, whatever its layout, by the names that their keys have."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, key)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        text = str(value)
        if key in _IMAGE_KEYS or (key == "id" and _LONG_ID.fullmatch(text)):
            yield True, text
        elif key in _TEXT_KEYS or not key:
            yield bool(not key and _IMAGE_NAME.fullmatch(text)), text
