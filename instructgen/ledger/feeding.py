"""Feeds an SQLite copy: with a journal's frames, or with what another copy gives."""

from itertools import chain, islice
from pathlib import Path

from instructgen.ledger import books as events
from instructgen.ledger.books import Books, Effect
from instructgen.ledger.journal import ADOPTED, BOUGHT, META, Event, Frame, scan
from instructgen.ledger.old_copies import read_answers, read_tables, read_totals
from instructgen.ledger.store import State, Store

EVENTS_AT_ONCE = 500


def make_state(books: Books, number: int, journal_end: int, journal_last: int) -> State:
    return State(
        number=number,
        journal_id=books.journal_id,
        journal_end=journal_end,
        journal_last=journal_last,
        num_marks=len(books.marks),
        in_doubt_nano_usd=books.in_doubt_nano_usd,
        in_doubt_tokens=books.in_doubt_tokens,
        totals=books.totals,
    )


def feed(store: Store, books: Books, frames: list[Frame]) -> None:
    if frames:
        effect = books.apply(Event(frame.kind, frame.payload) for frame in frames)
        store.apply(effect, make_state(books, frames[-1].number, frames[-1].end, frames[-1].start))


def feed_all(store: Store, books: Books, journal_path: Path) -> None:
    """Give the SQLite copy whatever of the journal it has not yet; the same number never twice."""
    number = store.state.number
    group: list[Frame] = []
    for piece in scan(journal_path):
        if isinstance(piece, Frame) and piece.number > number:
            number = piece.number
            group.append(piece)
            if len(group) == EVENTS_AT_ONCE:
                feed(store, books, group)
                group = []
    feed(store, books, group)


def adopt_all(store: Store, books: Books, journal_path: Path) -> None:
    """Take the answers of another journal, which were not bought here."""
    frames = (piece for piece in scan(journal_path) if isinstance(piece, Frame) and piece.kind in (BOUGHT, ADOPTED))
    pieces = (events.restate_reply(*events.split_reply(Event(frame.kind, frame.payload))) for frame in frames)
    while group := list(islice(pieces, EVENTS_AT_ONCE)):
        _add_unknown(store, books, group)


def _add_unknown(store: Store, books: Books, group: list[Event]) -> None:
    # By what it is about: the same reply may come several times.
    wanted = {_subject(event): event for event in group if not _is_known(store, event)}
    effect = books.apply(wanted.values())
    store.apply(effect, make_state(books, store.state.number + len(wanted), 0, 0))


def take(store: Store, books: Books, path: Path) -> None:
    """Add what an old or damaged SQLite copy still gives and the new one has not."""
    totals = read_totals(path)
    # Where it does not tell what its answers cost, each is counted: what was spent must not be forgotten.
    pieces = chain(read_answers(path, is_bought=totals is None), read_tables(path))
    while group := list(islice(pieces, EVENTS_AT_ONCE)):
        _add_unknown(store, books, group)
    if totals is not None:
        books.totals = books.totals.at_least(totals)
    store.apply(Effect(), make_state(books, store.state.number + 1, 0, 0))


def _subject(event: Event) -> tuple[int, bytes]:
    return event.kind, event.payload if event.kind == META else event.payload[: events.KEY_BYTES]


def _is_known(store: Store, event: Event) -> bool:
    if event.kind == META:
        return store.read_meta(events.read_meta(event.payload)[0]) is not None
    return store.find_blob(event.payload[: events.KEY_BYTES]) is not None
