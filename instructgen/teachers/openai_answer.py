"""From a chat completion to a reply: what a server left out, added or got wrong is named, and never guessed."""

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from instructgen.attempts import AttemptError
from instructgen.records import FinishReason, Reply, ReplyNote
from instructgen.secrets import redact
from instructgen.teachers.prices import FREE, Price

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

_FINISH_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length", "content_filter": "content_filter"}
_MAX_TOKENS = 1 << 40  # no prompt has more; a count beyond is a mistake, and no ledger should have to hold it
# What a server appends to the same model's name: the day of a snapshot (-2024-07-18, -20240718, -0613), or a tag.
_SNAPSHOT = re.compile(r"(?:-\d{4}-\d{2}-\d{2}|-\d{8}|-\d{4}|-latest)?(?::[\w.-]+)?")


class AnswerRules(Struct, frozen=True):
    """What a teacher's server is held to: the model it was asked for, other names for it, and its price."""

    model: str
    accept_models: tuple[str, ...]
    price: Price | None
    teacher: str


def read_reply(completion: "ChatCompletion", request_id: str, rules: AnswerRules) -> Reply:
    """Return the reply. Raises AttemptError ("no_choices", "bad_response") for an answer without a usable choice."""
    choices = getattr(completion, "choices", None)
    if isinstance(choices, list) and not choices:
        raise AttemptError("no_choices", "the answer has no choices", is_worth_retry=True, may_have_cost=True)
    fault = find_fault(completion)
    if fault is not None:
        raise AttemptError("bad_response", fault, is_worth_retry=True, may_have_cost=True)
    choice = completion.choices[0]
    content = join_parts(choice.message.content)
    refusal = getattr(choice.message, "refusal", None)
    usage = find_usage(completion)
    answered_by = getattr(completion, "model", None) or rules.model
    is_refused = not content and isinstance(refusal, str) and bool(refusal)
    notes: dict[ReplyNote, bool] = {
        "usage_missing": usage is None,
        "wrong_model": not is_same_model(rules.model, answered_by, rules.accept_models),
        "extra_choices": len(completion.choices) > 1,
        "refused": is_refused,
    }
    return Reply(
        request_id=request_id,
        text=redact(mend_text(refusal if is_refused and refusal else content)),
        finish_reason=_FINISH_REASONS.get(choice.finish_reason, "other"),
        prompt_tokens=usage.prompt if usage else 0,
        completion_tokens=usage.completion if usage else 0,
        cost_usd=find_cost_usd(usage, rules.price),
        model=redact(mend_text(answered_by)),
        teacher=rules.teacher,
        notes=tuple(note for note, is_noted in notes.items() if is_noted),
    )


def find_fault(completion: "ChatCompletion") -> str | None:
    """Return what makes an answer unusable; servers that deviate are read without a check of types."""
    choices = getattr(completion, "choices", None)
    if not isinstance(choices, list) or not choices:
        return "the answer has no choices"
    message: Any = getattr(choices[0], "message", None)
    if not hasattr(message, "content"):
        return "the answer's choice has no message"
    texts = {
        "content": None if isinstance(message.content, list) else message.content,
        "finish_reason": getattr(choices[0], "finish_reason", None),
        "model": getattr(completion, "model", None),
    }
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            return f"the answer's {name} is a {type(value).__name__}, not text"
    return None


class Usage(Struct, frozen=True):
    """Tokens as the server counts them; `cached` ones are a part of the prompt's."""

    prompt: int
    completion: int
    cached: int = 0


def find_usage(completion: "ChatCompletion") -> Usage | None:
    """Return what the server counted; None where it does not say, for the answer is good without."""
    usage = getattr(completion, "usage", None)
    prompt, answer = getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None)
    if not (isinstance(prompt, int) and isinstance(answer, int)):
        return None
    if not (0 <= prompt <= _MAX_TOKENS and 0 <= answer <= _MAX_TOKENS):
        return None
    cached = getattr(getattr(usage, "prompt_tokens_details", None), "cached_tokens", None)
    return Usage(prompt, answer, min(cached, prompt) if isinstance(cached, int) and cached > 0 else 0)


def find_cost_usd(usage: Usage | None, price: Price | None) -> float | None:
    """Return what the answer cost; None where the price, or the tokens of what has one, is unknown."""
    if price is FREE or price == FREE:
        return 0.0
    if price is None or usage is None:
        return None
    return price.cost_usd(usage.prompt, usage.completion, usage.cached)


def is_same_model(asked: str, answered: str, accept_models: tuple[str, ...] = ()) -> bool:
    """Return whether an answer's model is the one that was asked for.

    Also with or without a vendor ("openai/x"), a snapshot's day ("x-2024-07-18") or a tag ("x:latest"), and where one
    of the patterns fits.
    """
    if answered == asked or any(fnmatchcase(answered, pattern) for pattern in accept_models):
        return True
    names = [name.lower().removesuffix(":latest").removesuffix("-latest") for name in (asked, answered)]
    if ("/" in names[0]) != ("/" in names[1]):
        names = [name.rpartition("/")[2] for name in names]
    short, long = sorted(names, key=len)
    return long.startswith(short) and _SNAPSHOT.fullmatch(long, len(short)) is not None


def join_parts(content: object) -> str:
    """Return an answer's text: as it is, or joined from parts such as {"type": "text", "text": ...}."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else ""
    parts = [part.get("text") if isinstance(part, dict) else part for part in content]
    return "".join([part for part in parts if isinstance(part, str)])


def mend_text(text: str) -> str:
    """Return the text with each half of a surrogate pair that stands alone replaced: no file could hold it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
