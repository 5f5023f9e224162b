"""What an engine is told of a build in parts, and what each part tells back: light for the actor that only lends."""

from pathlib import Path

from msgspec import Struct

from instructgen.errors import BudgetSpentError
from instructgen.records import Cost

PARTS_NAME = "parts"


class PartWork(Struct, frozen=True):
    """A build that is divided. `config` is its BuildConfig as JSON, with the limits of the whole; paths in it are
    relative to `cwd`, and `out` is a folder that every process sees.
    """

    config: bytes
    num_parts: int
    out: str
    cwd: str

    def folder(self, index: int) -> Path:
        return Path(self.out) / PARTS_NAME / f"{index:06d}-of-{self.num_parts:06d}"


class PartReport(Struct, frozen=True):
    """How one run of a part ended; `error` is empty where its part is published. `spent` is of all its runs."""

    index: int
    spent: Cost
    num_new_requests: int
    error: str = ""
    exit_code: int = 0

    @property
    def wants_money(self) -> bool:
        return self.exit_code == BudgetSpentError.exit_code
