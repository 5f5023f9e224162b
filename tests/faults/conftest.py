from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.engine import Engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A dataset folder of its own, and servers that end with the test."""
    with Engine(tmp_path / "engine") as made:
        yield made
