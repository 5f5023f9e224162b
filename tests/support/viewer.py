"""A viewer over versions that a test writes, asked without a network: one request of ASGI at a time."""

import asyncio
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from instructgen.dataset.columns import Row
from instructgen.dataset.stored import LocalVersion
from instructgen.jobs.view import View, ViewOptions, open_view
from tests.support.versions import make_row_of, write_version

HOST = "127.0.0.1:8000"


class Told(Struct, frozen=True):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


def write_store(out: Path, rows: Sequence[Row], *, tag: str = "latest", **fields: Any) -> LocalVersion:
    """Write a version into a dataset's folder, as a build leaves it."""
    written = write_version(out / "new", rows, **fields)
    name = written.manifest.version
    folder = out / "versions" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    written.folder.rename(folder)
    (out / "tags").mkdir(exist_ok=True)
    (out / "tags" / tag).write_text(f"{name}\n", encoding="utf-8")
    return LocalVersion(folder)


def make_picture(color: tuple[int, int, int] = (200, 80, 40), kind: str = "PNG", side_px: int = 64) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (side_px, side_px), color).save(buffer, kind)
    return buffer.getvalue()


def make_rows(num: int, **of_all: Any) -> list[Row]:
    """Return rows of different types, lengths and doubts, several of them alike in each."""
    rows = []
    for number in range(1, num + 1):
        kind = ("conv", "detail", "reasoning")[number % 3]
        things = ("a dog", "two red cars", "a hot dog", "a café table")
        answer = f"There is {things[number % 4]}" + " and more" * (number % 5) + "."
        row = make_row_of(number, kind, [("What is there?", answer)], of_all.get("picture"))
        rows.append({**row, "scores": {"grounding": (number % 4) / 4, "length": float(number % 7)}})
    return rows


@contextmanager
def viewing(dataset: Path | str, other: Path | str | None = None, **options: Any) -> Iterator[View]:
    asked = ViewOptions(str(dataset), None if other is None else str(other), **options)
    with open_view(asked, lambda text: None) as view:
        yield view


def ask(
    view: View,
    path: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    has_cookie: bool = True,
) -> Told:
    """Return the answer to one request; `headers` of it replace those that a browser of ours would send."""
    address, _, query = path.partition("?")
    sent = {"host": HOST, "sec-fetch-site": "same-origin"}
    if has_cookie:
        sent["cookie"] = f"instructgen-8000={view.token}"
    sent |= headers or {}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": _decode(address),
        "raw_path": address.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }
    return asyncio.run(_ask(view, scope, body))


def _decode(address: str) -> str:
    from urllib.parse import unquote

    return unquote(address)


async def _ask(view: View, scope: dict[str, Any], body: bytes) -> Told:
    said: list[dict[str, Any]] = []
    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if given:
            return given.pop()
        await asyncio.sleep(3600)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)

    await view.app(scope, receive, send)
    start = said[0]
    headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    return Told(start["status"], headers, b"".join(one.get("body", b"") for one in said[1:]))
