"""A hard limit on money and tokens: what a request can cost at most is set aside before it is sent."""

from collections.abc import Callable

from instructgen.errors import BudgetSpentError
from instructgen.records import NOTHING, Cost

NANO = 1_000_000_000


class Budget:
    """Counts what is `spent` and what is set `aside`; together they never pass a limit. None is no limit.

    An answer that was lost on its way counts as spent, for it may be billed. Where several runs share the limits,
    `lend` is told what this one wants in all, and returns what it may spend in all from now on.
    """

    __slots__ = (
        "_aside_nano_usd",
        "_aside_tokens",
        "_lend",
        "_spent_nano_usd",
        "_spent_tokens",
        "max_nano_usd",
        "max_tokens",
    )

    def __init__(
        self,
        max_nano_usd: int | None = None,
        max_tokens: int | None = None,
        spent: Cost = NOTHING,
        lend: Callable[[Cost], Cost] | None = None,
    ) -> None:
        self.max_nano_usd = max_nano_usd
        self.max_tokens = max_tokens
        self._lend = lend
        # As numbers: every request changes them twice.
        self._spent_nano_usd, self._spent_tokens = spent.nano_usd, spent.tokens
        self._aside_nano_usd = self._aside_tokens = 0

    @property
    def spent(self) -> Cost:
        return Cost(self._spent_nano_usd, self._spent_tokens)

    @property
    def aside(self) -> Cost:
        return Cost(self._aside_nano_usd, self._aside_tokens)

    def try_reserve(self, most: Cost) -> bool:
        """Set aside the most that one request can cost; False where that might pass a limit."""
        nano_usd = self._spent_nano_usd + self._aside_nano_usd + most.nano_usd
        tokens = self._spent_tokens + self._aside_tokens + most.tokens
        if not self._has_room(nano_usd, tokens):
            if self._lend is None:
                return False
            self._take_loan(self._lend(Cost(nano_usd, tokens)))
            if not self._has_room(nano_usd, tokens):
                return False
        self.reserve(most)
        return True

    def _has_room(self, nano_usd: int, tokens: int) -> bool:
        if self.max_nano_usd is not None and nano_usd > self.max_nano_usd:
            return False
        return self.max_tokens is None or tokens <= self.max_tokens

    def _take_loan(self, ceiling: Cost) -> None:
        if self.max_nano_usd is not None:
            self.max_nano_usd = ceiling.nano_usd
        if self.max_tokens is not None:
            self.max_tokens = ceiling.tokens

    def reserve(self, most: Cost) -> None:
        """Set aside what is out already, whatever the limit."""
        self._aside_nano_usd += most.nano_usd
        self._aside_tokens += most.tokens

    def settle(self, most: Cost, actual: Cost) -> None:
        """Replace what was set aside for a request by what it did cost."""
        self._aside_nano_usd -= most.nano_usd
        self._aside_tokens -= most.tokens
        self._spent_nano_usd += actual.nano_usd
        self._spent_tokens += actual.tokens

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
