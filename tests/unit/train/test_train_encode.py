"""What becomes of a sample: which are skipped and why, where they are cut, what a mark of a picture does."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("transformers", reason="tokenizers come with the extra [train]")

from instructgen.errors import InstructgenError
from instructgen.records import Message
from instructgen.train.encode import Encoded, Encoder, RawSample, Skipped, stop_ids
from instructgen.train.example import IMAGE_SLOT, Example
from instructgen.train.templates import TEMPLATES
from tests.support.chats import find_runs, make_chat, read_back
from tests.support.tokenizers import KINDS, make_tokenizer

CHAT = make_chat("What is there?", "A red cup is on the table.", "How many?", "One.")


def make_encoder(template: str = "vicuna_v1", max_tokens: int = 1000, kind: str = "legacy") -> Encoder:
    return Encoder(make_tokenizer(kind), template, tokens_per_image=16, max_tokens=max_tokens)


def encode_one(encoder: Encoder, chat: tuple[Message, ...], num_pictures: int = 1) -> Encoded | Skipped:
    pictures = tuple(f"p{number}" for number in range(num_pictures))
    (found,) = encoder.encode_all([RawSample("x", chat, pictures)])
    return found


@pytest.mark.parametrize(
    ("reason", "chat"),
    [
        ("no_user_turn", ()),
        ("no_user_turn", (Message("system", "Be kind."),)),
        ("no_user_turn", (Message("assistant", "Hello."),)),
        ("no_answer", make_chat("What?")),
        ("roles_do_not_alternate", (Message("assistant", "Hello."), *CHAT)),
        ("roles_do_not_alternate", (Message("user", "Look."), *CHAT)),
        ("roles_do_not_alternate", (*CHAT, Message("assistant", "Or two."))),
        ("late_system_turn", (*CHAT, Message("system", "Be kind."))),
        ("late_system_turn", (Message("system", "Be kind."), Message("system", "Be brief."), *CHAT)),
        ("empty_answer", make_chat("What?", "A cup.", "Where?", "")),
        ("empty_answer", make_chat("What?", " \n ")),
        ("not_unicode", make_chat("What?", "half a sign: \ud83d")),
    ],
)
def test_sample_that_cannot_be_learned_from_is_skipped_with_its_reason(
    reason: str, chat: tuple[Message, ...]
) -> None:
    found = encode_one(make_encoder(), chat)
    assert isinstance(found, Skipped)
    assert (found.sample_id, found.reason) == ("x", reason)


def test_question_that_nobody_answers_is_left_out_and_counted() -> None:
    found = encode_one(make_encoder(), (*CHAT, Message("user", "And why?")))
    whole = encode_one(make_encoder(), CHAT)
    assert isinstance(found, Encoded)
    assert isinstance(whole, Encoded)
    assert found.example.ids.tolist() == whole.example.ids.tolist()
    assert (found.num_left_out, whole.num_left_out) == (1, 0)


def test_samples_of_a_batch_come_out_as_they_do_alone() -> None:
    encoder = make_encoder()
    samples = [RawSample("a", CHAT, ("p",)), RawSample("b", make_chat("What?")), RawSample("c", CHAT[:2])]
    together = encoder.encode_all(samples)
    alone = [encoder.encode(sample.sample_id, sample.messages, sample.pictures) for sample in samples]
    assert [type(one) for one in together] == [Encoded, Skipped, Encoded]
    for found, expected in zip(together, alone, strict=True):
        if isinstance(found, Encoded):
            assert isinstance(expected, Example)
            assert found.example.ids.tolist() == expected.ids.tolist()
            assert found.example.is_trained.tolist() == expected.is_trained.tolist()


def test_later_turns_are_left_out_whole_before_an_answer_is_cut() -> None:
    whole = encode_one(make_encoder(), CHAT)
    assert isinstance(whole, Encoded)
    length = whole.example.num_tokens(16)
    fitting = encode_one(make_encoder(max_tokens=length), CHAT)
    assert isinstance(fitting, Encoded)
    assert (len(fitting.example.ids), fitting.num_left_out) == (len(whole.example.ids), 0)
    found = encode_one(make_encoder(max_tokens=length - 1), CHAT)
    first = encode_one(make_encoder(), CHAT[:2])
    assert isinstance(found, Encoded)
    assert isinstance(first, Encoded)
    assert found.example.ids.tolist() == first.example.ids.tolist()
    assert (found.is_cut, found.num_left_out) == (False, 2)


def test_cut_answer_is_reported_and_does_not_end() -> None:
    first = encode_one(make_encoder(), CHAT[:2])
    assert isinstance(first, Encoded)
    length = first.example.num_tokens(16)
    ((start, _),) = find_runs(first.example.is_trained)
    for missing in (1, 2, 5):
        found = encode_one(make_encoder(max_tokens=length - missing), CHAT)
        assert isinstance(found, Encoded)
        assert (found.is_cut, found.num_left_out) == (True, 2)
        assert found.example.num_tokens(16) == length - missing
        assert found.example.ids.tolist() == first.example.ids[:-missing].tolist()
        assert not read_back(make_tokenizer("legacy"), found.example.ids[start:].tolist()).endswith("</s>")


def test_prompt_that_leaves_no_room_is_skipped_by_what_takes_it() -> None:
    encoder = make_encoder()
    prompt = encoder.prompt_ids(CHAT[:1], 1)
    slot = prompt.tolist().index(IMAGE_SLOT)
    reasons = {}
    for max_tokens in (len(prompt) + 15, slot + 17, slot + 16, slot + 15, 1):
        found = encode_one(make_encoder(max_tokens=max_tokens), CHAT)
        assert isinstance(found, Skipped)
        reasons[max_tokens] = found.reason
    assert reasons == {
        len(prompt) + 15: "answer_cut_to_nothing",
        slot + 17: "answer_cut_to_nothing",
        slot + 16: "answer_cut_to_nothing",
        slot + 15: "too_long_for_image",
        1: "too_long_for_image",
    }
    last = encode_one(make_encoder(max_tokens=len(prompt) + 16), CHAT)
    assert isinstance(last, Encoded)
    assert last.example.is_trained.sum() == 1


def test_all_images_count_towards_the_length() -> None:
    one, two = (encode_one(make_encoder(), CHAT, number) for number in (1, 2))
    assert isinstance(one, Encoded)
    assert isinstance(two, Encoded)
    longer = two.example.num_tokens(16) - one.example.num_tokens(16)
    assert longer == 15 + len(two.example.ids) - len(one.example.ids) > 16
    assert isinstance(encode_one(make_encoder(max_tokens=two.example.num_tokens(16)), CHAT, 2), Encoded)


@pytest.mark.parametrize("question", ["<image>\nWhat?", "What?\n<image>", "<image>What?", "What? <image>", "What?"])
def test_place_of_a_mark_in_the_data_has_no_effect(question: str) -> None:
    encoder = make_encoder()
    found, plain = (encoder.encode("x", make_chat(text, "A cup."), ["p"]) for text in (question, "What?"))
    assert isinstance(found, Example)
    assert isinstance(plain, Example)
    assert found.ids.tolist() == plain.ids.tolist()


def test_mark_without_a_picture_is_text() -> None:
    tokenizer = make_tokenizer("byte-level")
    encoder = make_encoder(kind="byte-level")
    for num_pictures, shown in ((0, "<image> and <image>"), (1, "<image> and <image>"), (2, "and")):
        ids = encoder.prompt_ids(make_chat("<image> and <image>"), num_pictures).tolist()
        text = tokenizer.decode([number for number in ids if number != IMAGE_SLOT])
        assert text.endswith(f"{shown} ASSISTANT:")
        assert ids.count(IMAGE_SLOT) == num_pictures


def test_second_mark_for_one_picture_is_text() -> None:
    encoder = make_encoder(kind="byte-level")
    ids = encoder.prompt_ids(make_chat("What? <image>", "A cup.", "What does <image> mean?"), 1).tolist()
    text = make_tokenizer("byte-level").decode([number for number in ids if number != IMAGE_SLOT])
    assert text.endswith("\nWhat? ASSISTANT: A cup.</s>USER: What does <image> mean? ASSISTANT:")
    assert ids.count(IMAGE_SLOT) == 1


def test_added_word_is_a_word_and_added_markup_is_not_for_texts() -> None:
    tokenizer = make_tokenizer("byte-level")
    tokenizer.add_tokens(["zebra", "<think>"])
    word, markup = tokenizer.convert_tokens_to_ids(["zebra", "<think>"])
    ids = Encoder(tokenizer, "vicuna_v1", 1, 100).answer_ids("A zebra <think>s.").tolist()
    assert word in ids
    assert markup not in ids
    assert read_back(tokenizer, ids) == " A zebra <think>s.</s>"


def test_mark_in_an_answer_is_text() -> None:
    encoder = make_encoder(kind="byte-level")
    example = encoder.encode("x", make_chat("What?", "The tag <image> shows one."), ["p"])
    assert isinstance(example, Example)
    assert "<image>" in make_tokenizer("byte-level").decode(example.ids[example.is_trained])


def test_own_system_text_goes_before_the_settings_and_these_before_the_template() -> None:
    tokenizer = make_tokenizer("byte-level")
    ask = make_chat("What?")
    chosen = Encoder(tokenizer, "vicuna_v1", 1, 1000, system="Chosen.")
    texts = [
        tokenizer.decode(ids)
        for ids in (
            make_encoder(kind="byte-level").prompt_ids(ask),
            chosen.prompt_ids(ask),
            chosen.prompt_ids(ask, system="Asked."),
            chosen.prompt_ids((Message("system", "Said."), *ask), system="Asked."),
            Encoder(tokenizer, "vicuna_v1", 1, 1000, system="").prompt_ids(ask),
        )
    ]
    starts = [f"{TEMPLATES['vicuna_v1'].system} ", "Chosen. ", "Asked. ", "Said. ", ""]
    assert texts == [f"{start}USER: What? ASSISTANT:" for start in starts]


def test_template_without_a_place_for_a_system_text_says_so() -> None:
    with pytest.raises(InstructgenError, match="no place for a system text"):
        Encoder(make_tokenizer("legacy"), "plain", 1, 100, system="Be kind.")
    with pytest.raises(InstructgenError, match="no place for a system text"):
        make_encoder("plain").prompt_ids(CHAT[:1], system="Be kind.")


def test_plain_takes_the_first_answer_and_counts_the_other_turns() -> None:
    found = encode_one(make_encoder("plain", kind="byte-level"), (Message("system", "Be kind."), *CHAT))
    assert isinstance(found, Encoded)
    assert make_tokenizer("byte-level").decode(found.example.ids[1:]) == "A red cup is on the table.\n"
    assert found.num_left_out == 2


def test_stop_is_one_id_where_the_tokenizer_has_it_and_a_sequence_where_not() -> None:
    legacy, plain = make_tokenizer("legacy"), make_tokenizer("byte-level")
    plain.eos_token = "<|im_end|>"
    assert stop_ids("vicuna_v1", legacy).token_ids == (legacy.eos_token_id,)
    assert stop_ids("vicuna_v1", legacy).string == "</s>"
    end = legacy.convert_tokens_to_ids("<|im_end|>")
    assert stop_ids("chatml", legacy).token_ids == (end, legacy.eos_token_id)
    text = stop_ids("minigpt4", legacy)
    assert (text.token_ids, text.string) == ((legacy.eos_token_id,), "###")
    assert read_back(legacy, text.sequence) == "###"


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("kind", KINDS)
def test_answer_is_read_back_as_it_was(template: str, kind: str) -> None:
    encoder = make_encoder(template, kind=kind)
    ids = encoder.answer_ids("A red cup.")
    text = read_back(make_tokenizer(kind), ids.tolist())
    assert encoder.read_answer(text).strip() == "A red cup."


def test_unknown_template_is_told_with_those_that_there_are() -> None:
    with pytest.raises(InstructgenError, match="no template called 'vicuna'; there are: auto, vicuna_v1, plain"):
        make_encoder("vicuna")


def test_prompt_that_asks_nothing_is_refused() -> None:
    with pytest.raises(InstructgenError, match="no_question"):
        make_encoder().prompt_ids(CHAT)


def test_encoder_survives_pickling_and_threads() -> None:
    encoder = make_encoder()
    copied = pickle.loads(pickle.dumps(encoder))
    assert copied.identity == encoder.identity
    expected = encoder.prompt_ids(CHAT[:3], 1).tolist()
    assert copied.prompt_ids(CHAT[:3], 1).tolist() == expected
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda _: encoder.prompt_ids(CHAT[:3], 1).tolist(), range(50))
        assert all(ids == expected for ids in found)


def test_identity_changes_with_everything_that_ids_follow_from() -> None:
    tokenizer = make_tokenizer("legacy")
    encoders = [
        Encoder(tokenizer, "vicuna_v1", 16, 1000),
        Encoder(tokenizer, "chatml", 16, 1000),
        Encoder(tokenizer, "vicuna_v1", 8, 1000),
        Encoder(tokenizer, "vicuna_v1", 16, 500),
        Encoder(tokenizer, "vicuna_v1", 16, 1000, system="Be kind."),
        Encoder(make_tokenizer("first"), "vicuna_v1", 16, 1000),
    ]
    assert len({encoder.identity for encoder in encoders}) == len(encoders)
    assert Encoder(make_tokenizer("legacy"), "vicuna_v1", 16, 1000).identity == encoders[0].identity
