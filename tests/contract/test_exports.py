"""What holds for every form in the tables of exports and imports."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from instructgen.cli.app import app
from instructgen.dataset.exports import EXPORTS
from instructgen.dataset.exports.base import DEFAULT_SETTINGS, ExportSettings
from instructgen.dataset.imports import IMPORTS
from instructgen.errors import InstructgenError
from tests.support.cli import ROOT
from tests.support.exports import (
    make_hostile_rows,
    make_picture,
    make_row,
    read_form,
    tell_imported,
    tell_row,
    write_rows,
)
from tests.support.versions import make_row_of, write_version

DOCS = ROOT / "docs" / "exports.md"
# Forms with no room for all that a row says: what is lost is tested where the form is.
NARROW = {"filter_cap", "interleaved", "mmc4", "obelics"}
WHOLE = [name for name in EXPORTS if name in IMPORTS and name not in NARROW]


def types_of(form: str) -> dict[str, str]:
    return {"sample_type": "detail"} if form == "filter_cap" else {}


@pytest.mark.parametrize("form", EXPORTS)
def test_rows_written_and_left_out_are_all_rows(form: str, tmp_path: Path) -> None:
    rows = [{**row, **types_of(form)} for row in make_hostile_rows()]
    exported = write_rows(rows, form, tmp_path)
    assert exported.folder == tmp_path / "out"
    assert exported.num_rows > len(rows) / 2
    assert exported.num_rows + sum(exported.left_out.values()) == len(rows)
    assert all(reason.isidentifier() and count > 0 for reason, count in exported.left_out.items())


@pytest.mark.parametrize("form", WHOLE)
def test_what_is_imported_again_is_what_was_exported(form: str, tmp_path: Path) -> None:
    rows = make_hostile_rows()
    exported = write_rows(rows, form, tmp_path)
    imported, rejected = read_form(tmp_path / "out", form)
    assert rejected == []
    assert len(imported) == exported.num_rows
    by_id = {row["sample_id"]: row for row in rows}
    for one in imported:
        assert tell_imported(one) == tell_row(by_id[one.sample_id])
        assert one.image_at is None
        assert one.fields == {name: by_id[one.sample_id][name] for name in ("source", "teacher", "model")}


@pytest.mark.parametrize("form", EXPORTS)
def test_export_writes_nothing_outside_of_its_folder(form: str, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    write_rows([{**row, **types_of(form)} for row in make_hostile_rows()], form, tmp_path / "here" / "deep")
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["deep"]
    assert sorted(path.name for path in (tmp_path / "here" / "deep").iterdir()) == ["out", "version"]


@pytest.mark.parametrize("form", EXPORTS)
def test_export_that_fails_half_way_leaves_what_was_there(form: str, tmp_path: Path) -> None:
    rows = [{**make_row_of(number), **types_of(form)} for number in (1, 2)]
    version = write_version(tmp_path / "version", rows)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "file").write_text("old")

    def read_one(image_id: str, _: str) -> bytes:
        if image_id.endswith("2"):
            raise KeyboardInterrupt
        return make_picture(1)

    for out in ("new", "old"):
        with pytest.raises(KeyboardInterrupt):
            EXPORTS[form](version, tmp_path / out, read_one)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old", "version"]
    assert [path.read_text() for path in (tmp_path / "old").iterdir()] == ["old"]


@pytest.mark.parametrize("form", EXPORTS)
def test_export_is_the_same_each_time(form: str, tmp_path: Path) -> None:
    rows = [{**row, **types_of(form)} for row in make_hostile_rows()]
    found = []
    for name in ("a", "b"):
        out = write_rows(rows, form, tmp_path / name).folder
        found.append({path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()})
    assert found[0] == found[1]


@pytest.mark.parametrize("form", EXPORTS)
def test_row_whose_picture_is_nowhere_is_left_out_and_counted(form: str, tmp_path: Path) -> None:
    rows = [{**make_row(number), **types_of(form)} for number in (1, 2)]
    rows[0]["images"] = [{"bytes": None, "path": "gone.jpg"}]
    exported = write_rows(rows, form, tmp_path)
    assert (exported.num_rows, exported.left_out) == (1, {"image_missing": 1})


@pytest.mark.parametrize("form", EXPORTS)
def test_version_of_which_no_row_can_be_written_is_an_error(form: str, tmp_path: Path) -> None:
    version = write_version(tmp_path / "version", [{**make_row_of(1), **types_of(form)}])
    with pytest.raises(InstructgenError, match="--images FOLDER"):
        EXPORTS[form](version, tmp_path / "out", lambda _, __: None)
    assert [path.name for path in tmp_path.iterdir()] == ["version"]


@pytest.mark.parametrize("form", EXPORTS)
def test_paths_are_kept_without_pictures_or_that_is_refused(form: str, tmp_path: Path) -> None:
    rows = [{**make_row_of(number), **types_of(form)} for number in (1, 2)]
    rows[1]["images"] = [{"bytes": None, "path": "../outside.jpg"}]
    settings = ExportSettings(with_pictures=False)
    if not EXPORTS[form].names_paths:
        with pytest.raises(InstructgenError, match="--paths-only"):
            write_rows(rows, form, tmp_path, settings)
        return
    exported = write_rows(rows, form, tmp_path, settings)
    assert (exported.num_rows, exported.left_out) == (1, {"unsafe_path": 1})
    if form in WHOLE:
        [imported], _ = read_form(tmp_path / "out", form)
        assert [(image.path, image.data) for image in imported.images] == [("000000000001.jpg", None)]


@pytest.mark.parametrize("form", EXPORTS)
def test_command_writes_the_form_once_and_refuses_a_folder_that_is_there(form: str, tmp_path: Path) -> None:
    version = write_version(tmp_path / "version", [{**make_row(1), **types_of(form)}])
    command = ["export", form.replace("_", "-"), str(version.folder), "--out", str(tmp_path / "out"), "--json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert '"samples": 1' in done.output
    again = CliRunner().invoke(app, command)
    assert isinstance(again.exception, InstructgenError)
    assert "is there already" in str(again.exception)


def test_list_names_every_form_on_one_line() -> None:
    lines = CliRunner().invoke(app, ["export", "--list"]).output.splitlines()
    assert [line.split()[0] for line in lines] == list(EXPORTS)
    assert all(len(line) <= 100 for line in lines)


@pytest.mark.parametrize("form", IMPORTS)
def test_file_of_something_else_is_an_error_or_rejected_with_a_reason(form: str, tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text('[{"colour": "red"}, 7]')
    (tmp_path / "image").mkdir()
    try:
        imported, rejected = read_form(path, form)
    except InstructgenError:  # forms of another layout
        return
    assert imported == []
    assert rejected
    assert all(one.stage == "source" and one.reason.isidentifier() for one in rejected)


@pytest.mark.parametrize("form", sorted({*EXPORTS, *IMPORTS}))
def test_form_has_a_section_in_the_documents(form: str) -> None:
    assert f"\n## {form}\n" in DOCS.read_text(encoding="utf-8")


def test_default_settings_write_pictures() -> None:
    assert DEFAULT_SETTINGS.with_pictures
