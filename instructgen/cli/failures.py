"""How a command that prints JSON tells of an error."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.secrets import redact


@contextmanager
def told_as_json(*, as_json: bool, stopped: str = "stopped") -> Iterator[None]:
    """Print an error as the object that --json promises, and pass it on; Ctrl-C is the error `stopped`."""
    try:
        yield
    except (InstructgenError, KeyboardInterrupt) as caught:
        error = caught if isinstance(caught, InstructgenError) else RunStoppedError(stopped)
        if as_json:
            typer.echo(json.dumps({"error": redact(str(error)), "exit_code": error.exit_code}))
        raise error from None
