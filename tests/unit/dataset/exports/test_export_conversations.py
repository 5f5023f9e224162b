"""The files of each form of conversations, and what is left out of them."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from instructgen.dataset.exports import EXPORTS
from instructgen.dataset.exports.base import ExportSettings
from instructgen.dataset.exports.conversations import JsonFile, place_images
from instructgen.errors import InstructgenError
from tests.support.exports import make_hostile_rows, make_picture, make_row, with_system, write_rows
from tests.support.versions import write_version

FIELDS = {"sample_type": "conv", "source": "coco", "teacher": "openai", "model": "test-model"}


def read_json(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.split("\n") if line]


def fields_of(number: int) -> dict[str, str]:
    return {"image_id": f"coco/{number:012d}", **FIELDS}


def test_llava_record_is_what_the_trainer_reads(tmp_path: Path) -> None:
    rows = [make_row(1), make_row(2, pictures={}), make_row(3, pictures={"a.jpg": make_picture(1), "b.jpg": b"b"})]
    out = write_rows(rows, "llava", tmp_path).folder
    one, text, two = read_json(out / "train.json")
    assert sorted(path.name for path in out.iterdir()) == ["images", "train.json"]
    answer = {"from": "gpt", "value": "A dog."}
    shown = one["conversations"][0]["value"]
    assert shown in ("<image>\nWhat is there?", "What is there?\n<image>")
    assert one == {
        "id": "coco/000000000001/conv/0",
        "image": "000000000001.jpg",
        "conversations": [{"from": "human", "value": shown}, answer],
        **fields_of(1),
    }
    assert text == {
        "id": "coco/000000000002/conv/0",
        "conversations": [{"from": "human", "value": "What is there?"}, answer],
        **fields_of(2),
    }
    assert two["image"] == ["a.jpg", "b.jpg"]
    assert two["conversations"][0]["value"].count("<image>") == 2
    assert (out / "images" / "b.jpg").read_bytes() == b"b"


def test_sharegpt_has_a_line_for_each_row_and_paths_from_its_folder(tmp_path: Path) -> None:
    rows = [with_system(make_row(1), "Be brief."), make_row(2, pictures={})]
    out = write_rows(rows, "sharegpt", tmp_path).folder
    one, text = read_json(out / "train.jsonl")
    assert one["images"] == ["images/000000000001.jpg"]
    assert one["conversations"][0] == {"from": "system", "value": "Be brief."}
    assert "<image>" in one["conversations"][1]["value"]
    assert text["images"] == []
    assert list(text) == ["id", "conversations", "images", "image_id", "sample_type", "source", "teacher", "model"]


def test_llama_factory_describes_each_split(tmp_path: Path) -> None:
    out = write_rows([make_row(1)], "llamafactory", tmp_path, split="val").folder
    assert json.loads((out / "dataset_info.json").read_text()) == {
        "val": {
            "file_name": "val.json",
            "formatting": "sharegpt",
            "columns": {"messages": "conversations", "images": "images"},
            "tags": {
                "role_tag": "from",
                "content_tag": "value",
                "user_tag": "human",
                "assistant_tag": "gpt",
                "system_tag": "system",
            },
        }
    }


def test_split_that_would_replace_llama_factorys_own_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="has a split 'Dataset_info'"):
        write_rows([make_row(1)], "llamafactory", tmp_path, split="Dataset_info")
    assert [path.name for path in tmp_path.iterdir()] == ["version"]


def test_axolotl_shows_pictures_as_parts_before_the_first_question(tmp_path: Path) -> None:
    row = with_system(make_row(1, ("What?", "A dog."), ("And?", "A ball.")), "Be brief.")
    out = write_rows([row], "axolotl", tmp_path).folder
    [record] = read_json(out / "train.jsonl")
    assert "images" not in record  # axolotl would add the first of them again
    assert [message["role"] for message in record["messages"]] == ["system", *("user", "assistant") * 2]
    assert record["messages"][1]["content"] == [
        {"type": "image", "path": "images/000000000001.jpg"},
        {"type": "text", "text": "What?"},
    ]
    assert record["messages"][0]["content"] == [{"type": "text", "text": "Be brief."}]
    assert 'datasets:\n  - path: "./train.jsonl"\n' in (out / "axolotl.yaml").read_text()


def test_messages_are_parquet_that_says_what_the_pictures_are(tmp_path: Path) -> None:
    out = write_rows([make_row(1)], "messages", tmp_path).folder
    assert [str(path.relative_to(out)) for path in out.rglob("*.*")] == ["data/train-00000-of-00001.parquet"]
    file = pq.ParquetFile(out / "data" / "train-00000-of-00001.parquet")
    names = ["sample_id", "messages", "images", "image_id", "sample_type", "source", "teacher", "model"]
    assert file.schema_arrow.names == names
    features = json.loads(file.schema_arrow.metadata[b"huggingface"])["info"]["features"]
    assert features == {"images": {"feature": {"_type": "Image"}, "_type": "List"}}


@pytest.mark.parametrize(
    ("form", "left_out"),
    [
        ("llava", {"placeholder_in_text": 2, "system_turn": 2}),
        ("sharegpt", {"placeholder_in_text": 2}),
        ("messages", {}),
        ("trl", {}),
        ("llamafactory", {"placeholder_in_text": 3}),
        ("axolotl", {}),
    ],
)
def test_what_a_form_has_no_room_for_is_counted_by_reason(
    form: str, left_out: dict[str, int], tmp_path: Path
) -> None:
    assert write_rows(make_hostile_rows(), form, tmp_path).left_out == left_out


@pytest.mark.parametrize(
    ("roles", "left_out"),
    [
        (("user", "user", "assistant"), {"llava", "llamafactory"}),
        (("assistant", "user"), {"llava", "llamafactory"}),
        (("user", "assistant", "user"), {"llava", "llamafactory"}),
        (("user", "system", "assistant"), {"llava", "llamafactory"}),
        (("assistant",), {"llava", "llamafactory", "sharegpt", "trl", "axolotl"}),
    ],
)
def test_order_of_turns_that_the_trainer_stops_at_is_left_out(
    roles: tuple[str, ...], left_out: set[str], tmp_path: Path
) -> None:
    strange = {**make_row(1), "messages": [{"role": role, "content": "Words."} for role in roles]}
    found = set()
    for form in ("llava", "sharegpt", "messages", "trl", "llamafactory", "axolotl"):
        exported = write_rows([strange, make_row(2)], form, tmp_path / form)
        assert exported.num_rows + sum(exported.left_out.values()) == 2
        if exported.left_out:
            found.add(form)
    assert found == left_out


def test_splits_are_files_of_their_own(tmp_path: Path) -> None:
    from msgspec.structs import replace

    first = write_version(tmp_path / "v", [make_row(1), make_row(2)])
    shard = first.manifest.shards[0]
    (tmp_path / "v" / "data" / "val-00000-of-00001.parquet").write_bytes((tmp_path / "v" / shard.path).read_bytes())
    shards = (shard, replace(shard, path="data/val-00000-of-00001.parquet", split="val"))
    second = write_version(tmp_path / "w", [], shards=shards)
    (tmp_path / "v" / "manifest.json").write_bytes((second.folder / "manifest.json").read_bytes())
    version = type(first)(tmp_path / "v")
    exported = EXPORTS["llava"](version, tmp_path / "out", lambda _, __: None)
    assert exported.num_rows == 4
    assert sorted(path.name for path in (tmp_path / "out").glob("*.json")) == ["train.json", "val.json"]
    assert len(read_json(tmp_path / "out" / "val.json")) == 2


def test_row_that_is_left_out_leaves_no_picture(tmp_path: Path) -> None:
    rows = [make_row(1, ("What is <image>?", "A tag.")), make_row(2)]
    out = write_rows(rows, "llava", tmp_path).folder
    assert [path.name for path in (out / "images").iterdir()] == ["000000000002.jpg"]


def test_document_with_pictures_between_turns_is_left_out(tmp_path: Path) -> None:
    for form in ("llava", "sharegpt", "llamafactory", "axolotl", "messages", "trl"):
        version = write_version(tmp_path / form / "v", [make_row(1)])
        rows = [{**make_row(1), "image_at": [1]}, {**make_row(1), "image_at": None}]
        _write_with_places(version.folder, rows)
        exported = EXPORTS[form](version, tmp_path / form / "out", lambda _, __: None)
        assert (exported.num_rows, exported.left_out) == (1, {"interleaved": 1}), form


def _write_with_places(folder: Path, rows: list[Any]) -> None:
    import pyarrow as pa

    path = next((folder / "data").glob("*.parquet"))
    table = pq.read_table(path)
    table = pa.concat_tables([table] * len(rows))
    pq.write_table(
        table.append_column("image_at", pa.array([row["image_at"] for row in rows], pa.list_(pa.int64()))), path
    )


def test_placeholder_stands_on_either_side_equally_often_and_by_the_sample_alone() -> None:
    turns = [{"role": "user", "content": "What?"}, {"role": "assistant", "content": "A dog."}]
    placed = [place_images(turns, 1, f"coco/{number:012d}/conv/0", 0)[0]["content"] for number in range(10_000)]
    assert set(placed) == {"<image>\nWhat?", "What?\n<image>"}
    assert 0.48 < placed.count("<image>\nWhat?") / 10_000 < 0.52
    assert placed[:50] == [place_images(turns, 1, f"coco/{n:012d}/conv/0", 0)[0]["content"] for n in range(50)]
    other = [place_images(turns, 1, f"coco/{number:012d}/conv/0", 1)[0]["content"] for number in range(50)]
    assert placed[:50] != other
    assert turns[0]["content"] == "What?"


def test_seed_reaches_the_draw(tmp_path: Path) -> None:
    rows = [make_row(number) for number in range(1, 20)]
    texts = []
    for seed in (0, 1):
        out = write_rows(rows, "llava", tmp_path / str(seed), ExportSettings(seed=seed)).folder
        texts.append((out / "train.json").read_bytes())
    assert texts[0] != texts[1]


def test_list_is_whole_json_however_many_records_it_has(tmp_path: Path) -> None:
    for num in (1, 3):
        path = tmp_path / f"{num}.json"
        with JsonFile(path) as file:
            for number in range(num):
                file.write({"n": number})
        assert json.loads(path.read_text()) == [{"n": number} for number in range(num)]
    with JsonFile(tmp_path / "none.json"):
        pass
    assert not (tmp_path / "none.json").exists()
