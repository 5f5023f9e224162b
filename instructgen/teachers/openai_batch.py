"""OpenAI's batch API: files of requests go up, batches of them are watched, files of answers come back.

One call here is one attempt. Whether to try again, and what has been done already, instructgen.batch.run
knows.
"""

from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from msgspec import Struct

from instructgen.attempts import AttemptError
from instructgen.errors import InstructgenError
from instructgen.records import Cost, Reply, Request
from instructgen.secrets import redact, strip_url
from instructgen.teachers.openai_answer import mend_text
from instructgen.teachers.openai_errors import describe_status, find_reason, read_retry_after_s

if TYPE_CHECKING:
    import openai

METADATA_KEY = "instructgen"
_MAX_DETAIL_CHARS = 300
_MAX_LINE_BYTES = 32_000_000
# A file of 200 MB may take its time; these replace the limits of one chat completion.
_TRANSFER_TIMEOUT_S = 3600.0
_NO_SUCH_API = (404, 405, 501)
_TRANSIENT = frozenset({"timeout", "connection", "rate_limited", "overloaded", "server_error"})
# The word in an answer file's line -> ours; whatever else it says there, the request was not answered.
_LINE_REASONS = {"batch_expired": "batch_expired", "batch_cancelled": "batch_cancelled", "request_timeout": "timeout"}


class BatchServer(Protocol):
    """What of a teacher's server a batch needs (instructgen.teachers.openai_batch_server)."""

    name: str

    @property
    def client(self) -> "openai.AsyncOpenAI":
        """Give the package's own files and batches."""
        ...

    def body(self, request: Request) -> bytes:
        """Return the JSON body of one request."""
        ...

    def most(self, request: Request) -> Cost:
        """Return the most that the request can cost in a batch."""
        ...

    def read(self, completion: bytes, request_id: str, model: str) -> Reply:
        """Return the reply that a chat completion's JSON is, by the rules and the batch price of that model.

        Raises AttemptError for one without a usable answer.
        """
        ...


class ApiError(AttemptError):
    """A call that the server refused or that did not get through. `status` is that of HTTP, if there was one."""

    status: int | None = None


class BatchFault(Struct, frozen=True):
    """What is wrong with a batch as a whole, or with one line of its file."""

    code: str
    message: str
    line: int | None


class RemoteBatch(Struct, frozen=True):
    """A batch as its server tells of it."""

    batch_id: str
    status: str
    key: str | None
    output_file_id: str | None
    error_file_id: str | None
    num_done: int | None
    num_failed: int | None
    faults: tuple[BatchFault, ...]


class AnswerLine(Struct, frozen=True):
    """One line of an answer file: a completion's JSON, or why there is none.

    `is_final` is True where asking again would meet the same refusal.
    """

    custom_id: str
    completion: bytes | None
    reason: str = ""
    detail: str = ""
    is_final: bool = False


class BatchApi:
    """The batch API of one server. Every method raises ApiError where the call fails."""

    def __init__(self, server: BatchServer) -> None:
        self._server = server
        self._client = server.client
        self.address = strip_url(str(self._client.base_url)).rstrip("/")
        # openai is built on httpx or on httpx2; its own addresses tell which.
        self._http: Any = import_module(type(self._client.base_url).__module__.partition(".")[0])

    def explain_missing(self, error: ApiError) -> InstructgenError | None:
        """Return what to tell where the server has no batch API at all."""
        if error.status not in _NO_SUCH_API:
            return None
        return InstructgenError(
            f"{self._server.name} has no batch API ({error.detail} at {self.address}/files); "
            "leave out --batch to ask it request by request"
        )

    async def upload(self, path: Path, name: str) -> str:
        """Send a file of requests; returns the file's id."""
        with path.open("rb") as file:
            sent = await self._call(
                self._client.files.create(
                    file=(name, file, "application/jsonl"), purpose="batch", timeout=_TRANSFER_TIMEOUT_S
                )
            )
        return _wanted_id(sent)

    async def find_file(self, name: str, num_bytes: int) -> str | None:
        """Return the id of a whole file that was sent under this name before."""
        async for file in self._pages(self._client.files.list(purpose="batch")):
            if getattr(file, "filename", None) == name and getattr(file, "bytes", None) in (num_bytes, None):
                return _wanted_id(file)
        return None

    async def submit(self, file_id: str, key: str) -> RemoteBatch:
        """Begin a batch that carries our own key."""
        made = await self._call(
            self._client.batches.create(
                input_file_id=file_id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
                metadata={METADATA_KEY: key},
            )
        )
        return _read_batch(made)

    async def find_batch(self, key: str, dropped: tuple[str, ...]) -> RemoteBatch | None:
        """Return the batch that carries our key and is none of those that were given up."""
        async for listed in self._pages(self._client.batches.list(limit=100)):
            batch = _read_batch(listed)
            if batch.key == key and batch.batch_id not in dropped:
                return batch
        return None

    async def look(self, batch_id: str) -> RemoteBatch:
        return _read_batch(await self._call(self._client.batches.retrieve(batch_id)))

    async def download(self, file_id: str, path: Path) -> None:
        """Write a file's content to `path`; what came before a broken connection stays there."""
        import openai

        opened = self._client.files.with_streaming_response.content(file_id, timeout=_TRANSFER_TIMEOUT_S)
        with path.open("wb") as file:
            try:
                async with opened as response:
                    async for chunk in response.iter_bytes():  # of whatever size: one that must fill up is lost
                        file.write(chunk)
            except openai.OpenAIError as error:
                raise _explain(error) from error
            except (self._http.HTTPError, self._http.StreamError) as error:
                raise _lost(error) from error

    async def delete(self, file_id: str) -> None:
        await self._call(self._client.files.delete(file_id))

    def read_lines(self, path: Path) -> Iterator[AnswerLine | None]:
        """Yield the lines of an answer file; None for one that cannot be read."""
        with path.open("rb") as file:
            while line := file.readline(_MAX_LINE_BYTES):
                if not line.endswith(b"\n") and len(line) == _MAX_LINE_BYTES:
                    while (rest := file.readline(_MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                        continue
                    yield None
                elif not line.isspace():
                    yield self._read_line(line)

    def _read_line(self, line: bytes) -> AnswerLine | None:
        try:
            fields = msgspec.json.decode(line, type=_Line)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        response = fields.response
        if response is None or not response.status_code:
            return _without_response(fields)
        if response.status_code == 200:
            return AnswerLine(fields.custom_id, bytes(response.body))
        error = self._status_error(response)
        reason = find_reason(error)
        is_final = 400 <= error.status_code < 500 and reason == "bad_request"
        return AnswerLine(fields.custom_id, None, reason, clean(describe_status(error)), is_final)

    def _status_error(self, response: "_Response") -> "openai.APIStatusError":
        import openai

        try:
            body = msgspec.json.decode(response.body)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            body = None
        inner = body.get("error", body) if isinstance(body, dict) else body
        request = self._http.Request("POST", f"{self.address}/chat/completions")
        answer = self._http.Response(response.status_code, request=request)
        return openai.APIStatusError("", response=answer, body=inner)

    async def _pages(self, listing: Any) -> AsyncIterator[Any]:
        """Yield what all pages list; a server that gives one page for ever ends at the first it repeats."""
        import openai

        seen: set[object] = set()
        try:
            async for listed in listing:
                listed_id = getattr(listed, "id", None)
                if listed_id in seen:
                    return
                seen.add(listed_id)
                yield listed
        except openai.OpenAIError as error:
            raise _explain(error) from error

    async def _call(self, call: Any) -> Any:
        import openai

        try:
            return await call
        except openai.OpenAIError as error:
            raise _explain(error) from error


class _Response(Struct):
    status_code: int = 0
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Line(Struct):
    custom_id: str
    response: _Response | None = None
    error: object = None


def clean(detail: str) -> str:
    """Keep keys out of what is stored, and a server's page out of the way."""
    return mend_text(" ".join(redact(detail).split()))[:_MAX_DETAIL_CHARS]


def _without_response(fields: _Line) -> AnswerLine:
    error = fields.error if isinstance(fields.error, dict) else {}
    code = str(error.get("code") or "")
    detail = str(error.get("message") or code or "the line holds neither an answer nor an error")
    return AnswerLine(fields.custom_id, None, _LINE_REASONS.get(code, "no_answer"), clean(detail))


def _explain(error: "openai.OpenAIError") -> ApiError:
    import openai

    if isinstance(error, openai.APIStatusError):
        reason = find_reason(error)
        found = ApiError(
            reason,
            clean(describe_status(error)),
            is_worth_retry=reason in _TRANSIENT,
            retry_after_s=read_retry_after_s(error.response.headers),
        )
        found.status = error.status_code
        return found
    if isinstance(error, openai.APIConnectionError):
        return _lost(error)
    return ApiError("bad_response", clean(f"{type(error).__name__}: {error}"), is_worth_retry=True)


def _lost(error: Exception) -> ApiError:
    cause = error.__cause__ or error
    return ApiError("connection", clean(f"{type(cause).__name__}: {cause}"), is_worth_retry=True)


def _wanted_id(made: object) -> str:
    found = getattr(made, "id", None)
    if not isinstance(found, str) or not found:
        raise ApiError("bad_response", "the answer has no id", is_worth_retry=True)
    return found


def _read_batch(batch: Any) -> RemoteBatch:
    """Return what a batch says; servers that deviate leave out one thing or another."""
    counts, metadata = getattr(batch, "request_counts", None), getattr(batch, "metadata", None)
    listed = getattr(getattr(batch, "errors", None), "data", None)
    return RemoteBatch(
        batch_id=_wanted_id(batch),
        status=str(getattr(batch, "status", "")),
        key=metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None,
        output_file_id=getattr(batch, "output_file_id", None) or None,
        error_file_id=getattr(batch, "error_file_id", None) or None,
        num_done=getattr(counts, "completed", None),
        num_failed=getattr(counts, "failed", None),
        faults=tuple(_read_fault(fault) for fault in listed or ()),
    )


def _read_fault(fault: Any) -> BatchFault:
    line = getattr(fault, "line", None)
    return BatchFault(
        code=str(getattr(fault, "code", None) or "unknown"),
        message=clean(str(getattr(fault, "message", None) or "no message")),
        line=line if isinstance(line, int) else None,
    )
