"""`instructgen capfilt` as it is typed: a trained model captions, a first stage or a table chooses."""

import json
from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.cli import capfilt
from instructgen.errors import InstructgenError
from instructgen.models.blip2.folder import save_representation
from instructgen.train.example_rows import open_source
from instructgen.train.representation_use import load_comparer
from tests.support.tiny_blip2 import make_model, make_spec, write_pairs
from tests.support.tiny_students import make_spec as make_student_spec
from tests.support.tiny_students import save_student


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs, a captioner and a scorer."""
    folder = tmp_path_factory.mktemp("capfilt")
    write_pairs(folder / "pairs", num_pictures=3)
    save_student(folder / "student", make_student_spec(), template="chatml")
    model, tokenizer = make_model(folder)
    save_representation(model, make_spec(folder), folder / "scorer", tokenizer=tokenizer, max_text_tokens=20)
    return folder


def call(*arguments: str | Path) -> tuple[int, str]:
    app = typer.Typer()
    capfilt.add_to(app)
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    if isinstance(done.exception, InstructgenError):
        raise done.exception
    return done.exit_code, done.stdout


@pytest.mark.parametrize("by", ["matching", "contrast"])
def test_captions_of_a_student_are_chosen_by_a_first_stage(work: Path, tmp_path: Path, by: str) -> None:
    data = work / "pairs" / "pairs.jsonl"
    told = (data, "--captioner", work / "student", "--scorer", work / "scorer", "--by", by, "--device", "cpu")
    code, said = call(*told, "--num", "3", "--max-tokens", "6", "--out", tmp_path / "out", "--json")
    found = json.loads(said)
    assert (code, found["images"], found["new"], found["failed"]) == (0, 3, 3, {})
    rows = [json.loads(line) for line in (tmp_path / "out" / "captions.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == found["captions"] == 6
    comparer = load_comparer(work / "scorer", "cpu")
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        assert first["score"] >= second["score"]
        picture = (tmp_path / "out" / first["images"][0]).read_bytes()
        texts = [row["messages"][1]["content"] for row in (first, second)]
        assert comparer.score(picture, texts, by) == pytest.approx([first["score"], second["score"]], abs=1e-4)  # type: ignore[arg-type]
    assert len(list(open_source(tmp_path / "out" / "captions.jsonl").rows())) == 6
    assert "0 of them now" in call(*told, "--num", "3", "--max-tokens", "6", "--out", tmp_path / "out")[1]


def test_captions_of_others_are_chosen_by_a_table(work: Path, tmp_path: Path) -> None:
    lines = [{"image": f"{number}.png", "caption": f"other {number}"} for number in range(3)]
    (tmp_path / "others.jsonl").write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    own = ["A red picture.", "A green picture.", "A blue picture."]
    scores = [{"key": f"{n}.png", "caption": text, "score": 1.0} for n, text in enumerate(own)]
    scores += [{"key": f"{n}.png", "caption": f"other {n}", "score": float(n)} for n in range(2)]
    (tmp_path / "scores.jsonl").write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in scores))
    told = (work / "pairs" / "pairs.jsonl", "--captions", tmp_path / "others.jsonl", "--keep", "1")
    code, _ = call(*told, "--scores", tmp_path / "scores.jsonl", "--out", tmp_path / "out")
    rows = [json.loads(line) for line in (tmp_path / "out" / "captions.jsonl").read_text("utf-8").splitlines()]
    assert [row["messages"][1]["content"] for row in rows] == own[:2]  # of equal scores the original
    failed = json.loads((tmp_path / "out" / "captions.jsonl.failed").read_text("utf-8"))
    assert (code, failed["key"], failed["reason"]) == (4, "2.png", "not_scored")


def test_what_is_missing_is_asked_for(work: Path, tmp_path: Path) -> None:
    data = work / "pairs" / "pairs.jsonl"
    with pytest.raises(InstructgenError, match="--scorer RUN or --scores TABLE"):
        call(data, "--captioner", work / "student", "--out", tmp_path / "out")
    with pytest.raises(InstructgenError, match="nothing to choose from"):
        call(data, "--scorer", work / "scorer", "--out", tmp_path / "out")
    with pytest.raises(InstructgenError, match="holds no model of BLIP-2's first stage"):
        call(data, "--captioner", work / "student", "--scorer", work / "student", "--out", tmp_path / "out")
