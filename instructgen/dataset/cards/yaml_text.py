"""YAML for a card's front matter, by hand: the package that writes it is no dependency, and a card needs little."""

import re
from collections.abc import Mapping, Sequence

Value = str | int | float | bool | Mapping[str, "Value"] | Sequence["Value"]

# A plain text that no reader, of YAML 1.1 or 1.2, takes for something else.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./|<*+-]*(?: [A-Za-z0-9_./]+)*")
_WORDS = {"true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"}
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def write_yaml(value: Mapping[str, Value]) -> str:
    """Return the mapping as YAML in block style, ending with a line break; texts are quoted where they must be."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Value) -> list[str]:
    if isinstance(value, Mapping):
        return [line for key, inner in value.items() for line in _after(f"{_scalar(key)}:", inner, "  ")]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [line for inner in value for line in _item(inner)]
    return [_scalar(value)]


def _after(key: str, value: Value, indent: str) -> list[str]:
    if isinstance(value, str | int | float):
        return [f"{key} {_scalar(value)}"]
    if not value:
        return [f"{key} {'{}' if isinstance(value, Mapping) else '[]'}"]
    lists = isinstance(value, Sequence)
    return [key, *(line if lists else indent + line for line in _lines(value))]


def _item(value: Value) -> list[str]:
    if not isinstance(value, str | int | float) and not value:
        return ["- {}" if isinstance(value, Mapping) else "- []"]
    first, *rest = _lines(value)
    return [f"- {first}", *(f"  {line}" for line in rest)]


def _scalar(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS and not value.endswith("."):
        return value
    return '"' + "".join(map(_escape, value)) + '"'


def _escape(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if char.isprintable() and char != "\ufeff":
        return char
    code = ord(char)
    if 0xD800 <= code < 0xE000:
        return "\\uFFFD"  # half of a pair, which no UTF-8 file can hold
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
