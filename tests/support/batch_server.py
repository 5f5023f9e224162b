"""A chat server with a batch API: /v1/files and /v1/batches, over real HTTP, with its own books of who asked what.

A batch goes one status further each time it is looked at, and ends as the test says.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.support.chat_server import Act, ChatServer, _send

_OUT = ("validating", "in_progress", "finalizing")
_PAGE = 3  # batches and files on a page, so that every test turns pages


@dataclass(frozen=True, slots=True)
class Ending:
    """How a batch ends. The first `num_answered` requests are worked on, the others only where it is None.

    `refuse` gives a request's status and error instead of its answer. `mend_output` and `mend_error` change the
    finished lines.
    """

    status: str = "completed"
    num_looks: int = 3
    num_answered: int | None = None
    errors: tuple[dict[str, Any], ...] = ()
    refuse: Callable[[int], tuple[int, dict[str, Any]] | None] = lambda _: None
    mend_output: Callable[[list[bytes]], list[bytes]] = lambda lines: lines
    mend_error: Callable[[list[bytes]], list[bytes]] = lambda lines: lines


@dataclass(slots=True)
class Batch:
    """A batch in the server's books: which requests are in it and which of them it answered and billed."""

    number: int
    batch_id: str
    file_id: str
    metadata: dict[str, str]
    ending: Ending
    lines: list[dict[str, Any]]
    ids: list[str]
    status: str = "validating"
    num_looks: int = 0
    answered: set[str] = field(default_factory=set)
    output_file_id: str | None = None
    error_file_id: str | None = None
    ended_after: int | None = None  # batches that were there when it ended


class BatchServer(ChatServer):
    """`calls` are the API's calls, as "POST /batches"; `act` may answer one otherwise, before or after it is done.

    `mistakes` is what OpenAI would have refused. `hold` keeps every batch where it is.
    """

    def __init__(self, *, end: Callable[[int, list[str]], Ending] = lambda number, ids: Ending()) -> None:
        super().__init__()
        self.end = end
        self.calls: list[str] = []
        self.act: Callable[[int, str], Act | None] = lambda number, call: None
        self.act_after: Callable[[int, str], Act | None] = lambda number, call: None
        self.before: Callable[[str], None] = lambda call: None
        self.after: Callable[[str], None] = lambda call: None
        self.hold = False
        self.max_requests = 50_000
        self.max_bytes = 200_000_000
        self.max_enqueued: int | None = None
        self.has_batch_api = True
        self.mistakes: list[str] = []
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.batches: dict[str, Batch] = {}
        self.deleted: list[str] = []

    def __enter__(self) -> Self:
        return super().__enter__()

    @property
    def batched(self) -> Counter[str]:
        """How many batches each request was put into."""
        return Counter(custom_id for batch in self.batches.values() for custom_id in batch.ids)

    @property
    def bought(self) -> Counter[str]:
        """How often each request was answered, and so billed."""
        return Counter(custom_id for batch in self.batches.values() for custom_id in batch.answered)

    def asked_again_without_need(self) -> list[str]:
        """Return the requests that came in a batch though an earlier one was still out with them or answered them."""
        found: list[str] = []
        batches = list(self.batches.values())
        for later in batches:
            for earlier in batches[: later.number]:
                still_out = earlier.ended_after is None or earlier.ended_after > later.number
                shared = set(later.ids) & set(earlier.ids)
                found += shared if still_out else shared & earlier.answered
        return found

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, life: int) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        method, target, _ = first.split(" ")
        if target.startswith("/v1/chat/"):
            again = asyncio.StreamReader(limit=2**30)
            again.feed_data(head + raw)
            return await super()._exchange(again, writer, life)
        act = self._serve_call(method, target, headers, raw)
        await _send(writer, act, act.body or b"")
        if act.cut_at is not None or act.then != "keep":
            writer.transport.abort() if act.then == "reset" else writer.close()
            return False
        return True

    def _serve_call(self, method: str, target: str, headers: dict[str, str], raw: bytes) -> Act:
        number = len(self.calls)
        call = f"{method} {re.sub(r'(file|batch)-[0-9]+', 'ID', urlsplit(target).path.removeprefix('/v1'))}"
        self.calls.append(call)
        if not headers.get("authorization", "").startswith("Bearer "):
            self.mistakes.append(f"{call}: no key")
        if not self.has_batch_api:
            return _json({"detail": "Not Found"}, 404)
        self.before(call)
        act = self.act(number, call)
        if act is not None and act.cut_at is None:
            return act
        done = self._perform_call(method, target, headers, raw)
        self.after(call)
        if act is not None:
            return Act(done.status, done.headers, done.body, cut_at=act.cut_at, then=act.then)
        return self.act_after(number, call) or done

    def _perform_call(self, method: str, target: str, headers: dict[str, str], raw: bytes) -> Act:
        path, query = urlsplit(target).path.removeprefix("/v1"), parse_qs(urlsplit(target).query)
        match (method, *path.strip("/").split("/")):
            case ("POST", "files"):
                return self._take_file(headers, raw)
            case ("GET", "files"):
                return _page(list(self.files.values())[::-1], query)
            case ("GET", "files", file_id, "content"):
                if file_id not in self.contents:
                    return _error(404, f"No such File object: {file_id}")
                return Act(headers={"content-type": "application/octet-stream"}, body=self.contents[file_id])
            case ("DELETE", "files", file_id):
                self.contents.pop(file_id, None)
                self.files.pop(file_id, None)
                self.deleted.append(file_id)
                return _json({"id": file_id, "object": "file", "deleted": True})
            case ("POST", "batches"):
                return self._begin(json.loads(raw))
            case ("GET", "batches"):
                return _page([self._describe(batch) for batch in list(self.batches.values())[::-1]], query)
            case ("GET", "batches", batch_id):
                if batch_id not in self.batches:
                    return _error(404, f"No batch found with id '{batch_id}'")
                self._go_on(self.batches[batch_id])
                return _json(self._describe(self.batches[batch_id]))
        return _error(404, f"unknown path {path}")

    def _take_file(self, headers: dict[str, str], raw: bytes) -> Act:
        found = re.search(r'boundary="?([^";]+)', headers.get("content-type", ""))
        assert found is not None, headers
        parts = raw.split(b"--" + found.group(1).encode())[1:-1]
        fields: dict[str, bytes] = {}
        name = ""
        for part in parts:
            head, _, content = part.partition(b"\r\n\r\n")
            label = re.search(rb'name="([^"]+)"', head)
            assert label is not None
            fields[label.group(1).decode()] = content[:-2]
            if (given := re.search(rb'filename="([^"]+)"', head)) is not None:
                name = given.group(1).decode()
        if fields.get("purpose") != b"batch":
            self.mistakes.append(f"purpose {fields.get('purpose')!r}")
        return _json(self._add_file(name, fields["file"], "batch"))

    def _add_file(self, name: str, content: bytes, purpose: str) -> dict[str, Any]:
        file_id = f"file-{len(self.files) + len(self.deleted):04}"
        self.contents[file_id] = content
        self.files[file_id] = {
            "id": file_id,
            "object": "file",
            "bytes": len(content),
            "created_at": 1,
            "filename": name,
            "purpose": purpose,
            "status": "processed",
        }
        return self.files[file_id]

    def _begin(self, asked: dict[str, Any]) -> Act:
        file_id = asked.get("input_file_id", "")
        if file_id not in self.contents:
            return _error(400, f"Cannot find file {file_id}, or the project does not have access to it.")
        if asked.get("endpoint") != "/v1/chat/completions" or asked.get("completion_window") != "24h":
            self.mistakes.append(f"a batch with {asked}")
        lines = self._read_lines(self.contents[file_id])
        number = len(self.batches)
        ids = [line["custom_id"] for line in lines]
        batch = Batch(
            number, f"batch-{number:04}", file_id, asked.get("metadata") or {}, self.end(number, ids), lines, ids
        )
        self.batches[batch.batch_id] = batch
        return _json(self._describe(batch))

    def _read_lines(self, content: bytes) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in content.splitlines()]
        if len(lines) > self.max_requests or len(content) > self.max_bytes:
            self.mistakes.append(f"{len(lines)} requests, {len(content)} bytes in one file")
        if len({line["custom_id"] for line in lines}) < len(lines):
            self.mistakes.append("a custom_id twice in one file")
        for line in lines:
            if set(line) != {"custom_id", "method", "url", "body"} or line["url"] != "/v1/chat/completions":
                self.mistakes.append(f"a line with {sorted(line)}")
            if not line["body"].get("messages") or not line["body"].get("model"):
                self.mistakes.append("a request without messages or model")
        return lines

    def _go_on(self, batch: Batch) -> None:
        if batch.ended_after is not None or self.hold:
            return
        batch.num_looks += 1
        enqueued = sum(
            len(other.ids)
            for other in self.batches.values()
            if other is not batch and other.ended_after is None and other.status == "in_progress"
        )
        if self.max_enqueued is not None and batch.status == "validating":
            if enqueued + len(batch.ids) > self.max_enqueued:
                fault = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached.", "line": None}
                batch.ending = Ending("failed", num_answered=0, errors=(fault,))
                self._finish(batch)
                return
            batch.status = "in_progress"
        elif batch.num_looks >= batch.ending.num_looks:
            self._finish(batch)
        else:
            batch.status = _OUT[min(batch.num_looks, 2)]

    def _finish(self, batch: Batch) -> None:
        ending = batch.ending
        batch.status = ending.status
        batch.ended_after = len(self.batches)
        output: list[bytes] = []
        failed: list[bytes] = []
        num_done = len(batch.lines) if ending.num_answered is None else ending.num_answered
        for number, line in enumerate(batch.lines):
            refused = ending.refuse(number)
            if number >= num_done:
                error = {"code": f"batch_{ending.status}", "message": "The batch ended before this request."}
                failed.append(_line(line["custom_id"], None, error))
            elif refused is not None:
                response = {"status_code": refused[0], "request_id": "r", "body": {"error": refused[1]}}
                failed.append(_line(line["custom_id"], response, None))
            else:
                batch.answered.add(line["custom_id"])
                response = {"status_code": 200, "request_id": "r", "body": self.complete(line["body"])}
                output.append(_line(line["custom_id"], response, None))
        if ending.status == "failed":
            return
        output, failed = ending.mend_output(output), ending.mend_error(failed)
        if output:
            batch.output_file_id = self._add_file("output.jsonl", b"".join(output), "batch_output")["id"]
        if failed:
            batch.error_file_id = self._add_file("error.jsonl", b"".join(failed), "batch_output")["id"]

    def _describe(self, batch: Batch) -> dict[str, Any]:
        errors = [{"param": None, **error} for error in batch.ending.errors] if batch.status == "failed" else None
        return {
            "id": batch.batch_id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "errors": {"object": "list", "data": errors} if errors else None,
            "input_file_id": batch.file_id,
            "completion_window": "24h",
            "status": batch.status,
            "output_file_id": batch.output_file_id,
            "error_file_id": batch.error_file_id,
            "created_at": 1 + batch.number,
            "request_counts": {"total": len(batch.ids), "completed": len(batch.answered), "failed": 0},
            "metadata": batch.metadata,
        }


def _line(custom_id: str, response: dict[str, Any] | None, error: dict[str, Any] | None) -> bytes:
    row = {"id": f"batch_req_{custom_id[:8]}", "custom_id": custom_id, "response": response, "error": error}
    return json.dumps(row).encode() + b"\n"


def _json(value: object, status: int = 200) -> Act:
    return Act(status, body=json.dumps(value).encode())


def _error(status: int, message: str, code: str | None = None) -> Act:
    return _json(
        {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}, status
    )


def _page(rows: list[dict[str, Any]], query: dict[str, list[str]]) -> Act:
    after = query.get("after", [""])[0]
    start = next((number + 1 for number, row in enumerate(rows) if row["id"] == after), 0)
    page = rows[start : start + _PAGE]
    return _json({"object": "list", "data": page, "has_more": start + _PAGE < len(rows)})
