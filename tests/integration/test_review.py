"""`instructgen review` as people use it: keys from a pipe, a terminal and a browser; then a new version."""

import http.client
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from instructgen.dataset.manifest import Manifest, read_manifest
from instructgen.dataset.publish import find_version
from instructgen.dataset.stored import LocalVersion
from instructgen.jobs.review import find_reviewed
from instructgen.jobs.review_apply import apply_reviews
from instructgen.review.annotations import PictureFinder
from instructgen.review.decisions import read_reviews
from tests.support.cli import Done, Process, environment, run_cli, start_cli, start_on_terminal


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("review") / "ds"
    done = run_cli("build", "--types", "conv,detail", "--limit", "8", "--out", out, "--json")
    assert done.code == 0, done.err
    return out


@pytest.fixture
def dataset(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "ds"))


def press(dataset: Path, keys: str, by: str = "ann", *flags: str) -> Done:
    return run_cli("review", dataset, "--by", by, *flags, stdin=keys, timeout_s=60)


def decisions(dataset: Path, by: str = "ann") -> list[tuple[str, str]]:
    (folder,) = [path for path in (dataset / "reviews").iterdir() if path.is_dir()]
    return [(one.sample_id, one.decision) for one in read_reviews(folder).get(by, {}).values()]


def apply(dataset: Path, *, is_strict: bool = False) -> Manifest:
    """Publish in this process, which is quicker than the command."""
    return apply_reviews(find_reviewed(dataset), is_strict=is_strict)[1]


def read_all(version: Path) -> dict[str, dict[str, Any]]:
    import pyarrow.parquet as pq

    rows = [row for path in sorted((version / "data").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    return {row["sample_id"]: row for row in rows}


def test_keys_from_a_pipe_are_decisions(dataset: Path) -> None:
    done = press(dataset, "ar2rtfar too short\ns")
    assert done.code == 0, done.err
    assert [choice for _, choice in decisions(dataset)] == ["accept", "reject", "reject"]
    (folder,) = [path for path in (dataset / "reviews").iterdir() if path.is_dir()]
    assert [one.why for one in read_reviews(folder)["ann"].values()] == ["", "wrong_count", "far too short"]
    assert "3 of 16 reviewed" in done.err


def test_same_command_goes_on_with_what_was_not_decided(dataset: Path) -> None:
    press(dataset, "aa")
    first = decisions(dataset)
    press(dataset, "r\n")
    assert decisions(dataset)[:2] == first
    assert decisions(dataset)[2][1] == "reject"


def test_two_reviewers_with_the_same_flags_see_the_same_samples(dataset: Path) -> None:
    flags = ("--sample", "3", "--type", "detail", "--seed", "4")
    press(dataset, "aaaaaa", "ann", *flags)
    press(dataset, "r\nr\nr\nr\n", "bob", *flags)
    of_ann, of_bob = decisions(dataset, "ann"), decisions(dataset, "bob")
    assert len(of_ann) == 3
    assert [sample_id for sample_id, _ in of_ann] == [sample_id for sample_id, _ in of_bob]
    assert all("/detail/" in sample_id for sample_id, _ in of_ann)


def test_undo_reaches_back_into_an_earlier_run(dataset: Path) -> None:
    press(dataset, "aar\n")
    press(dataset, "uu")
    assert [choice for _, choice in decisions(dataset)] == ["accept"]


def test_kill_loses_no_decision(dataset: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "instructgen", "review", str(dataset), "--by", "ann"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("aar\n")
    process.stdin.flush()
    shown = ""
    while "4/16" not in shown:  # the sample after the third decision is on the screen
        piece = process.stdout.read(1)
        assert piece, f"it ended after {shown!r}"
        shown += piece
    process.kill()
    process.communicate(timeout=30)
    assert [choice for _, choice in decisions(dataset)] == ["accept", "accept", "reject"]
    assert press(dataset, "a").code == 0
    assert len(decisions(dataset)) == 4


def test_rejected_rows_leave_edited_answers_replace_and_all_else_stays(dataset: Path) -> None:
    old_folder = find_version(dataset)
    press(dataset, "ar1eA short answer by hand.\n", "ann", "--type", "detail")
    (kept, _), (gone, _), (edited, _) = decisions(dataset)
    done = run_cli("review", dataset, "--apply", "--json")
    assert done.code == 0, done.err
    old, new = read_all(old_folder), read_all(find_version(dataset))
    assert find_version(dataset) == Path(done.result["out"])
    assert old.keys() - new.keys() == {gone}
    assert new[edited]["messages"][1]["content"] == "A short answer by hand."
    assert set(new[edited]["scores"].values()) == {None}
    assert {key: row["review"] for key, row in new.items() if row["review"]} == {kept: "accepted", edited: "edited"}
    for key, row in new.items():
        changed = {"review", "messages", "scores"} if key == edited else {"review"}
        assert {name: row[name] for name in row.keys() - changed} == {
            name: old[key][name] for name in old[key].keys() - changed
        }


def test_manifest_of_the_new_version_adds_up_and_says_who_reviewed(dataset: Path) -> None:
    before = read_manifest(find_version(dataset))
    press(dataset, "ar1r3a", "ann", "--type", "conv")
    press(dataset, "aa", "bob", "--type", "conv")
    manifest = apply(dataset)
    version = find_version(dataset)
    assert read_manifest(version) == manifest
    assert manifest.parent == before.version
    assert manifest.counts.planned == before.counts.planned
    assert manifest.counts.rejected == {**before.counts.rejected, "conv": before.counts.rejected["conv"] + 2}
    assert manifest.counts.reasons["conv"]["reviewer_rejected"] == 2
    assert sum(manifest.counts.accepted.values()) == sum(manifest.splits.values()) == len(read_all(version))
    review = manifest.review
    assert review is not None
    assert (review.of, review.reviewers) == (before.version, {"ann": 4, "bob": 2})
    assert (review.reviewed, review.accepted, review.rejected, review.keep_rate) == (4, 2, 2, 0.5)
    assert (review.agreement[0].num_samples, review.agreement[0].share) == (2, 0.5)
    lines = [json.loads(line) for line in (version / "rejected.jsonl").read_text().splitlines()][-2:]
    assert {(line["stage"], line["reason"], line["sample_type"]) for line in lines} == {
        ("publish", "reviewer_rejected", "conv")
    }
    assert lines[0]["detail"] in ("object_not_there (by ann, bob)", "wrong_place (by ann)")


@pytest.mark.parametrize(
    ("keys", "is_strict"), [("r\n", False), ("eBy hand.\n", False), ("a", True)], ids=["reject", "edit", "strict"]
)
def test_measures_of_the_old_rows_are_not_published_with_others(dataset: Path, keys: str, is_strict: bool) -> None:
    assert read_manifest(find_version(dataset)).metrics is not None
    press(dataset, keys, "ann", "--type", "detail")
    assert apply(dataset, is_strict=is_strict).metrics is None
    assert read_manifest(find_version(dataset)).metrics is None


def test_measures_stay_where_every_row_does(dataset: Path) -> None:
    before = read_manifest(find_version(dataset))
    press(dataset, "aa")
    apply(dataset)
    after = read_manifest(find_version(dataset))
    assert after.version != before.version
    assert after.metrics == before.metrics


def test_same_decisions_on_the_same_version_give_the_same_version(dataset: Path, tmp_path: Path) -> None:
    parent = find_version(dataset)
    press(dataset, "ar1")
    other = Path(shutil.copytree(dataset, tmp_path / "other"))
    names = [apply(folder).version for folder in (dataset, other, parent)]
    assert names == [names[0]] * 3
    press(parent, "a")
    assert apply(parent).version != names[0]


def test_strict_keeps_only_what_somebody_accepted_or_edited(dataset: Path) -> None:
    press(dataset, "aar\n")
    manifest = apply(dataset, is_strict=True)
    assert sum(manifest.splits.values()) == 2
    assert manifest.review is not None
    assert manifest.review.left_out == 13
    assert sum(reasons.get("not_reviewed", 0) for reasons in manifest.counts.reasons.values()) == 13


def test_review_of_a_reviewed_version_goes_on_with_the_rest(dataset: Path) -> None:
    press(dataset, "a" * 15)
    first = find_version(dataset)
    apply(dataset)
    left = read_all(first).keys() - {sample_id for sample_id, _ in decisions(dataset)}
    press(dataset, "r\n")
    assert find_version(dataset) != first
    reviews = read_reviews(dataset / "reviews" / find_version(dataset).name)
    assert reviews["ann"].keys() == left
    apply(dataset)
    assert {row["review"] for row in read_all(find_version(dataset)).values()} == {"accepted"}


def test_version_whose_rows_were_all_rejected_never_becomes_the_latest(dataset: Path) -> None:
    before = find_version(dataset)
    press(dataset, "r\n" * 16)
    done = run_cli("review", dataset, "--apply", "--json")
    assert (done.code, done.result["rows"]) == (4, 0)
    assert find_version(dataset) == before


def test_hugging_face_opens_a_reviewed_version_with_its_pictures(dataset: Path) -> None:
    import datasets

    press(dataset, "areAn answer by hand.\n", "ann", "--type", "detail")
    apply(dataset)
    loaded = datasets.load_dataset(str(dataset), cache_dir=str(dataset.parent / "cache"))["train"]
    assert loaded[0]["images"][0].size[0] > 100
    assert set(loaded["review"]) >= {None}


def test_row_changed_on_disk_is_not_published_again(dataset: Path) -> None:
    press(dataset, "a")
    shard = sorted((find_version(dataset) / "data").glob("*.parquet"))[0]
    shard.write_bytes(shard.read_bytes() + b"x")
    done = run_cli("review", dataset, "--apply")
    assert done.code == 2
    assert "is not the file that its manifest names" in done.err or "cannot be read" in done.err


def test_report_gives_keep_rate_and_agreement(dataset: Path) -> None:
    press(dataset, "aaar2")
    press(dataset, "aar2a", "bob")
    report = run_cli("review", dataset, "--report", "--json").result
    assert report["all"]["reviewed"] == 4
    assert report["all"]["keep_rate"] == 0.5
    assert report["reviewers"]["ann"]["numbers"]["rejected"] == 1
    assert (report["pairs"][0]["share"], report["pairs"][0]["kappa"]) == (0.5, -0.3333)
    assert report["reasons"] == {"wrong_count": 2}
    told = run_cli("review", dataset, "--report").out
    assert "ann and bob: 4 samples both; the same decision on 50%, kappa -0.33" in told


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--apply"], "nobody has reviewed version"),
        (["--apply", "--report"], "give one of them"),
        (["--strict"], "give both"),
        (["--json"], "goes with --report or --apply"),
        (["--type", "poem"], "no sample of type 'poem'"),
        (["--by", "a/" * 40], "--by wants a name"),
    ],
)
def test_wrong_use_is_told_in_one_line(dataset: Path, flags: list[str], said: str) -> None:
    done = run_cli("review", dataset, *flags)
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_decisions_on_another_version_are_refused(dataset: Path) -> None:
    press(dataset, "a")
    (path,) = (dataset / "reviews").glob("*/ann.jsonl")
    path.write_text(path.read_text().replace("/0", "/7"))
    done = run_cli("review", dataset, "--apply")
    assert done.code == 2
    assert "does not hold" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="no pty")
def test_terminal_of_80_columns_takes_keys_and_opens_the_editor(dataset: Path, tmp_path: Path) -> None:
    editor = tmp_path / "editor.py"
    editor.write_text("import sys\nopen(sys.argv[1], 'w').write('Written in an editor.')\n")
    flags = ("--by", "ann", "--type", "detail")
    changed = {"EDITOR": f"{sys.executable} {editor}", "VISUAL": "", "TERM": "xterm"}
    process, terminal = start_on_terminal("review", dataset, *flags, **changed)
    screen = read_until(terminal, "q quit")
    assert "1/8" in screen
    os.write(terminal, b"e")
    read_until(terminal, "2/8")
    os.write(terminal, b"\x1b[D")
    read_until(terminal, "Written in an editor.")
    os.write(terminal, b"\x03")
    read_until(terminal, "--apply")
    assert process.wait() == 0
    assert [choice for _, choice in decisions(dataset)] == ["edit"]


_WAIT_S = 60.0  # a program that waits for a key that never came must not stop the tests


def read_until(terminal: int, text: str) -> str:
    seen = b""
    while text.encode() not in seen:
        try:
            is_there = bool(select.select([terminal], [], [], _WAIT_S)[0])
            part = os.read(terminal, 4096) if is_there else b""
        except OSError:  # Linux says so at the end
            part = b""
        if not part:
            raise AssertionError(f"'{text}' never came: {seen.decode(errors='replace')}")
        seen += part
    return seen.decode(errors="replace")


@contextmanager
def page(dataset: Path, *flags: str) -> Iterator[tuple[str, Process]]:
    process = start_cli("review", dataset, "--by", "ann", "--browser", *flags)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("open http://127.0.0.1:"), line + process.stderr.read()
        yield line.split()[1], process
    finally:
        process.kill()
        process.communicate(timeout=30)


def ask(url: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            kind, content = answer.headers["Content-Type"], answer.read()
            return answer.status, json.loads(content) if kind == "application/json" else (kind, content)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())["error"]


def ask_with_length(url: str, length: str) -> int:
    """Announce a body of that many bytes, and send none."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.putrequest("POST", parts.path)
    connection.putheader("Content-Length", length)
    connection.endheaders()
    return connection.getresponse().status


def choose(shown: dict[str, Any], decision: str, **more: Any) -> dict[str, Any]:
    return {
        "sample_id": shown["sample"]["sample_id"],
        "at": shown["at"],
        "decision": decision,
        "seconds": 2.5,
        **more,
    }


def test_page_shows_a_sample_with_its_picture_and_stores_what_is_decided(dataset: Path) -> None:
    with page(dataset, "--type", "detail") as (url, process):
        status, (kind, content) = ask(url)
        assert (status, kind) == (200, "text/html; charset=utf-8")
        assert b"http://" not in content
        assert b"https://" not in content
        shown = ask(f"{url}sample")[1]
        assert shown["num_samples"] == 8
        assert shown["sample"]["captions"]
        kind, picture = ask(f"{url}picture?at=0")[1]
        assert kind == "image/jpeg"
        assert picture.startswith(b"\xff\xd8")
        shown = ask(f"{url}decide", choose(shown, "accept"))[1]
        shown = ask(f"{url}decide", choose(shown, "edit", answers=["By hand."]))[1]
        assert ask(f"{url}sample?at=1")[1]["sample"]["answers"] == ["By hand."]
        shown = ask(f"{url}decide", choose(shown, "reject", why="wrong_count"))[1]
        assert (shown["at"], shown["reviewed"], shown["edited"]) == (3, 3, 1)
        assert [choice for _, choice in decisions(dataset)] == ["accept", "edit", "reject"]
        assert ask(f"{url}undo", {})[1]["at"] == 2
        assert ask(f"{url}quit", {})[1] == {"stopped": True}
        assert process.wait(timeout=30) == 0
    assert [choice for _, choice in decisions(dataset)] == ["accept", "edit"]


def test_page_is_only_for_who_has_its_address(dataset: Path) -> None:
    with page(dataset) as (url, _):
        root = url.rsplit("/", 2)[0]
        assert ask(f"{root}/")[0] == 404
        assert ask(f"{root}/{'a' * 32}/sample")[0] == 404
        assert ask(f"{url}sample", Host="evil.example")[0] == 403
        assert ask(f"{url}../../etc/passwd")[0] == 404


def test_page_refuses_what_makes_no_sense(dataset: Path) -> None:
    with page(dataset) as (url, _):
        shown = ask(f"{url}sample")[1]
        for wrong in ({"decision": "maybe"}, {"decision": "accept", "extra": 1}, {"decision": "accept", "at": "x"}):
            assert ask(f"{url}decide", {**choose(shown, "accept"), **wrong})[0] == 400
        assert ask(f"{url}decide", {**choose(shown, "accept"), "at": 99})[0] == 404
        assert ask(f"{url}decide", {**choose(shown, "accept"), "sample_id": "other"})[0] == 409
        assert ask(f"{url}decide", choose(shown, "edit", answers=["</s>"] * 9))[0] == 422
        assert ask(f"{url}undo", {})[0] == 409
        assert ask(f"{url}picture?at=-1")[0] == 404
        assert ask_with_length(f"{url}decide", str(2 << 20)) == 413
        assert ask_with_length(f"{url}decide", "-1") == 413
    assert not [path for path in (dataset / "reviews").rglob("*.jsonl") if path.stat().st_size]


def test_killed_page_keeps_its_decisions_and_ctrl_c_ends_it(dataset: Path) -> None:
    with page(dataset) as (url, process):
        ask(f"{url}decide", choose(ask(f"{url}sample")[1], "accept"))
        process.send_signal(signal.SIGKILL)
    with page(dataset) as (url, process):
        assert ask(f"{url}sample")[1]["reviewed"] == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_name_that_is_at_work_already_is_refused(dataset: Path) -> None:
    with page(dataset):
        done = press(dataset, "a")
        assert done.code == 2
        assert "another window" in done.err


def test_picture_comes_from_the_folder_and_not_from_outside_it(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "pictures" / "a.jpg")
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.jpg")
    finder = PictureFinder(tmp_path / "pictures", None)
    assert finder.read("coco/1", "a.jpg") == (tmp_path / "pictures" / "a.jpg").read_bytes()
    assert finder.read("coco/1", "../secret.jpg") is None
    assert finder.read("coco/1", str(tmp_path / "secret.jpg")) is None


def test_export_beside_the_versions_is_written_again(dataset: Path) -> None:
    from instructgen.dataset.exports import EXPORTS

    folder = dataset / "exports" / "filter_cap"
    EXPORTS["filter_cap"](LocalVersion(find_version(dataset)), folder, lambda _, __: None)
    before = json.loads((folder / "filter_cap.json").read_text())["annotations"]
    press(dataset, "reBy hand.\n", "ann", "--type", "detail")
    result = run_cli("review", dataset, "--apply", "--json").result
    after = json.loads((folder / "filter_cap.json").read_text())["annotations"]
    assert result["exports"] == {"filter_cap": len(before) - 1}
    assert len(after) == len(before) - 1
