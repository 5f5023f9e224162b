"""Flamingo: sizes, what it leaves alone at first, what looks at what (2204.14198, 2308.01390)."""

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

import numpy as np  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from torch import nn  # noqa: E402

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.models.build import build_model, build_on_meta  # noqa: E402
from instructgen.models.connectors.gated_cross_attention import GatedConnector, LayerShape, MediaAttention  # noqa: E402
from instructgen.models.connectors.resampler import Resampler  # noqa: E402
from instructgen.models.folder import load_model, save_model  # noqa: E402
from instructgen.models.sight import NOTHING, look, slots_of_texts, slots_of_trees  # noqa: E402
from instructgen.models.spec import ConnectorSpec, GatedSpec, LanguageSpec, ModelSpec, VisionSpec  # noqa: E402
from instructgen.models.vlm import VisionLanguageModel  # noqa: E402
from instructgen.train.packed import Branch, Tree  # noqa: E402
from tests.support.tiny_flamingo import GATED, make_flamingo, make_spec  # noqa: E402
from tests.support.tiny_models import LANGUAGES, language_config, make_tokenizer  # noqa: E402
from tests.support.tiny_vlm import pixels_of  # noqa: E402

MPT_1B = {"model_type": "mpt", "d_model": 2048, "n_layers": 24, "n_heads": 16}
REDPAJAMA_3B = {
    "model_type": "gpt_neox",
    "hidden_size": 2560,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "intermediate_size": 10240,
}
MPT_7B = {"model_type": "mpt", "d_model": 4096, "n_layers": 32, "n_heads": 32}
# The rows of `<image>` and `<|endofchunk|>`, to read, and of the latter, to write.
ROWS = 3


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("language", "every", "num_blocks", "block", "together"),
    [
        (MPT_1B, 1, 24, 36_708_354, 944_019_504),
        (REDPAJAMA_3B, 2, 16, 56_109_058, 960_763_936),
        (MPT_7B, 4, 8, 139_476_994, 1_178_834_960),
    ],
)
def test_openflamingos_blocks_have_its_parameters(
    language: dict[str, Any], every: int, num_blocks: int, block: int, together: int
) -> None:
    model = build_on_meta(
        ModelSpec(
            vision=VisionSpec(name="openai/clip-vit-large-patch14"),
            connector=ConnectorSpec(
                kind="gated_cross_attention", flamingo=GatedSpec(every=every, first_layer=every - 1)
            ),
            language=LanguageSpec(config=language),
        )
    )
    gated = model.gated
    assert gated is not None
    assert count(gated.resampler) == 63_019_008
    assert [count(each) for each in gated.blocks] == [block] * num_blocks
    assert count(gated.resampler) + count(gated.blocks) == together
    width = language.get("d_model") or language["hidden_size"]
    assert count(gated) == together + ROWS * width
    assert gated.layers[0] == every - 1
    assert model.tokens_per_image == 1


def test_flamingo_3bs_blocks_have_its_matrices_and_its_resampler_the_formulas() -> None:
    spec = GatedSpec(
        num_heads=16,
        head_width=128,
        activation="squared_relu",
        num_frames=8,
        resampler_heads=16,
        resampler_head_width=96,
    )
    with torch.device("meta"):
        gated = GatedConnector(spec, 1536, 2048, LayerShape(24, 2048))
    matrices = [sum(each.numel() for each in block.parameters() if each.ndim > 1) for block in gated.blocks]
    assert matrices == [48_234_496] * 24
    assert sum(each.numel() for each in gated.resampler.attentions.parameters() if each.ndim > 1) == 6 * 4 * 1536**2
    assert sum(each.numel() for each in gated.resampler.feeds.parameters() if each.ndim > 1) == 6 * 8 * 1536**2


@pytest.mark.parametrize(("every", "first_layer", "layers"), [(1, 0, (0, 1, 2, 3)), (2, 1, (1, 3)), (4, 0, (0,))])
def test_blocks_stand_before_every_so_many_layers(every: int, first_layer: int, layers: tuple[int, ...]) -> None:
    spec = GatedSpec(every=every, first_layer=first_layer, num_heads=1, head_width=4, num_latents=2, depth=1)
    assert GatedConnector(spec, 8, 8, LayerShape(4, 8)).layers == layers
    with pytest.raises(InstructgenError, match="4 layers"):
        GatedConnector(GatedSpec(first_layer=4), 8, 8, LayerShape(4, 8))


def see(model: VisionLanguageModel, ids: list[int], pictures: tuple[str, ...], frames: tuple[int, ...] = ()) -> Any:
    """Return the embeddings of ids, 0 in the places of pictures, and what they see."""
    gated = model.gated
    assert gated is not None
    is_slot = np.array([[number == 0 for number in ids]])
    media = gated.resample(model.see(pixels_of(pictures)), frames or (1,) * len(pictures))
    embeds = model.embed_text(torch.tensor([ids]))
    embeds[0, is_slot[0]] = gated.image_row
    return embeds, look(slots_of_texts(is_slot).reshape(-1), media)


def logits_of(model: VisionLanguageModel, ids: list[int], pictures: tuple[str, ...]) -> torch.Tensor:
    embeds, sight = see(model, ids, pictures)
    return model.head(model.hidden(embeds, torch.arange(len(ids))[None], sight=sight))[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_flamingo_leaves_the_language_models_logits_exactly_as_they_are(language: str) -> None:
    model = make_flamingo(language_config(language), gate=0.0, by_trees=False)
    ids = torch.tensor([[1, 5, 6, 9, 7, 8]])
    embeds = model.embed_text(ids)
    is_slot = np.array([[False, True, False, False, True, False]])
    gated = model.gated
    assert gated is not None
    sight = look(slots_of_texts(is_slot).reshape(-1), gated.resample(model.see(pixels_of(("a", "b"))), (1, 1)))
    seen = model.head(model.hidden(embeds, torch.arange(6)[None], sight=sight))
    own = model.causal_lm(input_ids=ids).logits
    assert float((seen[..., :-1] - own).abs().max()) == 0.0
    assert seen.shape[-1] == own.shape[-1] + 1


def test_at_first_the_gates_alone_have_a_gradient() -> None:
    model = make_flamingo(gate=0.0)
    model.freeze_all_but(["connector"])
    logits_of(model, [1, 5, 0, 9, 7, 0, 8, 4], ("a", "b")).logsumexp(dim=-1).sum().backward()
    gated = model.gated
    assert gated is not None
    largest = {
        name: 0.0 if parameter.grad is None else float(parameter.grad.abs().max())
        for module in (gated.resampler, gated.blocks)
        for name, parameter in module.named_parameters()
    }
    gates = {name: size for name, size in largest.items() if name.endswith("_gate")}
    assert len(gates) == 4
    assert all(size > 1e-5 for size in gates.values())
    assert {size for name, size in largest.items() if name not in gates} == {0.0}


def test_a_picture_changes_nothing_before_its_place() -> None:
    model = make_flamingo()
    ids = [1, 5, 6, 0, 9, 7, 0, 8, 4]
    before = logits_of(model, ids, ("a", "b"))
    for pictures, first in ((("c", "b"), 3), (("a", "c"), 6)):
        changed = (logits_of(model, ids, pictures) - before).abs().amax(dim=-1)
        assert changed[:first].tolist() == [0.0] * first
        assert float(changed[first:].min()) > 0


def test_within_a_block_a_position_sees_the_last_picture_alone() -> None:
    """The case of SYSTEMS: of 20 positions 3 to 10 see the first picture, 11 to 19 the second, the others none."""
    torch.manual_seed(0)
    attention = MediaAttention(GATED, 12, 16)
    is_slot = np.zeros((1, 20), np.bool_)
    is_slot[0, [3, 11]] = True
    text, media = torch.randn(20, 16), torch.randn(2, 5, 12)
    slots = slots_of_texts(is_slot).reshape(-1)
    before = attention(text, look(slots, media))
    assert torch.equal(before[:3], torch.zeros(3, 16))
    for number, seen in ((0, range(3, 11)), (1, range(11, 20))):
        other = media.clone()
        other[number] += 1
        changed = (attention(text, look(slots, other)) - before).abs().amax(dim=-1)
        assert np.flatnonzero(changed.detach().numpy() > 0).tolist() == list(seen)


def test_without_a_picture_attention_gives_exactly_nothing() -> None:
    attention = MediaAttention(GATED, 12, 16)
    sight = look(np.full(7, NOTHING), torch.zeros(0, 5, 12))
    assert torch.equal(attention(torch.randn(7, 16), sight), torch.zeros(7, 16))


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_chunks_of_positions_give_what_a_whole_mask_gives(data: st.DataObject) -> None:
    num_slots = data.draw(st.integers(1, 4))
    slots = np.array(data.draw(st.lists(st.integers(-1, num_slots - 1), min_size=1, max_size=90)))
    torch.manual_seed(1)
    attention = MediaAttention(GATED, 6, 8).double()
    text, media = torch.randn(len(slots), 8).double(), torch.randn(num_slots, 5, 6).double()
    found = attention(text, look(slots, media))
    query = attention.to_q(attention.norm(text))
    key, value = attention.to_kv(media).flatten(0, 1).chunk(2, dim=-1)
    sees = torch.tensor(slots)[:, None] == torch.arange(num_slots).repeat_interleave(5)[None]
    split = [each.unflatten(-1, (2, 8)).transpose(0, 1)[None] for each in (query, key, value)]
    expected = torch.nn.functional.scaled_dot_product_attention(*split, attn_mask=sees)
    expected = attention.to_out(expected.nan_to_num(0.0)[0].transpose(0, 1).flatten(1))
    expected[torch.tensor(slots) == NOTHING] = 0
    assert torch.allclose(found, expected, atol=1e-12)


@given(is_slot=st.lists(st.booleans(), min_size=1, max_size=30), cut=st.integers(0, 30), sees_next=st.booleans())
@settings(max_examples=100, deadline=None)
def test_each_branch_of_a_tree_sees_what_it_would_see_alone(is_slot: list[bool], cut: int, sees_next: bool) -> None:
    cut = 0 if sees_next else min(cut, len(is_slot))
    trunk, own = np.array(is_slot[:cut], np.bool_), np.array(is_slot[cut:], np.bool_)
    if sees_next:
        row, tree = own, Tree(Branch(0, 0), (Branch(0, len(own)),))
    else:
        row = np.concatenate([trunk, own, own[::-1]])
        tree = Tree(Branch(0, cut), (Branch(cut, cut + len(own)), Branch(cut + len(own), len(row))))
    found = slots_of_trees(row, (tree,), (sees_next,))
    numbers = np.cumsum(row) - 1
    for branch in tree.branches:
        way = [*range(cut), *range(branch.start, branch.end)]
        places = [at for at in way if row[at]]
        for place, at in enumerate(way):
            if sees_next:
                seen = [each for each in places if each >= at][:1]
            else:
                seen = [each for each in way[: place + 1] if row[each]][-1:]
            assert found[at] == (numbers[seen[0]] if seen else NOTHING)


def test_rows_of_a_batch_see_their_own_pictures() -> None:
    is_slot = np.array([[0, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 1]], np.bool_)
    assert slots_of_texts(is_slot).tolist() == [[-1, 0, 0, 1, 1], [-1] * 5, [2, 2, 2, 2, 3]]
    turned = slots_of_texts(is_slot, (True, True, True))
    assert turned.tolist() == [[0, 0, 1, 1, -1], [-1] * 5, [2, 3, 3, 3, 3]]


def test_any_number_of_patches_and_frames_becomes_64_latents_and_the_order_of_frames_tells() -> None:
    torch.manual_seed(0)
    resampler = Resampler(GatedSpec(num_heads=2, head_width=4, depth=2, num_frames=8), 12)
    for frames, patches in ((1, 1), (1, 257), (3, 16), (8, 5), (30, 2)):
        assert resampler(torch.randn(2, frames, patches, 12)).shape == (2, 64, 12)
    clip = torch.randn(1, 4, 6, 12)
    assert not torch.allclose(resampler(clip), resampler(clip.flip(1)), atol=1e-3)
    still = clip[:, :1].expand(-1, 4, -1, -1)
    assert not torch.allclose(resampler(still), resampler(still[:, :1]), atol=1e-3)
    untimed = Resampler(GatedSpec(num_heads=2, head_width=4, depth=2), 12)
    assert torch.allclose(untimed(clip), untimed(clip.flip(1)), atol=1e-5)


def test_times_of_more_frames_than_were_trained_lie_evenly_between_them() -> None:
    resampler = Resampler(GatedSpec(num_heads=1, head_width=4, depth=1, num_frames=8), 4)
    assert resampler.time is not None
    with torch.no_grad():
        resampler.time.copy_(torch.arange(8.0)[:, None].expand(-1, 4))
    assert torch.equal(resampler._time_of(3), resampler.time[:3])
    spread = resampler._time_of(30)[:, 0]
    assert torch.allclose(spread, torch.linspace(0, 7, 30), atol=1e-5)


def test_slots_of_several_lengths_are_the_same_together_as_alone() -> None:
    gated = make_flamingo().gated
    assert gated is not None
    patches = torch.randn(9, 4, 24)
    together = gated.resample(patches, (2, 1, 5, 1))
    alone = [gated.resample(patches[start:end], (end - start,))[0] for start, end in ((0, 2), (2, 3), (3, 8), (8, 9))]
    assert torch.allclose(together, torch.stack(alone), atol=1e-6)
    with pytest.raises(ValueError, match="9 pictures for slots of 8"):
        gated.resample(patches, (8,))


def test_the_token_that_ends_a_chunk_comes_after_the_language_models_last() -> None:
    model = make_flamingo()
    gated = model.gated
    assert gated is not None
    assert model.end_of_chunk_id == model.num_ids - 1 == 97
    rows = model.embed_text(torch.tensor([[3, 97]]))
    assert torch.equal(rows[0, 1], gated.chunk_row)
    assert torch.equal(rows[0, 0], model.causal_lm.get_input_embeddings().weight[3])
    hidden = torch.randn(2, 32)
    assert torch.allclose(model.head(hidden)[:, 97], hidden @ gated.chunk_head, atol=1e-6)
    own = model.causal_lm.get_input_embeddings().weight
    assert torch.allclose(gated.chunk_row, own.mean(dim=0), atol=1e-6)


def test_a_saved_flamingo_is_the_same_and_its_language_model_keeps_its_names(tmp_path: Path) -> None:
    model = make_flamingo(by_trees=False)
    names = set(model.causal_lm.state_dict())
    assert names == set(build_model(make_spec()).causal_lm.state_dict())
    assert not any("block" in name or "gate" in name.split(".")[-1] for name in names)
    save_model(model, make_spec(), tmp_path / "model", tokenizer=make_tokenizer(), template="interleaved")
    loaded = load_model(tmp_path / "model")
    assert loaded.card.tokens_per_image == 1
    assert loaded.spec.connector.flamingo == GATED
    for (name, mine), (other, theirs) in zip(
        model.connector.state_dict().items(), loaded.model.connector.state_dict().items(), strict=True
    ):
        assert name == other
        assert torch.equal(mine, theirs)
    ids, pictures = [1, 5, 0, 9, 7], ("a",)
    assert torch.equal(logits_of(model, ids, pictures), logits_of(loaded.model, ids, pictures))


@pytest.mark.parametrize(
    ("connector", "told"),
    [
        (ConnectorSpec(kind="gated_cross_attention", merge=2), "merge"),
        (ConnectorSpec(kind="linear", flamingo=GatedSpec()), "gated_cross_attention"),
    ],
)
def test_what_does_not_go_together_is_said(connector: ConnectorSpec, told: str) -> None:
    with pytest.raises(InstructgenError, match=told):
        build_on_meta(ModelSpec(make_spec().vision, connector, make_spec().language))
