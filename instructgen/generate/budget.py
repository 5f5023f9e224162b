"""A hard limit on money and tokens: what a request can cost at most is set aside before it is sent."""

from dataclasses import dataclass

from instructgen.errors import BudgetSpentError
from instructgen.records import NOTHING, Cost

NANO = 1_000_000_000


@dataclass(slots=True)
class Budget:
    """Counts what is `spent` and what is set `aside`; together they never pass a limit. None is no limit.

    An answer that was lost on its way counts as spent, for it may be billed. Without any limit nothing is counted.
    """

    max_nano_usd: int | None = None
    max_tokens: int | None = None
    spent: Cost = NOTHING
    aside: Cost = NOTHING

    @property
    def is_limited(self) -> bool:
        return self.max_nano_usd is not None or self.max_tokens is not None

    def try_reserve(self, most: Cost) -> bool:
        """Set aside the most that one request can cost; False where that might pass a limit."""
        if not self.is_limited:
            return True
        total = self.spent + self.aside + most
        if self.max_nano_usd is not None and total.nano_usd > self.max_nano_usd:
            return False
        if self.max_tokens is not None and total.tokens > self.max_tokens:
            return False
        self.aside = self.aside + most
        return True

    def settle(self, most: Cost, actual: Cost) -> None:
        """Replace what was set aside for a request by what it did cost."""
        if not self.is_limited:
            return
        self.aside = Cost(self.aside.nano_usd - most.nano_usd, self.aside.tokens - most.tokens)
        self.spent = self.spent + actual

    @property
    def has_open(self) -> bool:
        """Whether a request is still out, so that a part of what is set aside may become free."""
        return self.aside != NOTHING

    def error(self, most: Cost) -> BudgetSpentError:
        """Return the error of a run whose next request does not fit."""
        limits, flags = [], []
        if self.max_nano_usd is not None:
            limits.append(
                f"${self.spent.nano_usd / NANO:.4f} of ${self.max_nano_usd / NANO:g} is spent "
                f"and the next request may cost ${most.nano_usd / NANO:.4f}"
            )
            flags.append("--budget-usd")
        if self.max_tokens is not None:
            limits.append(
                f"{self.spent.tokens} of {self.max_tokens} tokens are spent "
                f"and the next request may take {most.tokens}"
            )
            flags.append("--budget-tokens")
        return BudgetSpentError(f"the budget ends here: {'; '.join(limits)}; raise {' or '.join(flags)} to go on")
