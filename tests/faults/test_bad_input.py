"""What a user can get wrong, one by one: each ends in one clear line and exit code 2, or in a counted reason."""

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from instructgen.cli.app import main
from tests.support.chat_server import ChatServer
from tests.support.coco_folder import make_coco, make_tables, write_coco


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object
) -> tuple[int, str, str]:
    """Run the command line in this process; return exit code, standard output and standard error."""
    monkeypatch.setattr(sys, "argv", ["instructgen", *map(str, arguments)])
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    capsys.readouterr()
    try:
        main()
        code = 0
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


OPTIONS: dict[str, tuple[list[str], str]] = {
    "unknown type": (["--types", "conv,haiku"], "no sample type called 'haiku'; there are: conv, detail, reasoning"),
    "type given twice": (["--types", "conv,conv"], "given twice"),
    "no types": (["--types", ","], "no sample types are given"),
    "unknown source": (["--source", "cocoa"], "no source called 'cocoa'; there are: coco, scenes"),
    "unknown teacher": (
        ["--teacher", "wizard"],
        "no teacher called 'wizard'; there are: scene-program, openai, replay",
    ),
    "limit of zero": (["--limit", "0"], "--limit"),
    "limit that is no number": (["--limit", "many"], "--limit"),
    "concurrency of zero": (["--concurrency", "0"], "--concurrency"),
    "unknown way to keep images": (["--images", "inline"], "--images"),
    "unknown output format": (["--output-format", "xml"], "--output-format"),
    "unknown pipeline": (
        ["--pipeline", "lava"],
        "no pipeline called 'lava'; there are: clean, interleaved, llava, llava-stage1-data, minigpt4",
    ),
    "pipeline file that is missing": (["--pipeline", "none.toml"], "no pipeline file none.toml"),
    "root that is missing": (["--root", "nowhere"], "nowhere"),
    "split that the sample has not": (["--split", "val2017"], "--split needs --root"),
    "root for rendered scenes": (["--source", "scenes", "--root", "x"], "rendered scenes have no --root"),
    "openai without a key": (["--teacher", "openai"], "needs a key in OPENAI_API_KEY"),
    "replay without a run": (["--teacher", "replay"], "needs --replay"),
    "replay of an empty folder": (["--replay", "."], "holds no recorded run"),
    "address without a scheme": (["--base-url", "localhost:8000/v1"], "wants an address such as"),
    "address with a broken host": (["--base-url", "http://[::1/v1"], "wants an address such as"),
    "address with a port that is text": (["--base-url", "http://h:port/v1"], "wants an address such as"),
    "free teacher with a model": (["--teacher", "scene-program", "--model", "m"], "ask for openai"),
    "replay with a server": (["--replay", ".", "--base-url", "http://127.0.0.1:1/v1"], "ask for openai"),
    "unknown flag": (["--colour"], "--colour"),
}


@pytest.mark.parametrize(("arguments", "words"), OPTIONS.values(), ids=OPTIONS.keys())
def test_wrong_option_is_one_clear_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, monkeypatch, "build", "--out", tmp_path / "ds", *arguments)
    assert code == 2
    assert words in err
    assert "Traceback" not in err
    assert not (tmp_path / "ds" / "versions").exists()


def test_error_is_json_where_json_was_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code, out, _ = run(capsys, monkeypatch, "build", "--types", "haiku", "--out", tmp_path, "--json")
    assert code == 2
    assert json.loads(out.splitlines()[-1])["exit_code"] == 2


Tables = tuple[dict[str, Any], dict[str, Any]]


def broken(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> Callable[[Path], object]:
    """Return a writer of a COCO folder whose tables were changed in one way."""

    def write(root: Path) -> None:
        captions, instances = make_tables()
        change(captions, instances)
        write_coco(root, captions, instances)

    return write


def raw(name: str, data: bytes) -> Callable[[Path], object]:
    """Return a writer of a COCO folder in which one file holds these bytes."""

    def write(root: Path) -> None:
        make_coco(root)
        (root / "annotations" / f"{name}_val2017.json").write_bytes(data)

    return write


def write_truncated(root: Path) -> None:
    make_coco(root)
    path = root / "annotations" / "instances_val2017.json"
    path.write_bytes(path.read_bytes()[:-400])


def write_swapped(root: Path) -> None:
    captions, instances = make_tables()
    write_coco(root, instances, captions)


def write_two_splits(root: Path) -> None:
    make_coco(root)
    make_coco(root, split="train2017")


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty folder": (lambda root: root.mkdir(), "no COCO split"),
    "captions alone": (lambda root: write_coco(root, make_tables()[0], None), "captions_val2017.json"),
    "instances alone": (lambda root: write_coco(root, None, make_tables()[1]), "instances_val2017.json"),
    "two splits and none chosen": (write_two_splits, "train2017, val2017"),
    "file that is not JSON": (raw("captions", b"hello"), "captions_val2017.json"),
    "page of HTML": (raw("instances", b"<!DOCTYPE html><html></html>"), "instances_val2017.json"),
    "empty file": (raw("captions", b""), "captions_val2017.json"),
    "gzip file": (raw("instances", gzip.compress(b'{"images": []}')), "instances_val2017.json"),
    "list at the top": (raw("captions", b"[1, 2, 3]"), "captions_val2017.json"),
    "invalid UTF-8": (raw("captions", b'{"images": [{"file_name": "\xff"}]}'), "captions_val2017.json"),
    "truncated file": (write_truncated, "instances_val2017.json"),
    "captions and instances swapped": (write_swapped, "_val2017.json"),
    "no annotations in the file": (broken(lambda c, i: c.pop("annotations")), "annotations"),
    "no categories in the file": (broken(lambda c, i: i.pop("categories")), "categories"),
    "box of three numbers": (broken(lambda c, i: i["annotations"][2].update(bbox=[1, 2, 3])), "bbox has 3 numbers"),
    "box that is text": (broken(lambda c, i: i["annotations"][2].update(bbox="big")), "annotation"),
    "caption that is a number": (broken(lambda c, i: c["annotations"][3].update(caption=7)), "caption"),
    "annotation without its image": (broken(lambda c, i: i["annotations"][1].pop("image_id")), "image_id"),
    "image id that is text": (broken(lambda c, i: i["images"][1].update(id="seven")), "image 2: id is the text"),
}


@pytest.mark.parametrize(("write", "words"), FILES.values(), ids=FILES.keys())
def test_broken_file_is_named(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    write: Callable[[Path], object],
    words: str,
) -> None:
    write(tmp_path / "coco")
    code, _, err = run(capsys, monkeypatch, "build", "--root", tmp_path / "coco", "--out", tmp_path / "ds")
    assert code == 2, err
    assert words in err
    assert "Traceback" not in err


# Broken records: what was changed, the reason, and whether a whole image goes (else an annotation).
Change = Callable[[dict[str, Any], dict[str, Any]], object]


def box(place: int, value: float) -> Change:
    """Return a change of one number of the first box."""
    return lambda _, instances: instances["annotations"][0]["bbox"].__setitem__(place, value)


def first_box(**fields: object) -> Change:
    return lambda _, instances: instances["annotations"][0].update(fields)


def first_image(**fields: object) -> Change:
    """Return a change of the first image in both files."""
    return lambda *tables: [table["images"][0].update(fields) for table in tables]


def repeat_first_box(_: dict[str, Any], instances: dict[str, Any]) -> None:
    instances["annotations"].append({**instances["annotations"][0], "id": 999})


def repeat_first_image(*tables: dict[str, Any]) -> None:
    for table in tables:
        table["images"].append(table["images"][0])


def drop_captions_of_first_image(captions: dict[str, Any], _: dict[str, Any]) -> None:
    captions["annotations"] = captions["annotations"][5:]


RECORDS: dict[str, tuple[Change, str, bool]] = {
    "crowd box": (first_box(iscrowd=1), "crowd_box", False),
    "box without width": (box(2, 0), "degenerate_box", False),
    "box with negative height": (box(3, -5), "degenerate_box", False),
    "box half outside": (box(0, 600), "clipped_box", False),
    "box wholly outside": (box(0, 900), "box_outside_image", False),
    "box that is not a number": (box(1, float("nan")), "box_not_finite", False),
    "box that is infinite": (box(2, float("inf")), "box_not_finite", False),
    "box given twice": (repeat_first_box, "duplicate_box", False),
    "unknown category": (first_box(category_id=91), "unknown_category", False),
    "box of an unknown image": (first_box(image_id=77), "unknown_image", False),
    "annotation id given twice": (first_box(id=2), "duplicate_annotation_id", False),
    "blank caption": (lambda c, _: c["annotations"][0].update(caption=" \n "), "empty_caption", False),
    "image id given twice": (repeat_first_image, "duplicate_image_id", False),
    "file name that climbs": (first_image(file_name="../../etc/passwd"), "unsafe_file_name", True),
    "file name that is absolute": (first_image(file_name="/etc/passwd"), "unsafe_file_name", True),
    "image without width": (first_image(width=0), "bad_image_size", True),
    "image without captions": (drop_captions_of_first_image, "no_captions", True),
}


@pytest.mark.parametrize(("change", "reason", "is_image"), RECORDS.values(), ids=RECORDS.keys())
def test_broken_record_is_counted_and_the_rest_is_built(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    change: Change,
    reason: str,
    is_image: bool,
) -> None:
    broken(change)(tmp_path / "coco")
    code, out, err = run(
        capsys, monkeypatch, "build", "--root", tmp_path / "coco", "--out", tmp_path / "ds", "--json"
    )
    assert code == 0, err
    result = json.loads(out.splitlines()[-1])
    assert result["planned"] == {"conv": 4, "detail": 4, "reasoning": 4}
    if is_image:
        assert result["reasons"][reason] == 3
        lines = [json.loads(line) for line in (Path(result["out"]) / "rejected.jsonl").read_text().splitlines()]
        assert [line["unit_id"] for line in lines if line["reason"] == reason] == [
            f"coco/000000000010/{name}" for name in result["planned"]
        ]
    else:
        assert result["source_issues"][reason] >= 1
    for name in result["planned"]:
        assert result["accepted"][name] + result["rejected"][name] + result["failed"][name] == 4


def test_image_without_boxes_is_built_from_its_captions(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    captions, instances = make_tables()
    instances["annotations"] = instances["annotations"][2:]
    write_coco(tmp_path / "coco", captions, instances)
    code, out, _ = run(capsys, monkeypatch, "build", "--root", tmp_path / "coco", "--out", tmp_path / "ds", "--json")
    assert code == 0
    assert json.loads(out.splitlines()[-1])["planned"] == {"conv": 4, "detail": 4, "reasoning": 4}


def test_missing_picture_rejects_its_units_where_pictures_are_embedded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from PIL import Image

    make_coco(tmp_path / "coco")
    pictures = tmp_path / "coco" / "val2017"
    pictures.mkdir()
    Image.new("RGB", (640, 480)).save(pictures / "000000000010.jpg")
    Image.new("RGB", (64, 48)).save(pictures / "000000000011.jpg")
    (pictures / "000000000012.jpg").write_bytes(b"not a picture")
    arguments = ["build", "--root", tmp_path / "coco", "--out", tmp_path / "ds", "--images", "embed", "--json"]
    code, out, err = run(capsys, monkeypatch, *arguments)
    assert code == 0, err
    result = json.loads(out.splitlines()[-1])
    assert result["reasons"] == {"image_size_differs": 3, "image_unreadable": 3, "image_missing": 3}
    assert result["accepted"] == {"conv": 1, "detail": 1, "reasoning": 1}


def test_nothing_accepted_is_told_by_the_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_coco(tmp_path / "coco")
    arguments = ["build", "--root", tmp_path / "coco", "--out", tmp_path / "ds", "--images", "embed", "--json"]
    code, out, _ = run(capsys, monkeypatch, *arguments)
    assert code == 4
    assert json.loads(out.splitlines()[-1])["reasons"] == {"image_missing": 12}


def test_picture_behind_a_link_out_of_the_folder_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_coco(tmp_path / "coco", 1)
    (tmp_path / "coco" / "val2017").mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "coco" / "val2017" / "000000000010.jpg").symlink_to(tmp_path / "secret")
    arguments = ["build", "--root", tmp_path / "coco", "--out", tmp_path / "ds", "--images", "embed", "--json"]
    code, out, err = run(capsys, monkeypatch, *arguments)
    assert code == 4
    assert json.loads(out.splitlines()[-1])["reasons"] == {"image_unreadable": 3}
    assert "Traceback" not in err
    assert b"secret" not in b"".join(path.read_bytes() for path in (tmp_path / "ds").rglob("*") if path.is_file())


def test_build_without_any_filter_is_published(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "my.toml").write_text("[filters]\nuse = []\n")
    arguments = ["build", "--limit", "2", "--pipeline", tmp_path / "my.toml", "--out", tmp_path / "ds", "--json"]
    code, out, err = run(capsys, monkeypatch, *arguments)
    assert code == 0, err
    assert sum(json.loads(out.splitlines()[-1])["accepted"].values()) == 6


def test_shipped_pipeline_is_found_beside_a_folder_of_its_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "llava").mkdir()
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, monkeypatch, "pipelines", "llava")
    assert code == 0
    assert "boxes_in_conversation = false" in out
    code, _, err = run(capsys, monkeypatch, "pipelines", "none.toml")
    assert code == 2
    assert "no pipeline file none.toml" in err


def test_flags_that_name_a_model_override_the_teacher_of_a_pipeline(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "my.toml").write_text("[teacher]\nname = 'scene-program'\nmax_attempts = 1\n")
    arguments = ["build", "--limit", "1", "--pipeline", tmp_path / "my.toml", "--out", tmp_path / "ds"]
    with ChatServer() as server:
        code, _, err = run(capsys, monkeypatch, *arguments, "--base-url", server.base_url, "--model", "m")
        assert server.num_requests == 3
    assert code == 0
    assert "the teacher is openai, model m" in err


def test_broken_shard_and_missing_version_are_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run(capsys, monkeypatch, "build", "--limit", "2", "--out", tmp_path / "ds")
    shard = next((tmp_path / "ds").rglob("*.parquet"))
    shard.write_bytes(b"PAR1 no more")
    code, _, err = run(capsys, monkeypatch, "show", tmp_path / "ds")
    assert code == 2
    assert shard.name in err
    (tmp_path / "ds" / "tags" / "latest").write_text("000000000000\n")
    code, _, err = run(capsys, monkeypatch, "show", tmp_path / "ds")
    assert code == 2
    assert "which is not there" in err


def test_folder_of_somebody_else_is_never_built_into(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "README.md").write_text("my notes")
    code, _, err = run(capsys, monkeypatch, "build", "--limit", "1", "--out", tmp_path)
    assert code == 2
    assert "is not a dataset's folder but holds a README.md" in err
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "my notes"


def test_log_beside_the_dataset_is_no_hindrance(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "build.log").write_text("")
    code, _, _ = run(capsys, monkeypatch, "build", "--limit", "1", "--out", tmp_path)
    assert code == 0


def test_prompts_are_copied_to_start_ones_own_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code, _, _ = run(capsys, monkeypatch, "prompts", "copy", tmp_path / "mine")
    assert code == 0
    assert (tmp_path / "mine" / "conv" / "system.j2").is_file()
    code, _, err = run(capsys, monkeypatch, "prompts", "copy", tmp_path / "mine")
    assert code == 2
    assert "is there already" in err


def test_out_that_is_a_file_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ds").write_text("in the way")
    code, _, err = run(capsys, monkeypatch, "build", "--limit", "1", "--out", tmp_path / "ds")
    assert code == 2
    assert "cannot be written" in err


def test_show_of_what_is_no_dataset_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code, _, err = run(capsys, monkeypatch, "show", tmp_path)
    assert code == 2
    assert "holds no dataset" in err


BAD_PIPELINES = {
    "price table that is missing": (
        "[teacher]\nbase_url = 'http://127.0.0.1:9/v1'\nprices = 'nowhere.toml'",
        "nowhere.toml",
    ),
    "budget without a price": (
        "[teacher]\nbase_url = 'http://192.0.2.1/v1'\nmodel = 'm'\n[run]\nbudget_usd = 1.0",
        "a budget in dollars wants a price, and none is known for m@192.0.2.1/v1",
    ),
    "budget without a bound": (
        "[run]\nbudget_tokens = 9\n[teacher]\nbase_url = 'http://127.0.0.1:9/v1'\ndecoding.max_tokens = 'omit'",
        "a budget wants a bound on answers",
    ),
    "budget of nothing": ("[run]\nbudget_usd = 0.0", "budget_usd"),
    "fallback of a fallback": (
        "[teacher]\n[teacher.fallback]\n[teacher.fallback.fallback]\n",
        "a fallback has no fallback of its own",
    ),
    "server with an unknown key": ("[teacher]\nservers = [{ url = 'http://127.0.0.1:9/v1' }]", "unknown field `url`"),
    "server without weight": (
        "[teacher]\nservers = [{ base_url = 'http://127.0.0.1:9/v1', weight = 0.0 }]",
        "weight",
    ),
    "unknown filter": ("[filters]\nuse = ['leaks']", "no filter called 'leaks'"),
    "unknown filter option": ("[filters.options.length]\nmax = 3", "length"),
    "wrong kind of filter option": ("[filters.options.repetition]\nmax_fraction = 'half'", "repetition"),
    "prompts folder that is missing": ("[teacher]\nprompts = 'nowhere'", "no folder nowhere"),
    "unknown key": ("[source]\nfolder = 'x'", "unknown field `folder`"),
    "key of the wrong kind": ("types = 'conv'", "$.types"),
}


@pytest.mark.parametrize(("text", "words"), BAD_PIPELINES.values(), ids=BAD_PIPELINES.keys())
def test_bad_pipeline_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "my.toml").write_text(text)
    code, _, err = run(capsys, monkeypatch, "build", "--pipeline", tmp_path / "my.toml", "--out", tmp_path / "ds")
    assert code == 2
    assert words in err
