"""The scene program as a teacher: its contract, what each type of answer is, and what another style changes."""

import asyncio
import json
import re
from collections import Counter
from functools import cache
from statistics import fmean

import pytest

from instructgen.config import Style
from instructgen.records import Box, Decoding, ImageRecord, Reply, Request, Surrogate, Unit
from instructgen.scenegraph.graph import Span
from instructgen.teachers.scene_program import SceneProgramTeacher, Task, Written, write, write_text
from instructgen.teachers.scene_program.rules import load_rules
from instructgen.teachers.scene_program.talk import Told
from instructgen.teachers.scene_program.wordings import STYLES, hash_wordings
from tests.unit.teachers.scene_program.making import at, make, place, read_bundled
from tests.unit.teachers.scene_program.test_generators import MADE

TYPES = ("conv", "detail", "reasoning", "negative", "referring")
SEEDS = range(12)
NOTHING = make(())
RIDER = make(
    (
        "A man is riding a horse on a beach.",
        "A man riding a brown horse near a bench.",
        "The man is wearing a hat.",
        "A horse on a beach.",
    ),
    *(at("left", "person"), at("right", "horse"), at("left bottom", "bench")),
)
_BOX = re.compile(r"\[(\d\.\d{3}), (\d\.\d{3}), (\d\.\d{3}), (\d\.\d{3})\]")
_DENIAL = re.compile(
    r"\b(?:no|not|none|neither|never|nowhere|zero|missing|absent|lacks?|cannot|without|only|odd one out|in vain)\b"
    r"|n't\b",
    re.IGNORECASE,
)


def unit_of(record: ImageRecord, sample_type: str) -> Unit:
    return Unit(record, sample_type, Surrogate(record.image_id, "", len(record.captions), len(record.boxes)))


def ask(record: ImageRecord, sample_type: str, seed: int = 7, style: Style = "plain") -> Reply:
    teacher = SceneProgramTeacher(seed, style)
    request = Request("r1", sample_type, record.image_id, teacher.messages(unit_of(record, sample_type)))
    reply = asyncio.run(teacher.send(request))
    assert isinstance(reply, Reply)
    return reply


@cache
def records() -> tuple[ImageRecord, ...]:
    return (*MADE, RIDER, *read_bundled(20))


@cache
def written(sample_type: str, style: Style = "plain", num_seeds: int = 3) -> tuple[tuple[ImageRecord, Written], ...]:
    """Return all that the program has to say on many images."""
    found = ((one, write(Task(sample_type, one), seed, style)) for one in records() for seed in range(num_seeds))
    return tuple((record, answer) for record, answer in found if answer != Written())


def turns_of(sample_type: str, style: Style = "plain") -> list[Told]:
    return [turn for _, answer in written(sample_type, style) for turn in answer.turns]


# The contract of a teacher.


def test_message_is_compact_json_of_type_and_image() -> None:
    (message,) = SceneProgramTeacher(7).messages(unit_of(RIDER, "detail"))
    asked = json.loads(message.content)
    assert (message.role, list(asked), asked["type"]) == ("user", ["type", "image"], "detail")
    assert asked["image"]["captions"] == list(RIDER.captions)
    assert asked["image"]["boxes"][0]["category"] == "person"
    assert ": " not in message.content


def test_reply_is_free_and_names_the_teacher() -> None:
    reply = ask(RIDER, "conv")
    assert (reply.teacher, reply.finish_reason) == ("scene-program", "stop")
    assert (reply.request_id, reply.prompt_tokens, reply.completion_tokens, reply.cost_usd) == ("r1", 0, 0, 0.0)
    assert reply.model == SceneProgramTeacher(7).model


def test_model_is_another_with_other_wordings_and_with_another_style(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {SceneProgramTeacher(7, style).model for style in STYLES}
    assert len(names) == 3
    assert all(hash_wordings()[:8] in name for name in names)
    assert SceneProgramTeacher(7).model == SceneProgramTeacher(8).model == SceneProgramTeacher(7, "plain").model
    monkeypatch.setattr("instructgen.teachers.scene_program.hash_wordings", lambda: "0123456789")
    assert SceneProgramTeacher(7).model not in names
    assert "01234567" in SceneProgramTeacher(7).model


@pytest.mark.parametrize("sample_type", TYPES)
def test_answer_depends_on_seed_and_record_alone(sample_type: str) -> None:
    some = records()[:12]
    forth = {id(one): write_text(Task(sample_type, one), 5) for one in some}
    back = {id(one): write_text(Task(sample_type, one), 5) for one in reversed(some)}
    assert forth == back
    assert ask(RIDER, sample_type, 5).text == write_text(Task(sample_type, RIDER), 5)
    assert len({write_text(Task(sample_type, RIDER), seed) for seed in SEEDS}) > 6


def test_seed_is_part_of_the_decoding() -> None:
    assert SceneProgramTeacher(3).decoding == Decoding(seed=3)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("sample_type", [*TYPES, "poem"])
def test_image_of_which_nothing_is_certain_gives_an_empty_reply(sample_type: str, style: Style) -> None:
    assert ask(NOTHING, sample_type, style=style).text == ""
    for seed in SEEDS:
        assert write(Task(sample_type, NOTHING), seed, style) == Written()


def test_unknown_type_says_nothing_of_an_image_that_others_tell_much_of() -> None:
    assert write(Task("poem", RIDER), 7) == Written()
    assert all(write_text(Task(one, RIDER), 7) for one in TYPES)


@pytest.mark.parametrize("sample_type", TYPES)
def test_nearly_every_image_is_answered(sample_type: str) -> None:
    least = 0.75 if sample_type == "referring" else 0.95
    assert len(written(sample_type)) >= least * 3 * len(records())


# What each type is.


def test_conversation_has_three_to_six_turns_or_two_and_says_no_fact_twice() -> None:
    lengths = set()
    for _, answer in written("conv"):
        lengths.add(len(answer.turns))
        told = [
            (one.kind, one.subject, one.value, one.other, one.number)
            for turn in answer.turns
            for one in turn.claims
            if one.kind != "exists"  # that it is there, anything said of a thing says again
        ]
        assert len(told) == len(set(told)), answer.turns
        for part in ([turn.question for turn in answer.turns], [turn.answer for turn in answer.turns]):
            assert len(part) == len(set(part)) or part[0] == answer.turns[0].answer
    assert lengths - {2} == {3, 4, 5, 6}


def test_conversation_says_once_at_most_what_is_not_there_and_never_that_alone() -> None:
    for _, answer in written("conv"):
        denying = [turn for turn in answer.turns if any(one.kind == "absent" for one in turn.claims)]
        assert len(denying) <= 1 < len(answer.turns), answer.turns


def test_description_says_once_at_most_what_is_not_there_and_behind_other_sentences() -> None:
    for _, answer in written("detail"):
        sentences = answer.text.split(". ")
        denying = [at for at, one in enumerate(sentences) if re.search(r"\b(?:no|not|neither)\b", one, re.IGNORECASE)]
        assert len(denying) <= 1, answer.text
        rest = [one for at, one in enumerate(sentences) if at not in denying]
        is_scant = len(" ".join(rest).split()) < 12
        assert is_scant or all(at >= 3 for at in denying), answer.text


def test_conversation_asks_for_what_is_there_as_often_as_for_what_is_not() -> None:
    """Neither yes nor no is the better guess."""
    polar = [turn for turn in turns_of("conv") if turn.family.startswith(("present_", "absent_", "neither"))]
    assert len(polar) > 200
    assert 0.35 <= fmean(turn.family.startswith("present_") for turn in polar) <= 0.65


def test_conversations_are_made_of_many_kinds_of_turns() -> None:
    families = Counter(turn.family for turn in turns_of("conv"))
    assert len(families) >= 35
    assert max(families.values()) < 0.15 * families.total()


def test_follow_up_comes_behind_what_it_takes_up() -> None:
    followed = 0
    for _, answer in written("conv"):
        for before, turn in zip(answer.turns, answer.turns[1:], strict=False):
            if turn.family in ("color_follow", "where_follow"):
                followed += 1
                (of,) = {one.subject for one in turn.claims if one.kind in ("attribute", "region")} or {""}
                assert re.search(rf"\b{of.split()[-1]}\b|\bit\b", f"{before.question} {before.answer}"), turn
        assert answer.turns[0].family not in ("color_follow", "where_follow", "wearing", "holding", "doing_follow")
    assert followed > 20


def test_detail_has_up_to_eight_sentences_and_no_claim_twice() -> None:
    lengths = set()
    for record, answer in written("detail"):
        sentences = re.findall(r"[.?!](?= |$)", answer.text)
        assert 1 <= len(sentences) <= 8, (record.image_id, answer.text)
        lengths.add(len(sentences))
        told = [(one.kind, one.subject, one.value, one.other, one.number) for one in answer.claims]
        assert len(told) == len(set(told)), answer.text
    assert lengths >= {2, 3, 4, 5}


def test_reasoning_begins_with_grounds_and_goes_on_to_general_knowledge() -> None:
    rules = {rule.name: rule for rule in load_rules()}
    for _, answer in written("reasoning"):
        (turn,) = answer.turns
        rule = rules[turn.family]
        assert turn.question in rule.questions
        assert turn.claims
        assert len(turn.answer.split()) >= 60, turn.answer
        rest = turn.answer
        for parts in ([" ".join(one) for one in rule.answers], rule.background):
            (said,) = [form for form in parts if rest.endswith(form)]
            rest = rest.removesuffix(said).rstrip()
        grounds = re.findall(r"[.?!](?= |$)", rest)
        assert 1 <= len(grounds) <= 4, turn.answer
        assert not [form for parts in (rule.background, *rule.answers) for form in parts if form in rest]


def test_negative_answers_deny_or_correct_what_is_not_there() -> None:
    for _, answer in written("negative"):
        denies = [any(one.kind == "absent" for one in turn.claims) for turn in answer.turns]
        assert 2 <= len(denies) <= 5
        assert abs(2 * sum(denies) - len(denies)) <= 1, "to say no every time is no lesson"
    for turn, denied in zip(answer.turns, denies, strict=True):
        assert bool(_DENIAL.search(turn.answer)) or not denied, turn
        assert denied or re.search(r"\byes\b", turn.answer, re.IGNORECASE), turn


def test_negative_denies_nothing_that_is_boxed_or_named() -> None:
    for record, answer in written("negative"):
        boxed = {box.category for box in record.boxes}
        text = " ".join(record.captions).lower()
        for claim in (one for turn in answer.turns for one in turn.claims if one.kind == "absent"):
            assert claim.subject not in boxed
            assert not re.search(rf"\b{re.escape(claim.subject)}\b", text), (record.image_id, claim)


def test_referring_gives_annotated_boxes_to_three_decimals() -> None:
    found = 0
    for record, answer in written("referring"):
        assert 2 <= len(answer.turns) <= 5
        for turn in answer.turns:
            said = {tuple(map(float, one)) for one in _BOX.findall(f"{turn.question} {turn.answer}")}
            assert len(said) == 1, turn
            (located,) = [one for one in turn.claims if one.kind == "located"]
            (number,) = located.evidence.boxes
            box = record.boxes[number]
            assert said == {(round(box.x0, 3), round(box.y0, 3), round(box.x1, 3), round(box.y1, 3))}
            assert bool(_BOX.search(turn.answer)) or turn.family == "refer_words"
            found += 1
    assert found > 200


def test_referring_singles_out_what_it_refers_to() -> None:
    """Of two dogs neither is "the dog"; the one that looks clearly larger is "the largest dog"."""
    two = (Box("dog", 0.05, 0.3, 0.45, 0.7), Box("dog", 0.7, 0.4, 0.8, 0.5))
    record = place(
        make(("Two dogs and a bench.", "Dogs by a bench."), at("left bottom", "bench")),
        *two,
        at("right bottom", "bench"),
    )
    asked = {turn.question for seed in SEEDS for turn in write(Task("referring", record), seed).turns}
    assert any("largest dog" in question for question in asked)
    assert not [question for question in asked if re.search(r"the dog\b", question)]
    alike = place(record, at("left", "dog"), at("right", "dog"), at("right bottom", "bench"))
    assert write(Task("referring", alike), 7) == Written(), "one thing alone is too little"


@pytest.mark.parametrize("sample_type", TYPES)
def test_claim_points_at_captions_and_boxes_that_are_there(sample_type: str) -> None:
    for record, answer in written(sample_type):
        for claim in (*answer.claims, *(one for turn in answer.turns for one in turn.claims)):
            spans: tuple[Span, ...] = claim.evidence.spans
            assert claim.kind in ("absent", "more") or spans or claim.evidence.boxes, claim
            assert all(0 <= number < len(record.boxes) for number in claim.evidence.boxes)
            assert all(0 <= one.start < one.end <= len(record.captions[one.caption]) for one in spans)


# What a style changes.


@pytest.mark.parametrize("sample_type", ["conv", "negative"])
def test_terse_is_shorter_than_plain_and_plain_than_warm(sample_type: str) -> None:
    lengths: dict[Style, float] = {
        style: fmean(len(turn.answer.split()) for turn in turns_of(sample_type, style)) for style in STYLES
    }
    assert 1.5 * lengths["terse"] < lengths["plain"]
    assert 1.15 * lengths["plain"] < lengths["warm"]


@pytest.mark.parametrize("sample_type", ["detail", "reasoning", "referring"])
def test_style_is_that_of_conversations(sample_type: str) -> None:
    """Descriptions, reasoning and boxes are told in one way."""
    assert {write_text(Task(sample_type, RIDER), 7, style) for style in STYLES} == {
        write_text(Task(sample_type, RIDER), 7)
    }


def test_terse_answers_carry_nothing_behind_them() -> None:
    behind = {style: fmean(turn.answer.count(". ") for turn in turns_of("conv", style)) for style in STYLES}
    assert behind["terse"] < 0.05 < behind["plain"]
