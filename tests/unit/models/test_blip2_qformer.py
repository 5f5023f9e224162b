"""BLIP-2's Q-Former with its text half: counts, masks, and the same numbers as transformers' own model."""

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from transformers import BertConfig, BertForMaskedLM, Blip2Config, Blip2ForImageTextRetrieval  # noqa: E402

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.models.blip2.bert import begin_from_bert  # noqa: E402
from instructgen.models.blip2.build import build_representation, outline_representation  # noqa: E402
from instructgen.models.blip2.counts import count_representation  # noqa: E402
from instructgen.models.blip2.folder import load_representation, name_tensors, save_representation  # noqa: E402
from instructgen.models.blip2.layers import Input, run_layers  # noqa: E402
from instructgen.models.blip2.masks import causal_mask, unilm_mask  # noqa: E402
from instructgen.models.blip2.model import Representation, representation_part_of  # noqa: E402
from instructgen.models.blip2.spec import RepresentationSpec, TextSpec  # noqa: E402
from instructgen.models.build import build_model  # noqa: E402
from instructgen.models.folder import Notes, read_card  # noqa: E402
from instructgen.models.spec import (  # noqa: E402
    ConnectorSpec,
    LanguageSpec,
    ModelSpec,
    QFormerSpec,
    VisionSpec,
)
from tests.support.tiny_blip2 import QFORMER, make_model, make_pixels, make_spec, make_texts  # noqa: E402
from tests.support.tiny_models import damage, language_config, tower_config  # noqa: E402

EVA = {**tower_config("blip_2_vision_model")}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Representation:
    return make_model(tmp_path_factory.mktemp("blip2"), EVA)[0]


# Published counts (SYSTEMS of BLIP-2: BERT part 185,660,160, head 622,651, queries 24,576, projections and so on).
COUNTS = [
    # tower, layer, all that trains, image half, norm behind the tower
    ("Salesforce/blip2-opt-2.7b", -1, 186_705_470, 105_162_240, 2_816),
    ("openai/clip-vit-large-patch14", -2, 183_165_758, 101_623_296, 2_048),
]


@pytest.mark.parametrize(("tower", "layer", "trained", "image_half", "norm"), COUNTS)
def test_counts_are_the_published_ones(tower: str, layer: int, trained: int, image_half: int, norm: int) -> None:
    vision = VisionSpec(name=tower, layer=layer, drops_class_token=False)
    model = outline_representation(RepresentationSpec(vision, TextSpec(name="google-bert/bert-base-uncased")))
    counts = count_representation(model)
    assert counts.trained == trained
    assert counts.parts["qformer"].trained == image_half
    assert counts.parts["vision"].trained == counts.final_norm == norm


def test_parts_of_the_large_model_are_the_published_ones() -> None:
    vision = VisionSpec(name="Salesforce/blip2-opt-2.7b", layer=-1)
    model = outline_representation(RepresentationSpec(vision, TextSpec(name="bert-base-uncased")))

    def count(*starts: str) -> int:
        return sum(weight.numel() for name, weight in model.named_parameters() if name.startswith(starts))

    layer = "qformer.encoder.layer.0."
    assert count(f"{layer}attention.") == 2_363_904
    assert count(f"{layer}crossattention.") == 3_346_944
    assert count(f"{layer}intermediate.", f"{layer}output.") == 4_723_968
    assert count(f"{layer}intermediate_query.", f"{layer}output_query.") == 4_723_968
    assert count("qformer.", "embeddings.") == 185_660_160
    assert count("language_head.") == 622_651
    assert count("query_tokens") == 24_576
    assert count("vision_projection.") == count("text_projection.") == 196_864
    assert count("itm_head.") == 1_538
    assert count("temperature") == 1
    assert not count("qformer.encoder.layer.1.crossattention.")


def make_theirs(model: Representation) -> Any:
    shape = {key: value for key, value in EVA.items() if key != "model_type"}
    config = Blip2Config(
        vision_config=shape,
        qformer_config={
            "vocab_size": model.qformer.config.vocab_size,
            "hidden_size": QFORMER["hidden_size"],
            "num_hidden_layers": QFORMER["num_layers"],
            "num_attention_heads": QFORMER["num_heads"],
            "intermediate_size": QFORMER["intermediate_size"],
            "encoder_hidden_size": EVA["hidden_size"],
            "use_qformer_text_input": True,
        },
        text_config=language_config("opt"),
        num_query_tokens=QFORMER["num_queries"],
        image_text_hidden_size=8,
    )
    theirs = Blip2ForImageTextRetrieval(config).eval()
    tower = {f"vision_model.{name}": value for name, value in model.vision.encoder.state_dict().items()}
    missing, _ = theirs.load_state_dict({**tower, **name_tensors(model)}, strict=False)
    assert not missing
    return theirs


def test_matching_and_contrast_are_those_of_transformers_blip2(model: Representation) -> None:
    theirs = make_theirs(model)
    pixels, (ids, is_token) = make_pixels(3), make_texts((7, 3, 5))
    with torch.no_grad():
        patches = model.see(pixels)
        own = model.match(patches, ids, is_token)
        other = theirs(pixels, ids, is_token.long(), use_image_text_matching_head=True).logits_per_image
        assert torch.allclose(own, other, atol=1e-5)
        pictures, texts = model.compare_pictures(model.look(patches)), model.compare_texts(ids, is_token)
        similarity = torch.einsum("bqe,te->btq", pictures, texts).amax(-1)
        assert torch.allclose(similarity, theirs(pixels, ids, is_token.long()).logits_per_image, atol=1e-5)


def run_in_one_pass(model: Representation, patches: Any, ids: Any, is_token: Any) -> Any:
    """Return the states of queries and text under the UniLM mask."""
    queries = model.query_tokens.expand(len(ids), -1, -1)
    embeds = torch.cat((queries, model.embeddings(input_ids=ids)), 1)
    mask = unilm_mask(is_token, model.num_queries)
    return run_layers(model.qformer, Input(embeds, model.num_queries, patches, mask))[0]


def test_cached_generation_is_one_pass_with_the_unilm_mask(model: Representation) -> None:
    ids, is_token = make_texts((9, 4))
    with torch.no_grad():
        patches = model.see(make_pixels(2))
        sight = model.look(patches)
        cached = model.continue_text(sight, ids, is_token)
        whole = run_in_one_pass(model, patches, ids, is_token)
    assert float((cached - whole[:, model.num_queries :])[is_token].abs().max()) < 1e-5
    assert float((sight.states_bqh - whole[:, : model.num_queries]).abs().max()) < 1e-5


@pytest.mark.parametrize("changed", [1, 5, 8])
def test_generation_sees_nothing_that_comes_later(model: Representation, changed: int) -> None:
    ids, is_token = make_texts((9,))
    other = ids.clone()
    other[:, changed:] = (other[:, changed:] + 1) % 90 + 6
    with torch.no_grad():
        sight = model.look(model.see(make_pixels(1)))
        one, two = (model.continue_text(sight, each, is_token) for each in (ids, other))
    assert float((one - two)[:, :changed].abs().max()) == 0.0
    assert float((one - two)[:, changed:].abs().min(-1).values.max()) > 0


def test_queries_of_contrast_and_generation_know_nothing_of_the_text_and_those_of_matching_do(
    model: Representation,
) -> None:
    ids, is_token = make_texts((6,))
    other = (ids + 1) % 90 + 6
    with torch.no_grad():
        patches = model.see(make_pixels(1))
        queries = [run_in_one_pass(model, patches, each, is_token)[:, : model.num_queries] for each in (ids, other)]
        assert float((queries[0] - queries[1]).abs().max()) == 0.0
        assert not torch.equal(model.match(patches, ids, is_token), model.match(patches, other, is_token))


def test_texts_are_compared_without_a_picture_and_padding_changes_nothing(model: Representation) -> None:
    ids, is_token = make_texts((5, 9))
    with torch.no_grad():
        together = model.compare_texts(ids, is_token)[0]
        alone = model.compare_texts(ids[:1, :5], is_token[:1, :5])[0]
        noisy = model.compare_texts(ids.masked_fill(~is_token, 7), is_token)[0]
    assert torch.allclose(together, alone, atol=1e-6)
    assert torch.equal(together, noisy)


def test_matching_is_the_mean_over_the_queries(model: Representation) -> None:
    ids, is_token = make_texts((6, 4))
    with torch.no_grad():
        patches = model.see(make_pixels(2))
        seen: list[Any] = []
        handle = model.itm_head.register_forward_hook(lambda _head, _given, logits: seen.append(logits))
        logits = model.match(patches, ids, is_token)
        handle.remove()
    assert seen[0].shape == (2, model.num_queries, 2)
    assert torch.allclose(logits, seen[0].sum(1) / model.num_queries)


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=4), num_queries=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_unilm_mask_lets_text_see_queries_and_its_past_alone(lengths: list[int], num_queries: int) -> None:
    _, is_token = make_texts(tuple(lengths))
    mask = unilm_mask(is_token, num_queries)
    length = is_token.shape[1]
    for sample, row, column in torch.cartesian_prod(
        torch.arange(len(lengths)), torch.arange(num_queries + length), torch.arange(num_queries + length)
    ).tolist():
        if column < num_queries:
            wanted = True
        elif row < num_queries:
            wanted = False
        else:
            wanted = column <= row and column - num_queries < lengths[sample]
        assert bool(mask[sample, row, column]) == wanted
    assert torch.equal(causal_mask(is_token, num_queries), mask[:, num_queries:])


def test_computing_layers_again_gives_the_same_gradients(tmp_path: Path) -> None:
    gradients = []
    for recomputes in (False, True):
        model, _ = make_model(tmp_path)
        model.recomputes = recomputes
        ids, is_token = make_texts((6, 4))
        sight = model.look(model.see(make_pixels(2)))
        (model.continue_text(sight, ids, is_token).square().sum() + sight.states_bqh.sum()).backward()
        gradients.append({name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    assert all(torch.allclose(gradients[0][name], gradients[1][name], atol=1e-5) for name in gradients[0])


def save_bert(folder: Path, num_tokens: int, **changes: int) -> BertForMaskedLM:
    config = BertConfig(
        vocab_size=num_tokens, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
    )
    config.update(changes)
    torch.manual_seed(5)
    bert = BertForMaskedLM(config)
    bert.save_pretrained(folder)
    return bert


def test_both_halves_begin_from_bert(tmp_path: Path) -> None:
    model, tokenizer = make_model(tmp_path)
    begun = {name: value.clone() for name, value in model.state_dict().items()}
    bert = save_bert(tmp_path / "bert", len(tokenizer) - 1).state_dict()
    begin_from_bert(model, str(tmp_path / "bert"))
    now = model.state_dict()
    words = now["embeddings.word_embeddings.weight"]
    assert torch.equal(words[:-1], bert["bert.embeddings.word_embeddings.weight"])
    assert torch.equal(words[-1], begun["embeddings.word_embeddings.weight"][-1])
    for number in range(2):
        ours, theirs = f"qformer.encoder.layer.{number}", f"bert.encoder.layer.{number}"
        inside = bert[f"{theirs}.intermediate.dense.weight"]
        assert torch.equal(now[f"{ours}.intermediate.dense.weight"], inside)
        assert torch.equal(now[f"{ours}.intermediate_query.dense.weight"], inside)
        out = bert[f"{theirs}.output.LayerNorm.bias"]
        assert torch.equal(now[f"{ours}.output_query.LayerNorm.bias"], out)
        assert torch.equal(now[f"{ours}.attention.attention.key.weight"], bert[f"{theirs}.attention.self.key.weight"])
    cross = "qformer.encoder.layer.0.crossattention.attention.key.weight"
    assert torch.equal(now[cross], begun[cross])
    assert torch.equal(now["language_head.dense.weight"], bert["cls.predictions.transform.dense.weight"])
    assert torch.equal(now["qformer.layernorm.weight"], bert["bert.embeddings.LayerNorm.weight"])


def test_recipe_that_names_bert_begins_from_it(tmp_path: Path) -> None:
    _, tokenizer = make_model(tmp_path)
    bert = save_bert(tmp_path / "bert", len(tokenizer))
    spec = make_spec(tmp_path)
    text = TextSpec(name=str(tmp_path / "bert"), tokenizer=spec.text.tokenizer)
    model, _ = build_representation(RepresentationSpec(spec.vision, text, spec.qformer, 8))
    key = "qformer.encoder.layer.1.attention.attention.query.weight"
    assert torch.equal(model.state_dict()[key], bert.state_dict()["bert.encoder.layer.1.attention.self.query.weight"])


def test_bert_of_another_shape_is_refused(tmp_path: Path) -> None:
    model, tokenizer = make_model(tmp_path)
    save_bert(tmp_path / "bert", len(tokenizer), num_hidden_layers=3)
    with pytest.raises(InstructgenError, match="more layers"):
        begin_from_bert(model, str(tmp_path / "bert"))
    save_bert(tmp_path / "wide", len(tokenizer), intermediate_size=64)
    with pytest.raises(InstructgenError, match=r"does not fit \[model.qformer\]"):
        begin_from_bert(model, str(tmp_path / "wide"))
    save_bert(tmp_path / "short", len(tokenizer), num_hidden_layers=1)
    with pytest.raises(InstructgenError, match="lacks"):
        begin_from_bert(model, str(tmp_path / "short"))


def test_folder_loads_back_with_the_same_answers(tmp_path: Path) -> None:
    model, tokenizer = make_model(tmp_path)
    save_representation(
        model, make_spec(tmp_path), tmp_path / "saved", tokenizer=tokenizer, max_text_tokens=20, notes=Notes()
    )
    loaded = load_representation(tmp_path / "saved")
    ids, is_token = make_texts((6, 4))
    with torch.no_grad():
        own, other = (each.match(each.see(make_pixels(2)), ids, is_token) for each in (model, loaded.model))
    assert torch.equal(own, other)
    assert loaded.card.max_text_tokens == 20
    assert loaded.tokenizer.bos_token == "[DEC]"
    with pytest.raises(InstructgenError, match="no language model"):
        read_card(tmp_path / "saved")
    damage(tmp_path / "saved" / "model.safetensors")
    with pytest.raises(InstructgenError, match="SHA-256"):
        load_representation(tmp_path / "saved")


@pytest.mark.parametrize("place", ["run", "run/model"])
def test_second_stage_takes_the_image_half_and_the_norm_from_a_run(tmp_path: Path, place: str) -> None:
    model, tokenizer = make_model(tmp_path, EVA)
    spec = make_spec(tmp_path, EVA)
    save_representation(model, spec, tmp_path / "run" / "model", tokenizer=tokenizer, max_text_tokens=20)
    qformer = QFormerSpec(**QFORMER, name=str(tmp_path / place), normalises=True)
    second = build_model(
        ModelSpec(
            spec.vision, ConnectorSpec("qformer", qformer=qformer), LanguageSpec(config=language_config()), seed=9
        )
    )
    pixels = make_pixels(2)
    with torch.no_grad():
        own = model.look(model.see(pixels)).states_bqh
        other = second.connector.qformer(second.vision(pixels))  # type: ignore[operator]
    # The towers are random, of two seeds: the same one is put into both.
    second.vision.load_state_dict(model.vision.state_dict())
    with torch.no_grad():
        other = second.connector.qformer(second.vision(pixels))  # type: ignore[operator]
    assert torch.allclose(own, other, atol=1e-6)


def test_every_parameter_has_a_part(model: Representation) -> None:
    parts = {representation_part_of(f"module.{name}") for name, _ in model.named_parameters()}
    assert parts == {"vision", "qformer", "connector", "language"}
    assert representation_part_of("qformer.encoder.layer.1.output.dense.weight") == "language"
    assert representation_part_of("qformer.encoder.layer.1.attention.output.dense.weight") == "qformer"
    assert representation_part_of("qformer.encoder.layer.1.output_query.dense.weight") == "qformer"


def test_spec_that_would_norm_twice_or_load_what_is_trained_is_refused(tmp_path: Path) -> None:
    spec = make_spec(tmp_path)
    vision = VisionSpec(config=EVA, normalises_last=True)
    with pytest.raises(InstructgenError, match="normalises_last"):
        outline_representation(RepresentationSpec(vision, spec.text, spec.qformer))
    with pytest.raises(InstructgenError, match=r"\[model.qformer\]"):
        outline_representation(RepresentationSpec(spec.vision, spec.text, QFormerSpec(name="x")))
    with pytest.raises(InstructgenError, match=r"\[model.text\] wants a name"):
        build_representation(RepresentationSpec(spec.vision, TextSpec(), spec.qformer))
