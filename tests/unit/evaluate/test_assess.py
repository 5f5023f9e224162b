"""The prompt of a judge of samples, and what is made of its marks."""

import shutil
from pathlib import Path

import pytest

from instructgen.config import JudgeConfig, TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.evaluate.assess import Assessor, load_assessor, read_marks
from instructgen.records import Decoding, Fault, Message
from instructgen.resources import shared_folder

MODEL = TeacherConfig(model="m")
TURNS = (
    *(Message("user", "What lies there?"), Message("assistant", "A {{ brown }} dog.")),
    *(Message("user", "Where?"), Message("assistant", "On the grass.")),
)


def load(folder: Path | None = None, **changes: object) -> Assessor:
    assessor = load_assessor(folder, JudgeConfig(teacher=MODEL, **changes))  # type: ignore[arg-type]
    assert assessor is not None
    return assessor


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """A copy of the shipped prompts, to be spoilt."""
    return Path(shutil.copytree(shared_folder("prompts"), tmp_path / "prompts"))


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("8 9", (8.0, 9.0)),
        ("0, 10\nNothing is right.", (0.0, 10.0)),
        ("\n 7.5 6 \nSome of it.", (7.5, 6.0)),
        ("8, 9", (8.0, 9.0)),
        ("8,9\nThe second answer is more exact.", (8.0, 9.0)),
        ("  7.5   10 \r\nBoth are good.", (7.5, 10.0)),
        ("11 9", None),
        ("8 -1", None),
        ("8 10.5", None),
        ("8/10 9/10", None),
        ("Accuracy: 8", None),
        ("8 9 7", None),
        ("8", None),
        ("eight nine", None),
        ("nan 9", None),
        ("inf 9", None),
        ("1e3 9", None),
        ("1e0 9", None),
        ("٨ ٩", None),
        ("All is borne out.\n9 9", None),
        ("", None),
    ],
)
def test_marks_are_two_numbers_from_0_to_10_alone(text: str, marks: tuple[float, float] | None) -> None:
    assert read_marks(text) == marks


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("6 6", {"judge_accuracy": 6.0, "judge_relevancy": 6.0}),
        ("10 6.5\nGood.", {"judge_accuracy": 10.0, "judge_relevancy": 6.5}),
        ("5.9 10\nThe cat is made up.", Fault("judged_low", "accuracy 5.9, relevancy 10: The cat is made up.")),
        ("10 5", Fault("judged_low", "accuracy 10, relevancy 5")),
        ("I like it.", Fault("judge_unreadable", "I like it.")),
    ],
)
def test_marks_below_a_bound_turn_a_sample_away(text: str, found: dict[str, float] | Fault) -> None:
    assert load().read(text) == found


def test_each_mark_has_its_own_bound() -> None:
    strict = load(min_accuracy=9.0, min_relevancy=2.0)
    assert strict.read("9 2") == {"judge_accuracy": 9.0, "judge_relevancy": 2.0}
    assert isinstance(strict.read("8 9"), Fault)


def test_marks_that_cannot_be_read_may_be_done_without() -> None:
    assert load(unreadable="keep").read("I like it.") == {}


def test_chat_shows_what_is_known_and_then_each_question_with_its_answer() -> None:
    rules, query = load().messages("A dog rests.\ndog: [0.1, 0.2, 0.5, 0.9]", TURNS, Decoding())
    assert (rules.role, query.role) == ("system", "user")
    shown = ("A dog rests.\ndog: [0.1, 0.2, 0.5, 0.9]", *(turn.content for turn in TURNS))
    places = [query.content.index(text) for text in shown]
    assert places == sorted(places)
    assert not any(text in rules.content for text in shown)


def test_nothing_is_read_where_nobody_judges(tmp_path: Path) -> None:
    assert load_assessor(tmp_path / "none", JudgeConfig()) is None


def test_prompt_of_ones_own_has_another_hash(prompts: Path) -> None:
    assert load(prompts).sha256 == load().sha256
    (prompts / "assess" / "system.j2").write_text("Two marks, please.", encoding="utf-8")
    assert load(prompts).sha256 != load().sha256


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("user.j2", "{{ sample.surrogate }}", "assess/user.j2 leaves out the questions of the sample"),
        (
            "user.j2",
            "{% for pair in sample.pairs %}{{ pair.question }}{{ pair.answer }}{% endfor %}",
            "assess/user.j2 leaves out the surrogate of the sample",
        ),
        ("user.j2", "{{ sample.turns }}", r"assess/user.j2 line 1: .*turns"),
        ("system.j2", " ", "assess/system.j2 renders to nothing"),
    ],
)
def test_unusable_prompt_is_named_with_what_is_wrong(prompts: Path, name: str, text: str, message: str) -> None:
    (prompts / "assess" / name).write_text(text, encoding="utf-8")
    with pytest.raises(InstructgenError, match=message):
        load(prompts)


def test_missing_prompt_is_named(prompts: Path) -> None:
    shutil.rmtree(prompts / "assess")
    with pytest.raises(InstructgenError, match="no prompt for 'assess'"):
        load(prompts)
