"""What an answer's oddities are called, and what is read from an answer that has them."""

from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from instructgen.attempts import AttemptError
from instructgen.records import Reply
from instructgen.teachers.openai_answer import AnswerRules, is_same_model, join_parts, mend_text, read_reply
from instructgen.teachers.prices import FREE, Price

RULES = AnswerRules("m", (), Price(2.0, 8.0), "openai")


def read(rules: AnswerRules = RULES, message: dict[str, Any] | None = None, **changes: Any) -> Reply:
    fields = {
        "model": "m",
        "choices": [{"index": 0, "finish_reason": "stop", "message": message or {"content": "A dog."}}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100},
        **changes,
    }
    return read_reply(ChatCompletion.construct(**fields), "r", rules)


def test_answer_as_it_should_be_has_no_notes_and_its_cost() -> None:
    reply = read()
    assert reply == Reply("r", "A dog.", "stop", 1000, 100, 0.0028, "m", "openai")


def test_cached_tokens_have_a_price_of_their_own() -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 600}}
    assert read(AnswerRules("m", (), Price(2.0, 8.0, 1.0), "openai"), usage=usage).cost_usd == 0.0022
    usage["prompt_tokens_details"] = {"cached_tokens": 5000}
    assert read(AnswerRules("m", (), Price(2.0, 8.0, 1.0), "openai"), usage=usage).cost_usd == 0.0018


@pytest.mark.parametrize(
    "usage",
    [None, {}, {"prompt_tokens": 5}, {"prompt_tokens": "5", "completion_tokens": 3}, "much", [1],
     {"prompt_tokens": -5, "completion_tokens": 3}, {"prompt_tokens": 2**63, "completion_tokens": 3}],
)  # fmt: skip
def test_answer_without_usage_is_kept_at_an_unknown_cost(usage: object) -> None:
    reply = read(usage=usage)
    assert (reply.text, reply.notes, reply.cost_usd) == ("A dog.", ("usage_missing",), None)
    assert (reply.prompt_tokens, reply.completion_tokens) == (0, 0)
    assert read(AnswerRules("m", (), FREE, "openai"), usage=usage).cost_usd == 0.0


def test_cost_is_unknown_without_a_price() -> None:
    assert read(AnswerRules("m", (), None, "openai")).cost_usd is None


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("m", "m"),
        ("gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
        ("gpt-4", "gpt-4-0613"),
        ("openai/gpt-4o", "gpt-4o"),
        ("gpt-4o", "openai/gpt-4o-2024-08-06"),
        ("llama3", "llama3:latest"),
        ("llama3:latest", "llama3"),
        ("llama3", "llama3:8b-instruct-q4_0"),
        ("claude-latest", "claude-20241022"),
        ("Qwen/Qwen3-8B", "qwen3-8b"),
    ],
)
def test_same_model_by_another_spelling(asked: str, answered: str) -> None:
    assert is_same_model(asked, answered)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("gpt-4o", "gpt-4o-mini"),
        ("gpt-4o-mini", "gpt-4o"),
        ("gpt-4", "gpt-4-1106-preview"),
        ("llama3:8b", "llama3:70b"),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06"),
        ("a/model", "b/model"),
        ("m", "mm"),
    ],
)
def test_other_model(asked: str, answered: str) -> None:
    assert not is_same_model(asked, answered)


def test_other_names_can_be_accepted_by_pattern() -> None:
    assert is_same_model("m", "/models/big.gguf", ("x", "/models/*.gguf"))
    assert not is_same_model("m", "/models/big.bin", ("/models/*.gguf",))


def test_wrong_model_is_noted_and_named() -> None:
    reply = read(model="other")
    assert (reply.notes, reply.model) == (("wrong_model",), "other")
    assert read(AnswerRules("m", ("oth*",), FREE, "openai"), model="other").notes == ()


def test_answer_that_names_no_model_is_the_one_asked_for() -> None:
    reply = read(model=None)
    assert (reply.notes, reply.model) == ((), "m")


def test_first_of_several_choices_is_taken_and_noted_also_where_they_are_alike() -> None:
    choice = {"finish_reason": "stop", "message": {"content": "A dog."}}
    other = {"finish_reason": "stop", "message": {"content": "A cat."}}
    for choices in ([choice, other], [choice, choice]):
        reply = read(choices=choices)
        assert (reply.text, reply.notes) == ("A dog.", ("extra_choices",))


def test_refusal_is_noted_and_its_text_kept() -> None:
    reply = read(message={"content": None, "refusal": "I cannot help with that."})
    assert (reply.text, reply.notes) == ("I cannot help with that.", ("refused",))
    assert read(message={"content": "A dog.", "refusal": "No."}).notes == ()


def test_several_oddities_are_all_noted() -> None:
    choice = {"finish_reason": "stop", "message": {"content": "", "refusal": "No."}}
    notes = read(choices=[choice, choice], usage=None, model="other").notes
    assert set(notes) == {"usage_missing", "wrong_model", "extra_choices", "refused"}


@pytest.mark.parametrize(
    ("said", "read_as"),
    [("stop", "stop"), ("length", "length"), ("content_filter", "content_filter"), ("eos", "other"), (None, "other")],
)
def test_finish_reason_is_one_of_four(said: str | None, read_as: str) -> None:
    reply = read(choices=[{"finish_reason": said, "message": {"content": "A dog."}}])
    assert reply.finish_reason == read_as


def test_no_choices_is_a_reason_of_its_own() -> None:
    with pytest.raises(AttemptError) as caught:
        read(choices=[])
    assert (caught.value.reason, caught.value.is_worth_retry, caught.value.may_have_cost) == (
        "no_choices",
        True,
        True,
    )


@pytest.mark.parametrize(
    "choices", [None, "x", {"a": 1}, ["x"], [{}], [{"message": "x"}], [{"message": {"content": 5}}]]
)
def test_answer_of_the_wrong_shape_is_bad(choices: object) -> None:
    with pytest.raises(AttemptError) as caught:
        read(choices=choices)
    assert (caught.value.reason, caught.value.may_have_cost) == ("bad_response", True)


def test_parts_are_joined() -> None:
    assert join_parts(None) == ""
    assert join_parts("A dog.") == "A dog."
    assert (
        join_parts([{"type": "text", "text": "A "}, {"type": "image"}, {"text": None}, "dog", {"text": "."}])
        == "A dog."
    )


def test_half_surrogates_are_mended_and_whole_pairs_joined() -> None:
    assert mend_text("dog \ud83d\udc36") == "dog \U0001f436"
    assert mend_text("dog \ud83d") == "dog \ufffd"
    assert mend_text("Hund \u00fc") == "Hund \u00fc"
