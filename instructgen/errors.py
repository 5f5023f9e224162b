"""Errors that a user can act on. Anything else that is raised is a bug and is left to show itself."""


class InstructgenError(Exception):
    """A mistake in the input or its surroundings; printed alone, without a traceback.

    The message says what is wrong, where (file, record) and what to do about it. `exit_code` is the
    process's exit status (docs/cli.md has the table).
    """

    exit_code = 2


class RunLockedError(InstructgenError):
    """Another process is working in the same run directory."""


class LedgerDamagedError(InstructgenError):
    """A ledger that cannot be read as it is; the message says how to repair it."""


class RunStoppedError(InstructgenError):
    """The run ended early and can be continued: Ctrl-C, a signal, or a server that refuses everything."""

    exit_code = 3


class BudgetSpentError(RunStoppedError):
    """What is left of the budget does not cover another request; with a higher one the run goes on."""

    exit_code = 5


class AnswersCollapsedError(RunStoppedError):
    """The teacher's answers became useless, and asking on would waste money."""

    exit_code = 6
