"""Whole evaluations with shots: of students that learn from them, that do not, behind a server, in a folder."""

import base64
import io
import json
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from instructgen.cli.evaluate import add_to
from instructgen.config import SourceConfig
from instructgen.errors import InstructgenError
from instructgen.evaluate.predictions import PREDICTIONS_NAME
from instructgen.evaluate.results import Model
from instructgen.evaluate.shots.episodes import EpisodeRules, make_episode
from instructgen.evaluate.shots.forms import write_prompt
from instructgen.jobs.evaluate import EvaluateOptions, Evaluation, SuiteResult
from instructgen.jobs.evaluate_shots import ShotOptions
from instructgen.student.ask import Ask, Document
from instructgen.train.marks import PICTURE
from tests.support.chat_server import ChatServer
from tests.support.students import ScriptedStudent, always

SCENES, SAMPLE = SourceConfig(name="simple-scenes"), SourceConfig()
MODEL = Model("scripted", "0" * 64)


def run(
    out: Path, student: ScriptedStudent, *suites: str, shots: tuple[int, ...] = (0, 4), **changes: Any
) -> tuple[dict[str, Any], tuple[SuiteResult, ...]]:
    of_shots = {
        key: changes.pop(key) for key in ("num_orders", "by_likeness", "attributes", "source_seed") if key in changes
    }
    options = EvaluateOptions(
        suites,
        out,
        **{"source": SCENES, "limit": 6, "seed": 3, "shots": ShotOptions(shots, **of_shots), **changes},
    )
    return Evaluation(options).run(student, MODEL)


def run_command(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    add_to(app)
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def read_shots(document: Document) -> list[tuple[bytes, str]]:
    """Return each picture of the document with what is said of it."""
    pictures, said = list(document.pictures), [""]
    for part in document.parts:
        if part is PICTURE:
            said.append("")
        elif isinstance(part, str):
            said[-1] += part
    return [(picture or b"", text) for picture, text in zip(pictures, said[1:], strict=True)]


def learn_from_shots(document: Document, candidate: str) -> float:
    """Weigh a word by how near the pixels of its nearest shot are."""
    *shots, (query, _) = read_shots(document)
    if not shots:
        return 0.0
    return -min(
        (_distance(picture, query) for picture, text in shots if text.strip() == f"Output:{candidate}"), default=1e9
    )


def _distance(one: bytes, other: bytes) -> float:
    """Compare the strongest colours of two pictures: of the thing, for grounds are pale."""
    first, second = (_strongest(picture) for picture in (one, other))
    return sum((a - b) ** 2 for a, b in zip(first, second, strict=True))


def _strongest(picture: bytes) -> tuple[int, ...]:
    raw = Image.open(io.BytesIO(picture)).convert("RGB").resize((40, 30)).tobytes()
    return max(zip(*[iter(raw)] * 3, strict=True), key=lambda pixel: max(pixel) - min(pixel))


def test_student_that_learns_from_shots_gains_and_one_that_does_not_stays_at_chance(tmp_path: Path) -> None:
    learner = ScriptedStudent(lambda _: "", learn_from_shots)
    results, (measured,) = run(tmp_path / "a", learner, "new-names", qa_by="likeliest", limit=20)
    shots = results["suites"]["new-names-shots"]["groups"]["shots"]
    assert shots["0"]["accuracy"] == shots["0"]["chance"] == 0.5
    assert shots["4"]["accuracy"] > 0.8
    assert shots["4"]["gain"] == pytest.approx(shots["4"]["accuracy"] - 0.5, abs=1e-6)
    assert shots["4"]["gain_stderr"] is not None
    assert "gain" not in shots["0"]
    assert measured.table[0].split() == ["n", "accuracy", "chance", "difference", "gain"]
    assert [line.split()[:2] for line in measured.table[1:3]] == [["shots", "0"], ["shots", "4"]]

    deaf = ScriptedStudent(lambda _: "", lambda _, candidate: float(len(candidate)))
    found, _ = run(tmp_path / "b", deaf, "new-names", qa_by="likeliest", limit=20)
    of_deaf = found["suites"]["new-names-shots"]["groups"]["shots"]
    assert [of_deaf[number]["accuracy"] for number in ("0", "4")] == [0.5, 0.5]
    assert (of_deaf["4"]["gain"], of_deaf["4"]["gain_stderr"]) == (0.0, 0.0)


def test_new_names_are_asked_as_prompts_with_two_texts_where_there_are_no_shots(tmp_path: Path) -> None:
    student = always("nothing")
    run(tmp_path, student, "new-names", limit=1)
    words = make_episode(EpisodeRules(3), 0).words
    zero, four = (next(ask for ask in student.asked if len(ask.pictures) == number) for number in (1, 5))
    written = write_prompt(zero.parts)
    assert written in {
        f"Output:{one}<|endofchunk|>\nOutput:{other}<|endofchunk|>\n<image>Output:"
        for one, other in (words, words[::-1])
    }
    assert write_prompt(four.parts).count("<image>") == 5


def test_question_and_its_blind_controls_have_the_same_shots(tmp_path: Path) -> None:
    student = always("no")
    results, _ = run(tmp_path, student, "qa", shots=(4,), limit=12)
    qa = results["suites"]["qa-shots"]
    assert qa["groups"]["shots"]["4"]["accuracy"] == qa["accuracy"]
    assert {"shuffled_accuracy", "zero_accuracy", "chance", "difference"} <= set(qa)
    asked = defaultdict(set)
    for document in student.asked:
        assert isinstance(document, Document)
        assert None not in document.pictures[:-1]
        asked[document.pictures[:-1]].add(document.pictures[-1])
    assert all(None in queries for queries in asked.values())  # with zeros too
    assert any(len(queries) == 3 for queries in asked.values())


def test_query_is_not_among_its_shots_also_where_the_pool_is_its_own_source(tmp_path: Path) -> None:
    student = always("no")
    run(tmp_path, student, "qa", limit=12)
    for document in student.asked:
        assert document.pictures[-1] not in document.pictures[:-1]
        assert len(set(document.pictures)) == len(document.pictures)


def test_same_command_asks_nothing_twice_and_another_number_only_what_is_new(tmp_path: Path) -> None:
    first, _ = run(tmp_path, always("red"), "qa")
    lines = (tmp_path / PREDICTIONS_NAME).read_text()
    silent = ScriptedStudent(lambda _: None)
    again, _ = run(tmp_path, silent, "qa")
    assert again == first
    assert (tmp_path / PREDICTIONS_NAME).read_text() == lines
    more = always("red")
    run(tmp_path, more, "qa", shots=(0, 3, 4))
    assert {len(document.pictures) for document in more.asked} == {4}


def test_answers_end_before_an_example_that_the_student_goes_on_with(tmp_path: Path) -> None:
    plain, _ = run(tmp_path / "a", always("yes"), "pope", source=SAMPLE, limit=3)
    longer, _ = run(
        tmp_path / "b", always("yes Question:Is there no dog? Short answer:no"), "pope", source=SAMPLE, limit=3
    )
    assert longer["suites"] == plain["suites"]
    assert plain["suites"]["pope-shots"]["recall"] == 1.0


def test_candidates_are_weighed_in_six_orders_of_the_same_shots(tmp_path: Path) -> None:
    def weigh(document: Document, candidate: str) -> float:
        return random.Random(f"{write_prompt(document.parts)}{candidate}{document.pictures[-1]!r}").random()

    student = ScriptedStudent(lambda _: "", weigh)
    results, _ = run(tmp_path, student, "new-names", qa_by="likeliest", limit=4, num_orders=6)
    orders = defaultdict(set)
    for document in student.asked:
        if len(document.pictures) == 5:
            orders[document.pictures[-1], frozenset(document.pictures)].add(document.pictures[:-1])
    assert len(orders) == 8
    # Each word's document is asked once for both words; six orders of four pictures differ.
    assert {len(of_query) for of_query in orders.values()} == {6}
    truths, means = _weigh_by_hand(student, weigh)
    assert results["suites"]["new-names-shots"]["groups"]["shots"]["4"]["accuracy"] == pytest.approx(
        sum(truth == max(mean, key=mean.__getitem__) for truth, mean in zip(truths, means, strict=True)) / 8
    )


def _weigh_by_hand(student: ScriptedStudent, weigh: Any) -> tuple[list[str], list[dict[str, float]]]:
    """Return each query's word, and the mean of each word's weights over the orders."""
    truths, means = [], []
    for number in range(4):
        episode = make_episode(EpisodeRules(3), number)
        for of_class in (0, 1):
            query = episode.draw_picture(of_class, "query")
            asked = {
                (document.parts, document.pictures): document
                for document in student.asked
                if len(document.pictures) == 5 and document.pictures[-1] == query
            }
            assert len(asked) == 6
            truths.append(episode.words[of_class])
            means.append(
                {
                    word: sum(weigh(document, word) for document in asked.values()) / 6
                    for word in sorted(episode.words)
                }
            )
    return truths, means


def test_captions_are_measured_by_number_of_shots(tmp_path: Path) -> None:
    pytest.importorskip("pycocoevalcap", reason="the extra [evaluate] is not installed")

    def speak(document: Document) -> str:
        shots = read_shots(document)[:-1]
        return shots[-1][1].removeprefix("Output:") if shots else "nothing"

    student = ScriptedStudent(speak)
    results, (measured,) = run(tmp_path, student, "captions", shots=(0, 4), limit=8)
    captions = results["suites"]["captions-shots"]["groups"]["shots"]
    assert captions["0"]["cider"] == 0 < captions["4"]["cider"]
    assert captions["4"]["gain"] == pytest.approx(captions["4"]["cider"], abs=1e-6)
    assert measured.table[0].split()[1:3] == ["cider", "bleu_1"]
    written = {write_prompt(document.parts).count("<image>Output:") for document in student.asked}
    assert written == {1, 5}


@pytest.mark.parametrize(
    ("suites", "shots", "message"),
    [
        (("chair",), (0, 4), "chair takes none; suites that do: captions, qa, pope, new-names"),
        (("qa",), (40,), "numbers from 0 to 32"),
        (("new-names",), (), "say --shots 0,4,8"),
        (("captions", "scienceqa"), (2,), "scienceqa takes none"),
    ],
)
def test_shots_that_cannot_be_are_told_before_anything_is_asked(
    tmp_path: Path, suites: tuple[str, ...], shots: tuple[int, ...], message: str
) -> None:
    student = always("yes")
    with pytest.raises(InstructgenError, match=message):
        run(tmp_path, student, *suites, shots=shots)
    assert student.asked == []


def test_shots_of_another_seed_are_other_pictures(tmp_path: Path) -> None:
    own, other = always("yes"), always("yes")
    run(tmp_path / "a", own, "qa", shots=(2,), limit=4)
    changes: dict[str, Any] = {"shots": ShotOptions((2,), SourceConfig(name="simple-scenes", limit=20), 8)}
    options = EvaluateOptions(("qa",), tmp_path / "b", **{"source": SCENES, "limit": 4, "seed": 3, **changes})
    Evaluation(options).run(other, MODEL)
    shown = [{picture for ask in student.asked for picture in ask.pictures[:-1]} for student in (own, other)]
    assert not shown[0] & shown[1]
    assert {ask.pictures[-1] for ask in own.asked} == {ask.pictures[-1] for ask in other.asked}


def test_server_gets_a_document_as_one_turn_of_texts_and_pictures_in_order(tmp_path: Path) -> None:
    with ChatServer(text=lambda _: "yes") as server:
        arguments = (server.base_url, "--model", "seer", "--suite", "pope")
        done = run_command(*arguments, "--limit", "3", "--shots", "0,2", "--out", tmp_path, "--json")
        assert done.exit_code == 0, done.output
        asked = [body["messages"] for body in server.bodies]
        again = run_command(*arguments, "--limit", "3", "--shots", "0,2", "--out", tmp_path, "--json")
        assert again.exit_code == 0, again.output
        assert len(server.bodies) == len(asked)
    assert {len(messages) for messages in asked} == {1}
    kinds = [[part["type"] for part in messages[0]["content"]] for messages in asked]
    picture, text = "image_url", "text"
    assert {tuple(one) for one in kinds} == {(text, picture, text), (picture, text) * 3}
    two = next(messages[0]["content"] for messages, one in zip(asked, kinds, strict=True) if one[0] == picture)
    texts = [part[text] for part in two if part["type"] == text]
    assert all(one.startswith("Question:") and one.endswith("\n") for one in texts[:-1])
    assert texts[-1].endswith(" Short answer:")
    shown = [base64.b64decode(part[picture]["url"].partition(",")[2]) for part in two if part["type"] == picture]
    assert len(set(shown)) == 3
    results = json.loads((tmp_path / "results.json").read_text())["suites"]["pope-shots"]
    assert results["groups"]["shots"]["2"]["recall"] == 1.0


def test_likeness_by_the_models_own_tower_and_mean_scores_from_the_command_line(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the extra [train] is not installed")
    from tests.support.tiny_students import make_spec, save_student

    model = save_student(tmp_path / "tiny", make_spec(max_position_embeddings=2048))
    arguments = (model, "--suite", "qa", "--qa-by", "likeliest", "--score-by", "mean", "--source", "simple-scenes:7")
    more = ("--limit", "3", "--shots", "0,2", "--rices", "--device", "cpu", "--json", "--shots-from")
    done = run_command(*arguments, *more, "simple-scenes:8", "--out", tmp_path / "out", "--shots-pool", "40")
    assert done.exit_code == 0, done.output
    qa = json.loads(done.stdout.splitlines()[-1])["suites"]["qa-shots"]
    assert qa["counts"]["unread_seen"] == 0
    assert any("by likeness" in note for note in qa["notes"])
    assert len(list((tmp_path / "out" / "features").glob("*.npz"))) == 1
    lines = [json.loads(line) for line in (tmp_path / "out" / PREDICTIONS_NAME).read_text().splitlines()]
    assert all(max(line["scores"]) < 0 for line in lines)


def test_chats_are_asked_as_before_where_no_shots_are_wanted(tmp_path: Path) -> None:
    student = always("yes")
    options = EvaluateOptions(("pope",), tmp_path, source=SAMPLE, limit=3)
    Evaluation(options).run(student, MODEL)
    assert all(isinstance(ask, Ask) for ask in student.asked)


def test_beams_are_part_of_what_is_asked_and_draw_nothing(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the extra [train] is not installed")
    from tests.support.tiny_students import make_spec, save_student

    model = save_student(tmp_path / "tiny", make_spec(max_position_embeddings=2048))
    arguments = (model, "--suite", "new-names", "--limit", "1", "--shots", "2", "--device", "cpu", "--json")
    done = run_command(*arguments, "--beams", "3", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    sampling = json.loads(done.stdout.splitlines()[-1])["suites"]["new-names-shots"]["sampling"]
    assert (sampling["beams"], sampling["length_penalty"], sampling["max_tokens"]) == (3, 0.0, 5)
    drawn = run_command(*arguments, "--beams", "3", "--temperature", "1", "--out", tmp_path / "out")
    assert "leave --temperature out" in str(drawn.exception or drawn.output)
