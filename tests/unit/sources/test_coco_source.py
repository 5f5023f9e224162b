"""The COCO source on small folders: what is yielded, and which rule says what."""

import json
from collections import Counter
from pathlib import Path

import pytest

from instructgen.records import Box, ImageRecord, Rejected, SourceIssue
from instructgen.sources.coco import CocoSource
from tests.unit.sources.coco_tables import Table, box, caption, image, issues, only_record, write

NAN, INF = float("nan"), float("inf")


def read_box(root: Path, bbox: list[float], **other: object) -> tuple[tuple[Box, ...], list[str]]:
    source = write(root, [image(7)], [caption(1, 7, "A dog.")], [box(3, 7, bbox, **other)])
    found = issues(source)
    assert all(record_id == "coco/000000000007/box/3" for record_id, _ in found)
    return only_record(source).boxes, [reason for _, reason in found]


def test_record_has_captions_and_boxes_in_file_order_and_boxes_in_fractions(tmp_path: Path) -> None:
    captions = [caption(9, 7, "Second id, first line."), caption(2, 7, "A dog.")]
    boxes = [box(5, 7, [64, 48, 128, 240]), box(4, 7, [0, 0, 640, 480], category_id=1)]
    source = write(tmp_path, [image(7)], captions, boxes)
    assert list(source.records()) == [
        ImageRecord(
            "coco/000000000007",
            "000000000007.jpg",
            640,
            480,
            ("Second id, first line.", "A dog."),
            (Box("dog", 0.1, 0.1, 0.3, 0.6), Box("person", 0.0, 0.0, 1.0, 1.0)),
        )
    ]


def test_images_come_in_the_order_of_their_ids_and_again_the_same(tmp_path: Path) -> None:
    source = write(tmp_path, [image(n) for n in (30, 4, 1000, 5)], [caption(1, 5, "A dog.")], [])
    records = list(source.records())
    assert [getattr(record, "file_name", "")[:12].lstrip("0") for record in records] == ["4", "5", "30", "1000"]
    assert list(source.records()) == records


def test_limit_takes_the_lowest_ids_and_says_how_many_images_there_are(tmp_path: Path) -> None:
    write(tmp_path, [image(n) for n in (30, 4, 1000, 5)], [], [box(1, 1000, [0, 0, 0, 0])])
    source = CocoSource(tmp_path, limit=2)
    assert source.num_images is None
    assert [record.image_id for record in source.records() if isinstance(record, ImageRecord)] == [
        "coco/000000000004",
        "coco/000000000005",
    ]
    assert source.num_images == 2
    assert issues(source) == []
    above = CocoSource(tmp_path, limit=50)
    assert len(list(above.records())) == 5
    assert above.num_images == 4


def test_image_without_captions_and_boxes_comes_too(tmp_path: Path) -> None:
    record = only_record(write(tmp_path, [image(7)], [], []))
    assert (record.captions, record.boxes) == ((), ())


def test_split_without_images_yields_nothing(tmp_path: Path) -> None:
    assert list(write(tmp_path, [], [], []).records()) == []


def test_prefix_of_the_ids_can_be_chosen(tmp_path: Path) -> None:
    write(tmp_path, [image(7)], [], [])
    assert only_record(CocoSource(tmp_path, image_id_prefix="sample")).image_id == "sample/000000000007"


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("  A dog. \n", "A dog."),
        ("A dog\nand a cat", "A dog and a cat"),
        ("A dog \t\r\n and a cat", "A dog and a cat"),
        ("A dog\u2028and\x0ba\x85cat", "A dog and a cat"),
        ("A dog  and two   blanks", "A dog  and two   blanks"),
        ("Caf\u00e9 \u72ac \U0001f415\u00a0here", "Caf\u00e9 \u72ac \U0001f415\u00a0here"),
    ],
)
def test_caption_is_one_line_and_otherwise_untouched(tmp_path: Path, raw: str, kept: str) -> None:
    captions = [caption(1, 7, "\u72ac first."), caption(2, 7, raw), caption(3, 7, "Last.")]
    assert only_record(write(tmp_path, [image(7)], captions, [])).captions == ("\u72ac first.", kept, "Last.")


def test_blank_caption_is_dropped_and_counted(tmp_path: Path) -> None:
    source = write(tmp_path, [image(7)], [caption(1, 7, " \n\t "), caption(2, 7, "A dog."), caption(3, 7, "")], [])
    assert only_record(source).captions == ("A dog.",)
    expected = [("coco/000000000007/caption/1", "empty_caption"), ("coco/000000000007/caption/3", "empty_caption")]
    assert issues(source) == expected


@pytest.mark.parametrize("bbox", [[10, 10, 0, 5], [10, 10, 5, 0], [10, 10, -5, 5], [10, 10, 5, -1]])
def test_box_without_an_area_is_dropped_and_counted(tmp_path: Path, bbox: list[float]) -> None:
    assert read_box(tmp_path, bbox) == ((), ["degenerate_box"])


@pytest.mark.parametrize("bbox", [[NAN, 10, 5, 5], [10, INF, 5, 5], [10, 10, INF, 5], [10, 10, 5, -INF]])
def test_box_with_nan_or_infinity_is_dropped_and_counted(tmp_path: Path, bbox: list[float]) -> None:
    assert read_box(tmp_path, bbox) == ((), ["box_not_finite"])


@pytest.mark.parametrize("bbox", [[640, 0, 5, 5], [-9, 0, 9, 9], [0, 480, 5, 5], [0, -9, 9, 8], [1e300, 0, 1e308, 5]])
def test_box_wholly_outside_the_image_is_dropped_and_counted(tmp_path: Path, bbox: list[float]) -> None:
    assert read_box(tmp_path, bbox) == ((), ["box_outside_image"])


def test_box_that_leaves_the_image_is_clipped_and_counted_beyond_a_pixel(tmp_path: Path) -> None:
    for name, bbox, xyxy, reasons in (
        ("right", [320, 240, 322, 10], (0.5, 0.5, 1.0, 250 / 480), ["clipped_box"]),
        ("top", [320, -3, 32, 243], (0.5, 0.0, 0.55, 0.5), ["clipped_box"]),
        ("all", [-9, -9, 999, 999], (0.0, 0.0, 1.0, 1.0), ["clipped_box"]),
        ("rounding", [320, 240, 320.99, 240.5], (0.5, 0.5, 1.0, 1.0), []),
        ("on the edge", [-1, 240, 321, 241], (0.0, 0.5, 0.5, 1.0), []),
    ):
        (tmp_path / name).mkdir()
        assert read_box(tmp_path / name, bbox) == ((Box("dog", *xyxy),), reasons), name


def test_box_of_an_unlisted_category_is_dropped_and_counted(tmp_path: Path) -> None:
    assert read_box(tmp_path, [1, 1, 5, 5], category_id=2) == ((), ["unknown_category"])


def test_file_that_lists_no_category_has_no_usable_box(tmp_path: Path) -> None:
    source = write(tmp_path, [image(7)], [], [box(3, 7, [0, 0, 5, 5])])
    path = tmp_path / "annotations" / "instances_val.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "categories": []}))
    assert issues(source) == [("coco/000000000007/box/3", "unknown_category")]


@pytest.mark.parametrize("mark", [1, True])
def test_crowd_box_is_kept_marked_and_counted(tmp_path: Path, mark: object) -> None:
    (kept,), reasons = read_box(tmp_path, [0, 0, 64, 48], iscrowd=mark)
    assert kept == Box("dog", 0.0, 0.0, 0.1, 0.1, is_crowd=True)
    assert reasons == ["crowd_box"]


def test_crowd_box_that_is_clipped_is_counted_as_both_and_a_dropped_one_once(tmp_path: Path) -> None:
    boxes = [box(1, 7, [-9, 0, 64, 48], iscrowd=1), box(2, 7, [9, 9, 0, 0], iscrowd=1)]
    found = issues(write(tmp_path, [image(7)], [], boxes))
    assert [reason for _, reason in found] == ["crowd_box", "clipped_box", "degenerate_box"]


def test_box_written_twice_is_kept_once_and_counted(tmp_path: Path) -> None:
    boxes = [
        box(1, 7, [0, 0, 64, 48]),
        box(2, 7, [0, 0, 64, 48], category_id=1),
        box(3, 7, [0, 0, 64, 48]),
        box(4, 8, [0, 0, 64, 48]),
        box(5, 7, [-0.0, 0, 64, 48]),
        box(6, 7, [0, 0, 64, 48.01]),
    ]
    source = write(tmp_path, [image(7), image(8)], [], boxes)
    assert issues(source) == [
        ("coco/000000000007/box/3", "duplicate_box"),
        ("coco/000000000007/box/5", "duplicate_box"),
    ]
    num_boxes = [len(record.boxes) for record in source.records() if isinstance(record, ImageRecord)]
    assert num_boxes == [3, 1]


def test_annotation_of_an_unlisted_image_is_counted_and_belongs_to_none(tmp_path: Path) -> None:
    boxes, captions = [box(1, 99, [0, 0, 5, 5]), box(2, 1, [0, 0, 5, 5])], [caption(1, 3, "A dog.")]
    source = write(tmp_path, [image(7)], captions, boxes)
    assert issues(source) == [
        ("coco/000000000099/box/1", "unknown_image"),
        ("coco/000000000001/box/2", "unknown_image"),
        ("coco/000000000003/caption/1", "unknown_image"),
    ]
    assert only_record(source).boxes == ()


def test_annotations_without_any_image_are_counted(tmp_path: Path) -> None:
    source = write(tmp_path, [], [caption(1, 3, "A dog.")], [])
    assert issues(source) == [("coco/000000000003/caption/1", "unknown_image")]


def test_annotation_id_used_again_is_dropped_and_counted(tmp_path: Path) -> None:
    captions = [caption(1, 7, "A dog."), caption(1, 7, "A cat."), caption(2, 7, "A cow.")]
    boxes = [box(1, 7, [0, 0, 64, 48]), box(2, 7, [9, 9, 9, 9]), box(1, 8, [0, 0, 9, 9])]
    source = write(tmp_path, [image(7), image(8)], captions, boxes)
    assert issues(source) == [
        ("coco/000000000007/caption/1", "duplicate_annotation_id"),
        ("coco/000000000008/box/1", "duplicate_annotation_id"),
    ]
    first, second = (record for record in source.records() if isinstance(record, ImageRecord))
    assert first.captions == ("A dog.", "A cow.")
    assert second.boxes == ()


def test_image_id_used_again_is_counted_and_the_first_is_kept(tmp_path: Path) -> None:
    images = [image(7, file_name="first.jpg"), image(7, file_name="second.jpg", width=9)]
    source = write(tmp_path, images, [], [], caption_images=[image(7, file_name="first.jpg")])
    assert only_record(source).file_name == "first.jpg"
    assert only_record(source).width_px == 640
    assert issues(source) == [("coco/000000000007", "duplicate_image_id")]


def test_image_that_only_one_file_lists_is_kept_and_counted(tmp_path: Path) -> None:
    source = write(
        tmp_path, [image(7)], [caption(1, 8, "A dog.")], [box(1, 7, [0, 0, 64, 48])], caption_images=[image(8)]
    )
    assert issues(source) == [("coco/000000000007", "image_in_one_file"), ("coco/000000000008", "image_in_one_file")]
    records = [record for record in source.records() if isinstance(record, ImageRecord)]
    assert [(record.captions, len(record.boxes)) for record in records] == [((), 1), (("A dog.",), 0)]


def test_size_on_which_the_files_differ_is_counted_and_the_instances_file_is_believed(tmp_path: Path) -> None:
    boxes = [box(1, 7, [0, 0, 320, 480])]
    source = write(tmp_path, [image(7)], [], boxes, caption_images=[image(7, width=500)])
    assert issues(source) == [("coco/000000000007", "image_size_differs")]
    assert only_record(source).boxes == (Box("dog", 0.0, 0.0, 0.5, 1.0),)


@pytest.mark.parametrize("size", [{"width": 0}, {"height": 0}, {"width": -640}])
def test_image_without_a_size_is_rejected_whole(tmp_path: Path, size: Table) -> None:
    source = write(tmp_path, [image(7, **size)], [caption(1, 7, "A dog.")], [])
    (rejected,) = source.records()
    assert isinstance(rejected, Rejected)
    assert (rejected.record_id, rejected.stage, rejected.reason) == ("coco/000000000007", "source", "bad_image_size")


@pytest.mark.parametrize(
    "file_name",
    [
        "/etc/passwd",
        "../secret.jpg",
        "a/../../b.jpg",
        "a\\b.jpg",
        "C:a.jpg",
        "c:/a.jpg",
        "",
        ".",
        "..",
        "a//b",
        "a\0.jpg",
    ],
)
def test_image_whose_name_leads_out_of_the_folder_is_rejected_whole(tmp_path: Path, file_name: str) -> None:
    (rejected,) = write(tmp_path, [image(7, file_name=file_name)], [], []).records()
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "unsafe_file_name"


@pytest.mark.parametrize(
    "file_name", ["a.jpg", "COCO_val2014_000000000042.jpg", "val2017/a b.jpg", "..a.jpg", "é;.png"]
)
def test_plain_name_is_kept(tmp_path: Path, file_name: str) -> None:
    assert only_record(write(tmp_path, [image(7, file_name=file_name)], [], [])).file_name == file_name


def test_every_image_is_accounted_for_once_however_broken_its_annotations(tmp_path: Path) -> None:
    images = [
        image(n, width=640 if n % 7 else 0, file_name="../x" if n % 11 == 0 else f"{n}.jpg") for n in range(5000)
    ]
    boxes = [box(n, n, [n % 650 - 5, 5, n % 3, NAN if n % 5 == 0 else 9]) for n in range(5000)]
    found = list(write(tmp_path, images, [caption(n, n, " " * (n % 2)) for n in range(5000)], boxes).records())
    ids = [
        one.image_id if isinstance(one, ImageRecord) else one.record_id
        for one in found
        if not isinstance(one, SourceIssue)
    ]
    assert ids == [f"coco/{n:012d}" for n in range(5000)]
    counts = Counter(one.reason for one in found if isinstance(one, SourceIssue))
    assert counts["box_not_finite"] == 1000
    assert counts["empty_caption"] == 5000
