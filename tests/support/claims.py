"""What the grounding finds in an answer, in a form that a test can name in a line."""

from instructgen.grounding.check import check_turns
from instructgen.grounding.claims import Claim, Kind
from instructgen.grounding.doubt import read_phrases
from instructgen.grounding.evidence import read_evidence
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence, read_sentence
from instructgen.records import Box, ImageRecord, Message


def image(captions: str = "", *boxes: str | Box) -> ImageRecord:
    """Captions are parted by "|"; a box that is only a category lies at the upper left."""
    made = tuple(Box(box, 0.1, 0.1, 0.4, 0.4) if isinstance(box, str) else box for box in boxes)
    return ImageRecord("own/1", "1.jpg", 640, 480, tuple(filter(None, captions.split("|"))), made)


def find_claims(record: ImageRecord, *texts: str, sample_type: str = "conv") -> tuple[Claim, ...]:
    """Return the claims of questions and answers in turns; of one text alone, which describes."""
    turns = texts if len(texts) > 1 else ("Describe it.", *texts)
    messages = tuple(Message("assistant" if place % 2 else "user", text) for place, text in enumerate(turns))
    return check_turns(messages, read_evidence(record), sample_type).claims


def tell(claims: tuple[Claim, ...], *kinds: Kind) -> list[str]:
    """Return claims as "count contradicted: three dogs", those of some kinds where any are given."""
    return [f"{one.kind} {one.truth}: {one.text}" for one in claims if not kinds or one.kind in kinds]


def sentence(text: str) -> Sentence:
    return read_sentence(text, 0, len(text))


def phrases(text: str) -> list[Phrase]:
    return read_phrases(sentence(text))


def phrase(text: str, lemma: str) -> Phrase:
    """Return the one phrase of a text with this noun."""
    (found,) = [one for one in phrases(text) if one.lemma == lemma]
    return found
