"""`instructgen show` as people use it: through a pipe, on a terminal, with pictures, with hostile text."""

import json
import os
import re
import select
from pathlib import Path

import pytest

from instructgen.dataset.manifest import read_manifest
from instructgen.dataset.publish import find_version
from instructgen.dataset.read import read_rows
from instructgen.dataset.row_pictures import read_row_pictures
from instructgen.dataset.stored import LocalVersion
from tests.support.cli import run_cli, start_on_terminal
from tests.support.rows import read_rows as read_all

HOSTILE = "Look \x1b]52;c;cm0gLXJm\x07\x1b[2J\x1b[9A\x9b3J\r\u202e end"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("show") / "ds"
    done = run_cli("build", "--types", "conv,detail", "--limit", "3", "--out", out, "--json")
    assert done.code == 0, done.err
    return out


@pytest.fixture(scope="module")
def hostile(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A loose version with one row whose every text would steer a terminal."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = tmp_path_factory.mktemp("hostile") / "version"
    version = find_version(built)
    shard = read_manifest(version).shards[0]
    table = pq.read_table(version / shard.path)
    row = table.to_pylist()[0]
    row["messages"] = [{"role": "user", "content": HOSTILE}, {"role": "assistant", "content": HOSTILE}]
    row["images"][0]["path"] = row["model"] = row["teacher"] = HOSTILE
    (folder / "data").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([row], table.schema), folder / shard.path)
    for name in ("manifest.json", "rejected.jsonl"):
        (folder / name).write_bytes((version / name).read_bytes())
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["shards"] = [one for one in manifest["shards"] if one["path"] == shard.path]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    refused = {"unit_id": "a/conv", "outcome": "rejected", "stage": "filter", "reason": "x"}
    (folder / "rejected.jsonl").write_text(json.dumps({**refused, "detail": HOSTILE, "text": HOSTILE}) + "\n")
    return folder


def show_on_terminal(
    *arguments: str | Path, columns: int = 80, rows: int = 24, answer: bytes = b"", typed: bytes = b"", **env: str
) -> str:
    """Run it on a pseudo terminal; return what was written there. `answer` is given when it is asked what it is."""
    pytest.importorskip("pty")
    size = (rows, columns, columns * 8, rows * 16)
    changed = {"TERM": "xterm-256color", "NO_COLOR": "", **env}
    process, terminal = start_on_terminal("show", *arguments, size=size, typed=typed, **changed)
    written = b""
    while select.select([terminal], [], [], 60)[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # the end, on Linux
            break
        if not data:
            break
        written += data
        if answer and written.endswith(b"\x1b[c"):
            os.write(terminal, answer)
            answer = b""
    process.wait()
    os.close(terminal)
    return written.decode("utf-8")


def test_piped_output_has_texts_and_boxes_in_place_but_no_escape_code(built: Path) -> None:
    done = run_cli("show", built, "-n", "2", "--type", "conv")
    assert done.code == 0, done.err
    assert "\x1b" not in done.out
    assert done.out.count("Q: ") >= 2
    assert "┌" in done.out
    assert "boxes: " in done.out


def test_plain_prints_the_text_alone(built: Path) -> None:
    done = run_cli("show", built, "-n", "2", "--plain")
    rows = read_rows(LocalVersion(find_version(built)), None, None, 2)
    expected = []
    for row in rows:
        expected.append(f"--- {row['sample_id']}  ({row['image_path']}; {row['teacher']}, {row['model']})")
        for message in row["messages"]:
            first, *rest = message["content"].splitlines()
            expected += [f"{'Q' if message['role'] == 'user' else 'A'}: {first}", *(f"   {line}" for line in rest)]
        expected.append("")
    assert done.out.splitlines() == expected


def test_plain_and_a_way_of_drawing_do_not_go_together(built: Path) -> None:
    done = run_cli("show", built, "--plain", "--pictures", "kitty")
    assert done.code == 2
    assert "--plain" in done.err


def test_picture_is_drawn_where_it_is_asked_for_also_into_a_pipe(built: Path) -> None:
    signs = {"kitty": "\x1b_Ga=T", "sixel": "\x1bP0;1;0q", "iterm": "\x1b]1337;File=", "blocks": "\x1b[38;2;"}
    for way, sign in signs.items():
        done = run_cli("show", built, "-n", "1", "--pictures", way)
        assert done.out.count(sign) >= 1, way
        assert "┌" not in done.out
        text = re.sub(r"\x1b(_G|P|\]1337).*?(\x1b\\|\x07)|\x1b\[[\d;]*m", "", done.out, flags=re.DOTALL)
        assert "\x1b" not in text


def test_json_is_the_rows_and_nothing_else(built: Path) -> None:
    done = run_cli("show", built, "-n", "3", "--json", "--pictures", "kitty")
    rows = read_rows(LocalVersion(find_version(built)), None, None, 3)
    assert [json.loads(line) for line in done.out.splitlines()] == rows


def test_terminal_without_pictures_shows_wrapped_text_and_boxes(built: Path) -> None:
    """It is asked, answers nothing, and is not waited for."""
    written = show_on_terminal(built, "-n", "1", "--type", "detail", columns=50)
    assert "\x1b[c" in written
    text = re.sub(r"\x1b(_G.*?\x1b\\|\[[\d;]*[a-zA-Z])", "", written)
    lines = text.splitlines()
    assert max(map(len, lines)) < 50
    assert any("┌" in line for line in lines)
    assert "\x1b[1m" in written


def test_terminal_that_is_known_gets_the_picture_without_being_asked(built: Path) -> None:
    written = show_on_terminal(built, "-n", "1", TERM="xterm-kitty")
    assert "\x1b_Ga=T" in written
    assert "\x1b[c" not in written


@pytest.mark.parametrize(
    ("answer", "sign"),
    [(b"\x1b_Gi=31;OK\x1b\\\x1b[?62;4c", "\x1b_Ga=T"), (b"\x1b[?62;4;22c", "\x1bP0;1;0q"), (b"\x1b[?1;2c", "┌")],
)
def test_terminal_that_says_what_it_can_gets_that(built: Path, answer: bytes, sign: str) -> None:
    assert sign in show_on_terminal(built, "-n", "1", answer=answer)


def test_terminal_is_not_asked_when_somebody_has_typed_ahead(built: Path) -> None:
    """The answer and the keys could not be told apart."""
    assert "\x1b[c" not in show_on_terminal(built, "-n", "1", typed=b"ls")


def test_no_color_and_plain_are_kept_on_a_terminal(built: Path) -> None:
    written = show_on_terminal(built, "-n", "1", "--pictures", "layout", NO_COLOR="1")
    assert "\x1b" not in written
    assert "┌" in written
    assert "\x1b" not in show_on_terminal(built, "-n", "1", "--plain")


@pytest.mark.parametrize("flags", [(), ("--plain",), ("--rejected",), ("--pictures", "layout")])
def test_text_of_a_dataset_cannot_steer_the_terminal(hostile: Path, flags: tuple[str, ...]) -> None:
    for written in (run_cli("show", hostile, *flags).out, show_on_terminal(hostile, *flags, TERM="linux")):
        shown = re.sub(r"\x1b\[[\d;]*m", "", written.replace("\r\n", "\n"))
        assert "Look " in shown
        assert not [character for character in shown if not character.isprintable() and character != "\n"]


def test_rows_without_their_pictures_show_those_of_a_folder(built: Path, tmp_path: Path) -> None:
    out = tmp_path / "ds"
    assert (
        run_cli("build", "--types", "conv", "--limit", "2", "--images", "reference", "--out", out, "--json").code == 0
    )
    rows = read_all(find_version(built))
    for row in rows:
        (tmp_path / row["images"][0]["path"]).write_bytes(row["images"][0]["bytes"])
    bare = run_cli("show", out, "-n", "1", "--pictures", "sixel", "--images", out)
    done = run_cli("show", out, "-n", "1", "--images", tmp_path, "--pictures", "sixel")
    assert "Q: " in bare.out
    assert "\x1bP" in done.out


def test_pictures_are_those_of_the_rows(built: Path) -> None:
    version = find_version(built)
    rows = read_all(version)
    wanted = {rows[0]["sample_id"], rows[-1]["sample_id"]}
    found = read_row_pictures(LocalVersion(version), wanted)
    assert found == {row["sample_id"]: row["images"] for row in rows if row["sample_id"] in wanted}


def test_broken_picture_is_told_and_its_sample_printed_all_the_same(built: Path, tmp_path: Path) -> None:
    import shutil

    import pyarrow as pa
    import pyarrow.parquet as pq

    version = Path(shutil.copytree(find_version(built), tmp_path / "version"))
    for path in (version / "data").iterdir():
        table = pq.read_table(path)
        rows = table.to_pylist()
        for row in rows:
            row["images"][0]["bytes"] = b"broken"
        pq.write_table(pa.Table.from_pylist(rows, table.schema), path)
    done = run_cli("show", version, "-n", "1", "--pictures", "kitty")
    assert done.code == 0
    assert "cannot be read" in done.err
    assert "Q: " in done.out
    assert "\x1b" not in done.out
