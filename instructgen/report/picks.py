"""Which rows a report shows: some that were drawn, the most doubtful, and the strangest by stated measures."""

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from instructgen.dataset.columns import Row
from instructgen.dataset.manifest import Manifest
from instructgen.draws import draw_fraction
from instructgen.report.spoken import Spoken
from instructgen.report.survey import Survey, Top
from instructgen.report.texts import TextRow
from instructgen.review.order import Place
from instructgen.review.rows import RowReader

_NUM_GALLERY = 12
_NUM_WORST = 6
_NUM_OF_EACH = 2  # of each measure of strangeness


class Pick(Struct, frozen=True):
    """`group` is "gallery", "worst" or "strange"; `why` says what it is shown for."""

    group: str
    row: TextRow
    why: str = ""


def pick_gallery(drawn: Sequence[TextRow], has_picture: Callable[[str], bool] | None = None) -> list[Pick]:
    """Return drawn rows in their order, each of another image as long as there are some.

    With `has_picture`, which is told an image's id, those without one come last.
    """
    ranked: dict[int, list[TextRow]] = {0: [], 1: [], 2: []}
    seen: set[str] = set()
    for row in drawn:
        rank = 2 if row.image_id in seen else 0 if has_picture is None or has_picture(row.image_id) else 1
        seen.add(row.image_id)
        ranked[rank].append(row)
        if len(ranked[0]) == _NUM_GALLERY:
            break
    return [Pick("gallery", row) for row in [*ranked[0], *ranked[1], *ranked[2]][:_NUM_GALLERY]]


def pick_worst(survey: Survey, spoken: Spoken) -> list[Pick]:
    """Return what annotations contradict most, among those that were checked, then what filters doubted most."""
    faults = sorted(spoken.faults, key=lambda one: (-one[0], draw_fraction(0, "report", one[1].sample_id)))
    picks = [
        Pick("worst", row, f"{number} of its claims contradicted: the most of {spoken.num_checked:,} checked rows")
        for number, row in faults[: _NUM_WORST // 2]
    ]
    doubts = [
        Pick("worst", row, f"doubt {value:.2f}: the highest of all rows") for value, row in survey.doubtful.rows()
    ]
    return _unique([*picks, *doubts], _NUM_WORST)


def pick_strange(survey: Survey) -> list[Pick]:
    """Return the extremes of each measure of strangeness; of rows with the same rare words one is enough."""
    by_words: dict[tuple[str, ...], Pick] = {}
    for value, row in survey.unusual.rows():
        words = survey.list_rarest(row)
        why = f"rare words ({', '.join(words)}): {value:.1f} bits a different word, by this version's own counts"
        by_words.setdefault(words, Pick("strange", row, why))
    picks = [
        *list(by_words.values())[:_NUM_OF_EACH],
        *_pick(survey.longest, "the longest answer: {0:,.0f} words"),
        *_pick(survey.shortest, "nothing but short answers: {0:,.0f} words at most", sign=-1),
    ]
    return _unique(picks, 3 * _NUM_OF_EACH)


def _pick(top: Top, why: str, sign: int = 1) -> list[Pick]:
    return [Pick("strange", row, why.format(sign * value)) for value, row in top.rows()[:_NUM_OF_EACH]]


def _unique(picks: Sequence[Pick], num: int) -> list[Pick]:
    """Return the first picks, a row once, however many measures it leads."""
    by_id: dict[str, Pick] = {}
    for pick in picks:
        by_id.setdefault(pick.row.sample_id, pick)
    return list(by_id.values())[:num]


def read_picked(version: Path, manifest: Manifest, picks: Sequence[Pick]) -> list[Row]:
    """Return the whole rows of the picks, in the picks' order; a group of rows is read once."""
    reader = RowReader(version, manifest)
    found: dict[tuple[int, int], Row] = {}
    for pick in sorted(picks, key=lambda one: (one.row.shard, one.row.row)):
        row = pick.row
        place = Place(row.sample_id, row.image_id, row.sample_type, row.shard, row.row, row.doubt)
        if (row.shard, row.row) not in found:
            found[row.shard, row.row] = reader.read(place)
    return [found[pick.row.shard, pick.row.row] for pick in picks]
