"""The Cauldron's form as others write it, and its round trip."""

from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from instructgen.dataset.imports import IMPORTS
from instructgen.dataset.imports.base import Imported, ImportSettings
from instructgen.errors import InstructgenError
from instructgen.records import Message
from tests.support.exports import make_picture, make_row, read_form, tell_imported, tell_row, write_rows

SCHEMA = pa.schema(
    [
        ("images", pa.list_(pa.struct([("bytes", pa.binary()), ("path", pa.string())]))),
        ("texts", pa.list_(pa.struct([(name, pa.string()) for name in ("user", "assistant", "source")]))),
    ]
)
TEXTS = [{"user": "What?", "assistant": "A dog.", "source": "ai2d"}]


def write_table(path: Path, rows: list[dict[str, Any]], schema: pa.Schema = SCHEMA) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def image(data: bytes | None, path: str | None = None) -> dict[str, Any]:
    return {"bytes": data, "path": path}


def test_row_of_the_cauldron_is_read(tmp_path: Path) -> None:
    texts = [*TEXTS, {"user": "Where?", "assistant": "There.", "source": "ai2d"}]
    path = write_table(tmp_path / "a.parquet", [{"images": [image(make_picture(1))], "texts": texts}])
    [one], rejected = read_form(path, "texts")
    assert rejected == []
    assert one.turns == (
        Message("user", "What?"),
        Message("assistant", "A dog."),
        Message("user", "Where?"),
        Message("assistant", "There."),
    )
    assert one.image_id.startswith("texts/")
    assert one.sample_id == f"{one.image_id}/multi_turn/1"
    assert one.fields == {"source": "ai2d"}
    assert [picture.data for picture in one.images] == [make_picture(1)]
    assert one.images[0].path.endswith(".jpg")


def test_file_that_datasets_wrote_is_read(tmp_path: Path) -> None:
    features = datasets.Features(
        {
            "images": datasets.List(datasets.Image()),
            "texts": datasets.List({"user": datasets.Value("string"), "assistant": datasets.Value("string")}),
        }
    )
    rows = {
        "images": [[Image.new("RGB", (5, 4))]],
        "texts": [[{"user": "What?", "assistant": "Black."}]],
    }
    datasets.Dataset.from_dict(rows, features=features).to_parquet(str(tmp_path / "a.parquet"))
    [one], rejected = read_form(tmp_path / "a.parquet", "texts")
    assert rejected == []
    assert (one.turns[1].content, one.fields) == ("Black.", {})


def test_same_picture_has_the_same_image_id_and_another_has_another(tmp_path: Path) -> None:
    rows = [{"images": [image(make_picture(shade))], "texts": TEXTS} for shade in (1, 2, 1)]
    imported, _ = read_form(write_table(tmp_path / "a.parquet", rows), "texts")
    ids = [one.image_id for one in imported]
    assert ids[0] == ids[2] != ids[1]
    assert len({one.sample_id for one in imported}) == 3


def test_name_that_only_coco_has_gives_its_id(tmp_path: Path) -> None:
    picture = image(make_picture(1), "000000000139.jpg")
    path = write_table(tmp_path / "a.parquet", [{"images": [picture], "texts": TEXTS}])
    assert read_form(path, "texts")[0][0].image_id == "coco/000000000139"


@pytest.mark.parametrize(
    ("reason", "row"),
    [
        ("image_unreadable", {"images": [image(b"no picture")], "texts": TEXTS}),
        ("image_missing", {"images": [image(None)], "texts": TEXTS}),
        ("image_missing", {"images": [None], "texts": TEXTS}),
        ("unsafe_path", {"images": [image(None, "../up.jpg")], "texts": TEXTS}),
        ("no_answer", {"images": [], "texts": []}),
        ("no_answer", {"images": [], "texts": None}),
        ("not_a_turn", {"images": [], "texts": [{"user": None, "assistant": "A.", "source": ""}]}),
        ("not_a_turn", {"images": [], "texts": [None]}),
    ],
)
def test_bad_row_is_rejected_and_the_next_is_read(reason: str, row: dict[str, Any], tmp_path: Path) -> None:
    good = {"images": [], "texts": TEXTS}
    imported, rejected = read_form(write_table(tmp_path / "a.parquet", [row, good]), "texts")
    assert [(one.record_id, one.stage, one.reason) for one in rejected] == [("#1", "source", reason)]
    assert len(imported) == 1


def test_text_that_is_not_utf8_costs_its_row_alone(tmp_path: Path) -> None:
    broken = pa.array([b"\xff\xfe", b"fine"]).view(pa.string())
    columns = [broken, pa.array(["A.", "B."]), pa.array(["", ""])]
    pairs = pa.StructArray.from_arrays(columns, ["user", "assistant", "source"])
    texts = pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), pairs)
    images = pa.array([[], []], SCHEMA.field(0).type)
    pq.write_table(pa.table({"images": images, "texts": texts}), tmp_path / "a.parquet")
    imported, rejected = read_form(tmp_path / "a.parquet", "texts")
    assert [one.reason for one in rejected] == ["broken_text"]
    assert [one.turns[0].content for one in imported] == ["fine"]


def test_picture_of_too_many_pixels_or_bytes_is_rejected_before_it_is_decoded(tmp_path: Path) -> None:
    row = {"images": [image(make_picture(1, size_px=(100, 100)))], "texts": TEXTS}
    path = write_table(tmp_path / "a.parquet", [row])
    for bound in ({"max_pixels": 9_999}, {"max_bytes": 100}):
        imported, rejected = read_form(path, "texts", **bound)
        assert (imported, [one.reason for one in rejected]) == ([], ["image_too_large"])


def test_pictures_that_are_too_large_together_are_rejected(tmp_path: Path) -> None:
    pictures = [image(make_picture(shade)) for shade in range(3)]
    path = write_table(tmp_path / "a.parquet", [{"images": pictures, "texts": TEXTS}])
    size = len(make_picture(0))
    _, rejected = read_form(path, "texts", max_bytes=2 * size)
    assert [one.reason for one in rejected] == ["record_too_large"]


def test_path_alone_is_looked_for_in_the_folder_of_pictures(tmp_path: Path) -> None:
    rows = [{"images": [image(None, name)], "texts": TEXTS} for name in ("there.jpg", "gone.jpg")]
    path = write_table(tmp_path / "a.parquet", rows)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "there.jpg").write_bytes(make_picture(3))
    imported, rejected = read_form(path, "texts", images=tmp_path / "pictures")
    assert [one.images[0].data for one in imported] == [make_picture(3)]
    assert [one.reason for one in rejected] == ["image_missing"]


def test_link_out_of_the_folder_of_pictures_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(make_picture(3))
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    path = write_table(tmp_path / "a.parquet", [{"images": [image(None, "link.jpg")], "texts": TEXTS}])
    _, rejected = read_form(path, "texts", images=tmp_path / "pictures")
    assert [one.reason for one in rejected] == ["unsafe_path"]


def test_numbers_go_on_over_the_files_of_a_folder(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_table(tmp_path / "d" / f"{name}.parquet", [{"images": [], "texts": TEXTS}])
    imported, _ = read_form(tmp_path / "d", "texts")
    assert [one.sample_id for one in imported] == ["texts/1/single_turn/1", "texts/2/single_turn/2"]


def test_truncated_file_is_an_error(tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.parquet", [{"images": [image(make_picture(1))], "texts": TEXTS}] * 20)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InstructgenError, match=r"a\.parquet cannot be read"):
        read_form(path, "texts")


def test_file_without_the_columns_is_an_error_that_names_them(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": ["a"]}), tmp_path / "a.parquet")
    with pytest.raises(InstructgenError, match="no column 'images'; it has: image"):
        read_form(tmp_path / "a.parquet", "texts")


def test_sample_type_that_could_leave_a_folder_is_rejected(tmp_path: Path) -> None:
    schema = SCHEMA.append(pa.field("sample_type", pa.string()))
    row = {"images": [], "texts": TEXTS, "sample_type": "../up"}
    _, rejected = read_form(write_table(tmp_path / "a.parquet", [row], schema), "texts")
    assert [one.reason for one in rejected] == ["unsafe_type"]


def test_id_that_comes_again_gets_a_number(tmp_path: Path) -> None:
    schema = SCHEMA.append(pa.field("sample_id", pa.string()))
    row = {"images": [], "texts": TEXTS, "sample_id": "mine"}
    imported, _ = read_form(write_table(tmp_path / "a.parquet", [row] * 3, schema), "texts")
    assert [one.sample_id for one in imported] == ["mine", "mine#2", "mine#3"]


def test_many_rows_of_pictures_are_never_all_in_memory(tmp_path: Path) -> None:
    rows = [make_row(number, pictures={"a.jpg": make_picture(1) + bytes(200_000)}) for number in range(200)]
    write_rows(rows, "texts", tmp_path)
    before = pa.total_allocated_bytes()
    most = 0
    for _ in IMPORTS["texts"](tmp_path / "out", ImportSettings()):
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < 20_000_000  # of 40 MB


def test_round_trip_keeps_what_every_row_says(tmp_path: Path) -> None:
    rows = [make_row(1, ("Is it <image>?", 'It\'s "so"\n.')), make_row(2, pictures={})]
    write_rows(rows, "texts", tmp_path)
    imported, rejected = read_form(tmp_path / "out", "texts")
    assert rejected == []
    assert [tell_imported(one) for one in imported] == [tell_row(row) for row in rows]
    assert all(isinstance(one, Imported) and one.image_at is None for one in imported)
