"""Reading a prompt folder: what it yields, and what is said of one that cannot be used."""

import shutil
from pathlib import Path

import pytest

from instructgen.errors import InstructgenError
from instructgen.prompting.prompts import load_prompt, load_questions
from instructgen.records import Decoding
from instructgen.resources import shared_folder

SHOT = (
    '{"image": {"image_id": "own/1", "file_name": "1.jpg", "width_px": 640, "height_px": 480, '
    '"captions": ["A dog sleeps."], "boxes": [{"category": "dog", "x0": 0.1, "y0": 0.2, "x1": 0.5, "y1": 0.9}]}, '
    '"turns": [{"role": "user", "content": "What is it?"}, {"role": "assistant", "content": "A dog."}]}'
)


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """A copy of the shipped prompts, to be spoilt."""
    return Path(shutil.copytree(shared_folder("prompts"), tmp_path / "prompts"))


@pytest.mark.parametrize(("sample_type", "num_shots"), [("conv", 2), ("detail", 3), ("reasoning", 3)])
def test_shipped_prompts_have_llavas_number_of_examples(sample_type: str, num_shots: int) -> None:
    prompt = load_prompt(None, sample_type)
    assert len(prompt.shots) == num_shots
    assert all(len(shot.record.captions) == 5 for shot in prompt.shots)
    assert all(shot.record.boxes for shot in prompt.shots)


def test_shipped_question_lists_are_long_enough_and_without_doubles() -> None:
    for name, at_least in (("detail", 16), ("brief", 12)):
        questions = load_questions(None, name)
        assert len(questions) >= at_least
        assert len({question.lower() for question in questions}) == len(questions)
    assert load_prompt(None, "detail").questions == load_questions(None, "detail")


def test_shipped_examples_of_a_description_ask_a_question_of_the_list() -> None:
    prompt = load_prompt(None, "detail")
    assert {shot.turns[0].content for shot in prompt.shots} <= set(prompt.questions)


@pytest.mark.parametrize("sample_type", ["conv", "detail", "reasoning"])
def test_output_format_changes_the_rules_alone(sample_type: str) -> None:
    prompt = load_prompt(None, sample_type)
    as_text = prompt.messages("A cat.", ["A dog."], ["Yes."], Decoding())
    as_json = prompt.messages("A cat.", ["A dog."], ["Yes."], Decoding(output_format="json"))
    assert "JSON" in as_json[0].content
    assert "JSON" not in as_text[0].content
    assert as_text[1:] == as_json[1:]
    assert [message.role for message in as_text] == ["system", "user", "assistant", "user"]
    assert [message.content for message in as_text[1:]] == ["A dog.", "Yes.", "A cat."]


def test_user_turn_is_the_surrogate_text_alone() -> None:
    text = "A dog.\nA <b>cat</b> & {{ x }}.\n\ndog: [0.1, 0.2, 0.5, 0.9]"
    assert load_prompt(None, "conv").query(text).content == text


@pytest.mark.parametrize("name", ["system.j2", "user.j2", "shots.jsonl", "questions.txt"])
def test_hash_covers_every_file(prompts: Path, name: str) -> None:
    before = load_prompt(prompts, "detail").sha256
    assert before == load_prompt(None, "detail").sha256
    path = prompts / "detail" / name
    extra = {"system.j2": "Be kind.\n", "user.j2": "!\n", "shots.jsonl": SHOT + "\n", "questions.txt": "What else?\n"}
    path.write_text(path.read_text(encoding="utf-8") + extra[name], encoding="utf-8")
    assert load_prompt(prompts, "detail").sha256 != before


def test_line_ends_of_another_system_change_nothing(prompts: Path) -> None:
    for path in (prompts / "detail").iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_prompt(prompts, "detail").sha256 == load_prompt(None, "detail").sha256
    assert load_prompt(prompts, "detail").questions == load_prompt(None, "detail").questions


def test_file_without_examples_is_a_prompt_without_examples(prompts: Path) -> None:
    (prompts / "conv" / "shots.jsonl").write_text("")
    assert load_prompt(prompts, "conv").shots == ()


def test_missing_folder_is_named(prompts: Path) -> None:
    with pytest.raises(InstructgenError, match=r"no prompt for 'haiku': there is no folder .*haiku"):
        load_prompt(prompts, "haiku")


@pytest.mark.parametrize("name", ["system.j2", "user.j2", "shots.jsonl", "questions.txt"])
def test_missing_file_is_named(prompts: Path, name: str) -> None:
    (prompts / "detail" / name).unlink()
    with pytest.raises(InstructgenError, match=rf"detail/{name} is missing"):
        load_prompt(prompts, "detail")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("questions.txt", " \n\n", "questions.txt holds no questions"),
        ("system.j2", "{{ decoding.temprature }}", "system.j2 line 1: .*temprature"),
        (
            "system.j2",
            "{% if decoding.output_format == 'json' %}JSON{% endif %}",
            "renders to nothing for text replies",
        ),
        ("user.j2", "The picture:", "user.j2 leaves out {{ surrogate.text }}"),
        (
            "user.j2",
            "\n{{ record.captions }}",
            "user.j2 line 2: nothing is called 'record' here; there are: surrogate",
        ),
        ("shots.jsonl", SHOT + "\n{", "shots.jsonl line 2: .*truncated"),
        ("shots.jsonl", SHOT + "\n\n" + SHOT, "shots.jsonl line 2: "),
        ("shots.jsonl", SHOT.replace('"image"', '"picture"'), "shots.jsonl line 1: .*`picture`"),
        ("shots.jsonl", SHOT.replace("640", '"wide"'), "shots.jsonl line 1: .*image.width_px"),
        ("shots.jsonl", SHOT.replace('["A dog sleeps."]', "[]"), "shots.jsonl line 1: the image has no captions"),
        ("shots.jsonl", SHOT.replace("0.1", "64.0"), "line 1: the box of 'dog' wants fractions"),
        ("shots.jsonl", SHOT.replace("assistant", "user"), "line 1: turns must alternate"),
        ("shots.jsonl", SHOT.replace('"assistant"', '"teacher"'), r"line 1: .*teacher"),
        ("shots.jsonl", SHOT.replace('"A dog."', '" "'), "line 1: a turn is empty"),
    ],
)
def test_unusable_file_is_named_with_what_is_wrong(prompts: Path, name: str, text: str, message: str) -> None:
    (prompts / "detail" / name).write_text(text)
    with pytest.raises(InstructgenError, match=message):
        load_prompt(prompts, "detail")


def test_file_that_is_no_text_is_named(prompts: Path) -> None:
    (prompts / "conv" / "system.j2").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InstructgenError, match=r"conv/system.j2 cannot be read as UTF-8 text"):
        load_prompt(prompts, "conv")
