"""Whose each picture is: what COCO's files say of licences and addresses, however they say it."""

import json
from pathlib import Path
from typing import Any

import pytest

from instructgen.records import ImageRecord
from instructgen.sources.coco import CocoSource
from instructgen.sources.coco_credits import shorten_licence
from tests.unit.sources.coco_tables import Table, caption, image

CC_BY_NC = {
    "id": 2,
    "name": "Attribution-NonCommercial License",
    "url": "http://creativecommons.org/licenses/by-nc/2.0/",
}
FREE = {"id": 7, "name": "No known copyright restrictions", "url": "http://flickr.com/commons/usage/"}
FLICKR = "http://farm7.staticflickr.com/6116/6255196340_da26cf2c9e_z.jpg"
COCO = "http://images.cocodataset.org/val2017/000000397133.jpg"


def read(
    root: Path, images: list[Table], licences: Any = (CC_BY_NC, FREE), caption_images: list[Table] | None = None
) -> list[ImageRecord]:
    folder = root / "annotations"
    folder.mkdir()
    told = {} if licences is None else {"licenses": licences if isinstance(licences, dict | str) else list(licences)}
    listed = images if caption_images is None else caption_images
    texts = [caption(number, one["id"], "A dog.") for number, one in enumerate(listed)]
    files = {"captions": {"images": listed, "annotations": texts}, "instances": {"images": images, "annotations": []}}
    for name, table in files.items():
        table |= {"categories": [], **told}
        (folder / f"{name}_val.json").write_text(json.dumps(table))
    return [found for found in CocoSource(root).records() if isinstance(found, ImageRecord)]


def test_licence_and_flickr_address_come_with_the_image(tmp_path: Path) -> None:
    images = [
        image(5, license=7, coco_url=COCO),
        image(3, license=2, flickr_url=FLICKR, coco_url=COCO),
        image(4, license=9),
        image(6),
    ]
    assert [(one.licence, one.url) for one in read(tmp_path, images)] == [
        ("CC-BY-NC-2.0", FLICKR),
        ("", ""),
        ("No known copyright restrictions", COCO),
        ("", ""),
    ]


def test_image_that_only_the_captions_list_has_its_licence_too(tmp_path: Path) -> None:
    mine = image(2, license=2, flickr_url=FLICKR)
    of_captions = [image(1, license=7, flickr_url=FLICKR), mine, image(9, license=7, coco_url=COCO)]
    assert [(one.licence, one.url) for one in read(tmp_path, [mine], caption_images=of_captions)] == [
        ("No known copyright restrictions", FLICKR),
        ("CC-BY-NC-2.0", FLICKR),
        ("No known copyright restrictions", COCO),
    ]


def test_of_an_image_that_is_listed_twice_the_first_licence_stands(tmp_path: Path) -> None:
    images = [image(1, license=2), image(1, license=7), image(2, license=7)]
    assert [one.licence for one in read(tmp_path, images)] == ["CC-BY-NC-2.0", FREE["name"]]


@pytest.mark.parametrize(
    "licences", [None, {}, "none", [], [1, None, "x"], [{"id": "2"}, {"name": "x"}], [[CC_BY_NC]]]
)
def test_licences_in_another_form_are_unknown_and_stop_nothing(tmp_path: Path, licences: Any) -> None:
    assert [one.licence for one in read(tmp_path, [image(1, license=2)], licences)] == [""]


@pytest.mark.parametrize("number", [None, "2", 2.0, True, [2], 1 << 70])
def test_licence_that_is_no_number_of_the_list_is_unknown(tmp_path: Path, number: Any) -> None:
    assert [one.licence for one in read(tmp_path, [image(1, license=number)])] == [""]


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        "ftp://a/b",
        "javascript:alert(1)",
        "http://a b",
        "http://a\nb",
        "http://a/é",
        "http://" + "a" * 2000,
    ],
)
def test_what_is_no_address_is_left_out_and_moves_no_other(tmp_path: Path, url: Any) -> None:
    images = [image(1, flickr_url=FLICKR), image(2, flickr_url=url), image(3, flickr_url=url, coco_url=COCO)]
    assert [one.url for one in read(tmp_path, images)] == [FLICKR, "", COCO]


@pytest.mark.parametrize(
    ("name", "url", "short"),
    [
        ("x", "http://creativecommons.org/licenses/by-nc-sa/2.0/", "CC-BY-NC-SA-2.0"),
        ("x", "https://creativecommons.org/licenses/by/4.0", "CC-BY-4.0"),
        ("x", "https://creativecommons.org/licenses/by-sa/3.0/de/", "CC-BY-SA-3.0-DE"),
        ("x", "https://creativecommons.org/licenses/by-sa/3.0/deed.en", "CC-BY-SA-3.0"),
        ("x", "https://www.creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("x", "https://creativecommons.org/publicdomain/mark/1.0/", "PDM-1.0"),
        (" My\nown ", "https://example.org/licence", "My own"),
        ("", "https://example.org/licence", "https://example.org/licence"),
        (None, None, ""),
        ("a\x00b" * 100, "", ("ab" * 100)[:80]),
    ],
)
def test_licence_is_named_by_its_address(name: object, url: object, short: str) -> None:
    assert shorten_licence(name, url) == short


@pytest.mark.coco
def test_every_image_of_val2017_has_a_licence_and_an_address(coco_root: Path) -> None:
    records = [one for one in CocoSource(coco_root, "val2017").records() if isinstance(one, ImageRecord)]
    counts: dict[str, int] = {}
    for record in records:
        counts[record.licence] = counts.get(record.licence, 0) + 1
    listed = json.loads((coco_root / "annotations" / "instances_val2017.json").read_bytes())
    by_number = {one["id"]: shorten_licence(one["name"], one["url"]) for one in listed["licenses"]}
    assert sum(counts.values()) == len(listed["images"])
    for number, name in by_number.items():
        assert counts.get(name, 0) == sum(one["license"] == number for one in listed["images"])
    urls = {one["file_name"]: one["flickr_url"] for one in listed["images"]}
    assert all(record.url == urls[record.file_name] for record in records)
