"""What a judge says of the words of one sentence."""

from msgspec import Struct

from instructgen.grounding.claims import Kind, Truth


class Judged(Struct, frozen=True):
    """A claim in the words `first` to `end` of its sentence (docs/grounding.md)."""

    kind: Kind
    truth: Truth
    subject: str
    first: int
    end: int
    evidence: str
