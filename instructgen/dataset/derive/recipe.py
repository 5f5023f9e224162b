"""What a version is to be made of: parts of other versions, and how they are put together."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from instructgen.dataset.stored import StoredVersion
from instructgen.dataset.versions import open_version
from instructgen.errors import InstructgenError

Share = Annotated[float, Meta(gt=0, le=1)]
Weight = Annotated[float, Meta(gt=0, le=100)]
PositiveInt = Annotated[int, Meta(gt=0)]
SEVERAL = "several"
"""For one name, where the rows have more."""
SHORT_ANSWER = "Answer the question using a single word or phrase."  # LLaVA-1.5 (arXiv 2310.03744), section 3.2
_SPLIT_NAME = re.compile(r"\w+")


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of one version; what narrows them is applied in the order of the fields.

    `weight` 0.25 takes a quarter of them, 2.5 all of them twice and half of them once more. `cap` is the most rows,
    `cap_by_type` the most of each type. `suffix` is put below every question.
    """

    version: str
    types: tuple[str, ...] = ()  # empty: all
    splits: tuple[str, ...] = ()  # empty: all
    weight: Weight = 1.0
    cap: PositiveInt | None = None
    cap_by_type: dict[str, PositiveInt] = {}
    suffix: str = ""


class Recipe(Struct, frozen=True, forbid_unknown_fields=True):
    """`splits` None keeps the parts' own; else shares by name, drawn for each image; what they lack of 1 is "train".

    `duplicates`: what becomes of a sample_id that an earlier part has as well; "first" drops it if that part's own
    row is taken, which its weight and caps decide.
    `pictures` "paths" leaves the pictures out of the rows, where some parts have them there and some have not.
    """

    parts: tuple[Part, ...]
    seed: int = 0
    shuffle: bool = True
    splits: dict[str, Share] | None = None
    duplicates: Literal["first", "error"] = "first"
    pictures: Literal["keep", "paths"] = "keep"
    rows_per_shard: PositiveInt = 2_000


class OpenedPart(Struct, frozen=True):
    settings: Part
    stored: StoredVersion


def load_recipe(path: Path) -> Recipe:
    """Read a mixture file; versions that it names by a path are relative to the file.

    Raises InstructgenError naming the file and the key for anything that is not a valid mixture.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        recipe = msgspec.convert(table, Recipe)
    except FileNotFoundError:
        raise InstructgenError(f"no mixture file {path}; docs/datasets.md shows one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InstructgenError(f"{path} cannot be read as a text file: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InstructgenError(f"{path} is not valid TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise InstructgenError(f"{path}: {error}; docs/datasets.md lists every key") from None
    parts = tuple(
        msgspec.structs.replace(part, version=_relative_to(path.parent, part.version)) for part in recipe.parts
    )
    return msgspec.structs.replace(recipe, parts=parts)


def check_recipe(recipe: Recipe) -> None:
    """Raise InstructgenError for settings that cannot be kept."""
    if not recipe.parts:
        raise InstructgenError("a mixture needs at least one [[parts]] with a version")
    check_splits(recipe.splits)


def check_splits(splits: dict[str, float] | None) -> None:
    """Raise InstructgenError for names that Hugging Face's readers do not take, and shares that cannot be."""
    if splits is None:
        return
    for name, share in splits.items():
        if not _SPLIT_NAME.fullmatch(name):
            raise InstructgenError(f"'{name}' cannot be a split's name: letters, digits and _ only")
        if not 0 < share <= 1:
            raise InstructgenError(f"the share of the split '{name}' is {share:g}; it must be above 0, and 1 at most")
    total = sum(splits.values())
    if total > 1 + 1e-9:
        raise InstructgenError(f"the shares of the splits are {total:g} together; they can be 1 at most")


def open_parts(recipe: Recipe) -> list[OpenedPart]:
    """Open every version; InstructgenError for one that is not there or lacks a type or split that is asked of it."""
    opened = []
    for part in recipe.parts:
        stored = open_version(part.version)
        shards = stored.manifest.shards
        _check_names(part, "split", part.splits, set(stored.manifest.splits))
        _check_names(part, "type", (*part.types, *part.cap_by_type), set(stored.manifest.counts.accepted))
        if not shards:
            raise InstructgenError(f"{part.version} has no rows")
        opened.append(OpenedPart(part, stored))
    return opened


def describe_recipe(recipe: Recipe, opened: list[OpenedPart]) -> dict[str, Any]:
    """Return all that the rows follow from, with versions by their names: where they lie does not count."""
    parts = [{**msgspec.to_builtins(part.settings), "version": part.stored.manifest.version} for part in opened]
    settings = msgspec.to_builtins(msgspec.structs.replace(recipe, parts=()))
    del settings["rows_per_shard"]
    return {**settings, "parts": parts}


def _check_names(part: Part, what: str, names: tuple[str, ...], known: set[str]) -> None:
    for name in names:
        if name not in known:
            raise InstructgenError(f"{part.version} has no {what} '{name}'; it has {', '.join(sorted(known))}")


def _relative_to(folder: Path, ref: str) -> str:
    return ref if "://" in ref or ref.startswith("~") or Path(ref).is_absolute() else str(folder / ref)
