"""From a unit to the chat that is sent and the request's identity."""

import hashlib
import json
from pathlib import Path

import pytest

from instructgen.config import SurrogateConfig
from instructgen.errors import InstructgenError
from instructgen.prompting.prompts import Prompt, load_prompt
from instructgen.prompting.requests import make_prompt_book, make_request, make_request_id
from instructgen.records import Decoding, ImageRecord, Message, Surrogate, Unit
from instructgen.sample_types import PROMPTED_TYPES, SAMPLE_TYPES

RECORD = ImageRecord("own/1", "1.jpg", 640, 480, ("A dog sleeps.", "A brown dog."), ())


def load_all(folder: Path | None = None) -> dict[str, Prompt]:
    return {name: load_prompt(folder, name) for name in PROMPTED_TYPES}


def make_unit(sample_type: str) -> Unit:
    return Unit(RECORD, sample_type, Surrogate("own/1", "A dog sleeps.\nA brown dog.", 2, 0))


@pytest.mark.parametrize(("sample_type", "num_shots"), [("conv", 2), ("detail", 3), ("reasoning", 3)])
@pytest.mark.parametrize("decoding", [Decoding(), Decoding(output_format="json")], ids=["text", "json"])
def test_chat_is_rules_then_examples_then_the_image(sample_type: str, num_shots: int, decoding: Decoding) -> None:
    book = make_prompt_book(load_all(), SAMPLE_TYPES, SurrogateConfig(), decoding)
    messages = book.messages(make_unit(sample_type))
    assert [message.role for message in messages] == ["system", *["user", "assistant"] * num_shots, "user"]
    assert messages[-1].content == "A dog sleeps.\nA brown dog."
    shots = load_prompt(None, sample_type).shots
    for shot, shown, reply in zip(shots, messages[1::2], messages[2::2], strict=False):
        assert shown.content.startswith("\n".join(shot.record.captions))
        assert reply.content == SAMPLE_TYPES[sample_type].write(shot.turns, decoding)


def test_rules_hold_no_caption_of_any_image() -> None:
    book = make_prompt_book(load_all(), SAMPLE_TYPES, SurrogateConfig(), Decoding())
    captions = [
        caption for prompt in load_all().values() for shot in prompt.shots for caption in shot.record.captions
    ]
    for name in PROMPTED_TYPES:
        rules = book.messages(make_unit(name))[0].content
        assert not any(caption in rules for caption in (*captions, *RECORD.captions))


@pytest.mark.parametrize("with_boxes", [True, False])
def test_conversation_examples_show_boxes_as_the_build_does(with_boxes: bool) -> None:
    book = make_prompt_book(load_all(), SAMPLE_TYPES, SurrogateConfig(boxes_in_conversation=with_boxes), Decoding())
    assert ("umbrella: [0.141, 0.027, 0.672, 0.269]" in book.messages(make_unit("conv"))[1].content) == with_boxes
    assert "boat: [0.02, 0.331, 0.244, 0.592]" in book.messages(make_unit("detail"))[1].content


def test_surrogate_settings_reach_the_examples() -> None:
    book = make_prompt_book(load_all(), SAMPLE_TYPES, SurrogateConfig(max_boxes=1), Decoding())
    assert book.messages(make_unit("detail"))[1].content.count(": [") == 1


def test_example_that_its_type_could_not_hold_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "prompts" / "reasoning"
    folder.mkdir(parents=True)
    (folder / "system.j2").write_text("Be brief.")
    (folder / "user.j2").write_text("{{ surrogate.text }}")
    image = {
        "image_id": "own/1",
        "file_name": "1.jpg",
        "width_px": 4,
        "height_px": 4,
        "captions": ["A."],
        "boxes": [],
    }
    turns = [{"role": role, "content": "x"} for role in ("user", "assistant") * 2]
    (folder / "shots.jsonl").write_text(json.dumps({"image": image, "turns": turns}))
    prompts = {"reasoning": load_prompt(tmp_path / "prompts", "reasoning")}
    with pytest.raises(
        InstructgenError, match=r"reasoning/shots.jsonl line 1: these turns are no 'reasoning' sample"
    ):
        make_prompt_book(prompts, SAMPLE_TYPES, SurrogateConfig(), Decoding())


def test_request_carries_its_unit_and_messages() -> None:
    messages = (Message("system", "Be brief."), Message("user", "A dog."))
    request = make_request(make_unit("conv"), messages, "gpt-4o", Decoding())
    assert request.image_id == "own/1"
    assert request.sample_type == "conv"
    assert request.messages == messages
    assert request.request_id == make_request_id(messages, "gpt-4o", Decoding())


def test_identity_is_the_sha256_of_the_documented_bytes() -> None:
    messages = (Message("system", "Be brief."), Message("user", "Ein Hund schläft."))
    written = (
        '[[{"role":"system","content":"Be brief."},{"role":"user","content":"Ein Hund schläft."}],'
        '"gpt-4o",{"temperature":0.7,"max_tokens":1024}]'
    )
    decoding = Decoding(temperature=0.7, max_tokens=1024)
    assert make_request_id(messages, "gpt-4o", decoding) == hashlib.sha256(written.encode()).hexdigest()


def test_identity_changes_with_everything_that_is_sent() -> None:
    messages = (Message("system", "Be brief."), Message("user", "A dog."))
    decodings = [
        Decoding(),
        Decoding(temperature=0.7),
        Decoding(top_p=0.7),
        Decoding(max_tokens=7),
        Decoding(seed=7),
        Decoding(output_format="json"),
    ]
    identities = {make_request_id(messages, "gpt-4o", decoding) for decoding in decodings}
    identities.add(make_request_id(messages, "gpt-4o-mini", Decoding()))
    identities.add(make_request_id(messages[:1], "gpt-4o", Decoding()))
    identities.add(make_request_id((messages[1], messages[0]), "gpt-4o", Decoding()))
    assert len(identities) == 9
