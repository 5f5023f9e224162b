"""`instructgen fetch` as a process: killed at any moment it goes on, and asks for nothing again that was there.

What counts is the server's record.
"""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import environment, finish, kill, run_cli, start_cli
from tests.support.fetching import read_index, write_table
from tests.support.picture_server import PictureServer, answer, drip, later, make_jpeg, redirect, serve

NUM_PICTURES = 150
NUM_KILLS = 5
PER_HOST = 8


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with PictureServer() as made:
        yield made


def arguments(table: Path, out: Path, *more: str) -> list[str | Path]:
    return ["fetch", "images", table, "--out", out, "--allow-private", "--json", *more]


def find_pictures(out: Path) -> set[str]:
    return {path.stem for path in (out / "images").rglob("*.jpg")}


def wait_for(condition: "object", timeout_s: float = 30) -> bool:
    end_s = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end_s:
            return False
        time.sleep(0.002)
    return True


def test_killed_at_many_moments_no_finished_picture_is_asked_again(server: PictureServer, tmp_path: Path) -> None:
    """Pictures that are there at the kill are asked for no more, and each is whole whenever it is seen."""
    draw = random.Random(7)
    out = tmp_path / "out"
    bodies = {f"p{number:03}": make_jpeg(number) for number in range(NUM_PICTURES)}
    for key, body in bodies.items():
        server.add(key, later(serve(body), 0.03))
    table = write_table(tmp_path / "t.jsonl", ({"id": key, "url": server.url(key)} for key in bodies))
    num_kills = 0
    for moment in sorted(draw.sample(range(1, NUM_PICTURES - 20), NUM_KILLS)):
        process = start_cli(*arguments(table, out))
        wait_for(
            lambda moment=moment, process=process: len(find_pictures(out)) >= moment or process.poll() is not None
        )
        time.sleep(draw.uniform(0, 0.03))
        kill(process)
        num_kills += process.returncode == -signal.SIGKILL
        there = find_pictures(out)
        assert all((path.read_bytes() == bodies[path.stem]) for path in (out / "images").rglob("*.jpg"))
        server.log.append(marker := server.log[-1].__class__("kill", "", 0.0, {}))
        marker.headers = dict.fromkeys(there, "")
    done = run_cli(*arguments(table, out))
    assert done.code == 0, done.err
    assert num_kills >= NUM_KILLS // 2, "hardly any kill came before the end"
    assert find_pictures(out) == set(bodies)
    finished: set[str] = set()
    asked_again = []
    for asked in server.log:
        if asked.name == "kill":
            finished |= set(asked.headers)
        elif asked.name in finished:
            asked_again.append(asked.name)
    assert asked_again == []
    num_asked = sum(each.name != "kill" for each in server.log)
    assert num_asked <= NUM_PICTURES + num_kills * 2 * PER_HOST  # in flight, or on their way to the disk
    index = read_index(out)
    assert set(index) == set(bodies)
    assert done.result["there"] == NUM_PICTURES


def test_killed_in_the_middle_of_a_large_picture_it_asks_for_the_rest(server: PictureServer, tmp_path: Path) -> None:
    body = make_jpeg(1, side=1000, quality=100)
    url = server.add("a", drip(body, 40_000, 0.05))
    table = write_table(tmp_path / "t.jsonl", [{"id": "a", "url": url}])
    out = tmp_path / "out"
    for _ in range(2):
        process = start_cli(*arguments(table, out))
        sent = len(server.log)
        assert wait_for(lambda sent=sent: len(server.log) > sent and server.log[-1].num_sent > 600_000)
        kill(process)
    done = run_cli(*arguments(table, out))
    assert done.code == 0, done.err
    assert next((out / "images").rglob("*.jpg")).read_bytes() == body
    starts = [int(each.range.removeprefix("bytes=").removesuffix("-") or 0) for each in server.log]
    assert starts[0] == 0
    assert 200_000 < starts[1] < starts[2]


def test_killed_between_commit_and_rename_the_picture_appears_without_asking(
    server: PictureServer, tmp_path: Path
) -> None:
    """The one moment in which a committed picture is not at its place."""
    table = write_table(tmp_path / "t.jsonl", [{"id": "a", "url": server.add("a", make_jpeg(1))}])
    out = tmp_path / "out"
    assert run_cli(*arguments(table, out)).code == 0
    picture = next((out / "images").rglob("a.jpg"))
    picture.rename(out / ".fetch" / "new" / "a")
    (out / ".fetch" / "new" / "unknown").write_bytes(b"half")
    assert run_cli(*arguments(table, out)).code == 0
    assert picture.read_bytes() == make_jpeg(1)
    assert server.num_asked("a") == 1
    assert not list((out / ".fetch" / "new").iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_with_3_and_the_next_run_goes_on(
    server: PictureServer, tmp_path: Path, number: signal.Signals
) -> None:
    urls = {f"p{n}": server.add(f"p{n}", later(serve(make_jpeg(n)), 0.1)) for n in range(60)}
    table = write_table(tmp_path / "t.jsonl", ({"id": key, "url": url} for key, url in urls.items()))
    out = tmp_path / "out"
    process = start_cli(*arguments(table, out))
    assert wait_for(lambda: len(find_pictures(out)) >= 8)
    process.send_signal(number)
    ended = finish(process)
    assert ended.code == 3, ended.err
    assert ended.result == {"error": "stopped; the same command goes on from here", "exit_code": 3}
    there = find_pictures(out)
    num_before = len(server.log)
    assert run_cli(*arguments(table, out)).code == 0
    assert there.isdisjoint(each.name for each in server.log[num_before:])


def test_second_process_is_refused_while_the_first_works(server: PictureServer, tmp_path: Path) -> None:
    url = server.add("a", later(serve(make_jpeg(1)), 5))
    table = write_table(tmp_path / "t.jsonl", [{"id": "a", "url": url}])
    process = start_cli(*arguments(table, tmp_path / "out"))
    assert wait_for(lambda: bool(server.log))
    second = run_cli(*arguments(table, tmp_path / "out"))
    kill(process)
    assert second.code == 2
    assert "another process is fetching into" in second.err
    assert len(server.log) == 1


def test_report_counts_what_is_gone_and_ends_with_4(server: PictureServer, tmp_path: Path) -> None:
    lines = [
        f"there\t{server.add('a', make_jpeg(1))}",
        f"gone\t{server.url('b')}",
        f"also gone\t{server.url('c')}",
        f"page\t{server.add('d', answer(200, b'<html>removed</html>'))}",
        f"inside\t{server.add('e', redirect('file:///etc/passwd'))}",
        "wrong\tno address",
    ]
    table = tmp_path / "t.tsv"
    table.write_text("\n".join(lines) + "\n")
    out = tmp_path / "out"
    done = run_cli(*arguments(table, out))
    assert done.code == 4
    assert done.result["reasons"] == {"gone_404": 2, "bad_redirect": 1, "bad_url": 1, "html_page": 1}
    counts = {name: done.result[name] for name in ("rows", "asked", "there", "gone", "failed", "rejected")}
    assert counts == {"rows": 6, "asked": 5, "there": 1, "gone": 4, "failed": 0, "rejected": 1}
    shown = run_cli("fetch", "images", table, "--out", out, "--allow-private")
    assert shown.code == 4
    assert "1 of 6 pictures are there" in shown.out
    assert "gone_404             2  33.3%  the server has no such picture" in shown.out
    server.add("b", make_jpeg(2))
    again = run_cli(*arguments(table, out, "--retry", "gone", "--retry", "failed"))
    assert again.result["there"] == 2


def test_full_disk_is_told_and_the_next_run_goes_on(server: PictureServer, tmp_path: Path) -> None:
    """A limit on the size of files is what a test can have of a full disk."""
    body = make_jpeg(1, side=1200, quality=100)
    table = write_table(tmp_path / "t.jsonl", [{"id": "a", "url": server.add("a", body)}])
    out = tmp_path / "out"
    command = [sys.executable, "-m", "instructgen", *map(str, arguments(table, out))]
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 800; exec "$@"', "sh", *command],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "cannot be written" in done.stderr
    assert run_cli(*arguments(table, out)).code == 0
    assert next((out / "images").rglob("*.jpg")).read_bytes() == body


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--retry", "everything"), "give gone or failed"),
        (("--user-agent", "a\nb"), "--user-agent"),
        (("--url-column", "place"), "has no column place"),
    ],
)
def test_wrong_use_ends_with_2_and_makes_no_folder(tmp_path: Path, more: tuple[str, ...], told: str) -> None:
    table = write_table(tmp_path / "t.jsonl", [{"id": "a", "url": "http://127.0.0.1:1/a"}])
    done = run_cli(*arguments(table, tmp_path / "out", *more))
    assert done.code == 2
    assert told in done.result["error"]
    assert not (tmp_path / "out").exists()


def test_killed_while_it_fetches_an_archive_it_asks_for_the_rest(server: PictureServer, tmp_path: Path) -> None:
    import io
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as opened:
        for number in range(20):
            opened.writestr(f"val2017/{number:012}.jpg", make_jpeg(number, side=150, quality=100))
    body = packed.getvalue()
    server.add("zips/val2017.zip", drip(body, 30_000, 0.05))
    command = ["fetch", "coco", "--out", tmp_path, "--what", "images", "--base-url", server.url("").rstrip("/")]
    command += ["--allow-private", "--any-checksum", "--json"]
    process = start_cli(*command)
    assert wait_for(lambda: bool(server.log) and server.log[-1].num_sent > 600_000)
    kill(process)
    done = run_cli(*command)
    assert done.code == 0, done.err
    assert [each.range != "" for each in server.log] == [False, True]
    assert done.result["archives"][0]["num_files"] == 20
    assert (tmp_path / "val2017" / "000000000007.jpg").read_bytes() == make_jpeg(7, side=150, quality=100)
