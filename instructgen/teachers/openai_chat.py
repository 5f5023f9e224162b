"""Any server that speaks OpenAI's chat completions: OpenAI itself, vLLM, SGLang, Ollama, llama.cpp ..."""

import asyncio
import base64
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from instructgen.attempts import AttemptError
from instructgen.config import ServerConfig, TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.limits.bounds import ServerLimits
from instructgen.prefixes import PrefixMemo
from instructgen.records import Cost, Decoding, ImageRecord, Message, Picture, Reply, Request, Unit
from instructgen.secrets import read_secret, redact, register_url, strip_url
from instructgen.teachers.base import Server
from instructgen.teachers.openai_answer import AnswerRules, mend_text, read_reply
from instructgen.teachers.openai_errors import describe_status, find_reason, read_retry_after_s
from instructgen.teachers.pictures import PictureReader, most_tokens
from instructgen.teachers.prices import FREE, find_price, is_openai

if TYPE_CHECKING:
    import openai

    from instructgen.teachers.openai_batch_server import OpenAIBatchServer
    from instructgen.teachers.openai_client import AiohttpOpenAI

DEFAULT_MODEL = "gpt-4o-mini"
_OPENAI_URL = "https://api.openai.com/v1"
_NO_KEY_NEEDED = "no-key-needed"
_MAX_DETAIL_CHARS = 300
# Tokens around a message and around a whole chat in the templates of known models, generously.
_TOKENS_PER_MESSAGE = 16
_TOKENS_PER_CHAT = 16
_RETRIED_REASONS = ("timeout", "rate_limited", "overloaded", "server_error")
_GATEWAY_TIMEOUTS = (408, 504, 524)  # what is behind the gateway may still work on it, and bill it


class Address(Struct, frozen=True):
    """Where a server is: the address without a password, and the password's header if there was one."""

    base_url: str
    headers: dict[str, str]


class OpenAIServer:
    """One server of the teacher, with a client, key and price of its own.

    `share`, 0 to 1, is its part of the teacher's concurrency: where all servers are busy, weights work through it.
    """

    def __init__(
        self,
        config: TeacherConfig,
        own: ServerConfig,
        schemas: Mapping[str, dict[str, Any]],
        share: float = 1.0,
        pictures: PictureReader | None = None,
    ) -> None:
        given = own.base_url or config.base_url
        self._address = find_address(given)
        model = own.model or config.model or DEFAULT_MODEL
        self.name = f"{model}@{strip_url(self._address.base_url).partition('://')[2].rstrip('/')}"
        self.weight = own.weight
        self.limits: ServerLimits | None = ServerLimits(
            concurrency=own.concurrency or max(1, round(config.concurrency * share)),
            requests_per_minute=own.requests_per_minute or config.requests_per_minute,
            tokens_per_minute=own.tokens_per_minute or config.tokens_per_minute,
        )
        self.on_headers: Callable[[Mapping[str, str]], None] | None = None
        self._key = read_key(own.api_key_env or config.api_key_env, self._address.base_url)
        self._config = config
        self._bodies = Bodies(model, config.decoding, schemas, config.max_tokens_key, pictures)
        self._max_completion_tokens = config.decoding.max_tokens
        self.has_bound = config.decoding.max_tokens is not None
        self._rules = AnswerRules(
            model=model,
            accept_models=config.accept_models,
            price=find_price(config, model, given),
            teacher=OpenAIChatTeacher.name,
        )
        self.has_price = self._rules.price is not None
        self._client: AiohttpOpenAI | None = None

    async def send(self, request: Request) -> Reply:
        """Make one attempt. Raises AttemptError where it brings no answer."""
        import openai
        from openai.types.chat import ChatCompletion

        client = self._client or self._connect()
        # A picture is decoded and made smaller for it, while others are answered.
        has_picture = request.record is not None
        body = await asyncio.to_thread(self._bodies.write, request) if has_picture else self._bodies.write(request)
        try:
            # Not chat.completions.create: it spends most of its time transforming a body that is ready.
            completion = await client.post("/chat/completions", content=body, cast_to=ChatCompletion)
        except openai.OpenAIError as error:
            raise self._make_error(error) from error
        return read_reply(completion, request.request_id, self._rules)

    def most(self, request: Request) -> Cost:
        """Return the most that one attempt can cost; a token is at least a byte of UTF-8."""
        prompt_tokens = self._bodies.max_prompt_tokens(request)
        completion_tokens = self._max_completion_tokens or 0
        price = self._rules.price
        nano_usd = 0 if price is None or price == FREE else price.nano_usd(prompt_tokens, completion_tokens)
        return Cost(nano_usd, prompt_tokens + completion_tokens)

    def for_batches(self) -> "OpenAIBatchServer":
        """Return this server as instructgen.batch.run asks it."""
        from instructgen.teachers.openai_batch_server import OpenAIBatchServer

        return OpenAIBatchServer(self.name, self._client or self._connect(), self._bodies, self._rules, self._config)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    def open(self) -> None:
        (self._client or self._connect()).open()

    def _connect(self) -> "AiohttpOpenAI":
        from instructgen.teachers.openai_client import AiohttpOpenAI, Timeouts

        config = self._config
        self._client = AiohttpOpenAI(
            api_key=self._key,
            base_url=self._address.base_url,
            timeouts=Timeouts(config.connect_timeout_s, config.read_timeout_s, config.timeout_s),
            max_answer_bytes=int(config.max_answer_mb * 1_000_000),
            default_headers=self._address.headers,
        )
        self._client.on_headers = self._pass_headers
        return self._client

    def _pass_headers(self, headers: Mapping[str, str]) -> None:
        if self.on_headers is not None:
            self.on_headers(headers)

    def _make_error(self, error: "openai.OpenAIError") -> AttemptError:
        import openai

        from instructgen.teachers.openai_client import AnswerTooLargeError, was_sent

        if isinstance(error, openai.APIStatusError):
            return self._make_status_error(error)
        if isinstance(error, AnswerTooLargeError):
            return AttemptError("answer_too_large", self._clean(f"{error} (max_answer_mb)"), may_have_cost=True)
        reason, detail, may_have_cost = "bad_response", str(error), True
        if isinstance(error, openai.APIConnectionError):
            may_have_cost = was_sent(error)
            reason = "timeout" if isinstance(error, openai.APITimeoutError) else "connection"
            detail = self._describe_timeout(was_sent=may_have_cost) if reason == "timeout" else str(error)
        return AttemptError(reason, self._clean(detail), is_worth_retry=True, may_have_cost=may_have_cost)

    def _describe_timeout(self, *, was_sent: bool) -> str:
        config = self._config
        if not was_sent:
            return f"no connection within {config.connect_timeout_s:g} s"
        return f"no whole answer within {config.timeout_s:g} s, or silence for {config.read_timeout_s:g} s"

    def _make_status_error(self, error: "openai.APIStatusError") -> AttemptError:
        reason = find_reason(error)
        return AttemptError(
            reason,
            self._clean(describe_status(error)),
            is_worth_retry=reason in _RETRIED_REASONS,
            retry_after_s=read_retry_after_s(error.response.headers),
            may_have_cost=error.status_code in _GATEWAY_TIMEOUTS,
        )

    def _clean(self, detail: str) -> str:
        """Keep the key out of ledgers and logs, and a server's page out of the way."""
        return mend_text(" ".join(redact(detail).split()))[:_MAX_DETAIL_CHARS]


class OpenAIChatTeacher:
    """Asks one or several servers for the same model.

    `write_messages` turns a unit into messages (instructgen.prompting); `schemas` gives the JSON schema for a
    sample type where the output format is JSON, `pictures` those that a teacher sees. Raises InstructgenError where
    a key is needed and missing.
    """

    name = "openai"
    is_remote = True
    is_replay = False

    def __init__(
        self,
        config: TeacherConfig,
        write_messages: Callable[[Unit], tuple[Message, ...]],
        schemas: Mapping[str, dict[str, Any]],
        pictures: PictureReader | None = None,
    ) -> None:
        self.model = config.model or DEFAULT_MODEL
        self.decoding: Decoding = config.decoding
        self.messages = write_messages
        self._servers = make_servers(config, schemas, pictures)
        self.servers: tuple[Server, ...] = self._servers

    async def open(self) -> None:
        """Load the packages that send, and make the sessions."""
        for server in self._servers:
            server.open()

    async def close(self) -> None:
        """Give back connections."""
        for server in self._servers:
            await server.close()


class Bodies:
    """Writes request bodies as JSON. All requests of a type begin with the same messages: those are written once."""

    def __init__(
        self,
        model: str,
        decoding: Decoding,
        schemas: Mapping[str, dict[str, Any]],
        max_tokens_key: str = "max_tokens",
        pictures: PictureReader | None = None,
    ) -> None:
        self._max_tokens_key = max_tokens_key
        self._pictures = pictures
        self._head = b'{"model":' + msgspec.json.encode(model) + b',"messages":['
        self._decoding = decoding
        self._schemas = schemas
        self._tails: dict[str, tuple[bytes, int]] = {}
        self._prefixes = PrefixMemo(_write_prefix)

    def write(self, request: Request) -> bytes:
        """Return the body. Raises AttemptError where a picture cannot be sent."""
        tail, _ = self._tail(request.sample_type)
        if request.record is not None:
            record = request.record
            return self._head + b",".join([self._write_shown(one, record) for one in request.messages]) + tail
        prefix, _ = self._prefixes.find(request.messages)
        return b"".join((self._head, prefix, msgspec.json.encode(request.messages[-1]), tail))

    def max_prompt_tokens(self, request: Request) -> int:
        """Return a number of tokens that no tokenizer passes."""
        _, prefix_tokens = self._prefixes.find(request.messages)
        _, tail_tokens = self._tail(request.sample_type)
        return prefix_tokens + _max_tokens(request.messages[-1]) + tail_tokens + _TOKENS_PER_CHAT

    def _write_shown(self, message: Message, record: ImageRecord) -> bytes:
        """Return a message with its picture, if it has one, as parts: the picture first."""
        if message.picture is None and not message.parts:
            return msgspec.json.encode(message)
        parts = message.parts or (message.picture, message.content)
        written = [
            self._write_part(part, record, is_of_many=bool(message.parts)) for part in parts if part is not None
        ]
        return msgspec.json.encode({"role": message.role, "content": written})

    def _write_part(self, part: str | Picture, record: ImageRecord, *, is_of_many: bool) -> dict[str, object]:
        if isinstance(part, str):
            return {"type": "text", "text": part}
        assert self._pictures is not None, "a teacher that sees was made without a source of pictures"
        if is_of_many:  # they are told apart by their digests
            record = replace(record, file_name=part.sha256)
        return {"type": "image_url", "image_url": {"url": self._pictures.data_url(record, part)}}

    def _tail(self, sample_type: str) -> tuple[bytes, int]:
        found = self._tails.get(sample_type)
        if found is None:
            fields: dict[str, object] = {
                self._max_tokens_key if key == "max_tokens" else key: value
                for key in ("temperature", "top_p", "max_tokens", "seed")
                if (value := getattr(self._decoding, key)) is not None
            }
            num_tokens = 0
            if self._decoding.output_format == "json":
                schema = {"name": sample_type, "strict": True, "schema": self._schemas[sample_type]}
                fields["response_format"] = {"type": "json_schema", "json_schema": schema}
                num_tokens = len(json.dumps(fields["response_format"]))
            settings = msgspec.json.encode(fields)[1:]
            found = self._tails[sample_type] = (b"]," if fields else b"]") + settings, num_tokens
        return found


def _write_prefix(messages: tuple[Message, ...]) -> tuple[bytes, int]:
    """Return the messages as they stand in a body, and a number of tokens that they do not pass."""
    written = b"".join([msgspec.json.encode(message) + b"," for message in messages])
    return written, sum(map(_max_tokens, messages))


def _max_tokens(message: Message) -> int:
    parts = (message.content, *message.parts, *(() if message.picture is None else (message.picture,)))
    shown = sum(len(one.encode()) if isinstance(one, str) else most_tokens(one) for one in parts)
    return shown + _TOKENS_PER_MESSAGE


def make_servers(
    config: TeacherConfig, schemas: Mapping[str, dict[str, Any]], pictures: PictureReader | None = None
) -> tuple[OpenAIServer, ...]:
    """Return the configured servers, or the one at `base_url`; those that share a name are numbered."""
    servers: Sequence[ServerConfig] = config.servers or (ServerConfig(),)
    heaviest = max(own.weight for own in servers)
    made = tuple(OpenAIServer(config, own, schemas, own.weight / heaviest, pictures) for own in servers)
    seen: Counter[str] = Counter()
    for server in made:
        seen[server.name] += 1
        if seen[server.name] > 1:
            server.name = f"{server.name}#{seen[server.name]}"
    return made


def find_address(base_url: str | None) -> Address:
    """Return where requests go: as given, else as OPENAI_BASE_URL says, else OpenAI.

    Raises InstructgenError for an address that no request could be sent to.
    """
    address = base_url or os.environ.get("OPENAI_BASE_URL", "").strip() or _OPENAI_URL
    register_url(address)
    try:
        parts = urlsplit(address)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        where = "--base-url" if base_url else "OPENAI_BASE_URL"
        raise InstructgenError(f"{where} {strip_url(address)}: wants an address such as http://127.0.0.1:8000/v1")
    if parts.username is None:
        return Address(address, {})
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return Address(bare, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"})


def read_key(name: str, base_url: str) -> str:
    """Return the key of that name, from the environment or the keyring; a server other than OpenAI may need none."""
    key = read_secret(name)
    if key:
        return key
    if not is_openai(base_url):
        return _NO_KEY_NEEDED
    raise InstructgenError(
        f"the openai teacher needs a key in {name}, or --base-url for a server that needs none; "
        "without either, --teacher scene-program is free"
    )
