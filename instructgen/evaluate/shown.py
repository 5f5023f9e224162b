"""OUT/shown/SUITE.jsonl: some answers of a suite beside the truth, with small pictures, for people to look at."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from instructgen.dataset.pictures import make_thumbnail
from instructgen.disk import replace_text
from instructgen.draws import draw_fraction
from instructgen.evaluate.answering import ReadPicture
from instructgen.evaluate.questions import Prediction, ShownAnswer, ShownFailure, Suite

FOLDER = "shown"
MOST_SHOWN = 36
_MOST_FAILURES = 5  # of a reason
_MOST_CHARS = 2000  # of each text
_SIDE_PX = 320


def keep_shown(folder: Path, suite: Suite, predictions: Mapping[str, Prediction]) -> None:
    """Write what is shown of a suite, in place of what an earlier run left."""
    answers = suite.show({key: one for key, one in predictions.items() if not one.failure})
    chosen = [_add_picture(one, suite.read_picture) for one in choose(list(answers), MOST_SHOWN)]
    lines = [*map(_cut, chosen), *choose_failures(predictions)]
    text = "".join(msgspec.json.encode(line).decode() + "\n" for line in lines)
    replace_text(find_shown(folder, suite.name), text)


def read_shown(folder: Path, suite: str) -> tuple[list[ShownAnswer], list[ShownFailure]]:
    """Return what is shown of a suite; nothing where nothing was kept, or what cannot be read."""
    path = find_shown(folder, suite)
    answers: list[ShownAnswer] = []
    failures: list[ShownFailure] = []
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            one = msgspec.json.decode(line, type=ShownAnswer | ShownFailure)
        except msgspec.MsgspecError:
            continue
        if isinstance(one, ShownAnswer):
            answers.append(one)
        else:
            failures.append(one)
    return answers, failures


def find_shown(folder: Path, suite: str) -> Path:
    return folder / FOLDER / f"{suite}.jsonl"


def choose(answers: Sequence[ShownAnswer], most: int) -> list[ShownAnswer]:
    """Return up to `most`, drawn: as many of each group as there are, as many right as wrong, in the order given."""
    ranked = sorted(answers, key=lambda one: draw_fraction(0, "evaluate/shown", one.key))
    piles: dict[tuple[str, bool | None], list[ShownAnswer]] = {}
    for one in ranked:
        piles.setdefault((one.group, one.is_right), []).append(one)
    chosen: set[str] = set()
    while len(chosen) < most and any(piles.values()):
        for pile in piles.values():
            if pile and len(chosen) < most:
                chosen.add(pile.pop(0).key)
    return [one for one in answers if one.key in chosen]


def choose_failures(predictions: Mapping[str, Prediction]) -> Iterator[ShownFailure]:
    """Yield the first few failures of each reason."""
    num_of: dict[str, int] = {}
    for key, one in predictions.items():
        if one.failure:
            num_of[one.failure] = num_of.get(one.failure, 0) + 1
            if num_of[one.failure] <= _MOST_FAILURES:
                yield ShownFailure(key, one.failure, _shorten(one.detail))


def _add_picture(one: ShownAnswer, read: ReadPicture) -> ShownAnswer:
    picture = read(one.image_id) if one.image_id else None
    return one if picture is None else replace(one, picture=make_thumbnail(picture, _SIDE_PX).jpeg)


def _cut(one: ShownAnswer) -> ShownAnswer:
    blind = tuple(replace(arm, said=_shorten(arm.said)) for arm in one.blind)
    said = _shorten(one.said)
    notes = tuple(note for note in one.notes if note.end <= min(len(said), _MOST_CHARS))
    question, truth = _shorten(one.question), tuple(map(_shorten, one.truth))
    return replace(one, question=question, said=said, truth=truth, blind=blind, notes=notes)


def _shorten(text: str) -> str:
    return text if len(text) <= _MOST_CHARS else text[:_MOST_CHARS] + " […]"
