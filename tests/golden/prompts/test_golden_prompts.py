"""The exact chats that are sent, and request identities: changing one byte asks every teacher again.

`INSTRUCTGEN_UPDATE_GOLDEN=1 pytest tests/golden/prompts` writes the files anew; read the diff, and say so in
CHANGELOG.md.
"""

import os
from pathlib import Path

import pytest

from instructgen.config import SurrogateConfig
from instructgen.prompting.prompts import load_prompt
from instructgen.prompting.requests import make_prompt_book, make_request
from instructgen.records import Box, Decoding, ImageRecord, Message, Unit
from instructgen.sample_types import SAMPLE_TYPES
from instructgen.surrogate.render import make_surrogate

HERE = Path(__file__).parent
RECORD = ImageRecord(
    "own/1",
    "1.jpg",
    640,
    480,
    ("A brown dog lies beside a red ball.", "The dog rests on the grass in a park."),
    (Box("dog", 0.1, 0.5, 0.45, 0.9), Box("sports ball", 0.7, 0.75, 0.8, 0.9)),
)


def chat(sample_type: str, surrogate: SurrogateConfig, decoding: Decoding) -> tuple[Unit, tuple[Message, ...]]:
    prompts = {sample_type: load_prompt(None, sample_type)}
    book = make_prompt_book(prompts, SAMPLE_TYPES, surrogate, decoding)
    shown = make_surrogate(RECORD, surrogate, with_boxes=surrogate.shows_boxes(sample_type))
    unit = Unit(RECORD, sample_type, shown)  # type: ignore[arg-type]
    return unit, book.messages(unit)


CASES = {
    "conv_text": ("conv", SurrogateConfig(), Decoding(temperature=0.7, max_tokens=1024)),
    "conv_captions_only": ("conv", SurrogateConfig(boxes_in_conversation=False), Decoding(temperature=0.7)),
    "conv_json": ("conv", SurrogateConfig(), Decoding(seed=1, output_format="json")),
    "detail_text": ("detail", SurrogateConfig(), Decoding(temperature=0.7, max_tokens=1024)),
    "detail_json": ("detail", SurrogateConfig(), Decoding(seed=1, output_format="json")),
    "reasoning_text": ("reasoning", SurrogateConfig(), Decoding(temperature=0.7, max_tokens=1024)),
    "reasoning_json": ("reasoning", SurrogateConfig(), Decoding(seed=1, output_format="json")),
}


@pytest.mark.parametrize("name", CASES)
def test_chat_and_identity_are_as_recorded(name: str) -> None:
    sample_type, surrogate, decoding = CASES[name]
    unit, messages = chat(sample_type, surrogate, decoding)
    request = make_request(unit, messages, "test-model", decoding)
    prompt_sha256 = load_prompt(None, sample_type).sha256
    parts = [f"request_id {request.request_id}\nprompt_sha256 {prompt_sha256}\n"]
    parts += [f"<<< {message.role}\n{message.content}\n" for message in messages]
    path = HERE / f"{name}.txt"
    if os.environ.get("INSTRUCTGEN_UPDATE_GOLDEN"):
        path.write_text("\n".join(parts), encoding="utf-8", newline="\n")
    assert "\n".join(parts) == path.read_text(encoding="utf-8")


def test_identity_of_a_small_request_never_changes() -> None:
    messages = (Message("system", "Be brief."), Message("user", "A brown dog."))
    unit, _ = chat("conv", SurrogateConfig(), Decoding())
    request = make_request(unit, messages, "test-model", Decoding(temperature=0.5, seed=7))
    assert request.request_id == "c0241b90872943f3908d617454bb20140dcdd9b3b1628e709152092e8a93225c"
