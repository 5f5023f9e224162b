"""Pictures and texts of evaluation sets."""

import json
from pathlib import Path

import pytest
from msgspec import structs

from instructgen.errors import InstructgenError
from instructgen.filters.contamination import Contamination, image_name
from instructgen.records import ImageRecord, Message, Sample

RECORD = ImageRecord("coco/000000391895", "000000391895.jpg", 640, 480, ("A dog.",), ())
LONG = "The man in the red jacket rides a motorcycle along a dirt road below the mountains"
OTHER = "A small brown dog waits in front of the bakery while two women talk beside the door"


def make_sample(*pairs: tuple[str, str]) -> Sample:
    turns = tuple(turn for asked, told in pairs for turn in (Message("user", asked), Message("assistant", told)))
    return Sample("coco/000000391895/conv/0", "coco/000000391895", "conv", turns, (), {})


def reason_of(path: Path, *pairs: tuple[str, str], **options: object) -> str | None:
    look = Contamination(against=(str(path),), **options).start()  # type: ignore[arg-type]
    look.observe(make_sample(*pairs), RECORD)
    fault = look.decide().get("coco/000000391895/conv/0")
    return fault.reason if fault else None


def write(path: Path, *records: object) -> Path:
    path.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("coco/000000391895", "391895"),
        ("COCO_val2014_000000391895.jpg", "391895"),
        ("val2017/000000391895.jpg", "391895"),
        ("391895", "391895"),
        ("scenes/0", "0"),
        ("folder\\Fruit-Stall.PNG", "fruit-stall"),
    ],
)
def test_image_is_known_by_its_number_or_name(name: str, known: str) -> None:
    assert image_name(name) == known


def test_either_of_two_images_is_looked_for(tmp_path: Path) -> None:
    partner = ImageRecord("coco/000000000007", "000000000007.jpg", 640, 480, ("A cat.",), ())
    for number, reason in ((391895, "contaminated_image"), (7, "contaminated_image"), (8, None)):
        path = write(tmp_path / "eval.jsonl", {"image_id": number})
        look = Contamination(against=(str(path),)).start()
        look.observe(structs.replace(make_sample(("What?", "A dog.")), partner=partner), RECORD)
        faults = list(look.decide().values())
        assert [fault.reason for fault in faults] == ([] if reason is None else [reason])


@pytest.mark.parametrize(
    "record",
    [
        {"question_id": 5, "image": "COCO_val2014_000000391895.jpg", "text": "What is it?"},
        {"id": "000000391895", "question": "What is it?"},
        {"image_id": 391895},
        {"questions": [{"image_id": 391895, "question": "What?"}]},
        {"images": ["val2014/COCO_val2014_000000391895.jpg"]},
    ],
)
def test_image_of_an_evaluation_file_is_dropped(tmp_path: Path, record: object) -> None:
    assert reason_of(write(tmp_path / "eval.jsonl", record), ("What?", "A dog.")) == "contaminated_image"


def test_number_that_names_no_image_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "eval.jsonl", {"question_id": 391895, "id": 391895, "text": LONG})
    assert reason_of(path, ("What?", "A dog.")) is None


@pytest.mark.parametrize(
    "record",
    [
        {"text": LONG},
        {"instruction": "What?", "output": LONG},
        {"conversations": [{"from": "human", "value": "What?"}, {"from": "gpt", "value": LONG}]},
        {"messages": [{"role": "assistant", "content": LONG}]},
    ],
)
def test_text_of_an_evaluation_file_is_dropped(tmp_path: Path, record: object) -> None:
    path = write(tmp_path / "eval.jsonl", record)
    assert reason_of(path, ("What is there?", LONG.upper() + "!")) == "contaminated_text"
    assert reason_of(path, ("What is there?", OTHER)) is None


def test_whole_json_file_and_plain_lines_are_read(tmp_path: Path) -> None:
    whole = tmp_path / "eval.json"
    whole.write_text(json.dumps([{"question": LONG}], indent=1), encoding="utf-8")
    assert reason_of(whole, ("What?", LONG)) == "contaminated_text"
    lines = tmp_path / "eval.txt"
    lines.write_text(f"{OTHER}\n\nCOCO_val2014_000000391895.jpg\n", encoding="utf-8")
    assert reason_of(lines, ("What?", "A dog.")) == "contaminated_image"
    lines.write_text(f"{OTHER}\n", encoding="utf-8")
    assert reason_of(lines, ("What?", OTHER)) == "contaminated_text"


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85"])
def test_mark_that_may_stand_inside_a_json_string_ends_no_line(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "eval.jsonl"
    path.write_text(f'{{"note": "a{mark}b"}}\r\n{{"text": "{LONG}"}}\n', encoding="utf-8")
    assert reason_of(path, (LONG + "?", "A dog.")) == "contaminated_text"


def test_one_contaminated_question_of_many_is_enough(tmp_path: Path) -> None:
    path = write(tmp_path / "eval.jsonl", {"text": LONG})
    assert reason_of(path, ("What?", OTHER), ("Who?", LONG), ("Where?", OTHER)) == "contaminated_text"


def test_share_of_known_runs_decides(tmp_path: Path) -> None:
    path = write(tmp_path / "eval.jsonl", {"text": LONG})
    mixed = f"{LONG} {OTHER}"  # 9 of 26 runs of 8 words
    assert reason_of(path, ("What?", mixed), max_share=0.5) is None
    assert reason_of(path, ("What?", mixed), max_share=0.3) == "contaminated_text"


def test_text_shorter_than_a_run_is_not_judged(tmp_path: Path) -> None:
    path = write(tmp_path / "eval.jsonl", {"text": "What is the man doing?"}, {"text": "A dog."}, {"text": LONG})
    assert reason_of(path, ("What is the man doing?", "A dog.")) is None


def test_sample_that_was_dropped_before_is_not_named_again(tmp_path: Path) -> None:
    look = Contamination(against=(str(write(tmp_path / "eval.jsonl", {"image_id": 391895})),)).start()
    look.observe(make_sample(("What?", "A dog.")), RECORD)
    assert look.decide(frozenset({"coco/000000391895/conv/0"})) == {}


def test_file_that_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match=r"none\.jsonl cannot be read"):
        Contamination(against=(str(tmp_path / "none.jsonl"),)).start()
    broken = tmp_path / "eval.jsonl"
    broken.write_text('{"text": "A dog."}\n{"text": \n', encoding="utf-8")
    with pytest.raises(InstructgenError, match=r"eval\.jsonl line 2 is not valid JSON"):
        Contamination(against=(str(broken),)).start()


@pytest.mark.parametrize("record", [None, {"img_name": "000000391895.jpg", "q": LONG}, {"text": "A dog."}])
def test_file_in_which_nothing_could_be_found_is_an_error(tmp_path: Path, record: object) -> None:
    useful, path = write(tmp_path / "good.jsonl", {"text": LONG}), write(tmp_path / "eval.jsonl", record)
    with pytest.raises(InstructgenError, match=r"eval\.jsonl holds no image and no text of 8 words"):
        Contamination(against=(str(useful), str(path))).start()


def test_no_files_at_all_is_an_error() -> None:
    with pytest.raises(InstructgenError, match="names no evaluation files"):
        Contamination().start()
