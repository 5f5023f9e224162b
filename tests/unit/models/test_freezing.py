"""Freezing, by the gradients that there are and are not."""

from collections.abc import Iterable

import pytest

torch = pytest.importorskip("torch", reason="the extra [train]")

from instructgen.models.build import build_model  # noqa: E402
from instructgen.models.lora import apply_lora  # noqa: E402
from instructgen.models.spec import (  # noqa: E402
    PARTS,
    LanguageSpec,
    ModelSpec,
)
from instructgen.models.vlm import VisionLanguageModel, part_of  # noqa: E402
from tests.support.tiny_models import answer, language_config, make_spec  # noqa: E402

torch.set_num_threads(1)


def grown(model: VisionLanguageModel) -> dict[str, int]:
    """Return, by part, how many parameters a backward pass gives a gradient that is not zero throughout."""
    answer(model).square().sum().backward()
    sizes: dict[str, int] = {}
    for name, weight in model.named_parameters():
        if weight.grad is not None and weight.grad.abs().sum() > 0:
            sizes[part_of(name)] = sizes.get(part_of(name), 0) + weight.numel()
    return sizes


def test_first_stage_gives_the_projector_alone_gradients() -> None:
    model = build_model(make_spec())
    model.freeze_all_but(["connector"])
    assert grown(model) == {"connector": 24 * 32 + 32}


def test_second_stage_leaves_the_tower_alone() -> None:
    model = build_model(make_spec())
    model.freeze_all_but(["connector", "language"])
    language = sum(weight.numel() for weight in model.language.parameters())
    assert grown(model) == {"connector": 800, "language": language}


@pytest.mark.parametrize("trains", [("connector",), ("qformer", "connector"), ("vision", "qformer", "connector")])
def test_qformer_trains_only_where_it_is_named(trains: tuple[str, ...]) -> None:
    model = build_model(make_spec("qformer"))
    model.freeze_all_but(trains)
    assert set(grown(model)) == set(trains)


def test_frozen_tower_and_qformer_build_no_graph() -> None:
    model = build_model(make_spec("qformer"))
    model.freeze_all_but(["connector"])
    pixels = torch.zeros(1, 3, 28, 28)
    assert model.see(pixels).grad_fn is None
    assert model.connector.get_submodule("qformer")(model.see(pixels)).grad_fn is None
    assert model.embed_pictures(pixels).grad_fn is not None


def test_tower_that_trains_builds_one() -> None:
    model = build_model(make_spec())
    model.freeze_all_but(["vision", "connector"])
    assert model.see(torch.zeros(1, 3, 28, 28)).grad_fn is not None


def in_training_mode(model: VisionLanguageModel) -> set[str]:
    return {part_of(name) for name, module in model.named_modules() if "." in name and module.training}


@pytest.mark.parametrize("trains", [("connector",), ("connector", "language"), PARTS])
def test_frozen_parts_stay_in_evaluation_mode(trains: Iterable[str]) -> None:
    model = build_model(make_spec("qformer"))
    model.freeze_all_but(trains)
    model.train()
    assert in_training_mode(model) == set(trains)
    model.eval()
    assert in_training_mode(model) == set()


def test_dropout_of_a_frozen_language_model_is_off_while_training() -> None:
    spec = make_spec()
    opt = language_config("opt", dropout=0.5, word_embed_proj_dim=32)
    model = build_model(ModelSpec(spec.vision, spec.connector, LanguageSpec(config=opt)))
    model.freeze_all_but(["connector"])
    model.train()
    assert torch.equal(answer(model), answer(model))
    model.freeze_all_but(["connector", "language"])
    assert not torch.equal(answer(model), answer(model))


def test_of_a_language_model_with_adapters_only_they_train() -> None:
    model = build_model(make_spec())
    apply_lora(model, rank=4, alpha=8, dropout=0.0)
    model.freeze_all_but(["connector", "language"])
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if ".lora_B" in name:
                weight.fill_(0.1)  # at zero, as it begins, the other half gets no gradient
    adapters = sum(weight.numel() for name, weight in model.named_parameters() if ".lora_" in name)
    assert grown(model) == {"connector": 800, "language": adapters}


def test_frozen_weights_are_cast_and_trained_ones_are_not() -> None:
    model = build_model(make_spec())
    model.freeze_all_but(["connector"])
    model.cast_frozen(torch.bfloat16)
    kinds = {part_of(name): weight.dtype for name, weight in model.named_parameters()}
    assert kinds == {"vision": torch.bfloat16, "connector": torch.float32, "language": torch.bfloat16}
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.isfinite(answer(model)).all()


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod."])
def test_part_is_read_from_a_wrapped_name_too(prefix: str) -> None:
    assert part_of(f"{prefix}connector.qformer.query_tokens") == "qformer"
    assert part_of(f"{prefix}connector.linear.weight") == "connector"
    assert part_of(f"{prefix}language.base_model.model.lm_head.weight") == "language"
    assert part_of(f"{prefix}vision.encoder.pre_layrnorm.weight") == "vision"
