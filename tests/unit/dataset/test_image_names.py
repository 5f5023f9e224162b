"""Which COCO image a record means."""

import pytest

from instructgen.dataset.imports.image_names import coco_number


@pytest.mark.parametrize(
    "image",
    [
        "000000000139.jpg",
        "coco/train2017/000000000139.jpg",
        "COCO_val2014_000000000139.jpg",
        "train2014/COCO_train2014_000000000139.jpg",
        "http://images.cocodataset.org/val2017/000000000139.jpg",
        "coco/000000000139",
        "sample/000000000139",
        "./images/139.png",
        "C:\\coco\\train2017\\000000000139.jpg",
        "139",
        139,
    ],
)
def test_every_way_to_write_a_coco_image_gives_its_id(image: str | int) -> None:
    assert coco_number(image) == 139


@pytest.mark.parametrize(
    "image",
    [
        "vg/VG_100K/2403.jpg",
        "gqa/images/2354786.jpg",
        "ocr_vqa/images/0123456789.jpg",
        "textvqa/train_images/a1b2.jpg",
        "scenes/000000000139",
        "park.jpg",
        "",
        -1,
    ],
)
def test_an_image_of_another_dataset_is_no_coco_image(image: str | int) -> None:
    assert coco_number(image) is None
