import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.engine import Engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A dataset folder of its own, and servers that end with the test."""
    with Engine(tmp_path / "engine") as made:
        yield made


@pytest.fixture
def memory_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the system has one: what is written there hundreds of times waits for no disk."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)
