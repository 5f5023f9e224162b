"""The tokenizer's own template is followed to the letter, or refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("transformers", reason="tokenizers come with the extra [train]")

from instructgen.errors import InstructgenError
from instructgen.records import Message
from instructgen.train.encode import Encoder, Skipped
from instructgen.train.example import Example
from tests.support.chat_templates import CHATML, FOLLOWED, REFUSED
from tests.support.chats import HOSTILE, find_runs, make_chat, read_back
from tests.support.tokenizers import KINDS, make_tokenizer

ORDINARY = ("What is there?", "A red cup.", "How many dogs?", "One, in the park.", "Why?", "No idea.")
SYSTEM = Message("system", "Answer in one word.")


def make_auto(name: str, kind: str = "byte-level") -> Encoder:
    return Encoder(make_tokenizer(kind, FOLLOWED[name]), "auto", 4, 10_000)


def render(name: str, chat: tuple[Message, ...], kind: str, *, is_asking: bool) -> str:
    messages = [{"role": turn.role, "content": turn.content} for turn in chat]
    of_a_day = FOLLOWED[name].replace("strftime_now('%d %b %Y')", "'26 Jul 2024'")
    tokenizer = make_tokenizer(kind, of_a_day)
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=is_asking)
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize("kind", [*KINDS, "wordpiece"])
@pytest.mark.parametrize("name", FOLLOWED)
@pytest.mark.parametrize("has_system", [False, True])
def test_prompt_is_what_the_tokenizer_makes_of_the_rendered_chat(name: str, kind: str, *, has_system: bool) -> None:
    encoder = make_auto(name, kind)
    if has_system and not encoder.template.has_system:
        return
    for count in (1, 3, 5):
        chat = ((SYSTEM,) if has_system else ()) + make_chat(*ORDINARY[:count])
        rendered = render(name, chat, kind, is_asking=True)
        expected = make_tokenizer(kind).encode(rendered, add_special_tokens=False)
        assert encoder.prompt_ids(chat).tolist() == expected


@pytest.mark.parametrize("name", FOLLOWED)
@pytest.mark.parametrize("kind", ["byte-level", "legacy", "first"])
def test_learned_text_is_the_answers_and_their_stops_in_every_own_template(name: str, kind: str) -> None:
    encoder = make_auto(name, kind)
    template = encoder.template
    for hostile in HOSTILE:
        texts = [f"x{hostile}", f"y{hostile}z", hostile, f"y{hostile}"]
        example = encoder.encode("x", make_chat(*texts))
        assert isinstance(example, Example)
        tokenizer = make_tokenizer(kind)
        learned = [read_back(tokenizer, example.ids[a:b].tolist()) for a, b in find_runs(example.is_trained)]
        said = [text.strip() if "assistant" in template.strips else text for text in texts[1::2]]
        assert learned == [f"{template.answer_lead}{text}{template.stop}" for text in said]


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(sorted(FOLLOWED)), texts=st.lists(st.text(max_size=8), min_size=2, max_size=6))
def test_pieces_put_together_are_the_rendered_chat(name: str, texts: list[str]) -> None:
    texts = [f"{text}x" for text in texts[: len(texts) // 2 * 2]]
    encoder = make_auto(name)
    example = encoder.encode("x", make_chat(*texts))
    assert isinstance(example, Example)
    rendered = render(name, make_chat(*texts), "byte-level", is_asking=False)
    written = make_tokenizer("byte-level").decode(example.ids, clean_up_tokenization_spaces=False)
    assert isinstance(written, str)
    assert rendered.startswith(written)
    assert encoder.template.stop not in rendered[len(written) :]


def test_own_default_system_text_is_kept_and_another_takes_its_place() -> None:
    encoder, tokenizer = make_auto("chatml"), make_tokenizer("byte-level")
    default = tokenizer.decode(encoder.prompt_ids(make_chat("What?")))
    assert default.startswith("<|im_start|>system\nYou help people.<|im_end|>\n<|im_start|>user\nWhat?")
    other = tokenizer.decode(encoder.prompt_ids(make_chat("What?"), system="Be brief."))
    assert other.startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhat?")


def test_image_stands_before_the_first_question() -> None:
    encoder, tokenizer = make_auto("chatml"), make_tokenizer("byte-level")
    ids = encoder.prompt_ids(make_chat("What?", "A cup.", "Where?"), 2).tolist()
    assert [number for number in ids if number < 0] == [-1, -1]
    first, second = (at for at, number in enumerate(ids) if number < 0)
    assert tokenizer.decode(ids[:first]).endswith("<|im_start|>user\n")
    assert tokenizer.decode(ids[first + 1 : second]) == "\n"
    assert tokenizer.decode(ids[second + 1 :]).startswith("\nWhat?<|im_end|>")


def test_template_without_a_system_part_skips_such_samples_and_refuses_such_settings() -> None:
    encoder = make_auto("brackets")
    found = encoder.encode("x", (SYSTEM, *make_chat(*ORDINARY)))
    assert found == Skipped("x", "template_has_no_system")
    with pytest.raises(InstructgenError, match="no place for a system text"):
        Encoder(make_tokenizer("byte-level", FOLLOWED["brackets"]), "auto", 1, 100, system="Be brief.")


def test_date_of_a_template_is_a_fixed_day() -> None:
    text = make_tokenizer("byte-level").decode(make_auto("dated").prompt_ids(make_chat("What?")))
    assert "Today is 26 Jul 2024." in text


@pytest.mark.parametrize("name", REFUSED)
def test_template_that_cannot_be_followed_is_refused_with_a_way_out(name: str) -> None:
    text, reason = REFUSED[name]
    with pytest.raises(InstructgenError, match=f'{reason}.*template = "chatml"'):
        Encoder(make_tokenizer("byte-level", text), "auto", 1, 100)


def test_tokenizer_without_a_template_is_refused_with_a_way_out() -> None:
    with pytest.raises(InstructgenError, match=r'has no chat template.*template = "vicuna_v1"'):
        Encoder(make_tokenizer("byte-level"), "auto", 1, 100)


def test_own_template_with_the_strings_of_ours_gives_the_same_ids() -> None:
    tokenizer = make_tokenizer("byte-level", CHATML)
    chat = (SYSTEM, *make_chat(*ORDINARY))
    auto, named = (Encoder(tokenizer, name, 4, 1000).encode("x", chat, ["p"]) for name in ("auto", "chatml"))
    assert isinstance(auto, Example)
    assert isinstance(named, Example)
    assert auto.ids.tolist() == named.ids.tolist()
    assert auto.is_trained.tolist() == named.is_trained.tolist()
