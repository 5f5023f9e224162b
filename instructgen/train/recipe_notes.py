"""Where a recipe's numbers come from: what its file notes beside them, and what the command line has set."""

import re
import tomllib
from collections.abc import Iterable, Mapping

SET_BY_HAND = "set on the command line"
OF_FILE = "the recipe's file"
DEFAULT = "default"
_TABLE = re.compile(r"\s*\[{1,2}\s*([\w.-]+)\s*\]{1,2}\s*(?:#.*)?")
_KEY = re.compile(r"\s*([\w.-]+)\s*=")


def read_notes(text: str, assignments: Iterable[str] = ()) -> dict[str, str]:
    """Return, by dotted key, the comment on its line; OF_FILE for a key without one, SET_BY_HAND for one that is set.

    `text` is a recipe's TOML, `assignments` are KEY=VALUE. A value over several lines has no note.
    """
    notes: dict[str, str] = {}
    table = ""
    for line in text.splitlines():
        if found := _TABLE.fullmatch(line):
            table = f"{found[1]}."
        elif found := _KEY.match(line):
            note = _find_comment(line) or OF_FILE
            notes |= {table + key: note for key in _list_keys(line) or [found[1]]}
    for assignment in assignments:
        key = ".".join(part.strip() for part in assignment.partition("=")[0].split("."))
        notes = {name: note for name, note in notes.items() if not name.startswith(f"{key}.")}
        notes[key] = SET_BY_HAND
    return notes


def find_note(notes: Mapping[str, str], key: str) -> str:
    """Return a key's note, or that of a table around it that has one; DEFAULT for one that nobody wrote."""
    parts = key.split(".")
    for length in range(len(parts), 0, -1):
        if (note := notes.get(".".join(parts[:length]))) is not None:
            return note
    return DEFAULT


def _list_keys(line: str) -> list[str]:
    """Return the dotted keys that a line gives values to, those of inline tables among them; [] for half a value."""
    try:
        found = list(tomllib.loads(line).items())
    except tomllib.TOMLDecodeError:
        return []
    keys: list[str] = []
    while found:
        key, value = found.pop(0)
        if isinstance(value, dict) and value:
            found += [(f"{key}.{inner}", each) for inner, each in value.items()]
        else:
            keys.append(key)
    return keys


def _find_comment(line: str) -> str:
    """Return what is behind the first # that is in no string."""
    at = line.find("#")
    while at >= 0:
        try:
            tomllib.loads(line[:at])
        except tomllib.TOMLDecodeError:
            at = line.find("#", at + 1)
        else:
            return line[at + 1 :].strip()
    return ""
