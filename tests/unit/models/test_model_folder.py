import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra [train]")

from msgspec.structs import replace  # noqa: E402
from transformers import AutoConfig, AutoModelForCausalLM  # noqa: E402

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.models.build import build_model  # noqa: E402
from instructgen.models.folder import CARD_FILE, LoadedModel, Notes, load_model, save_model  # noqa: E402
from instructgen.models.lora import apply_lora, merge_lora  # noqa: E402
from instructgen.models.spec import ConnectorSpec, LanguageSpec, ModelSpec, VisionSpec  # noqa: E402
from instructgen.models.vlm import VisionLanguageModel  # noqa: E402
from tests.support.tiny_models import (  # noqa: E402
    QFORMER,
    TOWERS,
    answer,
    damage,
    language_config,
    make_spec,
    make_tokenizer,
    save_blip2,
    tower_config,
)

torch.set_num_threads(1)


def save(model: VisionLanguageModel, spec: ModelSpec, folder: Path, **notes: object) -> None:
    written = Notes(**notes)  # type: ignore[arg-type]
    save_model(model, spec, folder, tokenizer=make_tokenizer(), template="plain", notes=written)


def names_of(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def named_language(tmp_path: Path) -> str:
    """A language model in a folder of its own, as one of the hub would be."""
    folder = tmp_path / "language-model"
    torch.manual_seed(5)
    AutoModelForCausalLM.from_config(AutoConfig.for_model(**language_config())).save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("connector", ["linear", "mlp2x_gelu", "qformer"])
def test_loaded_model_answers_as_the_saved_one(tmp_path: Path, connector: str) -> None:
    spec = make_spec(connector)
    model = build_model(spec)
    save(model, spec, tmp_path / "model", stage={"steps": 3}, provenance={"dataset": "x@1"})
    loaded = load_model(tmp_path / "model")
    assert torch.equal(answer(loaded.model), answer(model))
    assert (loaded.template, loaded.card.stage, loaded.card.provenance) == ("plain", {"steps": 3}, {"dataset": "x@1"})
    assert loaded.tokenizer.encode("cat") == [2]
    assert loaded.picture_reader.image_px == 28
    assert not loaded.model.training


@pytest.mark.parametrize("model_type", TOWERS)
@pytest.mark.parametrize("normalises_last", [False, True])
def test_any_tower_is_read_back(tmp_path: Path, model_type: str, normalises_last: bool) -> None:
    vision = VisionSpec(config=tower_config(model_type), layer=1, normalises_last=normalises_last)
    spec = replace(make_spec(), vision=vision)
    model = build_model(spec)
    with torch.no_grad():
        for weight in model.vision.final_norm.parameters():
            weight.normal_()
    save(model, spec, tmp_path / "model")
    assert torch.equal(answer(load_model(tmp_path / "model").model), answer(model))


def test_tower_of_ours_is_read_back(tmp_path: Path) -> None:
    spec = replace(make_spec(), vision=VisionSpec(config={"model_type": "efficientnet-lite0"}, layer=-1, image_px=64))
    model = build_model(spec)
    save(model, spec, tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert torch.equal(answer(loaded.model, 64), answer(model, 64))
    assert loaded.picture_reader.mean == pytest.approx((127 / 255,) * 3)


@pytest.mark.parametrize("model_type", ["llama", "opt", "gemma2"])
def test_tied_and_untied_language_models_are_read_back(tmp_path: Path, model_type: str) -> None:
    spec = replace(make_spec(), language=LanguageSpec(config=language_config(model_type, tie_word_embeddings=True)))
    model = build_model(spec)
    save(model, spec, tmp_path / "model")
    torch.testing.assert_close(answer(load_model(tmp_path / "model").model), answer(model))


def test_part_with_a_name_that_was_not_trained_is_named_and_not_copied(tmp_path: Path, named_language: str) -> None:
    spec = replace(make_spec(), language=LanguageSpec(name=named_language))
    model = build_model(spec)
    model.freeze_all_but(["connector"])
    save(model, spec, tmp_path / "run" / "model")
    assert names_of(tmp_path / "run" / "model") == {CARD_FILE, "connector.safetensors", "tokenizer", "vision"}
    loaded = load_model(tmp_path / "run")
    assert loaded.spec.language.name == named_language
    assert torch.equal(answer(loaded.model), answer(model))


def test_self_contained_folder_outlives_what_it_was_made_of(tmp_path: Path, named_language: str) -> None:
    spec = replace(make_spec(), language=LanguageSpec(name=named_language))
    model = build_model(spec)
    model.freeze_all_but(["connector"])
    save(model, spec, tmp_path / "model", self_contained=True)
    (tmp_path / "language-model").rename(tmp_path / "gone")
    (tmp_path / "model").rename(tmp_path / "moved")
    assert torch.equal(answer(load_model(tmp_path / "moved").model), answer(model))


def test_trained_language_model_is_in_the_folder_though_it_has_a_name(tmp_path: Path, named_language: str) -> None:
    spec = replace(make_spec(), language=LanguageSpec(name=named_language))
    model = build_model(spec)
    model.freeze_all_but(["connector", "language"])
    with torch.no_grad():
        model.causal_lm.get_input_embeddings().weight.add_(0.5)
    save(model, spec, tmp_path / "model")
    assert torch.equal(answer(load_model(tmp_path / "model").model), answer(model))


def test_next_stage_starts_from_the_connector_of_the_last(tmp_path: Path, named_language: str) -> None:
    spec = replace(make_spec("mlp2x_gelu"), language=LanguageSpec(name=named_language))
    first = build_model(spec)
    with torch.no_grad():
        for weight in first.connector.parameters():
            weight.normal_()
    first.freeze_all_but(["connector"])
    save(first, spec, tmp_path / "run" / "model")
    named = replace(spec, connector=replace(spec.connector, name=str(tmp_path / "run")))
    assert torch.equal(answer(build_model(named)), answer(first))


def test_frozen_qformer_with_a_name_is_not_copied(tmp_path: Path) -> None:
    save_blip2(tmp_path / "blip2")
    qformer = replace(QFORMER, name=str(tmp_path / "blip2"))
    spec = replace(make_spec(), connector=ConnectorSpec(kind="qformer", qformer=qformer))
    model = build_model(spec)
    model.freeze_all_but(["connector"])
    save(model, spec, tmp_path / "stage1")
    assert (tmp_path / "stage1" / "connector.safetensors").stat().st_size < 5_000
    assert torch.equal(answer(load_model(tmp_path / "stage1").model), answer(model))
    named = replace(spec, connector=replace(spec.connector, name=str(tmp_path / "stage1")))
    assert torch.equal(answer(build_model(named)), answer(model))


def test_qformer_of_a_folder_is_found_from_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_blip2(tmp_path / "blip2")
    monkeypatch.chdir(tmp_path)
    qformer = replace(QFORMER, name="blip2")
    spec = replace(make_spec(), connector=ConnectorSpec(kind="qformer", qformer=qformer))
    model = build_model(spec)
    model.freeze_all_but(["connector"])
    save(model, spec, tmp_path / "model")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert torch.equal(answer(load_model(tmp_path / "model").model), answer(model))


def with_adapters(spec: ModelSpec) -> VisionLanguageModel:
    model = build_model(spec)
    apply_lora(model, rank=4, alpha=8, dropout=0.1)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if ".lora_B" in name:
                weight.normal_(std=0.3)
    model.freeze_all_but(["connector", "language"])
    return model.eval()


def test_adapters_are_saved_beside_a_language_model_that_stays_where_it_is(
    tmp_path: Path, named_language: str
) -> None:
    spec = replace(make_spec(), language=LanguageSpec(name=named_language))
    model = with_adapters(spec)
    save(model, spec, tmp_path / "model")
    assert "language" not in names_of(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert torch.equal(answer(loaded.model), answer(model))
    assert not torch.allclose(answer(build_model(spec)), answer(model))


def test_adapters_and_a_nameless_language_model_are_both_in_the_folder(tmp_path: Path) -> None:
    model = with_adapters(make_spec())
    save(model, make_spec(), tmp_path / "model")
    assert torch.equal(answer(load_model(tmp_path / "model").model), answer(model))


def test_merged_model_answers_as_with_adapters(tmp_path: Path) -> None:
    spec = make_spec()
    model = with_adapters(spec)
    expected = answer(model)
    merge_lora(model)
    torch.testing.assert_close(answer(model), expected, rtol=1e-4, atol=1e-5)
    save(model, spec, tmp_path / "model")
    assert "adapter" not in names_of(tmp_path / "model")
    torch.testing.assert_close(answer(load_model(tmp_path / "model").model), expected, rtol=1e-4, atol=1e-5)


def test_adapters_begin_as_if_they_were_not_there_and_alike_for_one_seed() -> None:
    plain = answer(build_model(make_spec()))
    states = []
    for seed in (1, 1, 2):
        model = build_model(make_spec())
        apply_lora(model, rank=4, alpha=8, dropout=0.0, seed=seed)
        assert torch.equal(answer(model), plain)
        states.append([weight for name, weight in model.named_parameters() if ".lora_A" in name])
    assert all(torch.equal(one, other) for one, other in zip(states[0], states[1], strict=True))
    assert not any(torch.equal(one, other) for one, other in zip(states[0], states[2], strict=True))


def test_quantised_loading_says_what_it_needs(named_language: str) -> None:
    spec = replace(make_spec(), language=LanguageSpec(name=named_language))
    if torch.cuda.is_available():
        pytest.skip("a GPU is there, so there may be nothing missing")
    with pytest.raises(InstructgenError, match=r"bitsandbytes|GPU"):
        build_model(spec, quantised=True)


def make_folder(folder: Path) -> LoadedModel:
    save(build_model(make_spec()), make_spec(), folder)
    return load_model(folder)


def test_part_of_a_loaded_model_is_copied_when_it_is_saved_elsewhere(tmp_path: Path) -> None:
    loaded = make_folder(tmp_path / "first")
    loaded.model.freeze_all_but(["connector"])
    save(loaded.model, loaded.spec, tmp_path / "second")
    (tmp_path / "first").rename(tmp_path / "gone")
    assert torch.equal(answer(load_model(tmp_path / "second").model), answer(loaded.model))


def test_saving_again_replaces_the_model(tmp_path: Path) -> None:
    make_folder(tmp_path / "model")
    other = replace(make_spec(), seed=8)
    save(build_model(other), other, tmp_path / "model")
    assert torch.equal(answer(load_model(tmp_path / "model").model), answer(build_model(other)))
    assert names_of(tmp_path) == {"model"}


def test_folder_that_is_no_model_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(InstructgenError, match="is there already and holds something else"):
        save(build_model(make_spec()), make_spec(), tmp_path / "mine")
    assert names_of(tmp_path) == {"mine"}


def test_failed_save_leaves_the_model_that_was_there(tmp_path: Path) -> None:
    before = make_folder(tmp_path / "model")

    class NoTokenizer:
        def save_pretrained(self, folder: Path) -> None:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        save_model(
            build_model(replace(make_spec(), seed=8)),
            make_spec(),
            tmp_path / "model",
            tokenizer=NoTokenizer(),  # type: ignore[arg-type]
            template="plain",
        )
    assert names_of(tmp_path) == {"model"}
    assert torch.equal(answer(load_model(tmp_path / "model").model), answer(before.model))


def test_model_that_cannot_take_its_place_leaves_the_one_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = make_folder(tmp_path / "model")
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.suffix == ".part":
            raise OSError("no such luck")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="no such luck"):
        save(build_model(make_spec()), make_spec(), tmp_path / "model")
    assert names_of(tmp_path) == {"model"}
    assert torch.equal(answer(load_model(tmp_path / "model").model), answer(before.model))


@pytest.mark.parametrize(
    "name", ["connector.safetensors", "vision/model.safetensors", "language/config.json", "tokenizer/tokenizer.json"]
)
def test_damaged_missing_and_cut_off_files_are_named(tmp_path: Path, name: str) -> None:
    make_folder(tmp_path / "model")
    path = tmp_path / "model" / name
    content = path.read_bytes()
    damage(path)
    with pytest.raises(InstructgenError, match=f"{name} is not what was written"):
        load_model(tmp_path / "model")
    path.write_bytes(content[:-1])
    with pytest.raises(
        InstructgenError, match=f"{name} has {len(content) - 1} bytes, was written with {len(content)}"
    ):
        load_model(tmp_path / "model")
    path.unlink()
    with pytest.raises(InstructgenError, match=f"{name} is missing"):
        load_model(tmp_path / "model")


def test_foreign_folder_is_refused_with_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match=r"none is no folder; name a folder that `instructgen pretrain`"):
        load_model(tmp_path / "none")
    with pytest.raises(InstructgenError, match=r"holds no instructgen.json"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("[]", "has format None"),
        ('{"format": 99}', "has format 99, this instructgen reads 1"),
        ('{"format": 1, "spec": 3}', "make the model again"),
    ],
)
def test_card_that_cannot_be_used_is_refused(tmp_path: Path, text: str, words: str) -> None:
    make_folder(tmp_path / "model")
    (tmp_path / "model" / CARD_FILE).write_text(text)
    with pytest.raises(InstructgenError, match=words):
        load_model(tmp_path / "model")


def test_card_tells_what_a_reader_without_us_needs(tmp_path: Path) -> None:
    make_folder(tmp_path / "model")
    card = json.loads((tmp_path / "model" / CARD_FILE).read_text())
    assert card["format"] == 1
    assert card["template"] == "plain"
    assert card["tokens_per_image"] == 16
    assert card["held"] == ["vision", "connector", "language"]
    assert set(card["files"]) >= {"connector.safetensors", "vision/model.safetensors", "language/model.safetensors"}
    assert str(tmp_path) not in (tmp_path / "model" / CARD_FILE).read_text()
