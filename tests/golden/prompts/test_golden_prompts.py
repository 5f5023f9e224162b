"""The exact chats that are sent, and request identities: changing one byte asks every teacher again.

`INSTRUCTGEN_UPDATE_GOLDEN=1 pytest tests/golden/prompts` writes the files anew; read the diff, and say so in
CHANGELOG.md.
"""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from instructgen.config import RefineConfig, SurrogateConfig, TeacherConfig
from instructgen.prompting.prompts import load_prompt
from instructgen.prompting.requests import make_prompt_book, make_request
from instructgen.prompting.seeing import load_seeing
from instructgen.records import Box, Decoding, ImageRecord, Message, Unit
from instructgen.refine.prompts import Draft, ShownFault, load_refine_prompts
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
    compare(name, unit, messages, decoding, load_prompt(None, sample_type).sha256)


@pytest.mark.parametrize("see_image", ["only", "beside"])
def test_chat_that_shows_a_picture_is_as_recorded(see_image: str) -> None:
    prompt, decoding = load_prompt(None, "caption"), Decoding(temperature=1.0, top_p=0.9, max_tokens=300)
    seeing = load_seeing(None, TeacherConfig(see_image=see_image))  # type: ignore[arg-type]
    book = make_prompt_book({"caption": prompt}, SAMPLE_TYPES, SurrogateConfig(), decoding, seeing)
    unit, _ = chat("detail", SurrogateConfig(), decoding)
    unit = replace(unit, sample_type="caption", picture_sha256="ab" * 32)
    compare(f"caption_{see_image}", unit, book.messages(unit), decoding, prompt.sha256)


@pytest.mark.parametrize("name", ["refine", "repair"])
def test_chat_that_mends_a_text_is_as_recorded(name: str) -> None:
    prompts = load_refine_prompts(None, RefineConfig(rewrite=True, repair_rounds=1))
    prompt = prompts.rewrite if name == "refine" else prompts.repair
    assert prompt is not None
    unit, _ = chat("detail", SurrogateConfig(), Decoding())
    faults = (
        ShownFault(1, "A cat", "A cat sits there.", "no box of cat, and no caption names one"),
        ShownFault(2, "two dogs", "There are two dogs.", "1 boxes of dog"),
    )
    draft = Draft("A cat sits there. There are two dogs.", unit.surrogate.text, faults)
    compare(name, unit, prompt.messages(draft, Decoding()), Decoding(), prompt.sha256)


def compare(name: str, unit: Unit, messages: tuple[Message, ...], decoding: Decoding, prompt_sha256: str) -> None:
    request = make_request(unit, messages, "test-model", decoding)
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
