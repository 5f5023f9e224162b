"""The command that writes forms: what it refuses, and where it looks for pictures."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from instructgen.cli.app import app
from instructgen.errors import InstructgenError
from tests.support.exports import make_picture, make_row
from tests.support.versions import make_row_of, write_version


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


@pytest.mark.parametrize("name", ["filter-cap", "filter_cap"])
def test_form_is_named_with_a_hyphen_or_an_underscore(name: str, tmp_path: Path) -> None:
    version = write_version(tmp_path / "v", [{**make_row(1), "sample_type": "caption"}])
    done = run(name, version.folder, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "filter_cap.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("llama", "v", "--out", "o"), "no export called 'llama'; there are: llava, sharegpt"),
        (("llava",), "name a form, a dataset and --out"),
        (("llava", "v"), "name a form, a dataset and --out"),
        (("llava", "v", "--out", "o", "--images", "gone"), "--images: no folder gone"),
        (("llava", "v", "--out", "o", "--images", ".", "--paths-only"), "contradict each other"),
        (("llava", "gone", "--out", "o"), "holds no dataset"),
        (("filter-cap", "v", "--out", "o", "--paths-only"), "cannot be written with --paths-only"),
    ],
)
def test_wrong_use_is_an_error_that_writes_nothing(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_version(tmp_path / "v", [make_row(1)])
    monkeypatch.chdir(tmp_path)
    done = run(*arguments, "--json")
    assert isinstance(done.exception, InstructgenError)
    assert message in str(done.exception)
    assert message in json.loads(done.stdout.splitlines()[-1])["error"]
    assert [path.name for path in tmp_path.iterdir()] == ["v"]


def test_pictures_of_the_folder_are_taken_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "000000000001.jpg").write_bytes(make_picture(1))
    (tmp_path / "outside.jpg").write_bytes(make_picture(2))
    outside = make_row_of(2)
    outside["images"] = [{"bytes": None, "path": "../outside.jpg"}]
    version = write_version(tmp_path / "v", [make_row_of(1), outside])
    done = run("llava", version.folder, "--out", tmp_path / "out", "--images", tmp_path / "pictures")
    assert done.exit_code == 0, done.output
    assert f"1 rows in {tmp_path / 'out'}" in done.stdout
    assert "left out: 1 x image_missing" in done.output
    assert [path.name for path in (tmp_path / "out" / "images").iterdir()] == ["000000000001.jpg"]


@pytest.mark.parametrize("path", ["a\0.jpg", "a" * 300 + ".jpg", "loop/x.jpg"])
def test_path_that_no_file_can_have_is_a_missing_picture(path: str, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "000000000001.jpg").write_bytes(make_picture(1))
    (tmp_path / "pictures" / "loop").symlink_to("loop")
    version = write_version(
        tmp_path / "v", [make_row_of(1), {**make_row_of(2), "images": [{"bytes": None, "path": path}]}]
    )
    done = run("llava", version.folder, "--out", tmp_path / "out", "--images", tmp_path / "pictures", "--json")
    assert json.loads(done.stdout) == {"out": str(tmp_path / "out"), "samples": 1, "left_out": {"image_missing": 1}}


def test_paths_alone_and_the_seed_reach_the_files(tmp_path: Path) -> None:
    version = write_version(tmp_path / "v", [make_row_of(number) for number in range(1, 20)])
    found = []
    for seed in ("0", "1"):
        done = run("llava", version.folder, "--out", tmp_path / seed, "--paths-only", "--seed", seed)
        assert done.exit_code == 0, done.output
        assert [path.name for path in (tmp_path / seed).iterdir()] == ["train.json"]
        found.append((tmp_path / seed / "train.json").read_bytes())
    assert found[0] != found[1]
    assert json.loads(found[0])[0]["image"] == "000000000001.jpg"
