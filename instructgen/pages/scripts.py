"""JSON that may stand inside a script element, whatever text it holds."""

import msgspec

_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def json_for_script(value: object) -> str:
    """Return the value's JSON with every sign that HTML reads written as an escape; it decodes to the same."""
    return msgspec.json.encode(value, order="sorted").decode().translate(_ESCAPES)
