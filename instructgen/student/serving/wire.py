"""OpenAI's chat completions as they come in and go out; what this server cannot do is refused, never passed over."""

import secrets
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from instructgen.records import Message, Role
from instructgen.student.ask import Answer, Ask, Sampling
from instructgen.student.serving.refusals import Refusal

_MAX_STOPS = 4  # OpenAI's own bound
_MAX_STOP_CHARS = 200


class _ImageUrl(Struct, frozen=True):
    url: str
    detail: str = "auto"


class _Part(Struct, frozen=True):
    type: str
    text: str | None = None
    image_url: _ImageUrl | str | None = None


class _Said(Struct, frozen=True):
    role: str
    content: str | list[_Part] | None = None


class _StreamOptions(Struct, frozen=True):
    include_usage: bool = False


class _ResponseFormat(Struct, frozen=True):
    type: str


class ChatRequest(Struct, frozen=True):
    """The fields that are read, and those that ask for what there is not; others are ignored, as OpenAI's do not
    change the text."""

    model: str
    messages: Annotated[list[_Said], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    repetition_penalty: Annotated[float, Meta(gt=0, le=10)] | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    n: int | None = None
    response_format: _ResponseFormat | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: dict[str, Any] | None = None
    logprobs: bool | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None
    tool_choice: Any | UnsetType = UNSET


class Defaults(Struct, frozen=True):
    """What a request that does not say gets, and the most that it may ask for."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 512
    most_tokens: int = 4096


def read_request(body: bytes) -> ChatRequest:
    """Raises Refusal (400) naming the field for what is no request, or asks for what there is not."""
    try:
        request = msgspec.json.decode(body, type=ChatRequest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(400, f"the body is no chat completion request: {error}", param=_find_path(error)) from None
    except RecursionError:
        raise Refusal(400, "the body is nested too deeply") from None
    unable = {
        "n": request.n not in (None, 1),
        "response_format": request.response_format is not None and request.response_format.type != "text",
        "frequency_penalty": bool(request.frequency_penalty),
        "presence_penalty": bool(request.presence_penalty),
        "logit_bias": bool(request.logit_bias),
        "logprobs": bool(request.logprobs),
        "tools": bool(request.tools),
        "functions": bool(request.functions),
        "tool_choice": request.tool_choice not in (UNSET, None, "none", "auto"),
    }
    for name, is_asked in unable.items():
        if is_asked:
            raise Refusal(400, f"this server cannot do what '{name}' asks for", code="unsupported", param=name)
    return request


def _find_path(error: Exception) -> str | None:
    """Return the field that msgspec names, as "messages[0].role"."""
    _, found, path = str(error).partition("at `$")
    return path.rstrip("`").removeprefix(".") or None if found else None


def make_sampling(request: ChatRequest, defaults: Defaults) -> Sampling:
    """Raises Refusal (400) for more tokens or stops than are allowed."""
    asked = request.max_completion_tokens or request.max_tokens
    if asked is not None and asked > defaults.most_tokens:
        name = "max_completion_tokens" if request.max_completion_tokens else "max_tokens"
        raise Refusal(400, f"{name} is {asked}, and at most {defaults.most_tokens} here", param=name)
    stop = (request.stop,) if isinstance(request.stop, str) else tuple(request.stop or ())
    if len(stop) > _MAX_STOPS or any(not one or len(one) > _MAX_STOP_CHARS for one in stop):
        raise Refusal(400, f"at most {_MAX_STOPS} stops of 1 to {_MAX_STOP_CHARS} characters each", param="stop")
    return Sampling(
        max_tokens=asked or defaults.max_tokens,
        temperature=defaults.temperature if request.temperature is None else request.temperature,
        top_p=defaults.top_p if request.top_p is None else request.top_p,
        repetition_penalty=request.repetition_penalty or 1.0,
        seed=secrets.randbits(48) if request.seed is None else request.seed,
        stop=stop,
    )


def make_ask(request: ChatRequest, read_picture: Callable[[str], bytes]) -> Ask:
    """Return the talk with its pictures. Raises Refusal (400) for one that no template can write.

    Pictures belong to the talk as a whole, in their order: that is how the student was trained.
    """
    system: list[str] = []
    turns: list[Message] = []
    pictures: list[bytes | None] = []
    for number, said in enumerate(request.messages):
        where = f"messages[{number}]"
        text, urls = _split(said, where)
        if said.role in ("system", "developer"):
            if turns or urls:
                raise Refusal(400, "a system message stands before all others, and is text alone", param=where)
            system.append(text)
            continue
        if said.role != ("user", "assistant")[len(turns) % 2]:
            raise Refusal(400, "after the system message user and assistant take turns, the user first", param=where)
        if urls and said.role != "user":
            raise Refusal(400, "only the user shows pictures", param=where)
        pictures += [read_picture(url) for url in urls]
        turns.append(Message(_ROLES[said.role], text))
    if not turns or turns[-1].role != "user":
        raise Refusal(400, "the last message is the user's", param="messages")
    return Ask(tuple(turns), tuple(pictures), "\n\n".join(system))


_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant"}


def _split(said: _Said, where: str) -> tuple[str, list[str]]:
    """Return a message's text and the addresses of its pictures."""
    if said.content is None or isinstance(said.content, str):
        return said.content or "", []
    texts: list[str] = []
    urls: list[str] = []
    for number, part in enumerate(said.content):
        if part.type == "text" and part.text is not None:
            texts.append(part.text)
        elif part.type == "image_url" and part.image_url is not None:
            urls.append(part.image_url if isinstance(part.image_url, str) else part.image_url.url)
        else:
            what = f"a part of type '{part.type[:40]}' cannot be read; there are 'text' and 'image_url'"
            raise Refusal(400, what, param=f"{where}.content[{number}]")
    return "\n".join(texts), urls


class Told(Struct, frozen=True):
    """What every answer and every piece of it says of itself."""

    id: str
    created: int
    model: str

    def completion(self, answer: Answer) -> dict[str, Any]:
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}
        return {**self._head("chat.completion"), "choices": [choice], "usage": write_usage(answer)}

    def chunk(self, delta: dict[str, str], finish_reason: Literal["stop", "length"] | str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def usage_chunk(self, answer: Answer) -> dict[str, Any]:
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": write_usage(answer)}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def write_usage(answer: Answer) -> dict[str, int]:
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }
