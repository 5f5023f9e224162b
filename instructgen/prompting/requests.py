"""From a unit to the messages that are sent, and to the request's identity."""

import hashlib
import random
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from instructgen.config import SurrogateConfig
from instructgen.errors import InstructgenError
from instructgen.prefixes import PrefixMemo
from instructgen.prompting.prompts import Prompt
from instructgen.prompting.seeing import Seeing
from instructgen.records import Decoding, Message, Rejected, Request, Unit
from instructgen.sample_types.base import SampleType
from instructgen.surrogate.render import make_surrogate


class PromptBook(Struct, frozen=True):
    """The prompts of a build, bound to its surrogate and decoding settings; `prefixes` are rendered once."""

    prompts: dict[str, Prompt]
    prefixes: dict[str, tuple[Message, ...]]
    seeing: Seeing | None = None

    def messages(self, unit: Unit) -> tuple[Message, ...]:
        """Return the exact chat to send: rules, examples, then the unit's surrogate as the last user turn."""
        prompt, prefix = self.prompts[unit.sample_type], self.prefixes[unit.sample_type]
        if self.seeing is None:
            return (*prefix, prompt.query(unit.surrogate.text))
        text = unit.surrogate.text if self.seeing.shows_surrogate else ""
        return (*prefix, self.seeing.show(unit, prompt.query(text)))


def make_prompt_book(
    prompts: Mapping[str, Prompt],
    sample_types: Mapping[str, SampleType],
    surrogate: SurrogateConfig,
    decoding: Decoding,
    seeing: Seeing | None = None,
) -> PromptBook:
    """Render the examples as the build will render its images, and their replies in the asked output format.

    Raises InstructgenError for an example that these settings reject or whose reply could not be read back.
    """
    prefixes: dict[str, tuple[Message, ...]] = {}
    for name, prompt in prompts.items():
        texts: list[str] = []
        answers: list[str] = []
        for number, shot in enumerate(prompt.shots, 1):
            where = f"{prompt.folder / 'shots.jsonl'} line {number}"
            shown = make_surrogate(shot.record, surrogate, with_boxes=surrogate.shows_boxes(name))
            if isinstance(shown, Rejected):
                raise InstructgenError(f"{where}: the surrogate settings reject this image ({shown.reason})")
            texts.append(shown.text)
            answers.append(_write_answer(where, sample_types[name], shot.turns, decoding))
        prefix = prompt.prefix(texts, answers, decoding)
        prefixes[name] = prefix if seeing is None else seeing.with_note(prefix)
    return PromptBook(dict(prompts), prefixes, seeing)


def make_request(unit: Unit, messages: tuple[Message, ...], model: str, decoding: Decoding) -> Request:
    """Return the request with its identity; two images that are written down alike share it, and the answer."""
    request_id = make_request_id(messages, model, decoding)
    record = unit.record if any(message.picture is not None for message in messages) else None
    return Request(request_id, unit.sample_type, unit.record.image_id, messages, record)


def make_request_id(messages: tuple[Message, ...], model: str, decoding: Decoding) -> str:
    """Return the sha256, in hex, of the JSON array [messages, model, decoding].

    It is written as msgspec does: UTF-8, no spaces, fields in the order of their struct, and of `decoding` only
    what differs from the defaults, so that a new setting keeps the old identities. A message with a picture has
    that picture's sha256 and the longest side that it is sent with, never its bytes. Any change to these bytes asks
    every teacher for everything again; tests/golden/prompts pins them.
    """
    digest = _DIGESTS.find(messages).copy()
    digest.update(b"%b],%b" % (msgspec.json.encode(messages[-1]), msgspec.json.encode((model, decoding))[1:]))
    return digest.hexdigest()


def _start_digest(prefix: tuple[Message, ...]) -> "hashlib._Hash":
    """Return the digest of the array up to the last message: the rules and examples are the same for each unit."""
    digest = hashlib.sha256(b"[[")
    for message in prefix:
        digest.update(msgspec.json.encode(message))
        digest.update(b",")
    return digest


_DIGESTS = PrefixMemo(_start_digest)


def _write_answer(where: str, sample_type: SampleType, turns: tuple[Message, ...], decoding: Decoding) -> str:
    text = sample_type.write(turns, decoding)
    if sample_type.parse(text, (turns[0].content,), random.Random(0)) != turns:
        raise InstructgenError(
            f"{where}: these turns are no '{sample_type.name}' sample in {decoding.output_format} form; "
            "docs/prompts.md says what a type may hold"
        )
    return text
