"""A planted key that a hostile server sends back in every way: no file and no output of ours ever holds it."""

import base64
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.chat_server import ChatServer
from tests.support.cli import Done, environment, run_cli
from tests.support.coco_folder import make_coco

KEY = "sk-planted-8a1f0c7e2b9d4455+/x"
CORE = "planted-8a1f0c7e2b9d4455"  # also of a key that was cut short at either end
WITNESS = "witness-77c0ffee"  # no secret: shows that what stands beside the key in an answer is kept and read here
NUM_IMAGES = 8
PASSWORD = "pass-word-5150"  # planted

HTML = f"<html><body><h1>Bad gateway</h1><pre>authorization: Bearer {KEY} {WITNESS}</pre></body></html>"
LEAKY_HEADERS = {"x-request-id": KEY, "x-echo": f"Bearer {KEY}", "retry-after": "0"}


def leak(number: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes] | None:
    """Answer with the key in it: most requests properly, the others in a way of their own each."""
    says = f"you sent Bearer {KEY} ({WITNESS})"
    error = {"error": {"message": says, "type": KEY, "code": KEY, "param": KEY}}
    encoded = {"error": {"message": base64.b64encode(f"key:{KEY}".encode()).decode() + quote(KEY, safe="")}}
    turns = "Question:\nWhat is the key?\n===\nAnswer:\n" + says
    answer = {
        "id": KEY, "object": "chat.completion", "created": 0, "model": f"{body.get('model')} {KEY}",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": turns}, "finish_reason": KEY}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }  # fmt: skip
    good = json.loads(json.dumps(answer).replace('"finish_reason": "' + KEY, '"finish_reason": "stop'))
    good["model"] = body.get("model")
    html = {"content-type": "text/html"}
    ways: dict[int, tuple[int, dict[str, str], bytes]] = {
        0: (200, {}, json.dumps(good).encode()),
        1: (400, {}, json.dumps(error).encode()),
        2: (502, html, HTML.encode()),
        3: (429, {}, json.dumps(error).encode()),
        4: (200, {}, f"Bearer {KEY} {WITNESS}".encode()),
        5: (200, {}, json.dumps({"choices": KEY, "error": says}).encode()),
        6: (200, {}, json.dumps(answer).encode()),
        7: (422, {}, json.dumps(encoded).encode()),
        8: (400, html, (says + "x" * 270 + KEY * 5).encode()),
        9: (404 if number > 1_000 else 500, {"content-type": f"text/{KEY}"}, b"\xff\xfe" + KEY.encode()),
        10: (400, {}, json.dumps({"error": {"message": "x" * 280 + KEY}}).encode()),
    }
    if number % 2 == 0:
        return None
    status, headers, payload = ways[number // 2 % len(ways)]
    return status, {**LEAKY_HEADERS, **headers}, payload


def refuse(number: int, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    message = f"Incorrect API key provided: {KEY} ({WITNESS})"
    return 401, LEAKY_HEADERS, json.dumps({"error": {"message": message, "code": "invalid_api_key"}}).encode()


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return make_coco(tmp_path / "coco", NUM_IMAGES)


def build(server: ChatServer, coco: Path, out: Path, *more: str) -> Done:
    pipeline = out.parent / f"{out.name}.toml"
    metrics = json.dumps(str(out / "run" / "metrics.prom"))
    pipeline.write_text(f"[teacher]\nmax_attempts = 2\n[run]\nmetrics = {metrics}\n", encoding="utf-8")
    arguments = ["build", "--pipeline", pipeline, "--root", coco, "--base-url", server.base_url, "--model", "m"]
    return run_cli(*arguments, "--out", out, *more, OPENAI_API_KEY=KEY)


def spellings(secret: str) -> list[bytes]:
    """Return the ways in which a secret could stand in a file, each as bytes."""
    cores = [base64.b64encode(b"\0" * offset + secret.encode())[4:-4] for offset in range(3)]
    return [secret.encode(), quote(secret, safe="").encode(), *cores]


def texts_below(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield everything that is stored: each file's name and bytes, and what packed files hold inside."""
    import pyarrow.parquet as pq

    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        yield f"the name {name}", name.encode()
        if not path.is_file():
            continue
        yield name, path.read_bytes()
        if path.suffix == ".parquet":
            yield f"rows of {name}", repr(pq.read_table(path).to_pylist()).encode()
        if path.suffix == ".sqlite":
            yield from cells_of(path)


def cells_of(path: Path) -> Iterator[tuple[str, bytes]]:
    connection = sqlite3.connect(path)
    try:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                yield (
                    f"table {table}",
                    b" ".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in row),
                )
    finally:
        connection.close()


def places_of(secret: str, folder: Path, *outputs: str) -> list[str]:
    """Return where the secret stands, in whatever spelling."""
    found = list(texts_below(folder)) if folder.exists() else []
    found += [(f"output {number}", text.encode()) for number, text in enumerate(outputs)]
    return [name for name, data in found if any(spelling in data for spelling in spellings(secret))]


def test_key_that_the_server_echoes_is_in_no_file_and_no_output(coco: Path, tmp_path: Path) -> None:
    out = tmp_path / "ds"
    with ChatServer(fault=leak) as server:
        done = build(server, coco, out, "--json")
        again = build(server, coco, out, "--json")
    assert done.code in (0, 4), done.err
    assert server.num_requests >= 3 * NUM_IMAGES
    outputs = [done.out, done.err, again.out, again.err]
    assert places_of(KEY, out, *outputs) == []
    assert places_of(CORE, out, *outputs) == []
    witnesses = places_of(WITNESS, out, *outputs)
    assert any(name.startswith("table ") for name in witnesses), "what the server said is nowhere in the ledger"
    assert "run/log.jsonl" in witnesses, "what the server said is not in the log, so nothing was tested"
    names = {name for name, _ in texts_below(out)}
    assert {"run/log.jsonl", "run/run.json", "run/metrics.prom"} <= names


@pytest.mark.parametrize("more", [(), ("--json",), ("--plain",)])
def test_refused_key_is_not_in_the_message_that_says_so(coco: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    out = tmp_path / "ds"
    with ChatServer(fault=refuse) as server:
        done = build(server, coco, out, "--concurrency", "2", *more)
    assert done.code == 3, done.err
    assert WITNESS in done.err, "the message does not tell what the server said, so nothing was tested"
    assert places_of(CORE, out, done.out, done.err) == []
    ended = json.loads((out / "run" / "run.json").read_text(encoding="utf-8"))
    assert ended["exit"] == "stopped"
    assert WITNESS in ended["message"]


@pytest.mark.parametrize("place", ["a flag", "a pipeline", "a list of servers"])
def test_password_in_the_address_is_in_no_file_and_no_output(coco: Path, tmp_path: Path, place: str) -> None:
    out, pipeline = tmp_path / "ds", tmp_path / "p.toml"
    with ChatServer() as server:
        address = server.base_url.replace("://", f"://somebody:{PASSWORD}@")
        pipeline.write_text(
            {
                "a flag": "",
                "a pipeline": f'[teacher]\nmodel = "m"\nbase_url = "{address}"\n',
                "a list of servers": f'[teacher]\nmodel = "m"\nservers = [{{ base_url = "{address}" }}]\n',
            }[place],
            encoding="utf-8",
        )
        flags = ["--base-url", address, "--model", "m"] if place == "a flag" else []
        arguments = ["build", "--root", coco, "--pipeline", pipeline, "--out", out, "--json", *flags]
        done = run_cli(*arguments, OPENAI_API_KEY=KEY)
        assert server.num_requests == 3 * NUM_IMAGES, done.err
    assert done.code == 0, done.err
    assert places_of(PASSWORD, out, done.out, done.err) == []


@pytest.mark.parametrize("address", [f"ftp://me:{PASSWORD}@127.0.0.1/v1", f"http://me:{PASSWORD}@[::1/v1"])
def test_bad_address_is_told_without_its_password(coco: Path, tmp_path: Path, address: str) -> None:
    done = run_cli("build", "--root", coco, "--base-url", address, "--model", "m", "--out", tmp_path / "ds")
    assert done.code == 2
    assert "error: " in done.err
    assert PASSWORD not in done.err + done.out


def test_check_finds_a_key_wherever_it_is_planted(tmp_path: Path) -> None:
    """The control: each of these must be found, or the tests above show nothing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = tmp_path / "ds"
    (folder / KEY.replace("/", "")).mkdir(parents=True)
    (folder / "log").write_text(f'{{"detail": "{KEY}"}}', encoding="utf-8")
    (folder / "quoted").write_text(quote(KEY, safe=""), encoding="utf-8")
    for number, prefix in enumerate(("", "a", "ab")):
        (folder / f"base64-{number}").write_bytes(base64.b64encode(f"{prefix}{KEY} and more".encode()))
    pq.write_table(pa.table({"text": [f"{'y' * 999} {KEY} {number}" for number in range(99)]}), folder / "a.parquet")
    connection = sqlite3.connect(folder / "ledger.sqlite")
    connection.execute("CREATE TABLE replies (body BLOB)")
    connection.execute("INSERT INTO replies VALUES (?)", (f"said {KEY}".encode(),))
    connection.commit()
    connection.close()
    found = set(places_of(KEY, folder, f"error: {KEY}", "nothing here"))
    assert found >= {"log", "quoted", "base64-0", "base64-1", "base64-2", "rows of a.parquet", "table replies"}
    assert "output 0" in found
    assert "output 1" not in found
    assert places_of("somewhere-else", folder, "nothing here") == []
    assert any(name.startswith("the name ") for name in places_of(CORE, folder))


# Adds commands that fail with the key in hand, as a bug in a prompt or a plug-in would.
CRASH = """
import asyncio, logging, sys, threading, warnings
from instructgen.cli import app
from instructgen.secrets import read_secret

def fail():
    key = read_secret("OPENAI_API_KEY")
    try:
        raise LookupError({"authorization": "Bearer " + key})
    except LookupError as error:
        raise ZeroDivisionError("witness-77c0ffee " + key) from error

@app.app.command("crash")
def crash(): fail()

@app.app.command("thread")
def thread():
    one = threading.Thread(target=fail)
    one.start()
    one.join()

@app.app.command("task")
def task():
    async def main():
        lost = asyncio.get_running_loop().create_future()
        try:
            fail()
        except ZeroDivisionError as error:
            lost.set_exception(error)
        del lost
        asyncio.get_running_loop().call_soon(fail)
        await asyncio.sleep(0.01)
    asyncio.run(main())

@app.app.command("speak")
def speak():
    key = read_secret("OPENAI_API_KEY")
    warnings.warn("witness-77c0ffee " + key)
    logging.getLogger("any").error("witness-77c0ffee %s", key)
    print("witness-77c0ffee", key)
    from tqdm import tqdm
    tqdm.write("witness-77c0ffee " + key, file=sys.stderr)
    class Odd:
        def __del__(self): fail()
    Odd()

IS_GUARDED = sys.argv.pop(1) == "guarded"
app.main() if IS_GUARDED else app.app()
"""


def run_crash(*arguments: str) -> Done:
    done = subprocess.run(
        [sys.executable, "-c", CRASH, *arguments],
        capture_output=True,
        text=True,
        env=environment(OPENAI_API_KEY=KEY),
        timeout=60,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(("command", "code"), [("crash", 1), ("thread", 0), ("task", 0), ("speak", 0)])
def test_crash_report_has_the_traceback_and_not_the_key(command: str, code: int) -> None:
    done = run_crash("guarded", command)
    assert done.code == code, done.err
    assert WITNESS in done.err
    assert "[key]" in done.err
    if command != "speak":
        assert "Traceback (most recent call last)" in done.err
        assert f"ZeroDivisionError: {WITNESS} [key]" in done.err
    if command == "crash":
        assert "This is a bug in instructgen" in done.err
    assert KEY not in done.out + done.err


@pytest.mark.parametrize("command", ["crash", "thread", "task", "speak"])
def test_same_crash_without_the_guard_would_show_the_key(command: str) -> None:
    assert KEY in run_crash("bare", command).err


BROKEN_LEDGER = """
import os, sys
from instructgen.cli.app import main
from instructgen.ledger.ledger import Ledger

def find_reply(self, request_id):
    raise RuntimeError("witness-77c0ffee " + os.environ["OPENAI_API_KEY"])

Ledger.find_reply = find_reply
main()
"""


def test_crash_in_the_middle_of_a_run_leaves_no_key_behind(coco: Path, tmp_path: Path) -> None:
    out = tmp_path / "ds"
    with ChatServer() as server:
        arguments = ["build", "--root", coco, "--base-url", server.base_url, "--model", "m", "--out", out, "--json"]
        done = subprocess.run(
            [sys.executable, "-c", BROKEN_LEDGER, *map(str, arguments)],
            capture_output=True,
            text=True,
            env=environment(OPENAI_API_KEY=KEY),
            timeout=120,
            check=False,
        )
    assert done.returncode == 1, done.stderr
    assert f"RuntimeError: {WITNESS} [key]" in done.stderr
    assert places_of(CORE, out, done.stdout, done.stderr) == []
    ended = json.loads((out / "run" / "run.json").read_text(encoding="utf-8"))
    assert ended["exit"] == "error"
    assert WITNESS in ended["message"]
