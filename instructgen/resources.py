"""Where files are: what ships with instructgen, and the ledger of a run."""

from pathlib import Path

from instructgen.errors import InstructgenError

# Of a run directory; a dataset's folder is known by the first two.
LEDGER_NAME = "ledger.sqlite"
JOURNAL_NAME = "journal"
LOG_NAME = "log.jsonl"
RUN_NAME = "run.json"
BATCHES_NAME = "batches"
_PACKAGE = Path(__file__).resolve().parent


def shared_folder(name: str) -> Path:
    """Return the folder called `name` ("prompts", "pipelines", "data") of an installed wheel or a checkout.

    Raises InstructgenError when neither holds it, which means a broken installation.
    """
    for folder in (_PACKAGE / "share" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise InstructgenError(f"instructgen's own folder '{name}' is missing; install instructgen again")
