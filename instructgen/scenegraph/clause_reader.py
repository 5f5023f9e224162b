"""What a quote and a caption told whole have in common: where they are in a caption, and what is told so far."""

from collections.abc import Sequence

from msgspec import structs

from instructgen.scenegraph.agreement import Sources, is_disputed, is_outnumbered
from instructgen.scenegraph.graph import Statement, StatementPart
from instructgen.scenegraph.hearsay import Hearsay, is_form
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.pieces import Caption, Piece, find_more, read_noun, safe_lemma
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.subjects import owner_fits, skip_opener
from instructgen.scenegraph.verbs import TOLD_VERBS, VERB_FORMS, Verb

_SELVES = frozenset(("herself", "himself"))


class ClauseReader:
    """A caption's clause while it is read.

    `state` is what was read last, `split` the part that the predicate begins with.
    """

    def __init__(self, reading: CaptionReading, sources: Sources, others: Sequence[frozenset[str]]) -> None:
        self.reading = reading
        self.sources = sources
        self.caption = Caption(reading.tokens, find_more(reading, sources.num_captions), sources)
        self.others = Hearsay(self.caption, others)
        self.at = self.start = skip_opener(reading.tokens)
        self.state = "start"
        self.parts: list[StatementPart] = []
        self.keys: list[str] = []
        self.looks: set[str] = set()
        self.split = self.num_preps = 0
        self.verb = self.preposition = self.group = self.head = ""
        self.phrase: NounPhrase | None = None
        self.is_plural = False

    def token(self, ahead: int = 0) -> str:
        return self.caption.token(self.at + ahead)

    def find_verb(self) -> Verb | None:
        return VERB_FORMS.get(self.token()) or TOLD_VERBS.get(self.token())

    def add(self, text: str, end: int, state: str) -> bool:
        self.parts.append(StatementPart(f" {text}" if self.parts else text, None))
        self.at, self.state = end, state
        return True

    def note_subject(self, phrase: NounPhrase | None, head: str, *, is_plural: bool) -> None:
        """Keep in mind who it is about, or that there is somebody beside."""
        if self.state in ("start", "group"):
            self.phrase, self.head = phrase, head
            self.is_plural = is_plural and not self.group.startswith(("a ", "an "))
        elif self.state == "and" and not self.verb and not self.num_preps:
            self.is_plural = True

    def read_counted(self, phrase: NounPhrase) -> Piece | None:
        """Read a noun that is known with its number, or without where boxes have another; None where most differ."""
        is_beside = phrase.noun.category == "person" and self.state not in ("start", "group")  # "with children"
        is_halved = self.preposition == "in" and self.token() == "half"  # "a cut in half sandwich"
        if is_halved or (not is_beside and is_outnumbered(phrase, self.sources)):
            return None
        is_whole = is_form(self.caption.token(phrase.end))
        for one in (phrase, structs.replace(phrase, number=None)) if phrase.noun.is_plural else (phrase,):
            caption = self.caption._replace(by_start={**self.caption.by_start, self.at: one})
            piece = read_noun(caption, self.at, is_first=self.state == "start", is_whole=is_whole)
            if piece is not None and not (one.is_plural and piece.parts[0].text.startswith(("a ", "an "))):
                return piece
        return None

    def lemma(self) -> str:
        return safe_lemma(self.phrase, self.sources) if self.phrase is not None else self.head

    def state_it(
        self, parts: tuple[StatementPart, ...], keys: frozenset[str], end: int, split: int, verb: str
    ) -> Statement | None:
        """Return what was read as a statement; None where its owner is not clear, or others dispute it."""
        words = tuple(word for part in parts for word in part.text.split())
        noun = self.phrase.noun if self.phrase is not None else None
        kind = noun.kind if noun is not None else "thing"
        if self.lemma() == "person" and not self.is_plural:
            if not _SELVES.isdisjoint(words):
                return None
            parts = tuple(map(_say_their, parts))
        if not owner_fits(parts, self.lemma(), is_plural=self.is_plural):
            return None
        if is_disputed(keys, words, verb, self.sources, is_vehicle=kind == "vehicle"):
            return None
        return Statement(
            span=self.reading.span(self.start, end),
            subject=parts[:split],
            predicate=parts[split:],
            verb=verb,
            is_plural=self.is_plural,
            lemma=self.lemma(),
            category=(noun.category or "") if noun is not None else "",
            kind=kind,
            keys=keys,
            looks=frozenset(self.looks),
        )


def _say_their(part: StatementPart) -> StatementPart:
    """Say "their" of who is called a person, since captions differ on who it is."""
    words = [" their" if word in ("his", "her") else f" {word}" for word in part.text.split()]
    text = "".join(words) if part.text.startswith(" ") else "".join(words).strip()
    return part if part.text == " " else structs.replace(part, text=text)
