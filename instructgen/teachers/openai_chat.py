"""Any server that speaks OpenAI's chat completions: OpenAI itself, vLLM, SGLang, Ollama, llama.cpp ..."""

import asyncio
import ipaddress
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct

from instructgen.config import TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.generate.retry import TransientError, make_retrying, read_retry_after_s
from instructgen.records import Decoding, Failed, FinishReason, Message, Reply, Request, Unit

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletion

DEFAULT_MODEL = "gpt-4o-mini"
_NO_KEY_NEEDED = "no-key-needed"
_MAX_DETAIL_CHARS = 300
_FINISH_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length", "content_filter": "content_filter"}


class Price(Struct, frozen=True):
    """Dollars per million tokens."""

    prompt: float
    completion: float

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> float:
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / 1_000_000


FREE = Price(0.0, 0.0)


class OpenAIChatTeacher:
    """Sends the prompt's messages through the openai package.

    `write_messages` turns a unit into messages (instructgen.prompting); `schemas` gives the JSON schema for a
    sample type where the output format is JSON. Raises InstructgenError where a key is needed and missing.
    """

    name = "openai"
    is_remote = True

    def __init__(
        self,
        config: TeacherConfig,
        write_messages: Callable[[Unit], tuple[Message, ...]],
        schemas: dict[str, dict[str, Any]],
    ) -> None:
        import openai

        check_base_url(config.base_url)
        self.model = config.model or DEFAULT_MODEL
        self.decoding: Decoding = config.decoding
        self.messages = write_messages
        self._schemas = schemas
        self._max_attempts = config.max_attempts
        self._price = find_price(config)
        self._timeout_s = config.timeout_s
        self._key = read_key(config)
        self._client = openai.AsyncOpenAI(
            api_key=self._key, base_url=config.base_url, timeout=config.timeout_s, max_retries=0
        )

    async def answer(self, request: Request, should_stop: Callable[[], bool]) -> Reply | Failed:
        """Ask, again where that may help; what the server says for good becomes `Failed` with a fixed reason."""
        import openai

        body = self._body(request)
        try:
            async for attempt in make_retrying(self._max_attempts, should_stop):
                with attempt:
                    if attempt.retry_state.attempt_number > 1 and should_stop():
                        return self._failure(request, "stopped", "the run ended before another attempt")
                    return await self._send(body, request)
        except TransientError as error:
            return self._failure(request, error.reason, error.detail)
        except openai.APIStatusError as error:
            return self._failure(request, _status_reason(error), f"HTTP {error.status_code}: {error.message}")
        raise AssertionError("tenacity ends in a return or a raise")

    async def close(self) -> None:
        await self._client.close()

    def _body(self, request: Request) -> dict[str, object]:
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        body: dict[str, object] = {"model": self.model, "messages": messages}
        for key in ("temperature", "top_p", "max_tokens", "seed"):
            value = getattr(self.decoding, key)
            if value is not None:
                body[key] = value
        if self.decoding.output_format == "json":
            schema = {"name": request.sample_type, "strict": True, "schema": self._schemas[request.sample_type]}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return body

    async def _send(self, body: dict[str, object], request: Request) -> Reply | Failed:
        import openai
        from openai.types.chat import ChatCompletion

        try:
            async with asyncio.timeout(self._timeout_s):
                # Not chat.completions.create: it spends most of its time transforming a body that is ready.
                completion = await self._client.post("/chat/completions", body=body, cast_to=ChatCompletion)
        except (openai.APITimeoutError, TimeoutError) as error:
            raise TransientError("timeout", f"no whole answer within {self._timeout_s} s") from error
        except openai.APIConnectionError as error:
            raise TransientError("connection", self._clean(f"{error} {error.__cause__ or ''}")) from error
        except openai.APIStatusError as error:
            if _is_worth_a_retry(error):
                retry_after_s = read_retry_after_s(error.response.headers)
                detail = self._clean(f"HTTP {error.status_code}: {error.message}")
                raise TransientError(_status_reason(error), detail, retry_after_s) from error
            raise
        except (openai.APIResponseValidationError, ValueError) as error:
            raise TransientError("bad_response", self._clean(f"{type(error).__name__}: {error}")) from error
        return self._read(completion, request)

    def _read(self, completion: "ChatCompletion", request: Request) -> Reply | Failed:
        fault = find_fault(completion)
        if fault is not None:
            raise TransientError("bad_response", fault)
        choice = completion.choices[0]
        usage = find_usage(completion)
        return Reply(
            request_id=request.request_id,
            text=mend_text(choice.message.content or ""),
            finish_reason=_FINISH_REASONS.get(choice.finish_reason, "other"),
            prompt_tokens=usage[0] if usage else 0,
            completion_tokens=usage[1] if usage else 0,
            cost_usd=self._cost_usd(usage),
            model=mend_text(completion.model or self.model),
            teacher=self.name,
        )

    def _cost_usd(self, usage: tuple[int, int] | None) -> float | None:
        """Return what the answer cost; None where the price, or the tokens of what has one, is unknown."""
        if self._price is None or (usage is None and self._price != FREE):
            return None
        return self._price.cost_usd(*usage) if usage else 0.0

    def _failure(self, request: Request, reason: str, detail: str) -> Failed:
        return Failed(request.request_id, "teacher", reason, self._clean(detail))

    def _clean(self, detail: str) -> str:
        """Keep the key out of ledgers and logs, and a server's HTML page out of the way."""
        return mend_text(" ".join(detail.replace(self._key, "[key]").split()))[:_MAX_DETAIL_CHARS]


def find_fault(completion: "ChatCompletion") -> str | None:
    """Return what makes an answer unusable. The openai package does not check types, so a page of HTML gets here."""
    choices = getattr(completion, "choices", None)
    if not isinstance(choices, list) or not choices:
        return "the answer has no choices"
    message = getattr(choices[0], "message", None)
    if message is None or not hasattr(message, "content"):
        return "the answer's choice has no message"
    texts = {
        "content": message.content,
        "finish_reason": getattr(choices[0], "finish_reason", None),
        "model": getattr(completion, "model", None),
    }
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            return f"the answer's {name} is a {type(value).__name__}, not text"
    return None


def find_usage(completion: "ChatCompletion") -> tuple[int, int] | None:
    """Return prompt and completion tokens; None where the server does not say, for the answer is good without."""
    usage = getattr(completion, "usage", None)
    counts = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
    match counts:
        case (int(prompt), int(answer)):
            return prompt, answer
    return None


def mend_text(text: str) -> str:
    """Return the text with each half of a surrogate pair that stands alone replaced: no file could hold it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def check_base_url(base_url: str | None) -> None:
    """Raise InstructgenError for an address that no request could be sent to."""
    if base_url is None:
        return
    try:
        parts = urlsplit(base_url)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise InstructgenError(f"--base-url {base_url}: wants an address such as http://127.0.0.1:8000/v1")


def is_loopback(base_url: str | None) -> bool:
    """Return whether the server is this machine."""
    host = urlsplit(base_url or "").hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def find_price(config: TeacherConfig) -> Price | None:
    """Return the configured price; a server on this machine costs nothing; else None, for nobody knows."""
    prompt, completion = config.usd_per_million_prompt_tokens, config.usd_per_million_completion_tokens
    if prompt is not None and completion is not None:
        return Price(prompt, completion)
    if prompt is not None or completion is not None:
        raise InstructgenError(
            "a price wants both: usd_per_million_prompt_tokens and usd_per_million_completion_tokens"
        )
    return FREE if is_loopback(config.base_url) else None


def read_key(config: TeacherConfig) -> str:
    """Return the key from the environment; a server other than OpenAI's may need none."""
    key = os.environ.get(config.api_key_env, "").strip()
    if key and not (key.isascii() and key.isprintable()):
        raise InstructgenError(f"the key in {config.api_key_env} has characters that no key has; copy it again")
    if key:
        return key
    if config.base_url:
        return _NO_KEY_NEEDED
    raise InstructgenError(
        f"the openai teacher needs a key in {config.api_key_env}, or --base-url for a server that needs none; "
        "without either, --teacher scene-program is free"
    )


def _is_worth_a_retry(error: "openai.APIStatusError") -> bool:
    if error.status_code == 429:
        return _status_reason(error) != "quota_exhausted"
    return error.status_code in (408, 409) or error.status_code >= 500


def _status_reason(error: "openai.APIStatusError") -> str:
    if error.status_code in (401, 403):
        return "unauthorized"
    if error.status_code == 404:
        return "unknown_model"
    if error.status_code == 429:
        return "quota_exhausted" if error.code == "insufficient_quota" else "rate_limited"
    return "server_error" if error.status_code >= 500 else "bad_request"
