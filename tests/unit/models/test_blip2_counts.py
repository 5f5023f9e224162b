"""BLIP-2's six second stages: what trains in each, to the last parameter; nothing is allocated."""

import pytest

torch = pytest.importorskip("torch", reason="the extra [train]")

from instructgen.models.build import build_on_meta  # noqa: E402
from instructgen.models.counts import count_parameters  # noqa: E402
from instructgen.models.spec import ConnectorSpec, LanguageSpec, ModelSpec, QFormerSpec, VisionSpec  # noqa: E402

VIT_L = VisionSpec(name="openai/clip-vit-large-patch14", layer=-2, drops_class_token=False)
VIT_G = VisionSpec(name="Salesforce/blip2-opt-2.7b", layer=-1, drops_class_token=False)
TOTALS = [
    (VIT_L, "facebook/opt-2.7b", 103_593_984),
    (VIT_G, "facebook/opt-2.7b", 107_133_696),
    (VIT_G, "facebook/opt-6.7b", 108_314_880),
    (VIT_L, "google/flan-t5-xl", 103_200_256),
    (VIT_G, "google/flan-t5-xl", 106_739_968),
    (VIT_G, "google/flan-t5-xxl", 108_314_880),
]
CONNECTOR = ConnectorSpec(kind="qformer", qformer=QFormerSpec(normalises=True))


@pytest.mark.parametrize(("vision", "language", "trained"), TOTALS)
def test_second_stage_trains_what_the_paper_counts(vision: VisionSpec, language: str, trained: int) -> None:
    model = build_on_meta(ModelSpec(vision, CONNECTOR, LanguageSpec(name=language)))
    model.freeze_all_but(["connector", "qformer"])
    counts = count_parameters(model)
    assert counts.trained == trained
    assert counts.parts["vision"].trained == counts.parts["language"].trained == 0
    assert model.tokens_per_image == 32


@pytest.mark.parametrize(
    ("language", "total"),
    [
        ("facebook/opt-2.7b", 2_651_596_800),
        ("facebook/opt-6.7b", 6_658_473_984),
        ("google/flan-t5-xl", 2_849_757_184),
        ("google/flan-t5-xxl", 11_135_332_352),
    ],
)
def test_language_model_has_its_published_size(language: str, total: int) -> None:
    model = build_on_meta(ModelSpec(VIT_L, CONNECTOR, LanguageSpec(name=language)))
    assert count_parameters(model).parts["language"].used == total
