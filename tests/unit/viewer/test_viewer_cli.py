"""The command, and the server on a real port."""

import http.client
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import typer
from typer.testing import CliRunner

from instructgen.cli import view as command
from instructgen.errors import InstructgenError
from tests.support.viewer import make_rows, viewing, write_store

pytest.importorskip("duckdb", reason="the viewer's extra is not installed")
pytest.importorskip("uvicorn", reason="the viewer's extra is not installed")

from instructgen.viewer.serve import HOST, ViewServer, door_file


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_store(tmp_path / "ds", make_rows(3))
    return tmp_path / "ds"


def run(*arguments: object) -> BaseException | None:
    app = typer.Typer()
    command.add_to(app)
    return CliRunner().invoke(app, [str(one) for one in arguments]).exception


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "nowhere"),
        (("ds@v9",), "no version or tag 'v9'"),
        (("ds", "--by", "ann"), "give --review too"),
        (("ds", "--root", "no-coco"), "no-coco"),
        (("ds", "ds", "--review"), "--review goes with one dataset"),
    ],
)
def test_wrong_use_is_told(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(dataset.parent)
    error = run(*arguments, "--no-open")
    assert isinstance(error, InstructgenError)
    assert message in str(error)


def test_server_answers_on_loopback_alone_and_its_port_is_its_own(dataset: Path) -> None:
    with viewing(dataset) as view:
        server = ViewServer(view.app, 0, view.token)
        with pytest.raises(InstructgenError, match=r"give another --port"):
            ViewServer(view.app, server.port, view.token)
        assert urlsplit(server.address()).hostname == HOST == "127.0.0.1"
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        while not server.server.started:
            time.sleep(0.01)
        connection = http.client.HTTPConnection(HOST, server.port, timeout=20)
        connection.request("GET", server.address("/?q=dog").removeprefix(server.base))
        answer = connection.getresponse()
        answer.read()
        assert (answer.status, answer.getheader("location")) == (303, "/?q=dog")
        cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
        connection.request("GET", "/?q=dog", headers={"Cookie": cookie})
        answer = connection.getresponse()
        assert answer.status == 200
        assert b'class="card"' in answer.read()
        assert answer.getheader("server") is None
        connection.close()
        server.server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def test_word_of_the_run_is_in_no_argument_of_the_browser(tmp_path: Path) -> None:
    with door_file("http://127.0.0.1:1/?q=a&token=secret") as path:
        assert "secret" not in path.as_uri()
        assert path.stat().st_mode & 0o077 == 0
        assert 'content="0;url=http://127.0.0.1:1/?q=a&amp;token=secret"' in path.read_text(encoding="utf-8")
    assert not path.exists()
