"""From settings to a dataset: the style, the types that the scene program alone writes, and a whole build of them."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest

from instructgen.config import BuildConfig, TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.jobs.lanes import check_teachers
from instructgen.jobs.parts import load_prompts
from instructgen.sample_types import PROGRAM_TYPES, SAMPLE_TYPES
from instructgen.teachers.scene_program.wordings import STYLES, hash_wordings
from tests.support.cli import Done, run_cli

TYPES = ("conv", "detail", "reasoning", "negative", "referring")
OPENAI = {"model": "m", "base_url": "http://127.0.0.1:9/v1"}
PROGRAM = {"name": "scene-program"}


def make_config(**tables: Any) -> BuildConfig:
    return msgspec.convert(tables, BuildConfig)


def test_style_is_a_setting_of_the_teacher() -> None:
    assert TeacherConfig().style == "plain"
    for style in STYLES:
        assert make_config(teacher={**PROGRAM, "style": style}).teacher.style == style
        check_teachers(make_config(teacher={**PROGRAM, "style": style}))
    with pytest.raises(msgspec.ValidationError, match="style"):
        make_config(teacher={"style": "flowery"})


def test_style_is_refused_to_a_teacher_that_has_prompts() -> None:
    with pytest.raises(InstructgenError, match=r"teacher: style is the scene program's.*docs/prompts\.md"):
        check_teachers(make_config(teacher={**OPENAI, "style": "warm"}))
    with pytest.raises(InstructgenError, match=r"teacher\.fallback: style"):
        check_teachers(make_config(teacher={**OPENAI, "fallback": {"model": "f", "style": "terse"}}))
    check_teachers(make_config(teacher={**OPENAI, "style": "plain"}))


def test_types_of_the_program_alone_have_no_prompt() -> None:
    assert PROGRAM_TYPES == ("negative", "referring", "multi-image", "compare", "few-shot", "interleaved")
    assert set(PROGRAM_TYPES) < set(SAMPLE_TYPES)
    assert [SAMPLE_TYPES[name].name for name in TYPES] == list(TYPES)
    config = make_config(types=TYPES, teacher=PROGRAM)
    check_teachers(config)
    assert set(load_prompts(config)) == {"conv", "detail", "reasoning"}


@pytest.mark.parametrize("types", [["negative"], ["conv", "referring"], ["negative", "detail", "referring"]])
@pytest.mark.parametrize(
    ("teacher", "where"),
    [(OPENAI, "teacher is openai"), ({**PROGRAM, "fallback": OPENAI}, r"teacher\.fallback is openai")],
    ids=["teacher", "fallback"],
)
def test_types_of_the_program_alone_are_refused_to_others(types: list[str], teacher: Any, where: str) -> None:
    own = [name for name in types if name in PROGRAM_TYPES]
    with pytest.raises(InstructgenError, match=where) as caught:
        check_teachers(make_config(types=types, teacher=teacher))
    assert f"'{own[0]}'" in str(caught.value)
    assert f"--teacher scene-program --types {','.join(own)}" in str(caught.value), "what to do instead"


def test_command_line_says_what_to_do_instead(tmp_path: Path) -> None:
    done = run_cli(
        *("build", "--types", "conv,negative", "--teacher", "openai", "--model", "m", "--out", tmp_path / "ds"),
        OPENAI_API_KEY="none",
    )
    assert done.code != 0
    assert "--teacher scene-program --types negative" in " ".join(done.err.split())
    assert "Traceback" not in done.err
    assert not (tmp_path / "ds" / "versions").exists()


def build(out: Path, style: str) -> Done:
    arguments = ("--source", "coco", "--types", ",".join(TYPES), "--limit", "24", "--style", style)
    return run_cli("build", *arguments, "--out", out, "--json")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Done:
    return build(tmp_path_factory.mktemp("program") / "ds", "warm")


def rows_of(built: Done) -> list[dict[str, Any]]:
    files = sorted((Path(built.result["out"]) / "data").glob("*.parquet"))
    rows: list[dict[str, Any]] = [row for path in files for row in pq.read_table(path).to_pylist()]
    return rows


def test_build_of_all_types_accounts_for_every_unit(built: Done) -> None:
    assert built.code == 0, built.err
    result = built.result
    assert result["planned"] == dict.fromkeys(TYPES, 24)
    for name in TYPES:
        assert result["accepted"][name] + result["rejected"][name] + result["failed"][name] == 24
        assert result["failed"][name] == 0
    assert sum(result["reasons"].values()) == sum(result["rejected"].values())
    assert result["cost_usd"] == 0


def test_build_publishes_nearly_all_that_the_program_has_to_say(built: Done) -> None:
    """An image with too few single things gives no referring sample; everything else is answered and passes."""
    for name in TYPES:
        assert built.result["accepted"][name] >= (12 if name == "referring" else 22), (name, built.result["reasons"])


def test_rows_are_as_many_as_were_accepted_and_name_style_and_wordings(built: Done) -> None:
    rows = rows_of(built)
    assert Counter(row["sample_type"] for row in rows) == built.result["accepted"]
    manifest = json.loads((Path(built.result["out"]) / "manifest.json").read_text(encoding="utf-8"))
    model = f"warm-{hash_wordings()[:8]}"
    assert model in manifest["teacher"]["model"]
    for row in rows:
        assert row["teacher"] == "scene-program"
        assert [message["role"] for message in row["messages"][:2]] == ["user", "assistant"]
        if row["sample_type"] in PROGRAM_TYPES:
            assert row["prompt_sha256"] == hash_wordings()


def test_same_build_again_asks_nothing(built: Done) -> None:
    again = build(Path(built.result["out"]).parents[1], "warm")
    assert again.code == 0, again.err
    assert again.result["new_requests"] == 0
    assert again.result["version"] == built.result["version"]


def test_build_of_another_style_asks_anew_and_says_less(built: Done, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(Path(built.result["out"]).parents[1], tmp_path / "ds"))
    terse = build(folder, "terse")
    assert terse.code == 0, terse.err
    assert terse.result["new_requests"] == 24 * len(TYPES)
    assert terse.result["version"] != built.result["version"]

    def words(one: Done) -> float:
        told = [
            message["content"]
            for row in rows_of(one)
            if row["sample_type"] in ("conv", "negative")
            for message in row["messages"][1::2]
        ]
        return sum(len(text.split()) for text in told) / len(told)

    assert 2 * words(terse) < words(built)
