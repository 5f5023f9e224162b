"""What a run knows of its data: which version, what that was made of, and nothing that a plain file does not say."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")

from instructgen.dataset.derive.recipe import Part, Recipe
from instructgen.jobs.datasets import derive_version
from instructgen.train.example_rows import open_source
from instructgen.train.run_facts import DataFacts, describe_data
from tests.support.training import make_picture
from tests.support.versions import make_row_of, write_version


def test_mixture_names_its_versions_and_types_the_largest_first(tmp_path: Path) -> None:
    pairs = [("What is it?", "A plain picture.")]
    write_version(tmp_path / "few", [make_row_of(n, "conv", pairs, make_picture("red")) for n in range(2)])
    write_version(tmp_path / "many", [make_row_of(n, "detail", pairs, make_picture("blue")) for n in range(10, 15)])
    parts = tuple(Part(str(tmp_path / name)) for name in ("few", "many"))
    derive_version("mix", Recipe(parts), str(tmp_path / "out"), [])
    facts = describe_data(open_source(tmp_path / "out"), "train")
    assert (facts.kind, facts.made_by, facts.split) == ("version", "mix", "train")
    assert facts.rows_by_type == {"conv": 2, "detail": 5}
    assert [part.rows for part in facts.parts] == [5, 2]
    assert len({part.version for part in facts.parts} | {facts.version}) == 3


def test_plain_file_has_no_version(tmp_path: Path) -> None:
    path = tmp_path / "chats.jsonl"
    path.write_text('{"messages": [{"role": "user", "content": "Hello?"}]}\n', encoding="utf-8")
    assert describe_data(open_source(path), "train") == DataFacts("files", "train")
