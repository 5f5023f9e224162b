"""`instructgen audit` as people run it: on others' data, on ours, on what is broken."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Done, run_cli
from tests.support.coco_folder import make_coco, make_tables, write_coco

# Images 10 and 11 of tests.support.coco_folder: one brown dog, lower left, and one red ball, lower right.
TRUE = "A brown dog plays with a red ball."
FALSE = "A cat and a dog are in the park."
LEAK = "According to the captions, a dog plays."


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    return make_coco(tmp_path / "coco")


def llava(image: int, answer: str, **more: Any) -> dict[str, Any]:
    turns = [{"from": "human", "value": "<image>\nWhat is there?"}, {"from": "gpt", "value": answer}]
    return {"id": f"r{image}", "image": f"coco/train2017/{image:012d}.jpg", "conversations": turns, **more}


def audit(path: Path, records: list[Any], *flags: str | Path) -> Done:
    path.write_text("\n".join(json.dumps(record) for record in records))
    return run_cli("audit", path, *flags)


def read_verdicts(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_record_has_a_verdict_in_the_order_of_the_data(coco: Path, tmp_path: Path) -> None:
    out = tmp_path / "v.jsonl"
    records = [llava(10, TRUE), llava(11, FALSE), llava(99, TRUE), llava(12, LEAK), {"id": 5, "image": "10.jpg"}]
    done = audit(tmp_path / "a.jsonl", records, "--root", coco, "--verdicts", out, "--json")
    assert done.code == 0, done.err
    true, false, unknown, leak, empty = read_verdicts(out)
    assert (true["id"], true["image_id"], true["verdict"]) == ("r10", "coco/000000000010", "supported")
    assert true["faults"] == []
    assert false["verdict"] == "contradicted"
    assert [(fault["kind"], fault["text"].lower()) for fault in false["faults"]] == [("object", "a cat")]
    assert "cat" in false["faults"][0]["evidence"]
    assert (unknown["verdict"], unknown["faults"], unknown["reason"]) == ("unverifiable", [], "unknown_image")
    assert [fault["kind"] for fault in leak["faults"]] == ["leakage"]
    assert (empty["id"], empty["image_id"], empty["reason"]) == (5, "10.jpg", "no_answer")


def test_the_json_object_counts_every_record_once(coco: Path, tmp_path: Path) -> None:
    records = [llava(10, TRUE, type="conv"), llava(11, FALSE, type="detail"), llava(99, TRUE), {"a": 1}]
    found = audit(tmp_path / "a.jsonl", records, "--root", coco, "--json").result
    assert (found["records"], found["checked"], found["images"]) == (4, 2, 2)
    assert found["unusable"] == {"unknown_image": 1, "unknown_form": 1}
    assert [(record["number"], record["reason"]) for record in found["unusable_records"]] == [
        (3, "unknown_image"),
        (4, "unknown_form"),
    ]
    assert found["types"]["conv"]["chair_i"] == 0.0
    assert found["types"]["detail"]["chair_i"] == 0.5
    assert (found["total"]["samples"], found["total"]["chair_s"]) == (2, 0.5)
    assert [verdict["id"] for verdict in found["worst"]] == ["r11"]


def test_the_table_names_types_measures_and_faults_with_their_evidence(coco: Path, tmp_path: Path) -> None:
    done = audit(
        tmp_path / "a.jsonl", [llava(10, TRUE, type="conv"), llava(11, FALSE, type="detail")], "--root", coco
    )
    assert done.code == 0, done.err
    lines = [line.split() for line in done.out.splitlines()]
    assert ["conv", "detail", "all"] in lines
    assert ["CHAIR_s", "0.0%", "100.0%", "50.0%"] in lines
    assert 'object: "A cat"; no box of cat' in done.out


def test_processes_share_the_work_and_change_nothing(coco: Path, tmp_path: Path) -> None:
    records = [llava(10 + number % 4, (TRUE, FALSE, LEAK)[number % 3], id=number) for number in range(300)]
    results, verdicts = [], []
    for processes in ("1", "2"):
        out = tmp_path / f"v{processes}.jsonl"
        flags = ("--root", coco, "--verdicts", out, "--json", "--processes", processes)
        found = audit(tmp_path / "a.jsonl", records, *flags).result
        results.append({key: found[key] for key in ("records", "checked", "total", "types", "worst")})
        verdicts.append(read_verdicts(out))
    assert results[0] == results[1]
    assert verdicts[0] == verdicts[1]
    assert [verdict["id"] for verdict in verdicts[0]] == list(range(300))
    assert results[0]["total"]["duplicate_share"] == 0.99


def test_samples_that_all_but_repeat_another_are_counted(coco: Path, tmp_path: Path) -> None:
    long = " ".join(f"The brown dog runs to place number{number} of the park." for number in range(6))
    records = [llava(10, long), llava(11, long + " It barks."), llava(12, TRUE), llava(99, long)]
    found = audit(tmp_path / "a.jsonl", records, "--root", coco, "--json").result
    assert found["total"]["near_duplicate_share"] == 0.333333


def test_limit_takes_the_first_records(coco: Path, tmp_path: Path) -> None:
    records = [llava(10, TRUE), llava(11, FALSE)]
    found = audit(tmp_path / "a.jsonl", records, "--root", coco, "--limit", "1", "--json").result
    assert (found["records"], found["images"], found["total"]["chair_i"]) == (1, 1, 0.0)


def test_images_are_looked_for_in_every_split(tmp_path: Path) -> None:
    root = make_coco(tmp_path / "coco", num_images=2)
    captions, instances = make_tables(6)
    for table in (captions, instances):
        table["images"] = table["images"][3:]
        ids = {image["id"] for image in table["images"]}
        table["annotations"] = [one for one in table["annotations"] if one["image_id"] in ids]
    write_coco(root, captions, instances, split="train2017")
    found = audit(tmp_path / "a.jsonl", [llava(10, TRUE), llava(15, TRUE)], "--root", root, "--json").result
    assert (found["checked"], sorted(found["annotations"])) == (2, ["COCO train2017", "COCO val2017"])
    one = audit(
        tmp_path / "a.jsonl", [llava(10, TRUE), llava(15, TRUE)], "--root", root, "--split", "val2017", "--json"
    )
    assert one.result["checked"] == 1


def test_an_image_is_found_by_a_name_that_tells_no_id(tmp_path: Path) -> None:
    captions, instances = make_tables(2)
    for table in (captions, instances):
        table["images"][0]["file_name"] = "park.jpg"
        table["images"][1]["file_name"] = "000000000010.jpg"
    root = write_coco(tmp_path / "coco", captions, instances)
    out = tmp_path / "v.jsonl"
    records = [{"image": name, "text": TRUE} for name in ("some/park.jpg", "000000000010.jpg")]
    audit(tmp_path / "a.jsonl", records, "--root", root, "--verdicts", out)
    assert [verdict["image_id"] for verdict in read_verdicts(out)] == ["coco/000000000010", "coco/000000000011"]


def test_our_own_dataset_of_the_sample_needs_no_root(tmp_path: Path) -> None:
    assert run_cli("build", "--limit", "4", "--out", tmp_path / "ds").code == 0
    found = run_cli("audit", tmp_path / "ds", "--json").result
    assert (found["layout"], found["records"], found["checked"], found["images"]) == ("Parquet", 12, 12, 4)
    assert list(found["types"]) == ["conv", "detail", "reasoning"]


def test_others_data_without_a_root_is_refused(tmp_path: Path) -> None:
    done = audit(tmp_path / "a.jsonl", [llava(9, TRUE), llava(33471, TRUE), llava(391895, TRUE)])
    assert done.code == 2
    assert "1 of the 3 images" in done.err
    assert "--root" in done.err


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([{"label": 1}], "none of its 1 records can be used: unknown_form; line 1"),
        ([], "is empty; what can be read: LLaVA JSON"),
        ([llava(99, TRUE)], "no image that"),
    ],
)
def test_data_of_which_nothing_can_be_checked_is_an_error(
    coco: Path, tmp_path: Path, records: list[Any], said: str
) -> None:
    done = audit(tmp_path / "a.jsonl", records, "--root", coco, "--json")
    assert done.code == 2
    assert said in done.result["error"]
    assert done.result["exit_code"] == 2


def test_verdicts_are_not_written_over_the_data(coco: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    done = audit(path, [llava(10, TRUE)], "--root", coco, "--verdicts", path)
    assert done.code == 2
    assert json.loads(path.read_text())["id"] == "r10"


def test_verdicts_that_cannot_be_written_are_an_error(coco: Path, tmp_path: Path) -> None:
    done = audit(tmp_path / "a.jsonl", [llava(10, TRUE)], "--root", coco, "--verdicts", tmp_path / "no" / "v.jsonl")
    assert done.code == 2
    assert "cannot be written" in done.err
