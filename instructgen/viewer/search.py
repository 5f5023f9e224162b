"""Finds rows in the index: words, filters, order, and pages by key, so that the last is as near as the first."""

# ruff: noqa: S608 - what is put into a query here are names of ours and numbers; values have places of their own

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from instructgen.viewer.asked import Asked
from instructgen.viewer.found import FoundRows
from instructgen.viewer.words import split_words

if TYPE_CHECKING:
    import duckdb

PAGE_ROWS = 24
_KEPT_COUNTS = 256
_TERM = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
_MAX_TERMS = 12
_END = chr(0x10FFFF)
# What rows are ordered by before their position; the names of a table, never a text from outside.
_KEYS = {
    "order": ("pos", True),
    "doubt": ("doubt", False),
    "longest": ("num_words", False),
    "shortest": ("num_words", True),
    "cost": ("coalesce(cost_usd, 0)", False),
}
_COLUMNS = (
    "pos, outcome, sample_id, image_id, sample_type, review, split, stage, reason, doubt, num_words, cost_usd, "
    "side, place, what, fields"
)


class Hit(Struct, frozen=True):
    """A row of the index. `place` is its position in its own version; `side` is 0 for the older of two, else 1."""

    pos: int
    outcome: str
    sample_id: str
    image_id: str
    sample_type: str
    review: str
    split: str
    stage: str
    reason: str
    doubt: float
    num_words: int
    cost_usd: float | None
    side: int
    place: int
    what: str
    fields: str


class Page(Struct, frozen=True):
    """`first` is the place in the list, from 1, of the first hit; `counts` are the list's rows by outcome."""

    hits: tuple[Hit, ...]
    first: int
    num_found: int
    counts: dict[str, int]
    has_before: bool
    has_after: bool


class Term(Struct, frozen=True):
    """Words that are looked up together. One word not in quotes stands for all that begin with it."""

    words: tuple[str, ...]
    is_exact: bool
    is_left_out: bool


def read_terms(text: str) -> tuple[Term, ...]:
    """Return what is typed in the search field: words, "words in a row", and -words that must not be there."""
    terms: list[Term] = []
    for sign, quoted, plain in _TERM.findall(text):
        words = tuple(split_words(quoted or plain))
        if words:
            terms.append(Term(words, bool(quoted) or len(words) > 1, bool(sign)))
    return tuple(terms[:_MAX_TERMS])


class Searcher:
    """Reads the table `shown`, from several threads; what was counted is remembered, for an index never changes.

    `sides` are the indexes whose rows are in it, and at which position those of each begin.
    """

    def __init__(
        self, connection: "duckdb.DuckDBPyConnection", sides: Sequence[tuple[str, int]], *, has_boxes: bool
    ) -> None:
        self._connection = connection
        self._sides = tuple(sides)
        self.decided: Callable[[], dict[str, str]] = dict
        self.has_boxes = has_boxes
        facts = json.loads(self._all("SELECT fact FROM facts")[0][0])
        self.scores: tuple[str, ...] = tuple(facts["scores"])
        self.num_rows: int = facts["num_rows"]
        self.types = self._names("sample_type")
        self.splits = self._names("split")
        self.reasons = self._names("reason")
        self.objects = self._list_objects()
        doubles = self._all("SELECT sample_id FROM shown GROUP BY sample_id HAVING count(*) > 1")
        self.doubles = frozenset(name for (name,) in doubles)
        self._found = FoundRows(connection)
        self._counts: OrderedDict[Asked, dict[str, int]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, asked: Asked, num: int = PAGE_ROWS) -> Page:
        """Return a page of the list that is asked for."""
        counts, total = self.count(asked.filters), self.count_all(asked.filters)
        backward = asked.before is not None or asked.last
        hits = self._select(asked, num, backward=backward)
        if backward:
            hits.reverse()
        first = self._rank(asked, hits[0]) if hits else 0
        return Page(tuple(hits), first, total, counts, first > 1, bool(hits) and first + len(hits) <= total)

    def count(self, filters: Asked) -> dict[str, int]:
        """Return how many rows pass the filters, by outcome, whichever outcome is asked for."""
        key = replace(filters, outcome="all", sort="order")
        with self._lock:
            if key in self._counts:
                self._counts.move_to_end(key)
                return self._counts[key]
        where, values = self._conditions(key)
        found = dict(self._all(f"SELECT outcome, count(*) FROM shown WHERE {where} GROUP BY outcome", values))
        if not filters.decision:  # decisions change
            with self._lock:
                self._counts[key] = found
                if len(self._counts) > _KEPT_COUNTS:
                    self._counts.popitem(last=False)
        return found

    def count_all(self, filters: Asked) -> int:
        """Return how many rows the list has, of the outcome that is asked for."""
        counts = self.count(filters)
        return sum(counts.values()) if filters.outcome == "all" else counts.get(filters.outcome, 0)

    def list_hits(self, asked: Asked, num: int) -> list[Hit]:
        """Return rows of a list from where it begins, or behind `after`."""
        return self._select(asked, num, backward=False)

    def neighbours(self, asked: Asked, pos: int) -> tuple[Hit | None, Hit | None]:
        """Return the rows before and behind a row in the list; it need not be in the list itself."""
        at = asked.filters
        before = self._select(replace(at, before=pos), 1, backward=True)
        behind = self._select(replace(at, after=pos), 1, backward=False)
        return (before[0] if before else None), (behind[0] if behind else None)

    def find_place(self, asked: Asked, hit: Hit) -> int | None:
        """Return the place of a row in a list, from 1; None where the list does not have it."""
        where, values = self._conditions(asked)
        if not self._all(f"SELECT 1 FROM shown WHERE {where} AND pos = ?", [*values, hit.pos]):
            return None
        condition, found = self._beyond(asked, hit.pos, backward=True)
        return self._count_rows(f"{where} AND {condition}", [*values, *found]) + 1

    def find_sample(self, sample_id: str) -> Hit | None:
        """Return the row of this name; where several have it the first, a published one before others."""
        order = "outcome = 'accepted' DESC, pos"
        query = f"SELECT {_COLUMNS} FROM shown WHERE sample_id = ? ORDER BY {order} LIMIT 1"
        found = self._all(query, [sample_id])
        return Hit(*found[0]) if found else None

    def read_hit(self, pos: int) -> Hit | None:
        found = self._all(f"SELECT {_COLUMNS} FROM shown WHERE pos = ?", [pos])
        return Hit(*found[0]) if found else None

    def read_scores(self, hit: Hit) -> dict[str, float | None]:
        names = ", ".join(f"s{place}" for place in range(len(self.scores)))
        if not names:
            return {}
        (row,) = self._all(f"SELECT {names} FROM shown WHERE pos = ?", [hit.pos])
        return dict(zip(self.scores, row, strict=True))

    def _select(self, asked: Asked, num: int, *, backward: bool) -> list[Hit]:
        where, values = self._conditions(asked)
        key, is_rising = _KEYS[asked.sort]
        edge = asked.before if backward else asked.after
        if edge is not None:
            condition, found = self._beyond(asked, edge, backward=backward)
            where, values = f"{where} AND {condition}", [*values, *found]
        directions = ("ASC" if is_rising != backward else "DESC"), ("DESC" if backward else "ASC")
        skip = max(0, (asked.start or 1) - 1) if edge is None and not asked.last else 0
        query = (
            f"SELECT {_COLUMNS} FROM shown WHERE {where} "
            f"ORDER BY {key} {directions[0]}, pos {directions[1]} LIMIT {int(num)} OFFSET {int(skip)}"
        )
        return [Hit(*row) for row in self._all(query, values)]

    def _beyond(self, asked: Asked, pos: int, *, backward: bool) -> tuple[str, list[Any]]:
        """Return the condition for rows behind a position in the order, or before it."""
        key, is_rising = _KEYS[asked.sort]
        sign = "<" if backward else ">"
        if key == "pos":
            return f"pos {sign} ?", [pos]
        found = self._all(f"SELECT {key} FROM shown WHERE pos = ?", [pos])
        if not found:
            return "false", []
        further = ">" if is_rising != backward else "<"
        return f"({key} {further} ? OR ({key} = ? AND pos {sign} ?))", [found[0][0], found[0][0], pos]

    def _rank(self, asked: Asked, hit: Hit) -> int:
        """Return the place of a hit in its list, from 1."""
        if asked.after is None and asked.before is None and not asked.last:
            return asked.start or 1
        where, values = self._conditions(asked)
        condition, found = self._beyond(asked, hit.pos, backward=True)
        return self._count_rows(f"{where} AND {condition}", [*values, *found]) + 1

    def _count_rows(self, where: str, values: list[Any]) -> int:
        return int(self._all(f"SELECT count(*) FROM shown WHERE {where}", values)[0][0])

    def _conditions(self, asked: Asked) -> tuple[str, list[Any]]:
        """Return what must hold, in SQL with a place for each value: no text from outside is ever part of it."""
        parts: list[str] = ["true"]
        values: list[Any] = []
        if asked.outcome != "all":
            parts.append("outcome = ?")
            values.append(asked.outcome)
        key = replace(asked.filters, outcome="all", sort="order")
        condition, given = self._filters(key)
        if (key.q or key.thing) and not key.decision:  # decisions change
            parts.append(f"pos IN (SELECT pos FROM {self._found.find(key, condition, given)})")
        else:
            parts.append(condition)
            values += given
        return " AND ".join(parts), values

    def _filters(self, asked: Asked) -> tuple[str, list[Any]]:
        """Return what must hold for a row of any outcome."""
        parts: list[str] = ["true"]
        values: list[Any] = []

        def hold(condition: str, *of: object) -> None:
            parts.append(condition)
            values.extend(of)

        for name, value in (
            *(("sample_type", asked.type), ("split", asked.split), ("reason", asked.reason)),
            *(("image_id", asked.image), ("what", asked.change)),
        ):
            if value:
                hold(f"{name} = ?", value)
        for column, sign, bound in self._list_bounds(asked):
            hold(f"{column} {sign} ?", bound)
        if asked.decision:
            hold(*self._decision_condition(asked.decision))
        if asked.thing:
            hold(*self._thing_condition(asked))
        for term in read_terms(asked.q):
            hold(*self._term_condition(term))
        return " AND ".join(parts), values

    def _list_bounds(self, asked: Asked) -> list[tuple[str, str, float]]:
        """Return the ranges as (column, sign, bound)."""
        bounds: list[tuple[str, str, float | None]] = [
            ("num_words", ">=", asked.words_min),
            ("num_words", "<=", asked.words_max),
        ]
        score = self._score_column(asked.score)
        if score:
            bounds += [(score, ">=", asked.score_min), (score, "<=", asked.score_max)]
        return [(column, sign, bound) for column, sign, bound in bounds if bound is not None]

    def _score_column(self, name: str) -> str:
        if name == "doubt":
            return name
        return f"s{self.scores.index(name)}" if name in self.scores else ""

    def _thing_condition(self, asked: Asked) -> tuple[str, ...]:
        said, names = self._places("objects", "name = ?", [asked.thing])
        boxed = "image_id IN (SELECT image_id FROM boxed WHERE name = ?)"
        if asked.where == "said" or not self.has_boxes:
            return said, *names
        if asked.where == "boxed":
            return boxed, asked.thing
        if asked.where == "said-not-boxed":
            return f"{said} AND NOT {boxed}", *names, asked.thing
        return f"{boxed} AND NOT {said}", asked.thing, *names

    def _decision_condition(self, decision: str) -> tuple[str, list[str]]:
        names = [name for name, choice in self.decided().items() if decision in ("open", choice)]
        return f"sample_id {'NOT ' if decision == 'open' else ''}IN (SELECT unnest(?::VARCHAR[]))", names

    def _term_condition(self, term: Term) -> tuple[str, ...]:
        """Return the condition for one term: a word by the table of words, words in a row by the texts."""
        if len(term.words) > 1:
            condition, values = self._text_condition(f" {' '.join(term.words)} ")
        elif term.is_exact:
            condition, values = self._places("words", "word = ?", [term.words[0]])
        else:
            values = [term.words[0], term.words[0] + _END]
            condition, values = self._places("words", "word >= ? AND word < ?", values)
        return (f"NOT ({condition})" if term.is_left_out else condition), *values

    def _text_condition(self, text: str) -> tuple[str, list[str]]:
        # Looking the single words up first would save nothing: the texts are read as a whole either way.
        rows = [f"SELECT pos + {first} FROM {side}.rows WHERE contains(text, ?)" for side, first in self._sides]
        return f"pos IN ({' UNION ALL '.join(rows)})", [text] * len(rows)

    def _places(self, table: str, condition: str, values: list[str]) -> tuple[str, list[str]]:
        """Return the condition that a row is at one of the places that a table of an index has."""
        rows = [
            f"SELECT unnest(places) + {first} FROM {side}.{table} WHERE {condition}" for side, first in self._sides
        ]
        return f"pos IN ({' UNION ALL '.join(rows)})", values * len(rows)

    def _list_objects(self) -> tuple[str, ...]:
        tables = [*(f"{side}.objects" for side, _ in self._sides), *(["boxed"] if self.has_boxes else [])]
        query = " UNION ".join(f"SELECT name FROM {table}" for table in tables)
        return tuple(name for (name,) in self._all(f"{query} ORDER BY name"))

    def _names(self, column: str) -> tuple[str, ...]:
        query = f"SELECT DISTINCT {column} FROM shown WHERE {column} <> '' ORDER BY 1"
        return tuple(name for (name,) in self._all(query))

    def _all(self, query: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:  # a cursor is a connection of its own: threads do not share one
            return cursor.execute(query, values or []).fetchall()
