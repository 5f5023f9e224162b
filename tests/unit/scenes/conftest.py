"""Drawn once and looked at by all tests here."""

import pytest

from instructgen.sources.scenes import SceneImage, make_scene

NUM_IMAGES = 240


@pytest.fixture(scope="session")
def images() -> list[SceneImage]:
    """The first images of seed 11 at two sizes, a wide and a square one."""
    wide = [make_scene(11, number, (320, 240)) for number in range(1, NUM_IMAGES // 2 + 1)]
    return wide + [make_scene(11, number, (224, 224)) for number in range(1, NUM_IMAGES // 2 + 1)]
