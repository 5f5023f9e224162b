"""The parameter counts of the papers and their code, exactly; nothing is allocated."""

import pytest

torch = pytest.importorskip("torch", reason="the extra [train]")

from msgspec.structs import replace  # noqa: E402

from instructgen.models.build import build_on_meta  # noqa: E402
from instructgen.models.counts import count_parameters  # noqa: E402
from instructgen.models.lora import apply_lora  # noqa: E402
from instructgen.models.spec import ConnectorSpec, LanguageSpec, ModelSpec, VisionSpec  # noqa: E402
from instructgen.models.vlm import VisionLanguageModel  # noqa: E402

CLIP = "openai/clip-vit-large-patch14"
EVA = VisionSpec(name="Salesforce/blip2-flan-t5-xxl", layer=-1, drops_class_token=False, normalises_last=True)
VICUNA = {"7B": "lmsys/vicuna-7b-v1.5", "13B": "lmsys/vicuna-13b-v1.5"}


def build(vision: VisionSpec, connector: ConnectorSpec, size: str = "7B") -> VisionLanguageModel:
    return build_on_meta(ModelSpec(vision, connector, LanguageSpec(name=VICUNA[size])))


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [
        ("linear", "7B", 4_198_400),
        ("linear", "13B", 5_248_000),
        ("mlp2x_gelu", "7B", 20_979_712),
        ("mlp2x_gelu", "13B", 31_467_520),
    ],
)
def test_llava_connector_has_the_published_size(kind: str, size: str, expected: int) -> None:
    counts = count_parameters(build(VisionSpec(name=CLIP), ConnectorSpec(kind=kind), size))  # type: ignore[arg-type]
    assert counts.parts["connector"].used == expected


@pytest.mark.parametrize(
    ("name", "total", "used", "num_tokens"),
    [(CLIP, 303_179_776, 290_581_504, 256), (f"{CLIP}-336", 303_507_456, 290_909_184, 576)],
)
def test_clip_is_counted_whole_and_up_to_its_last_but_one_layer(
    name: str, total: int, used: int, num_tokens: int
) -> None:
    model = build(VisionSpec(name=name, layer=-2), ConnectorSpec())
    vision = count_parameters(model).parts["vision"]
    assert (vision.total, vision.used, model.tokens_per_image) == (total, used, num_tokens)


@pytest.mark.parametrize(("size", "linear"), [("7B", 3_149_824), ("13B", 3_937_280)])
def test_minigpt4_trains_its_linear_layer_alone(size: str, linear: int) -> None:
    model = build(EVA, ConnectorSpec(kind="qformer"), size)
    model.freeze_all_but(["connector"])
    counts = count_parameters(model)
    assert counts.trained == counts.parts["connector"].used == linear
    assert counts.parts["qformer"].used == 105_162_240
    assert counts.parts["vision"].used - counts.final_norm == 985_894_528
    assert counts.final_norm == 2_816
    assert model.tokens_per_image == 32


def test_qformer_on_vit_l_has_blip2s_size() -> None:
    counts = count_parameters(build(VisionSpec(name=CLIP), ConnectorSpec(kind="qformer")))
    assert counts.parts["qformer"].used == 101_623_296


def test_minigpt4_on_llama2_joins_four_patches() -> None:
    spec = VisionSpec(name=EVA.name, layer=-1, normalises_last=True)
    model = build(spec, ConnectorSpec(kind="linear", merge=4))
    assert model.tokens_per_image == 64
    assert count_parameters(model).parts["connector"].used == 23_072_768


@pytest.mark.parametrize(
    ("size", "rank", "expected"),
    [("7B", 128, 319_815_680), ("7B", 64, 159_907_840), ("13B", 128, 500_695_040), ("13B", 64, 250_347_520)],
)
def test_adapters_are_on_all_linear_layers_but_the_head(size: str, rank: int, expected: int) -> None:
    model = build(VisionSpec(name=CLIP), ConnectorSpec(), size)
    apply_lora(model, rank=rank, alpha=2 * rank, dropout=0.05)
    model.freeze_all_but(["connector", "language"])
    counts = count_parameters(model)
    assert counts.adapters == expected
    assert counts.parts["language"].trained == counts.parts["vision"].trained == 0
    assert counts.trained == expected + counts.parts["connector"].used


def test_idle_biases_of_the_whole_tower_are_not_counted_wherever_it_is_cut() -> None:
    for layer in (-1, -2, 3):
        counts = count_parameters(build(replace(EVA, layer=layer), ConnectorSpec()))
        assert counts.parts["vision"].total == 985_894_528 + 2_816
