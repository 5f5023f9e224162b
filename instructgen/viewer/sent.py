"""What was asked for a sample, word for word, and what came back."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from instructgen.records import Message, Reply


class SentRequest(Struct, frozen=True):
    """`step` is what it was for: "generate", "continue", "rewrite", "repair", "judge".

    `is_exact`: the messages have the request's id, which digests them; so they are what was sent, to the byte.
    """

    request_id: str
    step: str
    messages: tuple[Message, ...]
    is_exact: bool
    reply: Reply | None


class Sent(Struct, frozen=True):
    """`why` says what is missing; "" where everything is there."""

    requests: tuple[SentRequest, ...] = ()
    why: str = ""


# Given an image's id, a sample type and the ids of the requests that the sample took.
FindSent = Callable[[str, str, Sequence[str]], Sent]
