"""Stage 1's data by the command line: pairs in, questions with their own captions out, nothing paid."""

import json
from pathlib import Path

import pytest

from instructgen.prompting.prompts import load_questions
from instructgen.resources import shared_folder
from tests.support.cli import run_cli
from tests.support.fetching import fetch
from tests.support.pair_tables import make_jpeg, make_shard, write_tsv
from tests.support.picture_server import PictureServer


def read(out: str) -> list[dict[str, object]]:
    from pyarrow import parquet

    return [row for path in sorted(Path(out).glob("data/*.parquet")) for row in parquet.read_table(path).to_pylist()]


def test_pairs_become_brief_questions_with_their_captions_free_of_charge(tmp_path: Path) -> None:
    root = write_tsv(tmp_path / "cc3m.tsv", 20)
    root.write_bytes(root.read_bytes() + b"no address\n")
    arguments = ("build", "--source", "pairs", "--root", root, "--types", "brief", "--out", tmp_path / "ds", "--json")
    done = run_cli(*arguments)
    assert done.code == 0, done.err
    result = done.result
    assert (result["planned"], result["accepted"], result["rejected"]) == ({"brief": 21}, {"brief": 20}, {"brief": 1})
    assert result["reasons"] == {"bad_column": 1}
    assert (result["cost_usd"], result["prompt_tokens"]) == (0, 0)
    rows = read(result["out"])
    questions = load_questions(None, "brief")
    assert len(rows) == 20
    for row in rows:
        number = int(str(row["image_id"])[-9:])
        user, assistant = row["messages"]  # type: ignore[misc]
        assert user["content"] in questions
        assert assistant["content"] == f"a dog called rex{number}"
        assert row["teacher"] == "captions"
        assert row["images"] == [{"bytes": None, "path": f"http://a.example/{number}.jpg"}]
    again = run_cli(*arguments)
    assert again.result["version"] == result["version"]
    assert again.result["new_requests"] == 0


def test_shards_embed_their_pictures_when_asked(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    make_shard(tmp_path / "shards" / "00000.tar", 3)
    done = run_cli(
        *("build", "--source", "pairs", "--root", tmp_path / "shards", "--types", "brief", "--images", "embed"),
        *("--out", tmp_path / "ds", "--json"),
    )
    assert done.code == 0, done.err
    rows = read(done.result["out"])
    assert len(rows) == 3
    assert all(row["images"][0]["bytes"][:2] == b"\xff\xd8" for row in rows)  # type: ignore[index]


def test_table_with_picture_files_embeds_them_though_it_tells_no_size(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(make_jpeg((40, 30)))
    (tmp_path / "a.jsonl").write_text('{"image": "1.jpg", "caption": "a red square"}\n')
    done = run_cli(
        *("build", "--source", "pairs", "--root", tmp_path / "a.jsonl", "--types", "brief", "--images", "embed"),
        *("--out", tmp_path / "ds", "--json"),
    )
    assert done.code == 0, done.err
    assert [row["images"][0]["bytes"] for row in read(done.result["out"])] == [make_jpeg((40, 30))]  # type: ignore[index]


@pytest.mark.parametrize("name", ["", "index.parquet"])
def test_fetched_pictures_are_embedded_and_those_that_did_not_come_are_rejected(tmp_path: Path, name: str) -> None:
    body = make_jpeg((40, 30))
    with PictureServer() as server:
        urls = {"a": server.add("a.jpg", body), "gone": server.url("gone.jpg")}
        fetched = fetch(tmp_path / "fetched", urls, caption="a red square")
    done = run_cli(
        *("build", "--source", "pairs", "--root", fetched.out / name, "--types", "brief", "--images", "embed"),
        *("--out", tmp_path / "ds", "--json"),
    )
    assert done.code == 0, done.err
    assert done.result["reasons"] == {"not_fetched": 1}
    assert [(row["image_id"], row["images"]) for row in read(done.result["out"])] == [
        ("pairs/a", [{"bytes": body, "path": fetched.rows["a"]["path"]}])
    ]


def test_llavas_pipeline_keeps_the_balanced_subset_and_tells_of_the_rest(tmp_path: Path) -> None:
    captions = ["an aardvark"] * 2 + ["a badger"] * 3 + ["a cat"] * 250
    lines = [f"{caption}\thttp://a.example/{k}.jpg\n" for k, caption in enumerate(captions)]
    (tmp_path / "cc3m.tsv").write_text("".join(lines))
    done = run_cli(
        *("build", "--pipeline", "llava-stage1-data", "--root", tmp_path / "cc3m.tsv", "--out", tmp_path / "ds"),
        "--json",
    )
    assert done.code == 0, done.err
    assert done.result["accepted"] == {"brief": 103}
    assert done.result["source_issues"] == {"left_by_balance": 152}
    manifest = json.loads((Path(done.result["out"]) / "manifest.json").read_bytes())
    assert "at least 3, at most 100 of all" in manifest["source"]["title"]
    assert manifest["teacher"]["name"] == "captions"


def test_minigpt4s_pipeline_mixes_two_tables(tmp_path: Path) -> None:
    for name in ("laion", "ccs"):
        rows = [{"caption": f"{name} {k}", "url": f"http://a.example/{k}"} for k in range(400)]
        (tmp_path / f"{name}_synthetic_filtered_large.json").write_text(json.dumps(rows))
    arguments = ("build", "--pipeline", "minigpt4-stage1-data", "--limit", "258", "--out", "ds", "--json")
    done = run_cli(*arguments, cwd=tmp_path)
    assert done.code == 0, done.err
    texts = [row["messages"][1]["content"] for row in read(str(tmp_path / done.result["out"]))]  # type: ignore[index]
    assert sum(text.startswith("laion") for text in texts) == 230
    assert sum(text.startswith("ccs") for text in texts) == 28


def test_plan_says_that_pairs_cost_nothing(tmp_path: Path) -> None:
    root = write_tsv(tmp_path / "cc3m.tsv", 5)
    done = run_cli("plan", "--source", "pairs", "--root", root, "--types", "brief", "--out", tmp_path / "ds")
    assert done.code == 0, done.err
    assert "captions" in done.out


@pytest.mark.parametrize("name", ["llava-stage1-data", "minigpt4-stage1-data"])
def test_stage_one_pipelines_pay_nobody(name: str) -> None:
    from instructgen.config import load_config
    from instructgen.teachers import choose_teacher

    config = load_config(shared_folder("pipelines") / f"{name}.toml")
    assert choose_teacher(config.teacher) == "captions"
    assert config.types == ("brief",)
