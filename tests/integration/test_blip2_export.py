"""A folder in BLIP-2's form, read by transformers alone: the same pixels, prompts, logits and answers."""

import io
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

from msgspec.structs import replace  # noqa: E402
from PIL import Image  # noqa: E402

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.models.build import build_model  # noqa: E402
from instructgen.models.spec import VisionSpec  # noqa: E402
from instructgen.records import Message  # noqa: E402
from instructgen.student.ask import Ask, Sampling  # noqa: E402
from instructgen.student.export_blip2 import export_blip2  # noqa: E402
from instructgen.student.load import identify_model, load_student, make_student  # noqa: E402
from instructgen.train.encode import Encoder  # noqa: E402
from tests.support.tiny_stage2 import QFORMER, make_loaded, make_spec, name_template, write_likeliest  # noqa: E402
from tests.support.tiny_students import VOCABULARY, make_picture  # noqa: E402

CASES = [("opt", "eva", "vqa"), ("opt", "vit", ""), ("t5", "eva", "vqa"), ("t5", "vit", "photo")]
NUM_TOKENS = 12


class Exported:
    """One model, its exported folder, and what transformers makes of that."""

    def __init__(self, folder: Path, case: tuple[str, str, str]) -> None:
        self.language, tower, kind = case
        self.template = name_template(self.language, kind)
        self.loaded = make_loaded(self.language, tower, template=self.template)
        self.student = make_student(self.loaded, "tiny", torch.device("cpu"), torch.float32)
        self.folder = folder / "blip2"
        self.told = export_blip2(self.loaded, self.folder)
        self.blip2, self.report = transformers.Blip2ForConditionalGeneration.from_pretrained(
            self.folder, output_loading_info=True
        )
        self.processor = transformers.AutoProcessor.from_pretrained(self.folder)
        self.encoder = Encoder(self.loaded.tokenizer, self.template, self.loaded.model.tokens_per_image)

    def process(self, picture: bytes, question: str) -> Any:
        template = self.encoder.template
        said = question if template.has_questions else ""
        text = f"{template.bare}{said}{template.answer_before}"
        return self.processor(images=Image.open(io.BytesIO(picture)), text=text, return_tensors="pt")


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return Exported(tmp_path_factory.mktemp("export"), request.param)


def ask_about(number: int, question: str = "How many dogs?") -> Ask:
    return Ask((Message("user", question),), (make_picture(number),))


def test_every_weight_has_its_place(exported: Exported) -> None:
    assert not any(exported.report[name] for name in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert type(exported.processor).__name__ == "Blip2Processor"
    assert exported.blip2.config.use_decoder_only_language_model == (exported.language == "opt")


@pytest.mark.parametrize("size", [(40, 30), (31, 77), (28, 28), (210, 150)])
def test_processor_makes_the_same_pixels(exported: Exported, size: tuple[int, int]) -> None:
    picture = make_picture(7, size)
    theirs = exported.processor.image_processor(Image.open(io.BytesIO(picture)), return_tensors="pt")["pixel_values"]
    assert torch.allclose(theirs[0], exported.loaded.picture_reader(picture), atol=1e-6)


def test_processor_writes_the_same_prompt(exported: Exported) -> None:
    ids = exported.student._wording.prompt_ids(ask_about(1))
    image = [exported.told.image_token_id] * exported.loaded.model.tokens_per_image
    ours = [one for number in ids for one in (image if number < 0 else [number])]
    assert exported.process(make_picture(1), "How many dogs?")["input_ids"][0].tolist() == ours


def test_logits_are_the_same(exported: Exported) -> None:
    for number in range(3):
        ask = ask_about(number, f"What is it, {number}?")
        written = torch.tensor([[0, 9, 8, 7]])
        decoder = {"decoder_input_ids": written} if exported.language == "t5" else {}
        with torch.no_grad():
            theirs = exported.blip2(**exported.process(make_picture(number), ask.turns[0].content), **decoder).logits
            embeds = exported.student.prompt(ask).embeds_ld[None]
            ours = exported.loaded.model.causal_lm(inputs_embeds=embeds, **decoder).logits
        assert torch.allclose(theirs[..., : ours.shape[-1]], ours, atol=1e-5, rtol=1e-5)


def test_generate_writes_the_students_answer(exported: Exported) -> None:
    for number in range(3):
        inputs = exported.process(make_picture(number), "How many dogs?")
        found = exported.blip2.generate(**inputs, max_new_tokens=NUM_TOKENS, do_sample=False)[0].tolist()
        stop = exported.blip2.config.text_config.eos_token_id
        num_before = 1 if exported.language == "t5" else inputs["input_ids"].shape[1]
        found = found[num_before:]
        theirs = found[: found.index(stop)] if stop in found else found
        ours = write_likeliest(exported.student, ask_about(number), NUM_TOKENS, {stop})
        assert ours == theirs


def test_exported_folder_answers_and_scores_as_a_student_too(exported: Exported) -> None:
    again = load_student(exported.folder, "cpu")
    asks = [ask_about(number) for number in range(4)]
    assert again.answer_all(asks, Sampling(NUM_TOKENS)) == exported.student.answer_all(asks, Sampling(NUM_TOKENS))
    wanted = exported.student.score(asks[0], ["A red cup.", "No"])
    assert again.score(asks[0], ["A red cup.", "No"]) == pytest.approx(wanted, rel=1e-4)
    assert identify_model(exported.folder) == identify_model(exported.folder)


def test_another_template_asks_in_its_own_words(exported: Exported) -> None:
    other = name_template(exported.language, "photo")
    again = load_student(exported.folder, "cpu", template=other)
    ids = [one for one in again._wording.prompt_ids(ask_about(1)) if one >= 0]
    assert exported.loaded.tokenizer.decode(ids).strip("</s>") == "a photo of"


@pytest.mark.parametrize("language", ["opt", "t5"])
def test_folder_of_blip2_itself_is_asked_blip2s_questions(tmp_path: Path, language: str) -> None:
    """transformers' own model and processor, saved by transformers: no word of ours is in the folder."""
    case = Exported(tmp_path, (language, "eva", "vqa"))
    plain = tmp_path / "plain"
    case.blip2.generation_config = transformers.GenerationConfig()
    case.blip2.save_pretrained(plain)
    case.processor.save_pretrained(plain)
    student = load_student(plain, "cpu")
    asks = [ask_about(number) for number in range(2)]
    assert student.answer_all(asks, Sampling(NUM_TOKENS)) == case.student.answer_all(asks, Sampling(NUM_TOKENS))


def test_tables_that_have_to_grow_leave_old_logits_and_the_new_token_never_wins(tmp_path: Path) -> None:
    for language in ("opt", "t5"):
        loaded = make_loaded(language, vocab_size=len(make_loaded(language).tokenizer))
        told = export_blip2(loaded, tmp_path / language)
        assert told.max_difference <= 1e-5
        blip2 = transformers.Blip2ForConditionalGeneration.from_pretrained(tmp_path / language)
        num_rows = len(loaded.tokenizer)
        assert (told.image_token_id, blip2.config.text_config.vocab_size) == (num_rows, num_rows + 1)
        head = blip2.language_model.get_output_embeddings().weight
        assert torch.allclose(head[-1], head[:-1].mean(dim=0), atol=1e-6)
    assert num_rows >= VOCABULARY


def test_norm_of_the_tower_itself_is_exported_as_well(tmp_path: Path) -> None:
    spec = make_spec("opt", normalises=False)
    spec = replace(spec, vision=replace(spec.vision, normalises_last=True))
    loaded = make_loaded("opt")
    from dataclasses import replace as change

    told = export_blip2(change(loaded, model=build_model(spec), spec=spec), tmp_path / "out")
    assert told.max_difference <= 1e-5


def test_stage_2_is_minigpt4s_frozen_qformer_from_its_run_and_from_its_export(tmp_path: Path) -> None:
    from tests.support.tiny_stage2 import save_loaded

    loaded = make_loaded("opt")
    own, exported = save_loaded(loaded, tmp_path / "run" / "model"), tmp_path / "blip2"
    export_blip2(loaded, exported)
    pixels = torch.randn(2, 3, 28, 28, generator=torch.Generator().manual_seed(2))
    wanted = loaded.model.connector.get_submodule("qformer")(loaded.model.see(pixels))
    llama = {"model_type": "llama", "hidden_size": 24, "intermediate_size": 32, "num_attention_heads": 2}
    for name in (own.parent, own, exported):
        spec = make_spec("opt")
        connector = replace(spec.connector, qformer=replace(QFORMER, name=str(name)))
        language = replace(spec.language, config={**llama, "num_hidden_layers": 1, "vocab_size": 99})
        model = build_model(replace(spec, connector=connector, language=language))
        found = model.connector.get_submodule("qformer")(loaded.model.see(pixels))
        assert torch.equal(found, wanted)
    # MiniGPT-4's recipes take the norm with the tower.
    named = VisionSpec(name=str(exported), layer=-1, drops_class_token=False, normalises_last=True)
    bare = replace(QFORMER, name=str(exported), normalises=False)
    spec = replace(spec, vision=named, connector=replace(spec.connector, qformer=bare))
    model = build_model(spec)
    found = model.connector.get_submodule("qformer")(model.see(pixels))
    assert torch.allclose(found, wanted, atol=1e-6)


def test_each_reason_against_blip2_is_told(tmp_path: Path) -> None:
    from dataclasses import replace as change

    loaded = make_loaded("opt")
    clip, bare, narrow = (
        make_loaded("opt", "clip"),
        make_loaded("opt", normalises=False),
        make_loaded("opt", word_embed_proj_dim=16),
    )
    cases = {
        "of the type 'clip_vision_model', and BLIP-2 takes": clip,
        "nothing norms the tower's tokens": bare,
        "embeds in another width": narrow,
        "class token is dropped": change(
            loaded, spec=replace(loaded.spec, vision=replace(loaded.spec.vision, drops_class_token=True))
        ),
        "with 'bart' as decoder-only": make_loaded("bart"),
    }
    for words, case in cases.items():
        with pytest.raises(InstructgenError, match=words):
            export_blip2(case, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    with pytest.raises(InstructgenError, match="is there already"):
        export_blip2(loaded, tmp_path / "out")
