"""Surface forms of what is said of several pictures: TOML files under prompts/scene-program/several, read once."""

import random
from functools import cache

import msgspec

from instructgen.errors import InstructgenError
from instructgen.teachers.scene_program.wordings import Family, folder, read_table


@cache
def load_several() -> dict[str, Family]:
    """Return the forms by family. Raises InstructgenError naming file, family and fault."""
    families: dict[str, Family] = {}
    for path in sorted((folder() / "several").glob("*.toml")):
        for name, table in read_table(path).items():
            try:
                families[name] = msgspec.convert(table, Family)
            except msgspec.ValidationError as error:
                raise InstructgenError(f"{path.name}, family '{name}': {error}") from error
    return families


def draw_form(family: str, draw: random.Random) -> str:
    return draw.choice(load_several()[family].plain)
