"""Keys: read from the environment or the system's keyring, and kept out of everything that is written.

The one table in this package that belongs to the process and not to a value: a crash report is written by code that
was handed nothing, and it must know every secret all the same.
"""

import base64
import html
import os
import threading
from collections.abc import Iterable
from typing import Any, TextIO
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit, urlunsplit

from instructgen.errors import InstructgenError

MASK = "[key]"
KEYRING_SERVICE = "instructgen"
# Shorter ones ("EMPTY", "none", "token") are what local servers are given, and stand in ordinary text as well.
MIN_SECRET_CHARS = 8
_KEYRING_TIMEOUT_S = 10.0
_SECRET_PARAMETERS = ("key", "token", "secret", "password", "signature", "sig")

_lock = threading.Lock()
_secrets: set[str] = set()
_forms: tuple[str, ...] = ()
_is_keyring_stuck = False


def read_secret(name: str) -> str | None:
    """Return the secret of that name from the environment, else from the keyring; None where neither has it.

    Every secret that is returned is registered. Raises InstructgenError for one that no server could be sent.
    """
    secret = os.environ.get(name, "").strip()
    place = f"the environment variable {name}"
    if not secret:
        secret = (_ask_keyring(name) or "").strip()
        place = f"the keyring (service {KEYRING_SERVICE}, user {name})"
    if not secret:
        return None
    register(secret)
    if not (secret.isascii() and secret.isprintable()):
        raise InstructgenError(f"the key in {place} has characters that no key has; copy it again")
    return secret


def register(secret: str) -> None:
    """Have `redact` replace this secret from now on; one of fewer than 8 characters is left alone."""
    global _forms
    if len(secret) < MIN_SECRET_CHARS:
        return
    with _lock:
        _secrets.add(secret)
        forms = {form for known in _secrets for form in _spellings(known)}
        # The longest first: a secret that begins like another must not leave its own end behind.
        _forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))


def register_url(url: str) -> None:
    """Register what is secret in an address: a password, a lone user name, and parameters such as `api_key`."""
    try:
        parts = urlsplit(url)
        found = [parts.password or parts.username or ""]
    except ValueError:
        return
    for name, value in parse_qsl(parts.query):
        words = name.lower().replace("-", "_").split("_")
        if any(word in _SECRET_PARAMETERS or word.endswith("key") for word in words):
            found.append(value)
    for secret in found:
        register(secret)


def redact(text: str) -> str:
    """Return the text with each registered secret, plain, percent-encoded or base64, replaced by "[key]".

    Redact before cutting a text short: of a secret that was cut nothing is recognised.
    """
    for form in _forms:
        if form in text:
            text = text.replace(form, MASK)
    return text


def strip_url(url: str) -> str:
    """Return the address without user, password, query and fragment, for names and logs."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return redact(url.split("?", maxsplit=1)[0].rpartition("@")[2])
    return redact(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")))


class RedactedStream:
    """A text stream that writes no registered secret, whoever prints to it: our messages, tqdm, a traceback."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(redact(text))

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _spellings(secret: str) -> set[str]:
    quoted = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    forms = {secret, html.escape(secret), *quoted, *(_lower_escapes(form) for form in quoted)}
    forms |= {secret.replace("\\", "\\\\"), secret.replace("\\", "\\\\").replace('"', '\\"')}
    raw = secret.encode("utf-8", "surrogateescape")
    for offset in range(3):
        # Where the secret stands in the encoded bytes decides its spelling; the characters at both ends, which
        # its neighbours share, are left out. Of 8 characters at least 8 stay.
        first, last = (0, 2, 3)[offset], (offset + len(raw)) * 8 // 6
        core = base64.b64encode(b"\0" * offset + raw)[first:last].decode("ascii")
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return {form for form in forms if len(form) >= MIN_SECRET_CHARS}


def _lower_escapes(quoted: str) -> str:
    head, *escaped = quoted.split("%")
    return "%".join([head, *(part[:2].lower() + part[2:] for part in escaped)])


def _ask_keyring(name: str) -> str | None:
    """Return the keyring's secret. One without a backend, or that stays locked, has none."""
    global _is_keyring_stuck
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    if _is_keyring_stuck:
        return None
    found: list[str | None] = []
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            found.append(keyring.get_password(KEYRING_SERVICE, name))
        except keyring.errors.KeyringError:
            found.append(None)
        except BaseException as error:  # noqa: BLE001  raised below, in the thread that asked
            failed.append(error)

    # In a thread of its own: a locked keyring may wait for a window that nobody sees. It is left behind then.
    thread = threading.Thread(target=ask, name="keyring", daemon=True)
    thread.start()
    thread.join(_KEYRING_TIMEOUT_S)
    if failed:
        raise failed[0]
    _is_keyring_stuck = not found
    return found[0] if found else None
