from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra [train]")

import msgspec  # noqa: E402
from transformers import (  # noqa: E402
    Blip2Config,
    Blip2ForConditionalGeneration,
    CLIPConfig,
    CLIPModel,
    SiglipConfig,
    SiglipModel,
)

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.models.places import FOLDER_VARIABLE  # noqa: E402
from instructgen.models.seeds import seeded  # noqa: E402
from instructgen.models.spec import VisionSpec  # noqa: E402
from instructgen.models.towers import build_tower, outline_tower, tower_config  # noqa: E402
from instructgen.models.vision import VisionTower, count_idle, make_encoder  # noqa: E402
from tests.support.tiny_models import TOWERS, language_config  # noqa: E402
from tests.support.tiny_models import tower_config as config_of  # noqa: E402

torch.set_num_threads(1)
PIXELS = torch.rand(2, 3, 28, 28, generator=torch.Generator().manual_seed(0))


def build(spec: VisionSpec) -> VisionTower:
    return build_tower(spec, 1, weights=True, dtype=torch.float32).eval()


def whole_encoder(spec: VisionSpec) -> torch.nn.Module:
    """Return the tower before it is cut, with the weights that build() gives it."""
    with seeded(1, "vision"):
        return make_encoder(tower_config(spec, from_table=False)).eval()


@pytest.mark.parametrize("model_type", TOWERS)
@pytest.mark.parametrize("layer", [-1, -2, 1, 0])
def test_tower_gives_what_the_whole_one_has_at_that_layer(model_type: str, layer: int) -> None:
    spec = VisionSpec(config=config_of(model_type), layer=layer, drops_class_token=False)
    with torch.no_grad():
        expected = whole_encoder(spec)(PIXELS, output_hidden_states=True).hidden_states[layer]
        given = build(spec)(PIXELS)
    torch.testing.assert_close(given, expected)


@pytest.mark.parametrize(
    ("model_type", "num_prefix"),
    [("clip_vision_model", 1), ("siglip_vision_model", 0), ("dinov2", 1), ("dinov2_with_registers", 5), ("vit", 1)],
)
def test_only_tokens_that_are_no_patches_are_dropped(model_type: str, num_prefix: int) -> None:
    whole = build(VisionSpec(config=config_of(model_type), drops_class_token=False))
    patches = build(VisionSpec(config=config_of(model_type), drops_class_token=True))
    assert (whole.num_tokens, patches.num_tokens) == (16 + num_prefix, 16)
    with torch.no_grad():
        assert torch.equal(whole(PIXELS)[:, num_prefix:], patches(PIXELS))
    assert tuple(patches(PIXELS).shape) == (2, patches.num_tokens, patches.width)


@pytest.mark.parametrize("model_type", TOWERS)
def test_layers_above_the_chosen_one_are_not_held(model_type: str) -> None:
    tower = build(VisionSpec(config=config_of(model_type), layer=1))
    whole = whole_encoder(VisionSpec(config=config_of(model_type)))
    used = sum(weight.numel() for weight in tower.parameters()) - count_idle(tower)
    layer = next(part for part in whole.modules() if isinstance(part, torch.nn.ModuleList) and len(part) == 3)
    above = sum(weight.numel() for part in layer[1:] for weight in part.parameters()) - count_idle(layer[1:])
    assert tower.num_total_parameters == sum(weight.numel() for weight in whole.parameters()) - count_idle(whole)
    assert used <= tower.num_total_parameters - above


def test_final_norm_is_applied_where_it_is_asked_for() -> None:
    spec = VisionSpec(
        config=config_of("blip_2_vision_model"), layer=-1, drops_class_token=False, normalises_last=True
    )
    with torch.no_grad():
        expected = whole_encoder(spec)(PIXELS).last_hidden_state  # BLIP-2's own ends with the norm
        torch.testing.assert_close(build(spec)(PIXELS), expected)


@pytest.mark.parametrize("layer", [4, -5])
def test_layer_that_a_tower_does_not_have_is_refused(layer: int) -> None:
    with pytest.raises(InstructgenError, match="has 3 layers: layer goes from -4 to 3"):
        build(VisionSpec(config=config_of(), layer=layer))


def test_other_image_size_gives_other_number_of_patches() -> None:
    tower = build(VisionSpec(config=config_of(), image_px=42))
    assert (tower.image_px, tower.num_tokens) == (42, 36)
    assert tower(torch.zeros(1, 3, 42, 42)).shape[1] == 36


def test_tower_without_a_row_of_layers_takes_its_last_features() -> None:
    config = {"model_type": "resnet", "depths": [1, 1], "hidden_sizes": [8, 16], "embedding_size": 8}
    config |= {"layer_type": "basic"}
    tower = build(VisionSpec(config=config, layer=-1, image_px=32))
    assert (tower.num_tokens, tower.width) == (16, 16)
    with pytest.raises(InstructgenError, match="set layer = -1"):
        build(VisionSpec(config=config, layer=-2, image_px=32))


@pytest.mark.parametrize("pair", ["clip", "siglip"])
def test_model_of_two_halves_gives_its_vision_half(tmp_path: Path, pair: str) -> None:
    shape = {key: value for key, value in config_of().items() if key != "model_type"}
    text = {key: value for key, value in language_config().items() if key != "model_type"}
    config_type, model_type = {"clip": (CLIPConfig, CLIPModel), "siglip": (SiglipConfig, SiglipModel)}[pair]
    both = model_type(config_type(vision_config=shape, text_config=text)).eval()
    both.save_pretrained(tmp_path)
    tower = build(VisionSpec(name=str(tmp_path)))
    with torch.no_grad():
        expected = both.vision_model(PIXELS, output_hidden_states=True).hidden_states[-2]
        torch.testing.assert_close(tower(PIXELS), expected[:, -16:])


def test_tower_of_blip2_is_read_from_the_whole_model_and_not_left_random(tmp_path: Path) -> None:
    shape = {key: value for key, value in config_of().items() if key != "model_type"}
    qformer = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "encoder_hidden_size": 24}
    config = Blip2Config(vision_config=shape, qformer_config=qformer, text_config=language_config("opt"))
    whole = Blip2ForConditionalGeneration(config).eval()
    whole.save_pretrained(tmp_path, max_shard_size="40KB")
    tower = build(VisionSpec(name=str(tmp_path), layer=-1, drops_class_token=False, normalises_last=True))
    with torch.no_grad():
        torch.testing.assert_close(tower(PIXELS), whole.vision_model(PIXELS).last_hidden_state)


def test_outline_has_the_shape_of_the_tower_and_no_weights() -> None:
    spec = VisionSpec(config=config_of())
    outline, tower = outline_tower(spec), build(spec)
    assert all(weight.is_meta for weight in outline.parameters())
    assert outline.shape == tower.shape


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (VisionSpec(), "wants a name"),
        (VisionSpec(config={"hidden_size": 3}), "wants a model_type"),
        (VisionSpec(config={"model_type": "nonsense"}), "nonsense"),
        (VisionSpec(config={"model_type": "encodec"}), "'encodec' is no vision tower"),
        (VisionSpec(name="efficientnet-lite0", layer=-1), "instructgen models fetch efficientnet-lite0"),
    ],
)
def test_bad_tower_is_named_with_what_to_do(
    spec: VisionSpec, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(InstructgenError, match=words):
        build(spec)


def test_missing_weights_are_an_error_and_not_drawn_at_random(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    whole_encoder(VisionSpec(config=config_of())).save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors.pop("encoder.layers.0.mlp.fc1.weight")
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InstructgenError, match=r"lack 1 of its tensors, encoder.layers.0.mlp.fc1.weight"):
        build(VisionSpec(name=str(tmp_path)))


def test_spec_survives_a_file() -> None:
    spec = VisionSpec(config=config_of(), layer=-1)
    assert msgspec.json.decode(msgspec.json.encode(spec), type=VisionSpec) == spec


def test_configuration_of_a_tower_that_nobody_can_build_is_the_users_to_mend() -> None:
    with pytest.raises(InstructgenError, match="does not take 28 px"):
        build(VisionSpec(config=config_of(patch_size=0)))


def test_tower_with_a_name_and_a_configuration_is_refused() -> None:
    with pytest.raises(InstructgenError, match=r"\[model.vision\] has a name and a config"):
        build(VisionSpec(name="openai/clip-vit-large-patch14", config=config_of()))
