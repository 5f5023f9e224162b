"""The filters by name, in the order in which they run; the first fault decides."""

from collections.abc import Mapping

import msgspec

from instructgen.config import FiltersConfig
from instructgen.errors import InstructgenError
from instructgen.filters.base import Filter
from instructgen.filters.control_strings import ControlStrings
from instructgen.filters.leakage import SourceLeakage
from instructgen.filters.length import AnswerLength
from instructgen.filters.refusal import Refusal
from instructgen.filters.repetition import RepeatedText

FILTERS: dict[str, type[Filter]] = {
    "leakage": SourceLeakage,
    "control_strings": ControlStrings,
    "refusal": Refusal,  # before length: a refusal is short, and its own reason tells more
    "length": AnswerLength,
    "repetition": RepeatedText,
}


def make_filters(config: FiltersConfig) -> dict[str, Filter]:
    """Return the filters in use with their options, in the table's order whatever the order of `use`.

    Raises InstructgenError for a name that is not in the table and for options a filter does not take.
    """
    for name in (*(config.use or ()), *config.options):
        if name not in FILTERS:
            raise InstructgenError(f"no filter called '{name}'; there are: {', '.join(FILTERS)}")
    names = [name for name in FILTERS if config.use is None or name in config.use]
    return {name: _make_filter(name, config.options.get(name, {})) for name in names}


def _make_filter(name: str, options: Mapping[str, object]) -> Filter:
    try:
        return msgspec.convert(options, type=FILTERS[name])
    except msgspec.ValidationError as error:
        known = ", ".join(FILTERS[name].__struct_fields__)  # type: ignore[attr-defined]
        raise InstructgenError(f"[filters.options.{name}]: {error}; its options are: {known}") from error
