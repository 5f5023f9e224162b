"""Personal data in what is said: addresses and numbers that belong to somebody (docs/filters.md).

Patterns propose; phonenumbers and python-stdnum, the extra `[safety]`, say whether a number can be one.
"""

import re
from collections.abc import Callable, Iterator
from typing import ClassVar, Literal

from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.filters.quotes import join_turns
from instructgen.records import Fault, ImageRecord, Sample, Verdict

Kind = Literal["email", "phone", "card", "iban", "ssn"]
_KINDS: tuple[Kind, ...] = ("email", "phone", "card", "iban", "ssn")
_EMAIL = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,4}[A-Za-z]{2,24}\b")
_CARD = re.compile(r"(?<![\d.])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\d.]?\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}\b")
_SSN = re.compile(r"\b\d{3}-\d{2}-\d{4}\b")
_MIN_DIGITS = 7


class PersonalData(Struct, frozen=True, forbid_unknown_fields=True):
    """Turn away a sample with somebody's address or number; the score is how many there are.

    `region` is the country, as "US" or "DE", whose telephone numbers are known without their "+1".
    """

    reasons: ClassVar[tuple[str, ...]] = ("personal_data",)
    is_default: ClassVar[bool] = False

    kinds: tuple[Kind, ...] = _KINDS
    region: str = "US"

    def __post_init__(self) -> None:
        try:
            import phonenumbers
            import stdnum  # noqa: F401
        except ImportError as error:
            raise InstructgenError(
                f"the filter personal_data needs {error.name}: pip install instructgen[safety]"
            ) from None
        if self.region not in phonenumbers.SUPPORTED_REGIONS:
            raise InstructgenError(
                f"[filters.options.personal_data]: no region '{self.region}'; it wants two letters, as 'US' or 'DE'"
            )

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:  # noqa: ARG002
        text = join_turns(sample.turns)
        # Without a digit or an "@" there is nothing to find.
        found = list(self._find(text)) if "@" in text or any(map(str.isdecimal, text)) else []
        if not found:
            return Verdict(0.0)
        kind, hit = found[0]
        # What is set aside is published, too: what it was is told, not what it said.
        return Verdict(float(len(found)), Fault("personal_data", f"{kind} of {len(hit)} characters"))

    def _find(self, text: str) -> Iterator[tuple[Kind, str]]:
        finders: dict[Kind, Callable[[str], Iterator[str]]] = {
            "email": _find_emails,
            "card": _find_cards,
            "iban": _find_ibans,
            "ssn": _find_ssns,
            "phone": self._find_phones,
        }
        for kind, finder in finders.items():
            if kind in self.kinds:
                yield from ((kind, hit) for hit in finder(text))

    def _find_phones(self, text: str) -> Iterator[str]:
        from phonenumbers import Leniency, PhoneNumberMatcher

        if sum(map(str.isdecimal, text)) >= _MIN_DIGITS:
            yield from (match.raw_string for match in PhoneNumberMatcher(text, self.region, leniency=Leniency.VALID))


def _find_emails(text: str) -> Iterator[str]:
    return (match.group() for match in _EMAIL.finditer(text))


def _find_cards(text: str) -> Iterator[str]:
    from stdnum import luhn

    return (hit for hit in _CARD.findall(text) if luhn.is_valid(hit.replace(" ", "").replace("-", "")))


def _find_ibans(text: str) -> Iterator[str]:
    from stdnum import iban

    return (hit for hit in _IBAN.findall(text) if iban.is_valid(hit))


def _find_ssns(text: str) -> Iterator[str]:
    from stdnum.us import ssn

    return (hit for hit in _SSN.findall(text) if ssn.is_valid(hit))
