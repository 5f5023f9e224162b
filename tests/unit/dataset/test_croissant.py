"""croissant.json is checked and read by mlcroissant, MLCommons' own reader."""

import json
from pathlib import Path
from typing import Any

import pytest

from instructgen.dataset.cards.croissant import make_croissant
from instructgen.dataset.cards.presentation import present
from instructgen.dataset.cards.statistics import measure
from instructgen.dataset.manifest import SourceFacts
from instructgen.dataset.stored import LocalVersion
from tests.support.versions import make_row_of, write_version
from tests.unit.dataset.test_card import HOSTILE, encode_picture


def make_version(folder: Path, *, embeds: bool = True, **fields: Any) -> LocalVersion:
    rows = [
        make_row_of(number, sample_type, picture=encode_picture(number) if embeds else None)
        for number in range(3)
        for sample_type in ("conv", "detail")
    ]
    version = write_version(folder, rows, **fields)
    present(folder, version.manifest)
    return version


def test_every_shard_is_a_file_with_its_digest_and_every_column_a_field(tmp_path: Path) -> None:
    version = make_version(tmp_path / "v")
    found = json.loads((version.folder / "croissant.json").read_bytes())
    files = {one["contentUrl"]: one["sha256"] for one in found["distribution"] if one["@type"] == "cr:FileObject"}
    assert files == {shard.path: shard.sha256 for shard in version.manifest.shards}
    records = {one["@id"]: [field["name"] for field in one["field"]] for one in found["recordSet"]}
    assert set(records) == {"split-names", "default", "conv", "detail"}
    assert records["conv"] == ["split", *(column.name for column in measure(version).columns)]
    assert found["version"] == f"1.0.0+{version.manifest.version}"
    assert {"name", "description", "license", "url", "citeAs", "datePublished"} <= found.keys()


@pytest.mark.parametrize("embeds", [True, False])
def test_mlcroissant_finds_nothing_to_complain_of_and_reads_the_rows(tmp_path: Path, embeds: bool) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    version = make_version(tmp_path / "v", embeds=embeds)
    dataset = mlcroissant.Dataset(jsonld=str(version.folder / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    assert not dataset.metadata.ctx.issues.warnings
    assert len(list(dataset.records("default"))) == 6
    rows = list(dataset.records("conv"))
    assert [row["conv/sample_type"] for row in rows] == [b"conv"] * 3
    assert {row["conv/split"] for row in rows} == {b"train"}
    assert rows[0]["conv/messages"][1] == {"conv/messages/role": b"assistant", "conv/messages/content": b"A dog."}
    assert rows[0]["conv/scores"] == {"conv/scores/length": 1.0}
    images = [row["conv/images"][0] for row in rows]
    assert images[2]["conv/images/path"] == b"000000000002.jpg"
    if embeds:
        assert [image["conv/images/bytes"].size for image in images] == [(64, 48), (65, 48), (66, 48)]
    else:
        assert all(image.keys() == {"conv/images/path"} for image in images)


def test_mlcroissant_takes_a_hostile_title_and_a_version_without_rows(tmp_path: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    hostile = make_version(tmp_path / "a", source=SourceFacts(HOSTILE, HOSTILE, 3, {}))
    empty = write_version(tmp_path / "b", [])
    present(empty.folder, empty.manifest)
    for folder in (hostile.folder, empty.folder):
        assert not mlcroissant.Dataset(jsonld=str(folder / "croissant.json")).metadata.ctx.issues.errors


def test_licences_are_addresses_where_they_are_known(tmp_path: Path) -> None:
    names = ["CC-BY-2.0", "House rules", None]
    rows = [
        {**make_row_of(number, picture=encode_picture(number)), "image_licences": [name]}
        for number, name in enumerate(names)
    ]
    version = write_version(tmp_path / "v", rows)
    assert make_croissant(version.manifest, measure(version))["license"] == [
        "https://creativecommons.org/licenses/by/2.0/",
        "House rules",
        "not stated by the source",
    ]
