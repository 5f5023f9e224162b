"""The list of samples: what each card shows, and the choices of the filters."""

from collections.abc import Container, Sequence
from urllib.parse import quote

from msgspec import Struct

from instructgen.dataset.columns import Row
from instructgen.lexicon.mentions import CATEGORY_PHRASES
from instructgen.viewer.asked import Asked
from instructgen.viewer.collection import Collection
from instructgen.viewer.rows import read_rejected_line
from instructgen.viewer.search import Hit, Term, read_terms
from instructgen.viewer.texts import Piece, has_terms, mark_terms
from instructgen.viewer.words import split_words

_QUESTION_CHARS = 160
_ANSWER_CHARS = 260


class Card(Struct, frozen=True):
    """`tags` are (text, kind); a kind is a class of the style sheet."""

    pos: int
    address: str
    picture: str
    name: str
    tags: tuple[tuple[str, str], ...]
    question: tuple[Piece, ...]
    answer: tuple[Piece, ...]
    num_turns: int
    doubt: float
    num_words: int


def make_cards(
    collection: Collection, asked: Asked, hits: Sequence[Hit], decided: dict[str, str]
) -> tuple[Card, ...]:
    terms = _list_terms(asked)
    pictured = collection.find_pictured(hits)
    return tuple(_make_card(collection, asked, hit, terms, (decided, pictured)) for hit in hits)


def _list_terms(asked: Asked) -> tuple[Term, ...]:
    """Return what is marked in the texts: what was searched for, and the names of the object."""
    phrases = [
        phrase for phrase, known in CATEGORY_PHRASES.items() if asked.thing and known and known[0] == asked.thing
    ]
    names = [Term(tuple(split_words(phrase)), is_exact=True, is_left_out=False) for phrase in phrases]
    return (*read_terms(asked.q), *names)


def sample_address(hit: Hit, asked: Asked, doubles: Container[str]) -> str:
    """Return the address of a sample within a list: by its name, or by its row.

    By its row where several have the name (`doubles`), or no address can hold it.
    """
    parts = hit.sample_id.split("/")
    is_plain = (
        hit.sample_id not in doubles
        and all(part not in ("", ".", "..") for part in parts)
        and "\\" not in hit.sample_id
    )
    path = f"/sample/{quote(hit.sample_id)}" if is_plain else f"/row/{hit.pos}"
    return asked.address(path)


def picture_address(version: str, hit: Hit, number: int) -> str:
    return f"/picture/{version}/{hit.pos}/{number}"


def _make_card(
    collection: Collection,
    asked: Asked,
    hit: Hit,
    terms: Sequence[Term],
    known: tuple[dict[str, str], Container[int]],
) -> Card:
    decided, pictured = known
    row = collection.rows_of(hit).read_brief(hit.place) if hit.outcome == "accepted" else None
    question, answer, num_turns, num_images = ("", "", 0, 1)
    if row is not None:
        question, answer = _choose_turn(row, terms)
        num_turns = sum(turn["role"] == "assistant" for turn in row["messages"])
        num_images = len(row["images"])
    else:
        record = read_rejected_line(collection.read_rejected(hit) or "{}")
        question, answer = str(record.get("detail") or ""), str(record.get("text") or "")
    version = collection.version.manifest.version
    return Card(
        pos=hit.pos,
        address=sample_address(hit, asked, collection.searcher.doubles),
        picture=picture_address(version, hit, num_images - 1) if hit.pos in pictured else "",
        name=hit.sample_id,
        tags=tuple(list_tags(hit, decided)),
        question=mark_terms(" ".join(question.split()), terms, _QUESTION_CHARS),
        answer=mark_terms(" ".join(answer.split()), terms, _ANSWER_CHARS),
        num_turns=num_turns,
        doubt=hit.doubt,
        num_words=hit.num_words,
    )


def list_tags(hit: Hit, decided: dict[str, str]) -> list[tuple[str, str]]:
    tags = [(hit.sample_type, "type")] if hit.sample_type else []
    if hit.outcome != "accepted":
        tags.append((f"{hit.outcome}: {hit.reason.replace('_', ' ')}", "rejected"))
    if hit.what:
        tags.append((hit.what, f"what-{hit.what}"))
    if hit.review:
        tags.append((f"{hit.review} in review", "review"))
    if hit.sample_id in decided:
        tags.append((decided[hit.sample_id], f"decided-{decided[hit.sample_id]}"))
    return tags


def _choose_turn(row: Row, terms: Sequence[Term]) -> tuple[str, str]:
    """Return the first question and answer in which a term stands, or the first of all."""
    pairs: list[tuple[str, str]] = []
    question = ""
    for turn in row["messages"]:
        if turn["role"] == "user":
            question = turn["content"] or ""
        elif turn["role"] == "assistant":
            pairs.append((question, turn["content"] or ""))
    found = next((pair for pair in pairs if has_terms(f"{pair[0]} {pair[1]}", terms)), None)
    return found or (pairs[0] if pairs else (question, ""))
