"""The bundled sample is what its script makes, and COCO's own reader opens it."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

DATA = Path(__file__).resolve().parents[3] / "data"
SAMPLE = DATA / "sample"
# Another Pillow may shift an edge by a pixel or decode a JPEG a little differently; a wrong picture is far off.
MAX_MEAN_DIFFERENCE = 2.0


@pytest.fixture(scope="module")
def make_sample() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_sample", DATA / "make_sample.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def remade(make_sample: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    make_sample.make_sample(folder)
    return folder


def _read(folder: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "annotations" / name).read_text(encoding="utf-8"))
    return content


def test_captions_are_what_the_script_makes(remade: Path) -> None:
    bundled, again = (_read(folder, "captions_sample.json") for folder in (SAMPLE, remade))
    assert bundled["annotations"] == again["annotations"]
    assert bundled["images"] == again["images"]


def test_instances_are_what_the_script_makes_with_the_same_pillow(remade: Path) -> None:
    bundled, again = (_read(folder, "instances_sample.json") for folder in (SAMPLE, remade))
    if bundled["info"] != again["info"]:
        pytest.skip(f"drawn with {bundled['info']['drawn_with']}, this is {again['info']['drawn_with']}")
    assert bundled == again


def test_instances_are_within_a_pixel_with_any_pillow(remade: Path) -> None:
    bundled, again = (_read(folder, "instances_sample.json") for folder in (SAMPLE, remade))
    assert bundled["categories"] == again["categories"]
    for old, new in zip(bundled["annotations"], again["annotations"], strict=True):
        assert {key: old[key] for key in ("id", "image_id", "category_id")}.items() <= new.items()
        x, y, width, height = old["bbox"]
        new_x, new_y, new_width, new_height = new["bbox"]
        assert max(abs(x - new_x), abs(y - new_y)) <= 1
        assert max(abs(x + width - new_x - new_width), abs(y + height - new_y - new_height)) <= 1
        assert old["area"] == pytest.approx(new["area"], rel=0.02)


def test_pictures_are_what_the_script_makes(remade: Path) -> None:
    names = sorted(path.name for path in (SAMPLE / "sample").iterdir())
    assert names == sorted(path.name for path in (remade / "sample").iterdir())
    assert len(names) == 64
    for name in names:
        with Image.open(SAMPLE / "sample" / name) as bundled, Image.open(remade / "sample" / name) as again:
            difference = np.abs(np.asarray(bundled, dtype=float) - np.asarray(again, dtype=float))
        assert difference.mean() < MAX_MEAN_DIFFERENCE, name


def test_sample_is_smaller_than_three_megabytes() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) < 3_000_000


def test_pycocotools_opens_both_files_and_masks_agree_with_boxes() -> None:
    captions = COCO(SAMPLE / "annotations" / "captions_sample.json")
    instances = COCO(SAMPLE / "annotations" / "instances_sample.json")
    assert len(captions.getImgIds()) == len(instances.getImgIds()) == 64
    assert all(len(captions.getAnnIds(imgIds=[image_id])) == 5 for image_id in captions.getImgIds())
    assert len(instances.getCatIds()) == 80
    for row in instances.loadAnns(instances.getAnnIds()):
        ys, xs = np.nonzero(instances.annToMask(row))
        assert row["area"] == len(xs)
        assert row["bbox"] == [xs.min(), ys.min(), xs.max() + 1 - xs.min(), ys.max() + 1 - ys.min()]


def test_sample_shows_at_least_forty_categories() -> None:
    rows = json.loads((SAMPLE / "annotations" / "instances_sample.json").read_text(encoding="utf-8"))["annotations"]
    assert len({row["category_id"] for row in rows}) >= 40
