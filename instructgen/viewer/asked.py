"""What a list of samples is asked for: every part of it is in the page's address."""

from collections.abc import Mapping
from typing import Literal, get_args
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import asdict

Outcome = Literal["accepted", "rejected", "failed", "all"]
Sort = Literal["order", "doubt", "longest", "shortest", "cost"]
Where = Literal["said", "boxed", "said-not-boxed", "boxed-not-said"]
What = Literal["", "added", "removed", "changed", "unchanged"]
Decided = Literal["", "open", "accept", "edit", "reject"]
_MAX_CHARS = 400
_MAX_NUMBER = 1e12


class Asked(Struct, frozen=True, omit_defaults=True):
    """Filters that are all to hold. `after` and `before` are positions in the version: the page begins behind the
    one, or ends before the other; `start` is the place in the list, from 1, that it begins at.
    """

    q: str = ""
    outcome: Outcome = "accepted"
    type: str = ""
    split: str = ""
    reason: str = ""
    image: str = ""
    thing: str = ""
    where: Where = "said"
    score: str = ""
    score_min: float | None = None
    score_max: float | None = None
    words_min: int | None = None
    words_max: int | None = None
    change: What = ""
    decision: Decided = ""
    sort: Sort = "order"
    after: int | None = None
    before: int | None = None
    start: int | None = None
    last: bool = False

    @property
    def filters(self) -> "Asked":
        """The same list from its beginning."""
        return Asked(**{**asdict(self), **dict.fromkeys(("after", "before", "start")), "last": False})

    def address(self, path: str, **changes: object) -> str:
        """Return the address of this list, or of the same with changes, from its beginning."""
        return _address(path, {**asdict(self.filters), **changes})

    @property
    def num_filters(self) -> int:
        """How many filters narrow the list, besides the outcome."""
        values = asdict(self.filters)
        named = {name for name in values if values[name] not in (None, "") and name not in _NOT_FILTERS}
        named -= set() if self.score else {"score_min", "score_max"}
        return len({name.partition("_")[0] for name in named})


_NOT_FILTERS = ("outcome", "sort", "where", "after", "before", "start", "last")
_DEFAULTS = asdict(Asked())
_WORDS: dict[str, tuple[str, ...]] = {
    "outcome": get_args(Outcome),
    "sort": get_args(Sort),
    "where": get_args(Where),
    "change": get_args(What),
    "decision": get_args(Decided),
}


def read_asked(given: Mapping[str, str]) -> Asked:
    """Return what an address asks for. What cannot be read is left out: an address may come from anywhere."""
    values: dict[str, object] = {}
    for name, default in _DEFAULTS.items():
        text = given.get(name, "").strip()[:_MAX_CHARS]
        if not text:
            continue
        if name in _WORDS:
            values[name] = text if text in _WORDS[name] else default
        elif name == "last":
            values[name] = text == "1"
        elif default is None:
            values[name] = _read_number(text, is_whole=not name.startswith("score"))
        else:
            values[name] = text
    return Asked(**values)  # type: ignore[arg-type]


def _read_number(text: str, *, is_whole: bool) -> float | int | None:
    try:
        number = int(text) if is_whole else float(text)
    except ValueError:
        return None
    return number if 0 <= number <= _MAX_NUMBER else None  # which a NaN is not


def _address(path: str, values: dict[str, object]) -> str:
    shown = _list_given(values)
    return f"{path}?{urlencode(shown)}" if shown else path


def list_kept(asked: Asked) -> list[tuple[str, str]]:
    """Return what a form beside the filters must send along to stay in the same list."""
    return list(_list_given(asdict(asked.filters)).items())


def _list_given(values: dict[str, object]) -> dict[str, str]:
    return {name: _write(value) for name, value in values.items() if value not in (None, _DEFAULTS.get(name))}


def _write(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return f"{value:g}" if isinstance(value, float) else str(value)
