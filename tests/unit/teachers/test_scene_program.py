"""The scene program on hand-made images: the contract of a teacher, the reply's form, proof and plain English."""

import asyncio
import json
import random
import re

import inflect
import pytest

from instructgen.filters.control_strings import ControlStrings
from instructgen.filters.leakage import SourceLeakage
from instructgen.filters.length import AnswerLength
from instructgen.filters.refusal import Refusal
from instructgen.filters.repetition import RepeatedText
from instructgen.records import Decoding, Fault, ImageRecord, Reply, Request, Sample, Surrogate, Unit
from instructgen.sample_types import SAMPLE_TYPES
from instructgen.teachers.scene_program import SceneProgramTeacher, Task, forms, write_text
from tests.provers.images import DOGS, GIRAFFE, KITCHEN, MADE_IMAGES, NOTHING, ODD, STREET, SURFER
from tests.provers.scene_program import find_objections

TYPES = ("conv", "detail", "reasoning")
SEEDS = range(40)


def unit_of(record: ImageRecord, sample_type: str) -> Unit:
    return Unit(record, sample_type, Surrogate(record.image_id, "", len(record.captions), len(record.boxes)))


def ask(record: ImageRecord, sample_type: str, seed: int = 7) -> Reply:
    teacher = SceneProgramTeacher(seed)
    request = Request("r1", sample_type, record.image_id, teacher.messages(unit_of(record, sample_type)))
    reply = asyncio.run(teacher.send(request))
    assert isinstance(reply, Reply)
    return reply


def all_texts() -> list[tuple[ImageRecord, str, str]]:
    return [(r, t, write_text(Task(t, r), seed)) for r in MADE_IMAGES for t in TYPES for seed in SEEDS]


def test_message_is_compact_json_of_type_and_image() -> None:
    (message,) = SceneProgramTeacher(7).messages(unit_of(GIRAFFE, "detail"))
    asked = json.loads(message.content)
    assert (message.role, list(asked), asked["type"]) == ("user", ["type", "image"], "detail")
    assert asked["image"]["captions"] == list(GIRAFFE.captions)
    assert asked["image"]["boxes"][0]["category"] == "giraffe"
    assert ": " not in message.content


def test_reply_is_free_and_names_the_teacher() -> None:
    reply = ask(SURFER, "conv")
    assert (reply.teacher, reply.model, reply.finish_reason) == ("scene-program", "scene-program-1", "stop")
    assert (reply.request_id, reply.prompt_tokens, reply.completion_tokens, reply.cost_usd) == ("r1", 0, 0, 0.0)


def test_seed_is_part_of_the_decoding_and_changes_the_text() -> None:
    assert SceneProgramTeacher(3).decoding == Decoding(seed=3)
    assert ask(KITCHEN, "conv", seed=1).text == ask(KITCHEN, "conv", seed=1).text
    assert len({ask(KITCHEN, "conv", seed=seed).text for seed in SEEDS}) > 30


@pytest.mark.parametrize("sample_type", [*TYPES, "poem"])
@pytest.mark.parametrize("record", [NOTHING, ODD], ids=["nothing", "odd"])
def test_image_that_says_nothing_gives_a_reply_and_no_error(record: ImageRecord, sample_type: str) -> None:
    text = ask(record, sample_type).text
    assert text == "" or record is ODD


@pytest.mark.parametrize("record", MADE_IMAGES, ids=lambda record: record.image_id)
@pytest.mark.parametrize("sample_type", TYPES)
def test_every_statement_is_proved(record: ImageRecord, sample_type: str) -> None:
    for seed in SEEDS:
        text = write_text(Task(sample_type, record), seed)
        assert text
        assert find_objections(record, sample_type, text) == []


def test_replies_have_the_form_that_the_sample_types_parse() -> None:
    for record, sample_type, text in all_texts():
        turns = SAMPLE_TYPES[sample_type].parse(text, ["What is this?"], random.Random(0))
        assert not isinstance(turns, Fault), (record.image_id, text)
        num_pairs = len(turns) // 2
        assert num_pairs in {"conv": range(3, 7), "detail": range(1, 2), "reasoning": range(1, 2)}[sample_type]


def test_replies_pass_the_filters() -> None:
    filters = (SourceLeakage(), ControlStrings(), Refusal(), AnswerLength(), RepeatedText())
    for record, sample_type, text in all_texts():
        turns = SAMPLE_TYPES[sample_type].parse(text, ["What is this?"], random.Random(0))
        assert not isinstance(turns, Fault)
        sample = Sample(f"{record.image_id}/{sample_type}/0", record.image_id, sample_type, turns, ("r1",), {})
        faults = [verdict.fault for verdict in (check.check(sample, record) for check in filters) if verdict.fault]
        assert not faults, text


def test_questions_and_sentences_of_one_image_do_not_repeat() -> None:
    for record in MADE_IMAGES:
        for seed in SEEDS:
            texts = {kind: write_text(Task(kind, record), seed) for kind in TYPES}
            asked = re.findall(r"Question:\n(.+)", texts["conv"] + "\n" + texts["reasoning"])
            assert len(asked) == len(set(asked))
            told = re.findall(r"Answer:\n(.+)", texts["conv"])
            assert len(told) == len(set(told))
            assert not [answer for answer in told if answer in texts["detail"]]


def test_articles_are_right_to_inflects_ear() -> None:
    oracle = inflect.engine()
    words = {match for _, _, text in all_texts() for match in re.findall(r"\b([Aa]n?) ([a-z]+)", text)}
    assert len(words) > 40
    for article, word in words:
        assert oracle.a(word).split()[0] == article.lower(), (article, word)


@pytest.mark.parametrize(
    "slip",
    [
        r"\b(?:the|an?) (?:the|an?)\b", r"\bthere is (?:two|three|four|many|several)\b", r"\bcouple of person\b",
        r"\ba [a-z]+ (?:are)\b(?! and)", r"\bare (?:a|an) [a-z]+\.$", r"  ", r"\s[.,;?]", r"[{}]", r"\.\.",
        r"\bpersons\b",
    ],
)  # fmt: skip
def test_known_slips_of_grammar_do_not_occur(slip: str) -> None:
    assert not [text for _, _, text in all_texts() if re.search(slip, text, re.IGNORECASE | re.MULTILINE)]


def test_count_is_told_only_where_captions_and_boxes_agree() -> None:
    texts = " ".join(write_text(Task("detail", STREET), seed) for seed in SEEDS)
    assert "cars" in texts
    assert "two cars" not in texts
    assert "two dogs" in " ".join(write_text(Task("detail", DOGS), seed) for seed in SEEDS)


def test_every_family_of_questions_has_at_least_six_forms() -> None:
    families = {name: asked for name, asked in vars(forms).items() if name.startswith("ASK_")}
    assert len(families) >= 10
    for name, asked in families.items():
        assert len(set(asked)) >= 6, name
