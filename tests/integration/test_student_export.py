"""An exported folder, read by transformers alone: the same pixels, prompts, logits and answers."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

from PIL import Image  # noqa: E402

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.models.folder import LoadedModel, load_model  # noqa: E402
from instructgen.models.lora import apply_lora  # noqa: E402
from instructgen.records import Message  # noqa: E402
from instructgen.student.ask import Ask, Sampling  # noqa: E402
from instructgen.student.export_llava import export_llava  # noqa: E402
from instructgen.student.export_own import export_own  # noqa: E402
from instructgen.student.load import load_student, make_student  # noqa: E402
from instructgen.train.encode import Encoder  # noqa: E402
from tests.support.tiny_students import VOCABULARY, make_loaded, make_picture, make_spec  # noqa: E402

CASES = [
    ("clip", "linear", "crop", "vicuna_v1", "bytes"),
    ("clip", "mlp2x_gelu", "pad", "minigpt4", "spaces"),
    ("siglip", "linear", "squash", "chatml", "bytes"),
    ("siglip", "mlp2x_gelu", "crop", "llama_2", "spaces"),
    ("clip", "mlp2x_gelu", "pad", "plain", "bytes"),
]
SIZES = [(40, 30), (31, 77), (28, 28), (210, 150)]
NUM_TOKENS = 20


class Exported:
    """One model, its exported folder, and what transformers makes of that."""

    def __init__(self, folder: Path, case: tuple[str, str, str, str, str]) -> None:
        vision, connector, aspect, self.template, tokenizer = case
        self.loaded = make_loaded(
            make_spec(vision, connector, aspect=aspect), template=self.template, tokenizer=tokenizer
        )
        self.student = make_student(self.loaded, "tiny", torch.device("cpu"), torch.float32)
        self.folder = folder / "llava"
        self.told = export_llava(self.loaded, self.folder)
        self.llava, self.report = transformers.LlavaForConditionalGeneration.from_pretrained(
            self.folder, output_loading_info=True
        )
        self.processor = transformers.AutoProcessor.from_pretrained(self.folder)
        self.encoder = Encoder(self.loaded.tokenizer, self.template, self.loaded.model.tokens_per_image)

    def spell(self, ask: Ask) -> list[int]:
        """Return our prompt with as many of Llava's image tokens as a picture has."""
        image = [self.told.image_token_id] * self.loaded.model.tokens_per_image
        ids = self.encoder.prompt_ids(ask.turns, len(ask.pictures)).tolist()
        return [one for number in ids for one in (image if number < 0 else [number])]

    def process(self, ask: Ask) -> Any:
        """Return what the processor makes of the same talk."""
        chat: list[dict[str, Any]] = [
            {"role": turn.role, "content": [{"type": "text", "text": turn.content}]} for turn in ask.turns
        ]
        chat[0]["content"] = [*({"type": "image"} for _ in ask.pictures), *chat[0]["content"]]
        text = self.processor.apply_chat_template(chat, add_generation_prompt=True)
        images = [open_image(picture) for picture in ask.pictures if picture is not None]
        return self.processor(images=images or None, text=text, return_tensors="pt", add_special_tokens=False)


def open_image(picture: bytes) -> Image.Image:
    return Image.open(io.BytesIO(picture))


def make_asks(template: str) -> list[Ask]:
    one = Ask((Message("user", "What is in the picture?"),), (make_picture(1, (50, 20)),))
    two = Ask((Message("user", "Was ist größer?"),), (make_picture(2, (20, 50)), make_picture(3)))
    talk = (Message("user", "What is it?"), Message("assistant", "A red cup."), Message("user", "And behind it?"))
    return [one, two] if template == "plain" else [one, two, Ask(talk, (make_picture(4),))]


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return Exported(tmp_path_factory.mktemp("export"), request.param)


def test_every_weight_has_its_place(exported: Exported) -> None:
    assert not any(exported.report[name] for name in ("missing_keys", "unexpected_keys", "mismatched_keys"))


@pytest.mark.parametrize("size", SIZES)
def test_processor_makes_the_same_pixels(exported: Exported, size: tuple[int, int]) -> None:
    picture = make_picture(7, size)
    theirs = exported.processor.image_processor(open_image(picture), return_tensors="pt")["pixel_values"][0]
    assert torch.equal(theirs, exported.loaded.picture_reader(picture))


def test_processor_writes_the_same_prompt(exported: Exported) -> None:
    for ask in make_asks(exported.template):
        assert exported.process(ask)["input_ids"][0].tolist() == exported.spell(ask)


def test_logits_are_the_same(exported: Exported) -> None:
    for ask in make_asks(exported.template):
        with torch.no_grad():
            theirs = exported.llava(**exported.process(ask)).logits[0]
            ours = exported.loaded.model.causal_lm(inputs_embeds=exported.student.prompt(ask).embeds_ld[None]).logits[
                0
            ]
        assert theirs.shape[1] >= ours.shape[1]
        assert torch.allclose(theirs[:, : ours.shape[1]], ours, atol=1e-5, rtol=0)
    assert exported.told.max_difference <= 1e-5


def test_transformers_generates_the_same_tokens(exported: Exported) -> None:
    stop = exported.encoder.stop
    for ask in make_asks(exported.template):
        inputs = exported.process(ask)
        length = inputs["input_ids"].shape[1]
        with torch.no_grad():
            found = exported.llava.generate(**inputs, max_new_tokens=NUM_TOKENS)[0, length:].tolist()
        theirs = found[:-1] if found[-1] in stop.token_ids else found
        ours = generate_ids(exported, ask)
        # Where a stop is ordinary text, generate() was not told of it and goes on.
        assert ours == theirs[: len(ours)]
        assert len(ours) == len(theirs) or stop.string in exported.loaded.tokenizer.decode(theirs[: len(ours) + 4])


def generate_ids(exported: Exported, ask: Ask) -> list[int]:
    """Return the tokens of our answer, before they become text."""
    seen: list[list[int]] = []
    rules = exported.student._wording.rules

    class Spy:
        prompt_ids = exported.student._wording.prompt_ids
        answer_ids = exported.student._wording.answer_ids

        @property
        def rules(self) -> Any:
            def decode(ids: Any) -> str:
                seen.append(list(ids))
                return rules.decode(ids)

            return type(rules)(rules.stop_ids, rules.stop_texts, decode)

    original, exported.student._wording = exported.student._wording, Spy()  # type: ignore[assignment]
    answer = exported.student.answer_all([ask], Sampling(max_tokens=NUM_TOKENS))[0]
    exported.student._wording = original
    tokens: list[int] = []
    for before, after in zip(seen[::2], seen[1::2], strict=False):  # decoded before and after each new token
        tokens += after[len(before) :][-1:]
    return tokens[: answer.completion_tokens]


def test_exported_folder_answers_as_a_student_too(exported: Exported) -> None:
    again = load_student(exported.folder, "cpu")
    assert again._wording.rules.stop_texts == exported.student._wording.rules.stop_texts  # "###" of minigpt4 too
    sampling = Sampling(max_tokens=12)
    for ask in make_asks(exported.template):
        assert again.answer_all([ask], sampling) == exported.student.answer_all([ask], sampling)
        if exported.template not in ("plain", "minigpt4"):
            wanted = exported.student.score(ask, ["A red cup.", "No"])
            assert again.score(ask, ["A red cup.", "No"]) == pytest.approx(wanted, rel=1e-4)


def test_folder_has_what_servers_look_for(exported: Exported) -> None:
    config = json.loads((exported.folder / "config.json").read_text())
    assert config["architectures"] == ["LlavaForConditionalGeneration"]
    assert config["text_config"]["architectures"] == ["LlamaForCausalLM"]
    assert config["vision_feature_layer"] == -2
    drops_one = exported.loaded.spec.vision.config["model_type"].startswith("clip")  # type: ignore[index]
    assert config["vision_feature_select_strategy"] == ("default" if drops_one else "full")
    is_linear = exported.loaded.spec.connector.kind == "linear"
    assert config["projector_hidden_act"] == ("linear" if is_linear else "gelu")
    names = {path.name for path in exported.folder.iterdir()}
    assert names >= {
        *("config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "README.md"),
        *("processor_config.json", "preprocessor_config.json", "chat_template.jinja"),
    }


def test_weights_have_the_names_of_the_published_checkpoints(exported: Exported) -> None:
    from safetensors import safe_open

    with safe_open(exported.folder / "model.safetensors", "pt") as file:
        prefixes = {".".join(name.split(".")[:2]) for name in file.keys()}  # noqa: SIM118  it has only the method
    assert prefixes == {
        *("language_model.model", "language_model.lm_head", "vision_tower.vision_model"),
        *("multi_modal_projector.linear_1", "multi_modal_projector.linear_2"),
    }


def add_adapters(loaded: LoadedModel) -> None:
    apply_lora(loaded.model, rank=4, alpha=8, dropout=0.0)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, weight in loaded.model.named_parameters():
            if "lora_B" in name:
                weight.copy_(torch.randn(weight.shape, generator=generator) * 0.2)


def find_logits(loaded: LoadedModel, picture: bytes) -> Any:
    with torch.no_grad():
        seen = loaded.model.embed_pictures(loaded.picture_reader(picture)[None])
        text = loaded.model.embed_text(torch.arange(5, 20)[None])
        return loaded.model.language(inputs_embeds=torch.cat([seen, text], dim=1)).logits


@pytest.mark.parametrize("form", ["llava", "own"])
def test_adapters_are_merged_and_change_no_logit(tmp_path: Path, form: str) -> None:
    spec = make_spec(initializer_range=0.05)  # with larger weights the last bits of a sum grow layer by layer
    plain, loaded = make_loaded(spec), make_loaded(spec)
    add_adapters(loaded)
    picture = make_picture(2)
    wanted = find_logits(loaded, picture)
    assert not torch.allclose(wanted, find_logits(plain, picture), atol=1e-2)
    if form == "own":
        export_own(loaded, tmp_path / "out")
        found = find_logits(load_model(tmp_path / "out"), picture)
        assert not (tmp_path / "out" / "adapter").exists()
    else:
        token = export_llava(loaded, tmp_path / "out").image_token_id
        llava = transformers.LlavaForConditionalGeneration.from_pretrained(tmp_path / "out")
        ids = torch.cat([torch.full((1, 4), token), torch.arange(5, 20)[None]], dim=1)
        with torch.no_grad():
            pixels = loaded.picture_reader(picture)[None]
            found = llava(input_ids=ids, pixel_values=pixels).logits[..., : wanted.shape[-1]]
    assert torch.allclose(found, wanted, atol=1e-5, rtol=0)


def test_table_that_has_to_grow_leaves_old_logits_and_the_new_token_never_wins(tmp_path: Path) -> None:
    spec = make_spec(vocab_size=VOCABULARY, tie_word_embeddings=True)
    loaded = make_loaded(spec)
    assert len(loaded.tokenizer) == VOCABULARY
    told = export_llava(loaded, tmp_path / "out")
    assert told.image_token_id == VOCABULARY
    llava = transformers.LlavaForConditionalGeneration.from_pretrained(tmp_path / "out")
    assert llava.config.text_config.vocab_size == VOCABULARY + 1
    assert llava.lm_head.weight.data_ptr() == llava.get_input_embeddings().weight.data_ptr()
    ids = torch.arange(3, 60)[None]
    with torch.no_grad():
        theirs, ours = llava(input_ids=ids).logits, loaded.model.causal_lm(input_ids=ids).logits
    assert torch.equal(theirs[..., :VOCABULARY], ours)
    assert int((theirs.argmax(dim=-1) == VOCABULARY).sum()) == 0
    assert torch.allclose(theirs[..., VOCABULARY], ours.mean(dim=-1), atol=1e-4)


@pytest.mark.parametrize(("layer", "num_layers"), [(-1, 4), (-2, 3), (1, 2)])
def test_any_layer_of_the_tower_is_the_last_but_one_of_llavas(tmp_path: Path, layer: int, num_layers: int) -> None:
    loaded = make_loaded(make_spec("siglip", layer=layer))
    told = export_llava(loaded, tmp_path / "out")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["vision_config"]["num_hidden_layers"] == num_layers
    assert told.max_difference <= 1e-5


def test_dinov2_is_exported_as_well(tmp_path: Path) -> None:
    from msgspec.structs import replace

    spec = make_spec()
    shape = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 28, "patch_size": 14}
    spec = replace(spec, vision=replace(spec.vision, config={"model_type": "dinov2", **shape}))
    assert export_llava(make_loaded(spec), tmp_path / "out").max_difference <= 1e-5
    llava, report = transformers.LlavaForConditionalGeneration.from_pretrained(
        tmp_path / "out", output_loading_info=True
    )
    assert not report["missing_keys"]
    assert llava.config.vision_feature_select_strategy == "default"


def test_half_precision_is_kept(tmp_path: Path) -> None:
    loaded = make_loaded()
    loaded.model.to(torch.bfloat16)
    export_llava(loaded, tmp_path / "out")
    llava = transformers.LlavaForConditionalGeneration.from_pretrained(tmp_path / "out", dtype="auto")
    assert {weight.dtype for weight in llava.parameters()} == {torch.bfloat16}


def test_qformer_has_no_llava_form_and_a_whole_folder_of_its_own(tmp_path: Path) -> None:
    loaded = make_loaded(make_spec(connector="qformer"), template="minigpt4")
    with pytest.raises(InstructgenError, match=r"connector is 'qformer'.*--form own"):
        export_llava(loaded, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    export_own(loaded, tmp_path / "out")
    ask = Ask((Message("user", "What is it?"),), (make_picture(),))
    wanted = make_student(loaded, "tiny", torch.device("cpu"), torch.float32).answer_all(
        [ask], Sampling(max_tokens=9)
    )
    moved = (tmp_path / "out").rename(tmp_path / "elsewhere")
    assert load_student(moved, "cpu").answer_all([ask], Sampling(max_tokens=9)) == wanted


def test_each_reason_against_llava_is_told(tmp_path: Path) -> None:
    from msgspec.structs import replace

    spec = make_spec()
    cases = {
        "joins neighbouring tokens": replace(spec, connector=replace(spec.connector, merge=2)),
        "last norm is applied": replace(spec, vision=replace(spec.vision, layer=-1, normalises_last=True)),
        "was made for another size": replace(spec, vision=replace(spec.vision, image_px=56)),
    }
    for words, changed in cases.items():
        with pytest.raises(InstructgenError, match=words):
            export_llava(make_loaded(changed), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for export in (export_llava, export_own):
        with pytest.raises(InstructgenError, match="is there already"):
            export(make_loaded(), tmp_path / "out")
