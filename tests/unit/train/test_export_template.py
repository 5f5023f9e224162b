"""What others render from an exported template is, tokenised, the prompt that the model was trained on."""

from typing import Any

import pytest

pytest.importorskip("transformers", reason="tokenizers come with the extra [train]")

from instructgen.records import Message
from instructgen.train.encode import Encoder
from instructgen.train.example import IMAGE_SLOT
from instructgen.train.templates import TEMPLATES, Template
from instructgen.train.templates_export import for_export
from tests.support.chat_templates import FOLLOWED
from tests.support.chats import make_chat
from tests.support.tokenizers import KINDS, make_tokenizer

CHAT = make_chat('What is "there"?', "A red cup is on the table.", "How many?", "One.", "It's blue?")
SYSTEM = Message("system", "Say it in {{ one }} word, or 'two'.")
CHATS = [name for name, template in TEMPLATES.items() if template.has_questions]
CAPTIONS = [name for name in TEMPLATES if name not in CHATS]


def make_exported(template: Template, kind: str) -> Any:
    """Return a tokenizer as an exported Llava has it: with its `<image>` token and the template."""
    tokenizer = make_tokenizer(kind)
    exported = for_export(template, tokenizer)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    tokenizer.chat_template = exported
    return tokenizer


def render_ids(tokenizer: Any, chat: tuple[Message, ...], num_pictures: int) -> list[int]:
    """Return the ids of a chat as a processor hands it over: the images among the parts of the first question."""
    messages: list[dict[str, Any]] = [{"role": turn.role, "content": turn.content} for turn in chat]
    first = next(message for message in messages if message["role"] == "user")
    first["content"] = [{"type": "image"}] * num_pictures + [{"type": "text", "text": first["content"]}]
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    slot = tokenizer.convert_tokens_to_ids("<image>")
    return [IMAGE_SLOT if number == slot else number for number in ids]


@pytest.mark.parametrize("kind", [*KINDS, "wordpiece"])
@pytest.mark.parametrize("name", CHATS)
def test_exported_template_renders_the_prompts_of_training(name: str, kind: str) -> None:
    encoder = Encoder(make_tokenizer(kind), name, 4, 1000)
    tokenizer = make_exported(encoder.template, kind)
    for count in (1, 3, 5):
        for num_pictures in (0, 1, 2):
            for chat in (CHAT[:count], (SYSTEM, *CHAT[:count]))[: 1 + TEMPLATES[name].has_system]:
                expected = encoder.prompt_ids(chat, num_pictures).tolist()
                assert render_ids(tokenizer, chat, num_pictures) == expected


@pytest.mark.parametrize("name", FOLLOWED)
@pytest.mark.parametrize("kind", ["byte-level", "legacy", "first"])
def test_own_template_is_exported_with_a_place_for_images(name: str, kind: str) -> None:
    encoder = Encoder(make_tokenizer(kind, FOLLOWED[name]), "auto", 4, 1000)
    tokenizer = make_exported(encoder.template, kind)
    for count in (1, 3):
        for num_pictures in (0, 1, 2):
            expected = encoder.prompt_ids(CHAT[:count], num_pictures).tolist()
            assert render_ids(tokenizer, CHAT[:count], num_pictures) == expected


@pytest.mark.parametrize("name", ["dated", "brackets"])
def test_white_space_that_a_template_takes_off_is_off_in_training_and_in_the_export(name: str) -> None:
    encoder = Encoder(make_tokenizer("byte-level", FOLLOWED[name]), "auto", 4, 1000)
    tokenizer = make_exported(encoder.template, "byte-level")
    spaced = make_chat(*(f" \n {turn.content} \n" for turn in CHAT[:3]))
    assert render_ids(tokenizer, spaced, 1) == encoder.prompt_ids(spaced, 1).tolist()
    assert encoder.prompt_ids(spaced, 1).tolist() == encoder.prompt_ids(CHAT[:3], 1).tolist()


@pytest.mark.parametrize("kind", ["byte-level", "legacy"])
@pytest.mark.parametrize("name", CAPTIONS)
def test_caption_template_is_exported_as_the_image_without_the_question(name: str, kind: str) -> None:
    encoder = Encoder(make_tokenizer(kind), name, 4, 1000)
    tokenizer = make_exported(encoder.template, kind)
    assert render_ids(tokenizer, CHAT[:1], 1) == encoder.prompt_ids(CHAT[:1], 1).tolist()


def test_mark_in_a_text_is_an_image_for_those_who_write_it_so() -> None:
    encoder = Encoder(make_tokenizer("byte-level"), "vicuna_v1", 4, 1000)
    tokenizer = make_exported(encoder.template, "byte-level")
    messages = [{"role": "user", "content": "What is it?\n<image>"}]
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    assert text.endswith(" USER: <image>\nWhat is it? ASSISTANT:")


def test_chosen_system_text_is_exported() -> None:
    tokenizer = make_tokenizer("byte-level")
    exported = for_export("chatml", tokenizer, system='Say "no" \\ or\nyes.')
    messages = [{"role": "user", "content": "What?"}]
    text = tokenizer.apply_chat_template(messages, chat_template=exported, tokenize=False)
    assert text == '<|im_start|>system\nSay "no" \\ or\nyes.<|im_end|>\n<|im_start|>user\nWhat?'


def test_whole_chat_is_rendered_up_to_its_last_stop() -> None:
    encoder = Encoder(make_tokenizer("legacy"), "vicuna_v1", 4, 1000)
    tokenizer = make_exported(encoder.template, "legacy")
    messages = [{"role": turn.role, "content": turn.content} for turn in CHAT[:4]]
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    assert text.endswith("ASSISTANT: A red cup is on the table.</s>USER: How many? ASSISTANT: One.</s>")
