from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra [train]")

from msgspec.structs import replace  # noqa: E402

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.models.build import build_model  # noqa: E402
from instructgen.models.checkpoints import read_prefixed  # noqa: E402
from instructgen.models.connectors import CONNECTORS, make_connector  # noqa: E402
from instructgen.models.spec import ConnectorSpec  # noqa: E402
from tests.support.tiny_models import QFORMER, make_spec, save_blip2  # noqa: E402

torch.set_num_threads(1)


@pytest.mark.parametrize("kind", sorted(CONNECTORS))
def test_connector_gives_as_many_tokens_as_it_says(kind: str) -> None:
    qformer = QFORMER if kind == "qformer" else None
    spec = ConnectorSpec(kind=kind, qformer=qformer)  # type: ignore[arg-type]
    connector = make_connector(spec, 24, 32)
    assert tuple(connector(torch.zeros(2, 16, 24)).shape) == (2, connector.num_tokens(16), 32)


@pytest.mark.parametrize("kind", ["linear", "mlp2x_gelu"])
def test_merging_joins_neighbours_in_their_order(kind: str) -> None:
    torch.manual_seed(0)
    merged = make_connector(ConnectorSpec(kind=kind, merge=4), 6, 8)  # type: ignore[arg-type]
    plain = make_connector(ConnectorSpec(kind=kind), 24, 8)  # type: ignore[arg-type]
    plain.load_state_dict(merged.state_dict())
    patches = torch.rand(1, 8, 6)
    joined = torch.stack([patches[0, :4].flatten(), patches[0, 4:].flatten()])[None]
    assert torch.equal(merged(patches), plain(joined))
    assert merged.num_tokens(8) == 2


def test_number_of_patches_that_merging_does_not_divide_is_refused_when_the_model_is_built() -> None:
    spec = make_spec("linear", drops_class_token=False)
    with pytest.raises(InstructgenError, match="gives 17 tokens, which merge = 4"):
        build_model(replace(spec, connector=ConnectorSpec(merge=4)))


def test_qformer_takes_no_merging() -> None:
    with pytest.raises(InstructgenError, match="a Q-Former chooses its own tokens"):
        make_connector(ConnectorSpec(kind="qformer", merge=2), 24, 32)


def test_qformer_of_a_blip2_checkpoint_gives_what_blip2_does(tmp_path: Path) -> None:
    whole = save_blip2(tmp_path)
    spec = make_spec("qformer", layer=-1, drops_class_token=False, normalises_last=True)
    named = replace(QFORMER, name=str(tmp_path))
    vision = replace(spec.vision, name=str(tmp_path), config=None)
    connector = ConnectorSpec(kind="qformer", qformer=named)
    model = build_model(replace(spec, vision=vision, connector=connector))
    pixels = torch.rand(2, 3, 28, 28)
    with torch.no_grad():
        seen = whole.vision_model(pixels).last_hidden_state
        queries = whole.query_tokens.expand(2, -1, -1)
        expected = whole.qformer(query_embeds=queries, encoder_hidden_states=seen).last_hidden_state
        torch.testing.assert_close(model.connector.get_submodule("qformer")(model.see(pixels)), expected)


def test_checkpoint_without_a_qformer_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"something": torch.zeros(1)}, tmp_path / "model.safetensors")
    spec = make_spec("qformer")
    named = replace(QFORMER, name=str(tmp_path))
    with pytest.raises(InstructgenError, match=r"holds no tensor called qformer\.\*"):
        build_model(replace(spec, connector=ConnectorSpec(kind="qformer", qformer=named)))


def test_qformer_that_another_kind_would_leave_out_is_refused() -> None:
    with pytest.raises(InstructgenError, match='has a qformer, but its kind is "linear"'):
        make_connector(ConnectorSpec(qformer=QFORMER), 24, 32)


def test_shape_that_no_qformer_has_is_the_users_to_mend() -> None:
    spec = ConnectorSpec(kind="qformer", qformer=replace(QFORMER, num_heads=3))
    with pytest.raises(InstructgenError, match=r"qformer of \[model.connector\]: .*16"):
        make_connector(spec, 24, 32)


def test_hub_that_does_not_answer_is_not_told_as_a_missing_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InstructgenError, match=r"the hub does not give its model\.safetensors"):
        read_prefixed("somebody/not-in-the-cache", ("qformer.",))
