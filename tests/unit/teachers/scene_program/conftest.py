"""A folder of wordings and rules of somebody's own, which the program takes for the one that ships."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from instructgen.teachers.scene_program import wordings
from instructgen.teachers.scene_program.rules import load_rules
from instructgen.teachers.scene_program.wordings import hash_wordings, load_wordings


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Write a file into that folder: `write("rules/mine.toml", text)`."""
    own = tmp_path / "scene-program"
    for part in ("wordings", "rules"):
        (own / part).mkdir(parents=True)

    def write_file(name: str, text: str) -> None:
        (own / name).write_text(text, encoding="utf-8")

    monkeypatch.setattr(wordings, "shared_folder", lambda name: tmp_path)
    _forget()
    yield write_file
    _forget()


def _forget() -> None:
    for one in (load_wordings, load_rules, hash_wordings):
        one.cache_clear()
