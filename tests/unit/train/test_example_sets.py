"""A dataset as examples: every row is there or counted, pictures have one key each and are read from anywhere."""

import hashlib
import json
import os
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

pytest.importorskip("transformers", reason="tokenizers come with the extra [train]")

from instructgen.dataset.columns import Provenance, Row, make_row
from instructgen.dataset.stored import LocalVersion, read_rows
from instructgen.errors import InstructgenError
from instructgen.records import Message
from instructgen.train import example_pictures
from instructgen.train.encode import Encoder
from instructgen.train.example import IMAGE_SLOT
from instructgen.train.examples import ExampleSet, load_examples, open_source
from tests.support.make import make_record, make_reply, make_sample
from tests.support.tokenizers import make_tokenizer
from tests.support.versions import make_row_of, write_version


def make_encoder(max_tokens: int = 1000, template: str = "vicuna_v1") -> Encoder:
    return Encoder(make_tokenizer("legacy"), template, tokens_per_image=9, max_tokens=max_tokens)


def make_pair_row(first: bytes | None, second: bytes | None) -> Row:
    """Return the row of a sample of images 1 and 2, in this order."""
    sample = replace(make_sample(2, "multi-image", "Both show a dog."), partner=make_record(1))
    return make_row(
        sample, make_record(2), Provenance("coco", "", make_reply()), second, {make_record(1).image_id: first}
    )


def make_rows() -> list[Row]:
    """Two samples of image 1, one of image 2, one of both, one of none."""
    text_only = {**make_row_of(3, "text"), "images": [], "image_licences": [], "image_urls": []}
    return [
        make_row_of(1, "conv", [("What?", "A dog."), ("Where?", "In a park.")], b"picture one"),
        make_row_of(1, "detail", [("Describe it.", "A dog lies there.")], b"picture one"),
        make_row_of(2, "conv", [("What?", "A cat.")], b"picture two"),
        make_pair_row(b"picture one", b"picture two"),
        text_only,
    ]


def load(tmp_path: Path, rows: list[Row], **options: Any) -> ExampleSet:
    version = write_version(tmp_path / "version", rows)
    return load_examples(version.folder, options.pop("encoder", make_encoder()), **options)


def write_lines(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    return path


def say(*texts: str) -> list[dict[str, str]]:
    return [{"role": "assistant" if place % 2 else "user", "content": text} for place, text in enumerate(texts)]


def test_rows_of_a_version_become_examples_in_its_order(tmp_path: Path) -> None:
    rows = make_rows()
    examples = load(tmp_path, rows)
    version = write_version(tmp_path / "again", rows)
    stored = [row["sample_id"] for row in open_order(version.folder)]
    assert [example.sample_id for example in examples] == stored
    assert sorted(stored) == sorted(row["sample_id"] for row in rows)
    encoder = make_encoder()
    by_id = {row["sample_id"]: row for row in rows}
    for example in examples:
        row = by_id[example.sample_id]
        chat = [Message(turn["role"], turn["content"]) for turn in row["messages"]]
        alone = encoder.encode("x", chat, example.pictures)
        assert example.ids.tolist() == alone.ids.tolist()
        assert example.is_trained.tolist() == alone.is_trained.tolist()
        assert example.ids.tolist().count(IMAGE_SLOT) == len(row["images"]) == len(example.pictures)


def open_order(folder: Path) -> list[Row]:
    return list(read_rows(LocalVersion(folder), ["sample_id"]))


def test_image_has_one_key_in_every_sample_of_it(tmp_path: Path) -> None:
    examples = load(tmp_path, make_rows())
    keys = {example.sample_id: example.pictures for example in examples}
    one, two = keys["coco/000000000001/conv/0"], keys["coco/000000000002/conv/0"]
    assert keys["coco/000000000001/detail/0"] == one
    assert keys["coco/000000000002/multi-image/0"] == (*one, *two)
    assert keys["coco/000000000003/text/0"] == ()
    assert [examples.picture_bytes(key) for key in (*one, *two)] == [b"picture one", b"picture two"]


def test_two_images_of_one_file_name_have_two_keys(tmp_path: Path) -> None:
    rows = [make_row_of(number, "conv", picture=b"%d" % number) for number in (1, 2)]
    for row in rows:
        row["images"][0]["path"] = "picture.jpg"
    examples = load(tmp_path, rows)
    assert len({example.pictures for example in examples}) == 2
    shown = {example.sample_id: examples.picture_bytes(example.pictures[0]) for example in examples}
    assert shown == {row["sample_id"]: row["images"][0]["bytes"] for row in rows}


def test_summary_counts_every_row_and_every_token(tmp_path: Path) -> None:
    rows = [*make_rows(), make_row_of(4, "conv", [("What?", " ")], b"four"), make_row_of(5, "conv", [], b"five")]
    examples = load(tmp_path, rows)
    summary = examples.summary
    assert (summary.rows, summary.samples) == (7, 5)
    assert summary.skipped == {"empty_answer": 1, "no_user_turn": 1}
    assert summary.skipped_ids == {
        "empty_answer": ["coco/000000000004/conv/0"],
        "no_user_turn": ["coco/000000000005/conv/0"],
    }
    assert (summary.pictures, summary.text_only) == (2, 1)
    assert summary.image_tokens == 5 * 9
    assert summary.text_tokens == sum(len(example.ids) - len(example.pictures) for example in examples)
    assert summary.learned_tokens == sum(int(example.is_trained.sum()) for example in examples)
    lengths = [example.num_tokens(9) for example in examples]
    assert examples.lengths.tolist() == lengths
    assert summary.longest == max(lengths)


def test_summary_counts_what_was_cut_and_left_out(tmp_path: Path) -> None:
    whole = load(tmp_path / "whole", make_rows())
    short = next(example for example in whole if example.sample_id == "coco/000000000002/conv/0").num_tokens(9)
    examples = load(tmp_path / "cut", make_rows(), encoder=make_encoder(short - 1))
    summary = examples.summary
    assert summary.skipped == {"too_long_for_image": 1}  # the one of two images
    assert (summary.samples, summary.longest) == (4, short - 1)
    assert (summary.answers_cut, summary.turns_left_out) == (3, 2)


def test_dataset_that_nothing_can_be_learned_from_is_refused_with_the_reasons(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match=r"nothing to learn from \(empty_answer 1\)"):
        load(tmp_path, [make_row_of(1, "conv", [("What?", "")], b"one")])


def test_unknown_split_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="has no split 'val'; there are: train"):
        load(tmp_path, make_rows(), split="val")


def test_pictures_that_rows_name_by_path_come_from_the_image_folder(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    (images / make_record(1).file_name).write_bytes(b"from the folder")
    rows = [make_row_of(1, "conv"), make_row_of(2, "conv")]
    with pytest.raises(InstructgenError, match="image_folder says where they are"):
        load(tmp_path / "a", rows)
    examples = load(tmp_path / "b", rows, image_folder=images)
    one, two = (examples[number].pictures[0] for number in (0, 1))
    assert examples.picture_bytes(one) == b"from the folder"
    with pytest.raises(InstructgenError, match="image_folder is wrong"):
        examples.picture_bytes(two)


def test_json_lines_are_read_with_their_pictures_beside_them(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"a")
    (tmp_path / "b.png").write_bytes(b"b")
    path = write_lines(
        tmp_path / "data.jsonl",
        {"id": "first", "messages": say("<image>\nWhat?", "A dog."), "images": ["a.png"]},
        {"messages": say("Which?", "The second."), "images": [{"path": "a.png"}, {"path": "b.png"}]},
        {"messages": say("Why?", "Who knows.")},
    )
    examples = load_examples(path, make_encoder())
    assert [example.sample_id for example in examples] == ["first", "2", "3"]
    assert [len(example.pictures) for example in examples] == [1, 2, 0]
    assert examples[0].pictures == examples[1].pictures[:1]
    assert [examples.picture_bytes(key) for key in examples[1].pictures] == [b"a", b"b"]


@pytest.mark.parametrize(
    ("record", "wrong"),
    [
        ({"messages": "hello"}, "wants a list of objects with a role"),
        ({"messages": [{"role": "gpt", "content": "x"}]}, "wants a list of objects with a role"),
        ({"messages": [{"role": "user", "content": 3}]}, "wants a list of objects with a role"),
        ({}, "wants a list of objects with a role"),
        ({"messages": say("a", "b"), "images": [3]}, "neither a path nor the bytes"),
        ({"messages": say("a", "b"), "images": "a.png"}, "wants a list, also for a single picture"),
        ({"messages": say("a", "b"), "images": {"path": "a.png"}}, "wants a list, also for a single picture"),
        ({"messages": say("a", "b"), "images": 3}, "wants a list, also for a single picture"),
        ({"messages": say("a", "b"), "image": "a.png"}, "pictures are read from `images`, a list"),
    ],
)
def test_line_that_is_no_chat_is_told_with_its_number(tmp_path: Path, record: dict[str, Any], wrong: str) -> None:
    path = write_lines(tmp_path / "data.jsonl", {"messages": say("What?", "A dog.")}, record)
    with pytest.raises(InstructgenError, match=f"data.jsonl line 2: .*{wrong}"):
        load_examples(path, make_encoder())


def test_line_that_is_no_json_is_told_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text('{"messages": [}\n', encoding="utf-8")
    with pytest.raises(InstructgenError, match=r"data\.jsonl line 1 is no JSON object"):
        load_examples(tmp_path / "data.jsonl", make_encoder())


def test_path_that_leads_out_of_the_image_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "in").mkdir()
    path = write_lines(tmp_path / "in" / "data.jsonl", {"messages": say("a", "b"), "images": ["../secret"]})
    examples = load_examples(path, make_encoder())
    with pytest.raises(InstructgenError, match="lies outside of the image folder"):
        examples.picture_bytes(examples[0].pictures[0])


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=2)
    return path


def test_plain_parquet_knows_its_pictures_by_their_bytes(tmp_path: Path) -> None:
    rows = [
        {"messages": say("What?", name), "images": [{"bytes": picture, "path": "image.png"}]}
        for name, picture in (("a", b"one"), ("b", b"two"), ("c", b"one"))
    ]
    path = write_parquet(tmp_path / "data.parquet", rows)
    examples = load_examples(path, make_encoder())
    first, second, third = (example.pictures for example in examples)
    assert first == third != second
    assert [examples.picture_bytes(key) for key in (*first, *second)] == [b"one", b"two"]
    assert examples.summary.pictures == 2


def test_folder_of_parquet_is_read_file_after_file(tmp_path: Path) -> None:
    for name, answer in (("b", "second"), ("a", "first")):
        write_parquet(tmp_path / f"{name}.parquet", [{"sample_id": answer, "messages": say("What?", answer)}])
    examples = load_examples(tmp_path, make_encoder())
    assert [example.sample_id for example in examples] == ["first", "second"]


def test_parquet_without_messages_is_refused(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "data.parquet", [{"text": "hello"}])
    with pytest.raises(InstructgenError, match="no column 'messages'; there are: text"):
        load_examples(path, make_encoder())


@pytest.mark.parametrize(
    ("column", "cell", "wrong"),
    [
        ("images", {"bytes": b"x", "path": "a.png"}, "wants a list, also for a single picture"),
        ("images", "a.png", "wants a list, also for a single picture"),
        ("image", {"bytes": b"x", "path": "a.png"}, "pictures are read from `images`, a list"),
    ],
)
def test_picture_beside_a_chat_is_never_left_out_silently(
    tmp_path: Path, column: str, cell: object, wrong: str
) -> None:
    path = write_parquet(tmp_path / "data.parquet", [{"messages": say("What?", "A dog."), column: cell}])
    with pytest.raises(InstructgenError, match=wrong):
        load_examples(path, make_encoder())


def test_split_of_a_folder_is_in_the_names_of_its_files(tmp_path: Path) -> None:
    for split in ("train", "val"):
        write_parquet(tmp_path / f"{split}-00000-of-00001.parquet", [{"messages": say("What?", split)}])
    for split in ("train", "val"):
        (example,) = load_examples(tmp_path, make_encoder(), split=split)
        assert example.sample_id.startswith(split)
    with pytest.raises(InstructgenError, match="no files of a split 'test'"):
        load_examples(tmp_path, make_encoder(), split="test")
    (tmp_path / "train-00000-of-00001.parquet").unlink()
    with pytest.raises(InstructgenError, match="no files of a split 'train'"):
        load_examples(tmp_path, make_encoder())


def test_split_of_a_single_file_is_refused(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "data.jsonl", {"messages": say("What?", "A dog.")})
    with pytest.raises(InstructgenError, match="has no split 'val'"):
        load_examples(path, make_encoder(), split="val")


def test_other_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b\n", encoding="utf-8")
    with pytest.raises(InstructgenError, match="is no dataset"):
        load_examples(tmp_path / "data.csv", make_encoder())


def test_examples_are_indexed_like_a_list(tmp_path: Path) -> None:
    examples = load(tmp_path, make_rows())
    assert len(examples) == 5
    assert examples[-1].sample_id == examples[4].sample_id
    assert [example.sample_id for example in examples[1:3]] == [examples[1].sample_id, examples[2].sample_id]
    with pytest.raises(IndexError, match="example 5 of 5"):
        examples[5]


def test_pictures_are_read_by_many_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example_pictures, "_KEPT_GROUPS", 1)
    rows = [make_row_of(number, "conv", picture=bytes([number]) * 5000) for number in range(1, 250)]
    examples = load(tmp_path, rows)
    wanted = {example.pictures[0]: rows[int(example.pictures[0][-16:-4]) - 1] for example in examples}
    keys = [key for start in range(100) for key in list(wanted)[start::100]] * 3
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(examples.picture_bytes, keys))
    finally:
        sys.setswitchinterval(interval_s)
    assert found == [wanted[key]["images"][0]["bytes"] for key in keys]


def test_one_thread_reads_at_a_time(tmp_path: Path) -> None:
    examples = load(tmp_path, make_rows())
    key = next(example.pictures[0] for example in examples if example.pictures)
    with ThreadPoolExecutor(1) as pool:
        with examples.pictures._lock:
            reading = pool.submit(examples.picture_bytes, key)
            with pytest.raises(TimeoutError):
                reading.result(timeout=0.2)
        assert reading.result(timeout=20) in (b"picture one", b"picture two")


class Pictures:
    """What a DataLoader takes."""

    def __init__(self, examples: ExampleSet, keys: list[str]) -> None:
        self.examples = examples
        self.keys = keys

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, number: int) -> bytes:
        return self.examples.picture_bytes(self.keys[number])


def test_pictures_are_read_in_workers(tmp_path: Path) -> None:
    torch_data = pytest.importorskip("torch.utils.data", reason="torch comes with the extra [train]")
    examples = load(tmp_path, make_rows())
    keys = [example.pictures[0] for example in examples if example.pictures]
    expected = [examples.picture_bytes(key) for key in keys]
    copied = pickle.loads(pickle.dumps(examples))
    assert [copied.picture_bytes(key) for key in keys] == expected

    loader = torch_data.DataLoader(Pictures(examples, keys), batch_size=None, num_workers=2)
    assert list(loader) == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only a fork takes a thread's lock along")
def test_worker_that_was_forked_while_a_thread_reads_is_not_stuck(tmp_path: Path) -> None:
    torch_data = pytest.importorskip("torch.utils.data", reason="torch comes with the extra [train]")
    examples = load(tmp_path, make_rows())
    keys = [example.pictures[0] for example in examples if example.pictures]
    options = {"batch_size": None, "num_workers": 1, "multiprocessing_context": "fork", "timeout": 20}
    with examples.pictures._lock:
        found = list(torch_data.DataLoader(Pictures(examples, keys), **options))
    assert found == [examples.picture_bytes(key) for key in keys]


def test_unknown_key_is_told(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="no picture with the key"):
        load(tmp_path, make_rows()).picture_bytes("nobody")


def digest(examples: ExampleSet) -> str:
    parts = (examples.ids, examples.is_trained, examples.offsets, examples.picture_numbers, examples.picture_offsets)
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()


def test_encoded_dataset_is_kept_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    rows = make_rows()
    fresh = load(tmp_path, rows, cache=cache)
    assert len(list(cache.iterdir())) == 1
    monkeypatch.setattr(Encoder, "encode_all", lambda *_: pytest.fail("it was encoded again"))
    kept = load_examples(tmp_path / "version", make_encoder(), cache=cache)
    assert digest(kept) == digest(fresh)
    assert (kept.summary, list(kept.sample_ids)) == (fresh.summary, list(fresh.sample_ids))
    assert [example.pictures for example in kept] == [example.pictures for example in fresh]
    key = next(example.pictures[0] for example in kept if example.pictures)
    assert kept.picture_bytes(key) == fresh.picture_bytes(key)


def test_another_setting_another_dataset_is_encoded_anew(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    load(tmp_path, make_rows(), cache=cache)
    load_examples(tmp_path / "version", make_encoder(max_tokens=500), cache=cache)
    load_examples(tmp_path / "version", make_encoder(template="plain"), cache=cache)
    load(tmp_path / "other", make_rows()[:3], cache=cache)
    lines = write_lines(tmp_path / "data.jsonl", {"messages": say("What?", "A dog.")})
    load_examples(lines, make_encoder(), cache=cache)
    write_lines(lines, {"messages": say("What?", "A cat.")})
    load_examples(lines, make_encoder(), cache=cache)
    assert len(list(cache.iterdir())) == 6


def test_flipped_bit_of_the_cache_is_found(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    fresh = load(tmp_path, make_rows(), cache=cache)
    (folder,) = cache.iterdir()
    content = bytearray((folder / "ids.npy").read_bytes())
    content[-9] ^= 1
    (folder / "ids.npy").write_bytes(content)
    assert digest(load_examples(tmp_path / "version", make_encoder(), cache=cache)) == digest(fresh)


@pytest.mark.parametrize("name", ["names.json", "ids.npy", "offsets.npy"])
@pytest.mark.parametrize("damage", ["gone", "cut", "empty"])
def test_damaged_cache_is_made_again(tmp_path: Path, name: str, damage: str) -> None:
    cache = tmp_path / "cache"
    fresh = load(tmp_path, make_rows(), cache=cache)
    (folder,) = cache.iterdir()
    content = (folder / name).read_bytes()
    (folder / name).unlink()
    if damage != "gone":
        (folder / name).write_bytes(content[: len(content) - 9] if damage == "cut" else b"")
    assert digest(load_examples(tmp_path / "version", make_encoder(), cache=cache)) == digest(fresh)
    assert (folder / name).read_bytes() == content


def test_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    with pytest.raises(InstructgenError, match="cannot keep encoded samples"):
        load(tmp_path, make_rows(), cache=tmp_path / "cache")


def test_identity_of_a_version_is_its_rows_and_not_its_place(tmp_path: Path) -> None:
    first = write_version(tmp_path / "a", make_rows())
    second = write_version(tmp_path / "b", make_rows())
    other = write_version(tmp_path / "c", make_rows()[:2])
    identities = [open_source(version.folder).identity for version in (first, second, other)]
    assert identities[0] == identities[1] != identities[2]
