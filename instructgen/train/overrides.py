"""Single keys of a recipe, given on the command line: `--set optim.learning_rate=1e-4`."""

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from copy import deepcopy
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.train.recipe import Recipe

_LENGTHS = ("epochs", "steps")


def apply_overrides(
    table: dict[str, Any], assignments: Iterable[str], struct: type[Struct] = Recipe
) -> dict[str, Any]:
    """Return the recipe's table with keys set by dotted paths; a later one wins. `struct` is what it becomes.

    A value is TOML; what is no TOML is taken as the text it is. `train.steps` takes the place of `train.epochs`, and
    the other way round. Raises InstructgenError for a key that no recipe has.
    """
    changed = deepcopy(table)
    set_lengths: set[str] = set()
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        keys = [key.strip() for key in path.split(".")]
        if not equals or not all(keys):
            raise InstructgenError(f"--set {assignment}: give KEY=VALUE, as optim.learning_rate=1e-4")
        _check_keys(keys, struct)
        _put(changed, keys, _read_value(text.strip()))
        if keys[0] == "train" and keys[-1] in _LENGTHS:
            set_lengths.add(keys[-1])
    if len(set_lengths) == 1:
        (other,) = set(_LENGTHS) - set_lengths
        changed["train"].pop(other, None)
    return changed


def _read_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(table: dict[str, Any], keys: Sequence[str], value: Any) -> None:
    for key in keys[:-1]:
        inner = table.setdefault(key, {})
        if not isinstance(inner, dict):
            raise InstructgenError(f"--set {'.'.join(keys)}: {key} is not a table in this recipe")
        table = inner
    table[keys[-1]] = value


def _check_keys(keys: Sequence[str], recipe: type[Struct]) -> None:
    """Raise for the first key that is not one of its table."""
    struct: type[Struct] | None = recipe
    for number, key in enumerate(keys):
        if struct is None:
            return  # inside a table with keys of its own, as a Hugging Face configuration
        hints = get_type_hints(struct)
        if key not in hints:
            known = [*hints] if number else [*_all_paths(recipe)]
            close = difflib.get_close_matches(key, known, 1) or difflib.get_close_matches(
                ".".join(keys), [*_all_paths(recipe)], 1
            )
            hint = f"; did you mean {'.'.join([*keys[:number], close[0]]) if number else close[0]}?" if close else ""
            raise InstructgenError(f"--set {'.'.join(keys)}: a recipe has no such key{hint}")
        struct = _find_struct(hints[key])


def _find_struct(hint: Any) -> type[Struct] | None:
    """Return the table that a key holds; None where it holds a value."""
    if isinstance(hint, type) and issubclass(hint, Struct):
        return hint
    if get_origin(hint) in (Union, UnionType):
        return next((found for each in get_args(hint) if (found := _find_struct(each)) is not None), None)
    return None


def list_keys() -> list[str]:
    """Return the dotted path of every key of a recipe that holds a value."""
    return sorted(_all_paths())


def _all_paths(struct: type[Struct] = Recipe, prefix: str = "") -> set[str]:
    found: set[str] = set()
    for key, hint in get_type_hints(struct).items():
        inner = _find_struct(hint)
        found |= _all_paths(inner, f"{prefix}{key}.") if inner is not None else {prefix + key}
    return found
