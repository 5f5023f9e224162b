"""Finds a teacher's servers where a job wrote them down, or where Ray Serve runs them."""

import http.client
import ipaddress
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from instructgen.config import ServerConfig, TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.secrets import read_secret, redact, register_url, strip_url
from instructgen.teachers.openai_chat import find_address

_SERVE_PATH = "/api/serve/applications/"  # Ray Serve's REST API, which its dashboard serves
_TOKEN_NAME = "RAY_AUTH_TOKEN"  # noqa: S105  the variable that Ray's own clients read
_TIMEOUT_S = 10.0
_MAX_ANSWER_BYTES = 32_000_000
_LOCALHOST = "localhost"


class _Proxy(Struct, frozen=True):
    """Of one node; requests that it takes go to any replica."""

    status: str
    node_ip: str | None = None


class _Http(Struct, frozen=True):
    host: str = "127.0.0.1"
    port: int = 8000


class _Application(Struct, frozen=True):
    status: str
    route_prefix: str | None = None


class _Serve(Struct, frozen=True):
    """What is read of the answer (ray.serve.schema.ServeInstanceDetails)."""

    applications: dict[str, _Application] = {}
    proxies: dict[str, _Proxy] = {}
    http_options: _Http | None = None


def find_servers(teacher: TeacherConfig) -> TeacherConfig:
    """Return the teacher with the servers that its `endpoints` lead to; one without them as it is.

    Raises InstructgenError where nothing is found there.
    """
    place = teacher.endpoints
    if place is None:
        return teacher
    if teacher.base_url is not None or teacher.servers:
        raise InstructgenError("endpoints say where the servers are; leave out base_url and servers, or endpoints")
    is_address = place.startswith(("http://", "https://"))
    urls = _ask_serve(place) if is_address else _read_file(Path(place))
    return replace(teacher, endpoints=None, servers=tuple(ServerConfig(base_url=url) for url in urls))


def _read_file(path: Path) -> list[str]:
    """Return the addresses of a file, or of all files of a folder, each once."""
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        texts = {one: one.read_text(encoding="utf-8") for one in files if not one.name.startswith(".")}
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InstructgenError(
            f"endpoints {path} cannot be read ({reason}): wants a file with an address such as http://node-1:8000/v1 "
            "in each line, a folder of such files, or the address of a Ray dashboard"
        ) from None
    urls = dict.fromkeys(url for file, text in texts.items() for url in _list_addresses(file, text))
    if not urls:
        raise InstructgenError(f"endpoints {path} holds no address yet; start the servers that write theirs there")
    return list(urls)


def _list_addresses(path: Path, text: str) -> Iterable[str]:
    """Yield the addresses of a file, one a line; what follows a # is left out."""
    for number, line in enumerate(text.splitlines(), 1):
        url = line.split("#", maxsplit=1)[0].strip()
        if not url:
            continue
        register_url(url)
        if not url.startswith(("http://", "https://")) or " " in url:
            raise InstructgenError(
                f"endpoints {path}, line {number}: {redact(url)} is no address, as http://node-1:8000/v1"
            )
        yield url


def _ask_serve(place: str) -> list[str]:
    """Return an address for each node that takes requests to the application; `#name` at the end chooses one."""
    address = find_address(place)
    parts = urlsplit(address.base_url)
    where = f"endpoints {strip_url(place)}"
    url = parts._replace(path=parts.path.rstrip("/") + _SERVE_PATH, fragment="").geturl()
    token = read_secret(_TOKEN_NAME)
    headers = address.headers if token is None else {"Authorization": f"Bearer {token}"}
    found = _read_serve(urllib.request.Request(url, headers=headers), where)  # noqa: S310  http(s) alone comes here
    prefix = _choose_application(found, unquote(parts.fragment), where)
    options = found.http_options or _Http()
    hosts = [proxy.node_ip for proxy in found.proxies.values() if proxy.status == "HEALTHY" and proxy.node_ip]
    if not hosts:
        raise InstructgenError(f"{where}: no node of Ray Serve takes requests (`serve status` says why)")
    if _is_loopback(options.host):  # it listens for its own machine alone
        hosts = [options.host]
    return [f"http://{_bracket(host)}:{options.port}{prefix.rstrip('/')}/v1" for host in dict.fromkeys(hosts)]


def _read_serve(request: urllib.request.Request, where: str) -> _Serve:
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            content = answer.read(_MAX_ANSWER_BYTES)
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            raise InstructgenError(
                f"{where} wants a token (HTTP {error.code}): put that of the Ray cluster into {_TOKEN_NAME}, as "
                "`ray get-auth-token` prints it"
            ) from None
        raise InstructgenError(
            f"{where} answers HTTP {error.code} to GET {_SERVE_PATH}: it wants the address of a Ray dashboard, "
            "mostly http://HEAD:8265, with Ray Serve"
        ) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = redact(str(getattr(error, "reason", error)))
        raise InstructgenError(
            f"{where}: nothing answers there ({reason}); it wants the address of a Ray dashboard, mostly "
            "http://HEAD:8265, or a file of addresses"
        ) from None
    try:
        return msgspec.json.decode(content, type=_Serve)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InstructgenError(f"{where}: GET {_SERVE_PATH} is not answered as Ray Serve does ({error})") from None


def _choose_application(found: _Serve, name: str, where: str) -> str:
    """Return the path under which the application is reached."""
    running = {
        key: one.route_prefix
        for key, one in found.applications.items()
        if one.status == "RUNNING" and one.route_prefix is not None
    }
    others = ", ".join(f"{key} ({one.status})" for key, one in found.applications.items()) or "none"
    if name in running:
        return running[name]
    if name or not running:
        wanted = f"no application called '{name}' runs" if name else "no application runs"
        raise InstructgenError(f"{where}: {wanted} on Ray Serve with a route; there are: {others}")
    if len(running) > 1:
        names = " or ".join(f"#{key}" for key in running)
        raise InstructgenError(f"{where}: several applications run there; put {names} behind the address")
    return next(iter(running.values()))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == _LOCALHOST


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host
