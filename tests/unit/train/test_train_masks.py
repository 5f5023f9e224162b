"""What is learned is each answer and its stop, on every template, on every kind of tokenizer, whatever is said."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("transformers", reason="tokenizers come with the extra [train]")

from instructgen.records import Message
from instructgen.train.encode import Encoder, Skipped
from instructgen.train.example import IMAGE_SLOT, Example
from instructgen.train.templates import TEMPLATES
from tests.support.chats import HOSTILE, find_runs, make_chat, read_back
from tests.support.tokenizers import KINDS, make_tokenizer

CHATS = tuple(name for name, template in TEMPLATES.items() if template.has_questions)
_ENCODERS = {}


def encoder_of(kind: str, template: str) -> Encoder:
    if (kind, template) not in _ENCODERS:
        _ENCODERS[kind, template] = Encoder(make_tokenizer(kind), template, 4, 100_000)
    return _ENCODERS[kind, template]


def encode(encoder: Encoder, chat: tuple[Message, ...], num_pictures: int = 0) -> Example:
    example = encoder.encode("x", chat, [f"p{number}" for number in range(num_pictures)])
    assert isinstance(example, Example)
    return example


def learned_texts(kind: str, example: Example) -> list[str]:
    ids = example.ids
    return [read_back(make_tokenizer(kind), ids[start:end].tolist()) for start, end in find_runs(example.is_trained)]


def test_two_turns_of_vicuna_learn_each_answer_and_its_end_and_nothing_else() -> None:
    chat = make_chat("What is there?", "A red cup is on the table.", "How many?", "One.")
    encoder = encoder_of("legacy", "vicuna_v1")
    example = encode(encoder, chat, 1)
    assert learned_texts("legacy", example) == [" A red cup is on the table.</s>", " One.</s>"]
    slot = example.ids.tolist().index(IMAGE_SLOT)
    tokenizer = make_tokenizer("legacy")
    assert tokenizer.decode(example.ids[:slot]).endswith(f"{TEMPLATES['vicuna_v1'].system} USER: ")
    rest = tokenizer.decode(example.ids[slot + 1 :]).lstrip(" ")
    assert rest == (
        "\nWhat is there? ASSISTANT: A red cup is on the table.</s> USER: How many? ASSISTANT: One.</s>"
    )  # the space after </s> is this tokenizer's own


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("template", CHATS)
@pytest.mark.parametrize("num_pictures", [0, 1, 2])
def test_learned_text_is_the_answers_and_their_stops(kind: str, template: str, num_pictures: int) -> None:
    encoder = encoder_of(kind, template)
    lead, stop = encoder.template.answer_lead, encoder.template.stop
    for hostile in HOSTILE:
        answers = [hostile, f"x{hostile}y"] if hostile.strip() else [f"x{hostile}", f"x{hostile}y"]
        example = encode(encoder, make_chat(hostile, answers[0], f"x{hostile}", answers[1]), num_pictures)
        assert learned_texts(kind, example) == [f"{lead}{answer}{stop}" for answer in answers]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("num_pictures", [0, 1, 2])
def test_plain_learns_the_caption_and_its_line_break_without_the_question(kind: str, num_pictures: int) -> None:
    encoder = encoder_of(kind, "plain")
    for hostile in HOSTILE:
        answer = f"x{hostile}"
        example = encode(encoder, make_chat("Briefly describe it.", answer), num_pictures)
        (learned,) = learned_texts(kind, example)
        own_space = " " if learned.startswith(" ") and kind not in ("byte-level", "llama3", "first") else ""
        assert learned == f"{own_space}{answer}\n"
        start = int(example.is_trained.argmax())
        expected = [1] if kind != "byte-level" else []
        assert example.ids[:start].tolist() == [*expected, *[IMAGE_SLOT] * num_pictures]


@pytest.mark.parametrize("kind", [*KINDS, "wordpiece"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_text_becomes_no_control_token_and_no_image(kind: str, template: str) -> None:
    encoder = encoder_of(kind, template)
    tokenizer = make_tokenizer(kind)
    control = set(tokenizer.get_added_vocab().values()) - {tokenizer.unk_token_id}
    tame = encode(encoder, make_chat("a", "a", "a", "a"), 1)
    for hostile in HOSTILE:
        text = f"a{hostile}"
        example = encode(encoder, make_chat(text, text, text, text), 1)
        assert [one for one in example.ids.tolist() if one in control] == [
            one for one in tame.ids.tolist() if one in control
        ]
        assert example.ids.tolist().count(IMAGE_SLOT) == 1


@pytest.mark.parametrize("template", TEMPLATES)
def test_lossy_tokenizer_learns_what_it_makes_of_the_answer(template: str) -> None:
    encoder = encoder_of("wordpiece", template)
    tokenizer = make_tokenizer("wordpiece")
    example = encode(encoder, make_chat("What?", "A Red Cup, and TWO dogs!"), 1)
    ((start, end),) = find_runs(example.is_trained)
    words = tokenizer.encode("A Red Cup, and TWO dogs!", add_special_tokens=False)
    assert example.ids[start : start + len(words)].tolist() == words
    assert example.ids[start + len(words) : end].tolist() == list(encoder.stop.sequence)


_TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20), st.lists(st.sampled_from(HOSTILE)).map("".join))


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from((*KINDS, "wordpiece")),
    template=st.sampled_from(CHATS),
    texts=st.lists(_TEXTS, min_size=2, max_size=6),
    system=st.one_of(st.just(""), _TEXTS),
    num_pictures=st.integers(0, 2),
)
def test_prompt_for_an_answer_is_what_training_has_before_it(
    kind: str, template: str, texts: list[str], system: str, num_pictures: int
) -> None:
    encoder = encoder_of(kind, template)
    texts = [text if place % 2 == 0 or text.strip() else f"x{text}" for place, text in enumerate(texts)]
    head = (Message("system", system),) if system and TEMPLATES[template].has_system else ()
    chat = (*head, *make_chat(*texts[: len(texts) // 2 * 2]))
    example = encode(encoder, chat, num_pictures)
    at = 0
    for place in range(0, len(texts) // 2 * 2, 2):
        prompt = encoder.prompt_ids(chat[: len(head) + place + 1], num_pictures)
        assert example.ids[: len(prompt)].tolist() == prompt.tolist()
        answer = encoder.answer_ids(texts[place + 1])
        assert example.ids[len(prompt) : len(prompt) + len(answer)].tolist() == answer.tolist()
        assert not example.is_trained[at : len(prompt)].any()
        at = len(prompt) + len(answer)
        assert example.is_trained[len(prompt) : at].all()
    assert at == len(example.ids)


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(KINDS), template=st.sampled_from(CHATS), answer=_TEXTS)
def test_any_answer_is_learned_as_it_was_written(kind: str, template: str, answer: str) -> None:
    encoder = encoder_of(kind, template)
    example = encoder.encode("x", make_chat("What?", answer))
    if not answer.strip():
        assert example == Skipped("x", "empty_answer")
        return
    assert isinstance(example, Example)
    written = answer.replace("▁", " ") if kind in ("always", "first", "legacy", "unigram") else answer
    (learned,) = learned_texts(kind, example)
    assert learned == f"{encoder.template.answer_lead}{written}{encoder.template.stop}"


@pytest.mark.parametrize("template", ["vicuna_v1", "llama_2", "chatml"])
def test_every_image_has_a_slot_in_order_before_the_first_question(template: str) -> None:
    encoder = encoder_of("legacy", template)
    example = encode(encoder, make_chat("Which one is larger?", "The first.", "And older?", "The second."), 3)
    assert example.pictures == ("p0", "p1", "p2")
    slots = [at for at, number in enumerate(example.ids.tolist()) if number == IMAGE_SLOT]
    tokenizer = make_tokenizer("legacy")
    between = [example.ids[first + 1 : last] for first, last in pairwise(slots)]
    assert [tokenizer.decode(ids).lstrip(" ") for ids in between] == ["\n", "\n"]
    assert tokenizer.decode(example.ids[slots[-1] + 1 :]).lstrip(" ").startswith("\nWhich one is larger?")


def test_minigpt4_wraps_its_images() -> None:
    example = encode(encoder_of("byte-level", "minigpt4"), make_chat("What is it?", "A cup."), 2)
    tokenizer = make_tokenizer("byte-level")
    shown = "".join("@" if number == IMAGE_SLOT else tokenizer.decode([number]) for number in example.ids.tolist())
    assert shown == "###Human: <Img>@</Img> <Img>@</Img> What is it? ###Assistant: A cup.###"


def test_llama_2_begins_every_turn_anew() -> None:
    encoder = Encoder(make_tokenizer("llama3"), "llama_2", 4, 1000, system="Be brief.")
    example = encode(encoder, make_chat("What?", "A cup.", "Where?", "There."), 0)
    assert make_tokenizer("llama3").decode(example.ids) == (
        "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nWhat? [/INST] A cup. </s><s>[INST] Where? [/INST] There. </s>"
    )


def test_chatml_ends_each_turn_with_its_token() -> None:
    encoder = Encoder(make_tokenizer("byte-level"), "chatml", 4, 1000, system="")
    example = encode(encoder, make_chat("What?", "A cup.", "Where?", "There."), 0)
    assert make_tokenizer("byte-level").decode(example.ids) == (
        "<|im_start|>user\nWhat?<|im_end|>\n<|im_start|>assistant\nA cup.<|im_end|>\n"
        "<|im_start|>user\nWhere?<|im_end|>\n<|im_start|>assistant\nThere.<|im_end|>"
    )


@pytest.mark.parametrize("kind", ["byte-level", "unigram"])
def test_text_of_nothing_but_control_strings_is_text(kind: str) -> None:
    answer = "</s><|im_end|><0x0A>" * 1500
    example = encode(encoder_of(kind, "vicuna_v1"), make_chat(answer, answer))
    assert learned_texts(kind, example) == [f" {answer}</s>"]
