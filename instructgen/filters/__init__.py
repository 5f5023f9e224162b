"""The filters by name, in the order in which they run; the first fault decides."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from instructgen.config import FiltersConfig
from instructgen.errors import InstructgenError
from instructgen.filters.answerable import AnswerableQuestion
from instructgen.filters.base import CorpusFilter, Filter
from instructgen.filters.contamination import Contamination
from instructgen.filters.control_strings import ControlStrings
from instructgen.filters.diversity import DiversitySelection
from instructgen.filters.given_away import GivenAway
from instructgen.filters.grounding import Grounding
from instructgen.filters.language import AnswerLanguage
from instructgen.filters.leakage import SourceLeakage
from instructgen.filters.length import AnswerLength
from instructgen.filters.near_duplicate import NearDuplicate
from instructgen.filters.personal_data import PersonalData
from instructgen.filters.refusal import Refusal
from instructgen.filters.relevance import AnswerRelevance
from instructgen.filters.repetition import RepeatedText
from instructgen.filters.toxicity import OffensiveText
from instructgen.filters.yes_bias import YesBias

FILTERS: dict[str, type[Filter]] = {
    "leakage": SourceLeakage,
    "control_strings": ControlStrings,
    "refusal": Refusal,  # before length: a refusal is short, and its own reason tells more
    "length": AnswerLength,
    "repetition": RepeatedText,
    "language": AnswerLanguage,  # before relevance, which reads English
    "relevance": AnswerRelevance,
    "given_away": GivenAway,
    "answerable": AnswerableQuestion,
    "grounding": Grounding,  # of what is an answer at all
    "personal_data": PersonalData,
    "toxicity": OffensiveText,
    "yes_bias": YesBias,  # last: it adds to what all others have passed
}
# These look at the whole dataset, after all of the above; a sample that one drops is not there for the next.
CORPUS_FILTERS: dict[str, type[CorpusFilter]] = {
    "contamination": Contamination,
    "near_duplicate": NearDuplicate,
    "diversity": DiversitySelection,
}
_T = TypeVar("_T")
_Rule = type[Filter] | type[CorpusFilter]
_DEFAULT = "default"  # in `use`: all that are in use where nothing is said


def make_filters(config: FiltersConfig) -> dict[str, Filter]:
    """Return the filters in use with their options, in the table's order whatever the order of `use`.

    Raises InstructgenError for a name that is in neither table and for options a filter does not take.
    """
    names = _names_in_use(config)
    return {name: _make(FILTERS[name], name, config) for name in FILTERS if name in names}


def make_corpus_filters(config: FiltersConfig) -> dict[str, CorpusFilter]:
    """Return the filters over the whole dataset that are in use; otherwise as `make_filters`."""
    names = _names_in_use(config)
    return {name: _make(CORPUS_FILTERS[name], name, config) for name in CORPUS_FILTERS if name in names}


def _names_in_use(config: FiltersConfig) -> set[str]:
    """Return what `use` names; without it the default ones, and those that were given options."""
    rules: dict[str, _Rule] = {**FILTERS, **CORPUS_FILTERS}
    for name in (*(set(config.use or ()) - {_DEFAULT}), *config.options):
        if name not in rules:
            raise InstructgenError(f"no filter called '{name}'; there are: {', '.join(rules)}")
    names = set((_DEFAULT, *config.options) if config.use is None else config.use)
    if _DEFAULT in names:
        names |= {name for name, rule in rules.items() if getattr(rule, "is_default", True)}
    return names - {_DEFAULT}


def _make(rule: type[_T], name: str, config: FiltersConfig) -> _T:
    options: Mapping[str, object] = config.options.get(name, {})
    try:
        return msgspec.convert(options, type=rule)
    except msgspec.ValidationError as error:
        known = ", ".join(rule.__struct_fields__)  # type: ignore[attr-defined]
        raise InstructgenError(f"[filters.options.{name}]: {error}; its options are: {known}") from error
