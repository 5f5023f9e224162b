import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra [train]")

from msgspec.structs import replace  # noqa: E402
from transformers import AutoConfig, AutoModelForCausalLM  # noqa: E402

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.models.build import build_model, build_on_meta, load_tokenizer  # noqa: E402
from instructgen.models.places import FOLDER_VARIABLE, find_weights, models_folder  # noqa: E402
from instructgen.models.seeds import seeded  # noqa: E402
from instructgen.models.spec import ConnectorSpec, LanguageSpec, ModelSpec, VisionSpec  # noqa: E402
from tests.support.tiny_models import LANGUAGES, answer, language_config, make_spec, make_tokenizer  # noqa: E402

torch.set_num_threads(1)


def weights_of(spec: ModelSpec, part: str) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in build_model(spec).get_submodule(part).state_dict().items()}


def are_equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("part", ["vision", "connector", "language"])
def test_random_weights_depend_on_the_seed_alone(part: str) -> None:
    spec = make_spec("qformer")
    first = weights_of(spec, part)
    torch.manual_seed(99)
    before = torch.get_rng_state()
    assert are_equal(weights_of(spec, part), first)
    assert torch.equal(torch.get_rng_state(), before)
    assert not are_equal(weights_of(replace(spec, seed=4), part), first)


def test_parts_draw_from_generators_of_their_own() -> None:
    drawn = []
    for part in ("vision", "language"):
        with seeded(0, part):
            drawn.append(torch.rand(4))
    assert not torch.equal(*drawn)


def test_another_connector_leaves_the_language_model_as_it_was() -> None:
    assert are_equal(weights_of(make_spec("linear"), "language"), weights_of(make_spec("qformer"), "language"))


@pytest.mark.parametrize("model_type", LANGUAGES)
def test_hidden_states_and_head_make_the_models_own_logits(model_type: str) -> None:
    spec = replace(make_spec(), language=LanguageSpec(config=language_config(model_type)))
    model = build_model(spec)
    ids = torch.arange(3, 10)
    with torch.no_grad():
        own = model.causal_lm(input_ids=ids[None], use_cache=False).logits[0]
        hidden = model.hidden(model.embed_text(ids)[None], torch.arange(len(ids))[None])
        torch.testing.assert_close(model.head(hidden[0]), own)
    assert answer(model).shape[1] == model.tokens_per_image + 3


def test_language_model_that_makes_its_logits_in_another_way_is_refused() -> None:
    config = language_config("falcon_h1", lm_head_multiplier=0.5, num_key_value_heads=2)
    with pytest.raises(InstructgenError, match="'falcon_h1' make their logits in a way that is not known here"):
        build_model(replace(make_spec(), language=LanguageSpec(config=config)))


def test_configuration_that_does_not_fit_together_is_the_users_to_mend() -> None:
    config = language_config(num_attention_heads=4, num_key_value_heads=32)
    with pytest.raises(InstructgenError, match=r"the config of \[model.language\] does not fit together"):
        build_model(replace(make_spec(), language=LanguageSpec(config=config)))


def test_named_parts_get_their_weights(tmp_path: Path) -> None:
    config = AutoConfig.for_model(**language_config())
    saved = AutoModelForCausalLM.from_config(config)
    saved.save_pretrained(tmp_path)
    spec = replace(make_spec(), language=LanguageSpec(name=str(tmp_path)))
    assert are_equal(weights_of(spec, "language"), dict(saved.state_dict()))
    drawn = build_model(spec, weights=False)
    assert not are_equal(dict(drawn.language.state_dict()), dict(saved.state_dict()))


def test_loaded_weights_are_in_the_dtype_that_is_asked_for(tmp_path: Path) -> None:
    AutoModelForCausalLM.from_config(AutoConfig.for_model(**language_config())).save_pretrained(tmp_path)
    spec = replace(make_spec(), language=LanguageSpec(name=str(tmp_path)))
    model = build_model(spec, dtype=torch.bfloat16)
    assert {weight.dtype for weight in model.language.parameters()} == {torch.bfloat16}
    assert build_model(spec).language.get_submodule("lm_head").weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (LanguageSpec(), "wants a name"),
        (LanguageSpec(name="smollm2-135m"), "instructgen models fetch smollm2-135m"),
        (LanguageSpec(name="./no/such/folder"), r"no/such/folder' of \[model.language\] cannot be had"),
        (LanguageSpec(config={"model_type": "clip_vision_model"}), "model.language"),
    ],
)
def test_bad_language_model_is_named_with_what_to_do(
    language: LanguageSpec, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(InstructgenError, match=words):
        build_model(replace(make_spec(), language=language))


def test_meta_model_of_a_known_name_asks_no_hub() -> None:
    script = (
        "import socket\n"
        "def refuse(*_): raise SystemExit('the network was asked')\n"
        "socket.socket.connect = refuse\n"
        "socket.getaddrinfo = refuse\n"
        "from instructgen.models.build import build_on_meta\n"
        "from instructgen.models.spec import *\n"
        "names = VisionSpec(name='openai/clip-vit-large-patch14'), LanguageSpec(name='lmsys/vicuna-7b-v1.5')\n"
        "model = build_on_meta(ModelSpec(names[0], ConnectorSpec(), names[1]))\n"
        "assert all(weight.is_meta for weight in model.parameters())\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "HF_HUB_OFFLINE"}
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr


def test_meta_model_of_configurations_has_the_shapes_of_the_real_one() -> None:
    spec = make_spec("qformer")
    real, outline = build_model(spec), build_on_meta(spec)
    shapes = {name: weight.shape for name, weight in real.named_parameters()}
    assert {name: weight.shape for name, weight in outline.named_parameters()} == shapes
    assert outline.tokens_per_image == real.tokens_per_image


def test_fetched_models_are_found_in_the_folder_that_the_variable_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    (tmp_path / "smollm2-135m").mkdir()
    (tmp_path / "smollm2-135m" / "config.json").write_text("{}")
    assert find_weights("smollm2-135m") == str(tmp_path / "smollm2-135m")
    assert find_weights("lmsys/vicuna-7b-v1.5") == "lmsys/vicuna-7b-v1.5"
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert models_folder() == tmp_path / "cache" / "instructgen" / "models"


def test_tokenizer_comes_from_its_own_name_first(tmp_path: Path) -> None:
    make_tokenizer().save_pretrained(tmp_path)
    assert load_tokenizer(LanguageSpec(name="nobody/nothing", tokenizer=str(tmp_path))).encode("cat") == [2]
    with pytest.raises(InstructgenError, match="neither name nor tokenizer"):
        load_tokenizer(LanguageSpec(config=language_config()))
    with pytest.raises(InstructgenError, match=r"the tokenizer '.*empty' of"):
        load_tokenizer(LanguageSpec(name=str(tmp_path / "empty")))


def test_connector_of_an_earlier_stage_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    spec = make_spec()
    with pytest.raises(InstructgenError, match=r"no connector.safetensors in .*: name of \[model.connector\]"):
        build_model(replace(spec, connector=ConnectorSpec(name=str(tmp_path))))
    from safetensors.torch import save_file

    save_file({"linear.weight": torch.zeros(8, 8), "linear.bias": torch.zeros(8)}, tmp_path / "connector.safetensors")
    with pytest.raises(InstructgenError, match=r"linear.* is \(8.*wants \(32"):
        build_model(replace(spec, connector=ConnectorSpec(name=str(tmp_path))))
    with pytest.raises(InstructgenError, match="are not those of the part that the recipe describes"):
        build_model(replace(spec, connector=ConnectorSpec(kind="mlp2x_gelu", name=str(tmp_path))))


def test_known_tower_has_one_shape_by_name_and_by_configuration() -> None:
    from instructgen.models.architectures import VISION

    name = "openai/clip-vit-large-patch14-336"
    language = LanguageSpec(config=language_config())
    by_name = build_on_meta(ModelSpec(VisionSpec(name=name), ConnectorSpec(), language))
    by_config = build_on_meta(ModelSpec(VisionSpec(config=VISION[name]), ConnectorSpec(), language))
    assert by_name.vision.shape == by_config.vision.shape


def write_config(folder: Path, **config: object) -> LanguageSpec:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    return LanguageSpec(name=str(folder))


def test_configuration_file_with_a_wrong_type_is_the_users_to_mend(tmp_path: Path) -> None:
    language = write_config(tmp_path / "model", model_type="llama", hidden_size="wide")
    with pytest.raises(InstructgenError, match=r"of \[model.language\] cannot be had: .*hidden_size"):
        build_model(replace(make_spec(), language=language))


def test_code_of_a_repository_is_neither_run_nor_asked_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    auto_map = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}
    language = write_config(tmp_path / "model", model_type="own", auto_map=auto_map)
    (tmp_path / "model" / "own.py").write_text("raise SystemExit('run')")
    with pytest.raises(InstructgenError, match="contains custom code"):
        build_model(replace(make_spec(), language=language))
    assert "[y/N]" not in capsys.readouterr().out


def test_tokenizer_that_wants_another_package_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "LlamaTokenizer"}')
    (tmp_path / "tokenizer.model").write_bytes(b"\n\x07\n\x05<unk>")
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    monkeypatch.setattr("instructgen.models.language.find_spec", lambda _: None)
    with pytest.raises(InstructgenError, match="pip install sentencepiece"):
        load_tokenizer(LanguageSpec(name=str(tmp_path)))


def test_language_model_with_a_name_and_a_configuration_is_refused() -> None:
    both = LanguageSpec(name="lmsys/vicuna-7b-v1.5", config=language_config())
    for build in (build_model, build_on_meta):
        with pytest.raises(InstructgenError, match=r"\[model.language\] has a name and a config"):
            build(replace(make_spec(), language=both))


def test_language_model_from_nothing_is_not_quantised() -> None:
    with pytest.raises(InstructgenError, match=r"\[model.language\] wants a name, and no config"):
        build_model(make_spec(), quantised=True)


def test_vocabulary_of_two_tokens_is_enough() -> None:
    config = language_config(vocab_size=2, eos_token_id=1, bos_token_id=0)
    assert build_model(replace(make_spec(), language=LanguageSpec(config=config))).tokens_per_image == 16
