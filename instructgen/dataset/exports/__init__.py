"""The forms of other projects that a version can be written in: name -> what writes it."""

from instructgen.dataset.exports.base import Export
from instructgen.dataset.exports.filter_cap import write_filter_cap
from instructgen.errors import InstructgenError

EXPORTS: dict[str, Export] = {"filter_cap": write_filter_cap}


def check_exports(names: tuple[str, ...]) -> None:
    """Raise InstructgenError for a form that is not known."""
    for name in names:
        if name not in EXPORTS:
            raise InstructgenError(f"dataset.exports: no export called '{name}'; there are: {', '.join(EXPORTS)}")
