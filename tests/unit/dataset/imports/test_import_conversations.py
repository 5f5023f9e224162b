"""Conversations that others wrote: what is taken over as it is, and what is turned away with which reason."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from instructgen.dataset.imports import IMPORTS
from instructgen.dataset.imports.base import Imported
from instructgen.dataset.imports.checks import with_unique_ids
from instructgen.dataset.imports.parse import ROLES
from instructgen.dataset.imports.record_files import find_record_files
from instructgen.dataset.imports.turns import Keys, read_turns
from instructgen.errors import InstructgenError
from instructgen.records import Rejected
from tests.support.exports import make_picture, read_form

DOCS = Path(__file__).resolve().parents[4] / "docs" / "exports.md"
FORMS = ("llava", "sharegpt", "messages", "trl", "llamafactory", "axolotl")


def said(*texts: str, first: str = "human") -> list[dict[str, str]]:
    speakers = ("human", "gpt") if first == "human" else ("gpt", "human")
    return [{"from": speakers[number % 2], "value": text} for number, text in enumerate(texts)]


def write_data(folder: Path, records: object, pictures: Sequence[str] = (), name: str = "data.json") -> Path:
    path = folder / name
    is_list = path.suffix == ".json"
    assert isinstance(records, list)
    text = json.dumps(records) if is_list else "\n".join(json.dumps(record) for record in records)
    path.write_text(text, encoding="utf-8")
    for number, picture in enumerate(pictures):
        target = folder / "pictures" / picture
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(make_picture(number))
    return path


def read_one(folder: Path, record: dict[str, Any], form: str = "llava", **settings: Any) -> Imported:
    [imported], rejected = read_form(write_data(folder, [record]), form, **settings)
    assert rejected == []
    return imported


def read_reason(folder: Path, record: object, form: str = "llava", **settings: Any) -> str:
    imported, [rejected] = read_form(write_data(folder, [record]), form, **settings)
    assert imported == []
    assert rejected.stage == "source"
    assert f"`{rejected.reason}`" in DOCS.read_text(encoding="utf-8").partition("## Importing")[2]
    return rejected.reason


def texts_of(imported: Imported) -> list[str]:
    return [turn.content for turn in imported.turns]


def test_llava_instruct_is_read_as_its_authors_wrote_it(tmp_path: Path) -> None:
    records = [
        {"id": "000000033471", "image": "000000033471.jpg", "conversations": said("<image>\nWhat?", "A bus.")},
        {"id": "000000033471", "image": "000000033471.jpg", "conversations": said("Why?\n<image>", "It waits.")},
        {"id": 5, "image": "coco/train2017/000000000005.jpg", "conversations": said("<image>\nA?", "B.", "C?", "D.")},
        {"id": "x7", "image": "gqa/images/2354786.jpg", "conversations": said("<image>\nA?", "B.")},
        {"id": "wgByO4Y_0", "model": "", "conversations": said("How are you?", "Well.")},
    ]
    names = ["000000033471.jpg", "coco/train2017/000000000005.jpg", "gqa/images/2354786.jpg"]
    path = write_data(tmp_path, records, names)
    imported, rejected = read_form(path, "llava", images=tmp_path / "pictures")
    assert rejected == []
    assert [one.sample_id for one in imported] == ["000000033471", "000000033471#2", "5", "x7", "wgByO4Y_0"]
    assert [one.image_id for one in imported] == [
        *["coco/000000033471"] * 2,
        "coco/000000000005",
        "llava/gqa/images/2354786.jpg",
        "llava/wgByO4Y_0",
    ]
    assert [texts_of(one)[0] for one in imported] == ["What?", "Why?", "A?", "A?", "How are you?"]
    assert [one.sample_type for one in imported] == ["single_turn"] * 2 + ["multi_turn"] + ["single_turn"] * 2
    assert [len(one.images) for one in imported] == [1, 1, 1, 1, 0]
    assert imported[2].images[0].path == names[1]
    assert imported[2].images[0].data == make_picture(1)


@pytest.mark.parametrize("name", ["data.jsonl", "data.json"])
def test_list_and_lines_give_the_same(name: str, tmp_path: Path) -> None:
    path = write_data(tmp_path, [{"id": 1, "conversations": said("A?", "B.")}, {"id": 2}, {"id": 3}], name=name)
    imported, rejected = read_form(path, "sharegpt")
    assert [one.sample_id for one in imported] == ["1"]
    assert [(one.record_id, one.reason) for one in rejected] == [("2", "unknown_form"), ("3", "unknown_form")]


def test_every_known_speaker_is_read(tmp_path: Path) -> None:
    turns = [
        {"role": "System", "content": ""},
        {"from": "Human", "value": "A?"},
        {"from": "GPT", "value": "B."},
        {"role": "user", "content": "C?"},
        {"role": "assistant", "content": "D."},
    ]
    imported = read_one(tmp_path, {"conversations": turns})
    assert [turn.role for turn in imported.turns] == ["system", "user", "assistant", "user", "assistant"]
    assert imported.sample_id == "#1"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<image>\nWhat?", "What?"),
        ("What?\n<image>", "What?"),
        ("<image> What?", "What?"),
        ("<image>What?", "What?"),
        ("<image>\n\n  What?\n", "\n  What?\n"),
        ("What?\n\n<image>", "What?\n"),
        ("<image>\n", ""),
        ("\n<image>", ""),
        ("<image>", ""),
    ],
)
def test_placeholder_goes_with_one_gap_and_the_words_stay(text: str, left: str, tmp_path: Path) -> None:
    imported = read_one(tmp_path, {"image": "a.jpg", "conversations": said(text, "A dog.")})
    assert texts_of(imported) == [left, "A dog."]
    assert imported.image_at is None


def test_several_placeholders_are_several_pictures_in_their_order(tmp_path: Path) -> None:
    record = {"image": ["a.jpg", "b.jpg"], "conversations": said("<image>\n<image>\nWhich?", "The first.")}
    imported = read_one(tmp_path, record)
    assert texts_of(imported)[0] == "Which?"
    assert imported.image_id == "llava/b.jpg"  # a sample is named for the last of its images
    assert [image.path for image in imported.images] == ["a.jpg", "b.jpg"]
    assert imported.image_at is None


def test_picture_of_a_later_turn_keeps_its_place(tmp_path: Path) -> None:
    record = {"images": ["a.jpg", "b.jpg"], "conversations": said("<image>\nA?", "B.", "<image>\nC?", "D.")}
    imported = read_one(tmp_path, record, "sharegpt")
    assert imported.image_at == (0, 2)
    assert texts_of(imported) == ["A?", "B.", "C?", "D."]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"image": "a.jpg", "conversations": said("What is <image> here?", "A dog.")}, "placeholder_inside"),
        ({"image": "a.jpg", "conversations": said("<image>\nWhat?", "It is <image>.")}, "placeholder_in_answer"),
        ({"image": "a.jpg", "conversations": said("<image>\n<image>\nWhat?", "A dog.")}, "placeholder_count"),
        ({"image": ["a.jpg", "b.jpg"], "conversations": said("<image>\nWhat?", "A dog.")}, "placeholder_count"),
        ({"conversations": said("<image>\nWhat?", "A dog.")}, "placeholder_count"),
        ({"image": "../a.jpg", "conversations": said("What?", "A dog.")}, "unsafe_path"),
        ({"image": "/etc/a.jpg", "conversations": said("What?", "A dog.")}, "unsafe_path"),
        ({"image": "C:\\a.jpg", "conversations": said("What?", "A dog.")}, "unsafe_path"),
        ({"image": "https://x.org/a.jpg", "conversations": said("What?", "A dog.")}, "image_not_local"),
        ({"image": 7, "conversations": said("What?", "A dog.")}, "image_missing"),
        ({"conversations": [{"from": "alien", "value": "A?"}]}, "unknown_speaker"),
        ({"conversations": ["A?", "B."]}, "not_a_turn"),
        ({"conversations": [{"from": "human", "value": 7}]}, "not_a_turn"),
        ({"conversations": said("A?", "\ud800")}, "not_json"),
        ({"conversations": said("A?", "")}, "no_answer"),
        ({"conversations": []}, "no_answer"),
        ({"text": "A?"}, "unknown_form"),
        ({"conversations": said("A?", "B."), "image_id": "x", "sample_type": "../../x"}, "unsafe_type"),
        (["A?"], "not_an_object"),
    ],
)
def test_bad_record_is_rejected_with_its_reason(record: object, reason: str, tmp_path: Path) -> None:
    assert read_reason(tmp_path, record) == reason


def test_picture_is_looked_for_and_bounded_before_it_is_decoded(tmp_path: Path) -> None:
    record = {"image": "a.jpg", "conversations": said("<image>\nWhat?", "A dog.")}
    folder = tmp_path / "pictures"
    folder.mkdir()
    assert read_reason(tmp_path, record, images=folder) == "image_missing"
    (folder / "a.jpg").write_bytes(b"no picture")
    assert read_reason(tmp_path, record, images=folder) == "image_unreadable"
    (folder / "a.jpg").write_bytes(make_picture(1, size_px=(50, 50)))
    assert read_reason(tmp_path, record, images=folder, max_pixels=2499) == "image_too_large"
    assert read_reason(tmp_path, record, images=folder, max_bytes=200) == "image_too_large"
    assert read_one(tmp_path, record, images=folder, max_pixels=2500).images[0].data is not None


def test_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "secret.jpg").write_bytes(make_picture(1))
    (tmp_path / "pictures" / "a.jpg").symlink_to(tmp_path / "secret.jpg")
    record = {"image": "a.jpg", "conversations": said("<image>\nWhat?", "A dog.")}
    assert read_reason(tmp_path, record, images=tmp_path / "pictures") == "unsafe_path"


def test_paths_are_kept_where_no_folder_is_known_and_read_where_images_lie_beside(tmp_path: Path) -> None:
    record = {"images": ["images/a.jpg"], "conversations": said("<image>\nWhat?", "A dog.")}
    [image] = read_one(tmp_path, record, "sharegpt").images
    assert (image.path, image.data) == ("images/a.jpg", None)
    (tmp_path / "images").mkdir()
    assert read_reason(tmp_path, record, "sharegpt") == "image_missing"
    (tmp_path / "images" / "a.jpg").write_bytes(make_picture(1))
    [image] = read_one(tmp_path, record, "sharegpt").images
    assert (image.path, image.data) == ("a.jpg", make_picture(1))


@pytest.mark.parametrize("form", ["messages", "trl", "axolotl"])
def test_placeholder_is_text_where_pictures_stand_beside(form: str, tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "<image>\nWhat is <image>?"}, {"role": "assistant", "content": "<image>"}]
    imported = read_one(tmp_path, {"messages": turns, "images": ["a.jpg"]}, form)
    assert texts_of(imported) == ["<image>\nWhat is <image>?", "<image>"]
    assert len(imported.images) == 1


def test_parts_are_text_and_pictures(tmp_path: Path) -> None:
    turns = [
        {
            "role": "user",
            "content": [{"type": "image", "path": "a.jpg", "text": None}, {"type": "text", "text": "A?"}],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "B"}, {"type": "text", "text": "."}]},
        {"role": "user", "content": [{"type": "text", "text": "C?"}, {"type": "image"}]},
        {"role": "assistant", "content": "D."},
    ]
    imported = read_one(tmp_path, {"messages": turns, "images": ["b.jpg"]}, "messages")
    assert texts_of(imported) == ["A?", "B.", "C?", "D."]
    assert [image.path for image in imported.images] == ["a.jpg", "b.jpg"]
    assert imported.image_at == (0, 2)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (
            [{"type": "text", "text": "A"}, {"type": "image", "path": "a.jpg"}, {"type": "text", "text": "B"}],
            "inside",
        ),
        ([{"type": "video", "path": "a.mp4"}, {"type": "text", "text": "A?"}], "part"),
        ([{"type": "image", "path": 7}, {"type": "text", "text": "A?"}], "part"),
        ([{"type": "image"}, {"type": "text", "text": "A?"}], "count"),
    ],
)
def test_parts_that_cannot_be_kept_are_rejected(parts: list[object], reason: str, tmp_path: Path) -> None:
    turns = [{"role": "user", "content": parts}, {"role": "assistant", "content": "B."}]
    assert read_reason(tmp_path, {"messages": turns}, "axolotl").endswith(reason)


def test_broken_line_costs_itself_alone(tmp_path: Path) -> None:
    good = json.dumps({"id": 1, "conversations": said("A?", "B.")})
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + good.encode() + b"\n{broken\n\n" + b"\xff\n" + good.encode())
    imported, rejected = read_form(path, "llava")
    assert [one.sample_id for one in imported] == ["1", "1#2"]
    assert [(one.record_id, one.reason) for one in rejected] == [("#2", "not_json"), ("#3", "not_json")]


def test_record_beyond_the_bound_is_rejected_and_reading_goes_on(tmp_path: Path) -> None:
    long = {"id": 1, "conversations": said("A?", "B" * 2000)}
    short = {"id": 2, "conversations": said("A?", "B.")}
    for name in ("data.json", "data.jsonl"):
        path = write_data(tmp_path, [long, short], name=name)
        imported, rejected = read_form(path, "llava", max_bytes=1000)
        assert [one.sample_id for one in imported] == ["2"]
        assert [one.reason for one in rejected] == ["record_too_large"]


def test_names_of_ours_are_taken_over_as_they_are(tmp_path: Path) -> None:
    record = {
        "id": "coco/000000000139/conv/0",
        "image": "139.jpg",
        "conversations": said("<image>\nA?", "B."),
        "image_id": "000000000139",
        "sample_type": "conversation",
        "source": "coco",
        "teacher": "openai",
        "model": "m",
        "colour": "red",
    }
    imported = read_one(tmp_path, record)
    assert imported.sample_id == "coco/000000000139/conv/0"
    assert (imported.image_id, imported.sample_type) == ("000000000139", "conversation")
    assert imported.fields == {"source": "coco", "teacher": "openai", "model": "m"}
    del record["sample_type"]
    record["type"] = "complex_reasoning"
    imported = read_one(tmp_path, record)
    assert (imported.image_id, imported.sample_type) == ("coco/000000000139", "reasoning")
    record["type"] = "visual / other"
    assert read_one(tmp_path, record).sample_type == "single_turn"


def test_dataset_info_says_what_the_keys_are_called(tmp_path: Path) -> None:
    record = {
        "chat": [{"who": "Q", "says": "<image>What?"}, {"who": "A", "says": "A dog."}],
        "pictures": ["a.jpg"],
        "before": "Be brief.",
    }
    write_data(tmp_path, [record], name="mine.json")
    (tmp_path / "other.json").write_text("[]")
    info = {
        "mine": {
            "file_name": "mine.json",
            "formatting": "sharegpt",
            "columns": {"messages": "chat", "images": "pictures", "system": "before"},
            "tags": {"role_tag": "who", "content_tag": "says", "user_tag": "Q", "assistant_tag": "A"},
        },
        "again": {"file_name": "mine.json"},
        "hub": {"hf_hub_url": "x/y"},
        "gone": {"file_name": "gone.json"},
    }
    (tmp_path / "dataset_info.json").write_text(json.dumps(info))
    [imported], rejected = read_form(tmp_path, "llamafactory")
    assert [(one.record_id, one.reason, one.detail) for one in rejected] == [("gone", "not_a_file", "gone.json")]
    assert [(turn.role, turn.content) for turn in imported.turns] == [
        ("system", "Be brief."),
        ("user", "What?"),
        ("assistant", "A dog."),
    ]
    assert [image.path for image in imported.images] == ["a.jpg"]
    assert imported.image_at is None


def test_dataset_info_may_not_lead_out_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "data.json").write_text("[]")
    (tmp_path / "in" / "dataset_info.json").write_text('{"x": {"file_name": "../data.json"}}')
    with pytest.raises(InstructgenError, match="outside of the folder"):
        read_form(tmp_path / "in", "llamafactory")
    (tmp_path / "in" / "dataset_info.json").write_text('{"x": {"file_name": "data.json"}}')
    with pytest.raises(InstructgenError, match="names no file"):
        read_form(tmp_path / "in", "llamafactory")


def test_parquet_of_others_brings_its_pictures(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    turns = [{"role": "user", "content": "A?"}, {"role": "assistant", "content": "B."}]
    rows = [
        {"messages": turns, "images": [{"bytes": make_picture(1), "path": "/home/me/a.jpg"}], "huge": "x"},
        {"messages": turns, "images": [{"bytes": make_picture(2), "path": None}], "huge": "x"},
        {"messages": turns, "images": [{"bytes": b"broken", "path": "b.jpg"}], "huge": "x"},
        {"messages": turns, "images": None, "huge": "x"},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "train-00000-of-00001.parquet")
    imported, rejected = read_form(tmp_path, "messages")
    assert [[image.data for image in one.images] for one in imported] == [[make_picture(1)], [make_picture(2)], []]
    assert imported[0].images[0].path == "a.jpg"
    assert imported[1].images[0].path.endswith(".jpg")
    assert [(one.record_id, one.reason) for one in rejected] == [("#3", "image_unreadable")]
    assert [one.image_id.partition("/")[0] for one in imported] == ["messages"] * 3


def test_folder_without_data_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "dataset_info.json").write_text("{}")
    with pytest.raises(InstructgenError, match="has no file that ends in"):
        find_record_files(tmp_path)


@pytest.mark.parametrize("form", FORMS)
def test_truncated_file_is_an_error_or_rejected(form: str, tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(InstructgenError, match="cannot be read"):
        list(IMPORTS[form](path, _settings()))
    path = tmp_path / "data.json"
    path.write_text('[{"id": 1, "conversations": [{"from": "human", "val')
    imported, rejected = read_form(path, form)
    assert (imported, [one.reason for one in rejected]) == ([], ["not_json"])


def _settings() -> Any:
    from instructgen.dataset.imports.base import ImportSettings

    return ImportSettings()


def test_long_list_is_read_in_bounded_memory(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "data.json"
    record = json.dumps({"id": "x", "conversations": said("A?", "B" * 1000)})
    with path.open("w") as file:
        file.write("[" + ",".join([record] * 20_000) + "]")
    tracemalloc.start()
    num = sum(isinstance(one, Imported) for one in IMPORTS["llava"](path, _settings()))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert num == 20_000
    assert peak_bytes < path.stat().st_size / 2


def test_ids_that_repeat_get_numbers_that_no_other_record_has(tmp_path: Path) -> None:
    ids = ["a", "a", "a#2", "a", "a#2", "b"]
    path = write_data(tmp_path, [{"id": one, "conversations": said("A?", "B.")} for one in ids])
    found = [one.sample_id for one in read_form(path, "llava")[0]]
    assert found == ["a", "a#2", "a#2#2", "a#3", "a#2#3", "b"]


def test_rejected_carries_the_id_of_its_record(tmp_path: Path) -> None:
    path = write_data(tmp_path, [{"id": "abc", "conversations": said("A?", "")}])
    assert read_form(path, "llava")[1] == [Rejected("abc", "source", "no_answer", "")]


class CountedText(str):
    """A text that counts the characters that are copied out of it."""

    num_copied = 0

    def __getitem__(self, index: Any) -> str:
        return self._copy(super().__getitem__(index))

    def removeprefix(self, prefix: str, /) -> str:
        return self._copy(super().removeprefix(prefix))

    def removesuffix(self, suffix: str, /) -> str:
        return self._copy(super().removesuffix(suffix))

    def _copy(self, text: str) -> "CountedText":
        CountedText.num_copied += len(text)
        return CountedText(text)


def test_many_placeholders_are_cut_off_at_once() -> None:
    text = CountedText("<image>\n" * 200 + "What?" + " <image>" * 200)
    CountedText.num_copied = 0
    turns, slots = read_turns([{"from": "human", "value": text}], Keys(has_placeholders=True, roles=ROLES))
    assert turns[0].content == "What?"
    assert len(slots) == 400
    assert CountedText.num_copied <= len(text)


def count_calls(run: Callable[[], object]) -> int:
    num_calls = 0

    def count(_: object, event: str, __: object) -> None:
        nonlocal num_calls
        num_calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        run()
    finally:
        sys.setprofile(before)
    return num_calls


def test_ids_that_repeat_cost_as_much_as_others() -> None:
    def name(ids: list[str]) -> list[str]:
        samples = (Imported(one, "i", "t", (), ()) for one in ids)
        return [one.sample_id for one in with_unique_ids(samples) if isinstance(one, Imported)]

    assert name(["a", "a", "a#2", "a", "a#2", "b"]) == ["a", "a#2", "a#2#2", "a#3", "a#2#3", "b"]
    num_other = count_calls(lambda: name([str(number) for number in range(500)]))
    assert count_calls(lambda: name(["a"] * 500)) < 3 * num_other


@pytest.mark.parametrize("image_id", [True, False])
def test_truth_value_is_no_coco_id(image_id: bool, tmp_path: Path) -> None:
    record = {"id": "x", "image": "dog.jpg", "image_id": image_id, "conversations": said("<image>\nA?", "B.")}
    assert read_one(tmp_path, record).image_id == "llava/dog.jpg"


def test_folder_that_dataset_info_names_is_rejected_and_counted(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    write_data(tmp_path, [{"conversations": said("A?", "B.")}], name="train.json")
    names = {"train": "train.json", "more": "more", "val": "val.json", "again": "val.json"}
    info = {name: {"file_name": file_name} for name, file_name in names.items()}
    (tmp_path / "dataset_info.json").write_text(json.dumps(info))
    imported, rejected = read_form(tmp_path, "llamafactory")
    assert len(imported) == 1
    assert [(one.record_id, one.reason) for one in rejected] == [("more", "not_a_file"), ("val", "not_a_file")]


@pytest.mark.parametrize(
    ("first", "second"), [("data/a.parquet", "b.jsonl"), ("a.jsonl", "deep/c.json"), ("a.parquet", "deep/c.jsonl")]
)
def test_files_of_a_folder_that_would_be_passed_over_are_an_error(first: str, second: str, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    record = {"id": "1", "conversations": said("A?", "B.")}
    for name in (first, second):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        if name.endswith(".parquet"):
            pq.write_table(pa.Table.from_pylist([record]), tmp_path / name)
        else:
            write_data(tmp_path, [record], name=name)
    with pytest.raises(InstructgenError, match=f"holds {first} and {second}.*name one file"):
        find_record_files(tmp_path)
    assert find_record_files(tmp_path / second) == [tmp_path / second]


def test_json_that_is_below_the_folder_alone_is_named(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    path = write_data(tmp_path, [], name="deep/a.json")
    with pytest.raises(InstructgenError, match=r"there is deep/a.json below it"):
        find_record_files(tmp_path)
    assert find_record_files(tmp_path / "deep") == [path]


def test_json_that_tells_of_other_files_or_is_hidden_is_no_data(tmp_path: Path) -> None:
    path = write_data(tmp_path, [], name="a.json")
    for name in (".cache/b.json", "deep/manifest.json", "deep/rejected.jsonl", "statistics.json", "croissant.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_data(tmp_path, [], name=name)
    assert find_record_files(tmp_path) == [path]
