"""What tests share: where the real COCO annotations are, and none of our own code faked."""

import os
from pathlib import Path

import pytest

# Workers share few cores: threads of torch or numpy that wait for each other would only take them from the rest.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).resolve().parent.parent


def _find_shared_data() -> Path:
    return REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def coco_root() -> Path:
    """The real val2017 folder (5,000 images), or a skip that says how to get it."""
    root = Path(os.environ.get("INSTRUCTGEN_COCO", _find_shared_data() / "coco-val2017"))
    if not (root / "annotations" / "instances_val2017.json").is_file():
        pytest.skip(f"no COCO val2017 at {root}; set INSTRUCTGEN_COCO to a folder with annotations/")
    return root


@pytest.fixture(scope="session")
def coco_subset_root() -> Path:
    """Untouched COCO records with segmentations and crowd RLE, or a skip."""
    root = _find_shared_data() / "coco-genuine-subset"
    if not (root / "annotations" / "instances_val2017.json").is_file():
        pytest.skip("no COCO subset with segmentations and crowds beside the repository")
    return root
