"""What a server's refusal means: its reason word, its own words, and when it wants to be asked again."""

import json
import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import openai

_QUOTA_CODES = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
_REASONS = {
    401: "unauthorized",
    402: "quota_exhausted",
    403: "unauthorized",
    404: "unknown_model",
    407: "unauthorized",
    408: "timeout",
    409: "server_error",
    429: "rate_limited",
    503: "overloaded",
    529: "overloaded",
}


def find_reason(error: "openai.APIStatusError") -> str:
    """Return the fixed word for a refusal."""
    status = error.status_code
    if status < 500 and (error.code in _QUOTA_CODES or error.type in _QUOTA_CODES):
        return "quota_exhausted"
    if error.code == "model_not_found" or status < 400:
        return "unknown_model"  # a redirect: nothing is at this address, and the key goes nowhere else
    return _REASONS.get(status, "server_error" if status >= 500 else "bad_request")


def describe_status(error: "openai.APIStatusError") -> str:
    """Return the status and what the server says, without the tags of a page."""
    body = error.body
    said: object = ""
    if isinstance(body, dict):
        said = body.get("message") or json.dumps(body)
    elif isinstance(body, str):
        said = "a page of HTML" if body.lstrip().startswith("<") else body
    elif body is not None:
        said = json.dumps(body)
    found = f"HTTP {error.status_code}: {said}" if said else f"HTTP {error.status_code}"
    if error.status_code == 404 and error.code is None:
        # OpenAI's own code would say that it is the model: most likely nothing is at this address.
        found += " (is the address right? a server's --base-url mostly ends in /v1)"
    return found


def read_retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of Retry-After (RFC 9110, section 10.2.3) or of OpenAI's retry-after-ms, or None.

    A date is taken relative to the server's own clock, its Date header: ours may be wrong.
    """
    for key, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(key, "")) * scale
        except ValueError:
            continue
        if 0 <= seconds < math.inf:
            return seconds
    try:
        wait = parsedate_to_datetime(headers.get("retry-after", "")) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):  # TypeError: only one of the two names its time zone
        return None
    return wait.total_seconds() if wait.total_seconds() >= 0 else None
