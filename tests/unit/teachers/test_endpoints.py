"""A teacher's servers, found in a file and at a loopback server that answers as Ray Serve's REST API does."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from msgspec import convert
from msgspec.structs import replace

from instructgen.config import BuildConfig, TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.jobs.lanes import find_servers_of
from instructgen.teachers import choose_teacher
from instructgen.teachers.endpoints import find_servers


@dataclass
class Dashboard:
    """What GET /api/serve/applications/ answers; the keys are those of ray.serve.schema.ServeInstanceDetails."""

    url: str = ""
    status: int = 200
    authorization: str = ""
    asked: list[str] = field(default_factory=list)
    answer: Any = field(
        default_factory=lambda: {
            "controller_info": {"node_id": "n1", "node_ip": "10.0.0.1"},
            "proxy_location": "EveryNode",
            "http_options": {"host": "0.0.0.0", "port": 8000, "keep_alive_timeout_s": 90},
            "grpc_options": {"port": 9000},
            "proxies": {
                "n1": {"node_id": "n1", "node_ip": "10.0.0.1", "status": "HEALTHY", "actor_name": "P"},
                "n2": {"node_id": "n2", "node_ip": "fd00::2", "status": "HEALTHY"},
                "n3": {"node_id": "n3", "node_ip": "10.0.0.3", "status": "DRAINING"},
            },
            "deploy_mode": "MULTI_APP",
            "applications": {
                "llm": {
                    "name": "llm",
                    "route_prefix": "/",
                    "docs_path": None,
                    "status": "RUNNING",
                    "deployments": {},
                },
                "old": {"name": "old", "route_prefix": "/old", "status": "DEPLOY_FAILED"},
                "inner": {"name": "inner", "route_prefix": None, "status": "RUNNING"},
            },
        }
    )


@pytest.fixture
def dashboard() -> Iterator[Dashboard]:
    site = Dashboard()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            site.authorization = self.headers.get("Authorization", "")
            body = site.answer if isinstance(site.answer, bytes) else json.dumps(site.answer).encode()
            self.send_response(site.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Not told."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)


def find(place: str) -> list[str | None]:
    return [server.base_url for server in find_servers(TeacherConfig(model="m", endpoints=place)).servers]


def test_nodes_that_take_requests_of_the_running_application_are_the_servers(dashboard: Dashboard) -> None:
    assert find(dashboard.url) == ["http://10.0.0.1:8000/v1", "http://[fd00::2]:8000/v1"]
    assert find(f"{dashboard.url}/") == ["http://10.0.0.1:8000/v1", "http://[fd00::2]:8000/v1"]
    assert dashboard.asked == ["/api/serve/applications/"] * 2


def test_one_of_several_applications_is_chosen_by_its_name(dashboard: Dashboard) -> None:
    dashboard.answer["applications"]["b"] = {"name": "b", "route_prefix": "/b", "status": "RUNNING"}
    with pytest.raises(InstructgenError, match="put #llm or #b behind the address"):
        find(dashboard.url)
    assert find(f"{dashboard.url}#b") == ["http://10.0.0.1:8000/b/v1", "http://[fd00::2]:8000/b/v1"]


@pytest.mark.parametrize("name", ["old", "inner", "none"])
def test_application_that_cannot_be_asked_is_told_with_those_that_there_are(name: str, dashboard: Dashboard) -> None:
    with pytest.raises(InstructgenError, match=rf"'{name}' runs .* llm \(RUNNING\), old \(DEPLOY_FAILED\), inner"):
        find(f"{dashboard.url}#{name}")


def test_serve_that_listens_for_its_own_machine_is_asked_there(dashboard: Dashboard) -> None:
    dashboard.answer["http_options"] = {"host": "127.0.0.1", "port": 8123}
    assert find(dashboard.url) == ["http://127.0.0.1:8123/v1"]
    dashboard.answer["http_options"] = {"host": "localhost", "port": 8123}
    assert find(dashboard.url) == ["http://localhost:8123/v1"]


def test_ray_without_serve_or_without_a_node_says_what_is_missing(dashboard: Dashboard) -> None:
    dashboard.answer["proxies"]["n1"]["status"] = dashboard.answer["proxies"]["n2"]["status"] = "UNHEALTHY"
    with pytest.raises(InstructgenError, match="no node of Ray Serve takes requests"):
        find(dashboard.url)
    dashboard.answer = {"applications": {}, "proxies": {}, "http_options": None}
    with pytest.raises(InstructgenError, match="no application runs on Ray Serve with a route; there are: none"):
        find(dashboard.url)


def test_answer_of_something_else_is_told(dashboard: Dashboard) -> None:
    dashboard.answer = b"<html>"
    with pytest.raises(InstructgenError, match="not answered as Ray Serve does"):
        find(dashboard.url)
    dashboard.status = 404
    with pytest.raises(InstructgenError, match="HTTP 404"):
        find(dashboard.url)


def test_where_nothing_answers_the_error_says_so_without_the_password() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(InstructgenError, match="nothing answers there") as caught:
            find(f"http://user:very-secret@127.0.0.1:{held.getsockname()[1]}")
    assert "very-secret" not in str(caught.value)


def test_addresses_of_a_file_are_the_servers_each_once(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.txt"
    path.write_text("# of job 7\nhttp://node-1:8000/v1\n\n http://node-2:8000/v1  # rack 2\nhttp://node-1:8000/v1\n")
    assert find(str(path)) == ["http://node-1:8000/v1", "http://node-2:8000/v1"]


def test_files_of_a_folder_are_read_together(tmp_path: Path) -> None:
    """As jobs write them, each its own."""
    for name, url in (("7-2", "http://node-2:8000/v1"), ("7-1", "http://node-1:8000/v1"), (".7-3.swp", "no address")):
        (tmp_path / name).write_text(f"{url}\n")
    assert find(str(tmp_path)) == ["http://node-1:8000/v1", "http://node-2:8000/v1"]


def test_dashboard_is_asked_with_the_token_of_the_cluster(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    find(dashboard.url.replace("http://", "http://me:pass-word@"))
    assert dashboard.authorization == "Basic bWU6cGFzcy13b3Jk"
    monkeypatch.setenv("RAY_AUTH_TOKEN", "token-of-the-cluster")
    find(dashboard.url)
    assert dashboard.authorization == "Bearer token-of-the-cluster"
    dashboard.status = 401
    with pytest.raises(InstructgenError, match="into RAY_AUTH_TOKEN") as caught:
        find(dashboard.url)
    assert "token-of" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no address yet"),
        ("# none\n", "holds no address yet"),
        ("http://a/v1\nnode-1:8000\n", "line 2: node-1"),
    ],
)
def test_file_without_addresses_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "endpoints.txt"
    path.write_text(text)
    with pytest.raises(InstructgenError, match=said):
        find(str(path))
    with pytest.raises(InstructgenError, match="cannot be read"):
        find(str(tmp_path / "none.txt"))


def test_endpoints_name_the_paid_teacher_and_are_found_for_each_teacher(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.txt"
    path.write_text("http://node-1:8000/v1\n")
    teacher = {"model": "m", "endpoints": str(path)}
    assert choose_teacher(TeacherConfig(endpoints=str(path))) == "openai"
    config = convert(
        {
            "teacher": {**teacher, "fallback": teacher},
            "refine": {"rewrite": True, "teacher": teacher},
            "judge": {"teacher": teacher},
        },
        BuildConfig,
    )
    found = find_servers_of(config)
    fallback, refiner, judge = found.teacher.fallback, found.refine.teacher, found.judge.teacher
    assert fallback is not None
    assert refiner is not None
    assert judge is not None
    for one in (found.teacher, fallback, refiner, judge):
        assert [server.base_url for server in one.servers] == ["http://node-1:8000/v1"]
        assert one.endpoints is None
    assert find_servers_of(found) == found


def test_endpoints_beside_other_servers_are_refused() -> None:
    teacher = TeacherConfig(model="m", endpoints="endpoints.txt", base_url="http://a/v1")
    with pytest.raises(InstructgenError, match="leave out base_url and servers"):
        find_servers(teacher)
    assert find_servers(replace(teacher, endpoints=None)).base_url == "http://a/v1"
