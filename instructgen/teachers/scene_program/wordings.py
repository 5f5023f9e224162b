"""Surface forms: TOML files under prompts/scene-program/wordings that anybody can extend, read and checked once."""

import hashlib
import string
import tomllib
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from instructgen.config import Style
from instructgen.errors import InstructgenError
from instructgen.resources import shared_folder

STYLES: tuple[Style, ...] = ("plain", "terse", "warm")
_FOLDER = "scene-program"


class Family(Struct, frozen=True, forbid_unknown_fields=True):
    """The forms of one family: questions, and answers in three styles. `{pic}` is the program's word for the picture.

    A family of added sentences has `plain` alone; a style without forms of its own takes those of `plain`. Families
    of one `asked_as` share their questions, so that no question tells its answer.
    """

    ask: tuple[str, ...] = ()
    asked_as: str = ""
    plain: tuple[str, ...] = ()
    terse: tuple[str, ...] = ()
    warm: tuple[str, ...] = ()

    def tells(self, style: Style) -> tuple[str, ...]:
        forms = {"plain": self.plain, "terse": self.terse, "warm": self.warm}[style]
        return forms or self.plain


def folder() -> Path:
    return shared_folder("prompts") / _FOLDER


def read_table(path: Path) -> dict[str, object]:
    """Read one TOML file; raise InstructgenError, naming it and the place, where it is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InstructgenError(f"{path.name}: no valid TOML: {error}") from error


@cache
def load_wordings() -> dict[str, Family]:
    """Return the forms by family. Raises InstructgenError naming file, family and fault."""
    families: dict[str, Family] = {}
    for path in sorted((folder() / "wordings").glob("*.toml")):
        for name, table in read_table(path).items():
            if name in families:
                raise InstructgenError(f"{path.name}: the family '{name}' is in another file already")
            try:
                families[name] = msgspec.convert(table, Family)
            except msgspec.ValidationError as error:
                raise InstructgenError(f"{path.name}, family '{name}': {error}") from error
            _check(families[name], path.name, name)
    return _share_questions(families)


def _check(family: Family, file: str, name: str) -> None:
    if not family.plain:
        raise InstructgenError(f"{file}, family '{name}': it has no answers; give it a list called plain")
    for form in (*family.ask, *family.plain, *family.terse, *family.warm):
        try:
            slots = slots_of(form)
        except ValueError as error:
            raise InstructgenError(f"{file}, family '{name}': {error} in '{form}'") from error
        if any(not slot.isidentifier() for slot in slots):
            raise InstructgenError(f"{file}, family '{name}': a slot without a name in '{form}'; write {{x}}, say")


def _share_questions(families: dict[str, Family]) -> dict[str, Family]:
    asked: dict[str, tuple[str, ...]] = {}
    for family in families.values():
        if family.asked_as:
            asked[family.asked_as] = tuple(dict.fromkeys((*asked.get(family.asked_as, ()), *family.ask)))
    return {
        name: structs.replace(family, ask=asked[family.asked_as]) if family.asked_as else family
        for name, family in families.items()
    }


@cache
def hash_wordings() -> str:
    """Return the sha256 of all wordings and rules: with another one the same image may be told otherwise."""
    digest = hashlib.sha256()
    for path in sorted(folder().rglob("*.toml")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def slots_of(form: str) -> set[str]:
    """Return the names of a form's slots; raise ValueError where its braces do not match."""
    return {name for _, name, _, _ in string.Formatter().parse(form) if name is not None}
