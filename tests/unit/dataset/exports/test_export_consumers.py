"""What the consumers' own code makes of the files; each is skipped where its package is not installed."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from instructgen.dataset.columns import Row
from tests.support.exports import make_hostile_rows, make_picture, make_row, with_system, write_rows

FACTORY = "LLaMA-Factory is not installed (pip install --no-deps llamafactory==0.9.5, with torch)"
AXOLOTL = "axolotl is not installed (pip install --no-deps axolotl==0.19.0, with torch)"


def make_rows() -> list[Row]:
    return [
        make_row(1, ("What?", 'A "dog" – 犬.'), ("And?", "A ball.")),
        with_system(make_row(2, ("Who?", "Nobody.")), "Be brief."),
        make_row(3, ("Which?", "The first."), pictures={"a.jpg": make_picture(3), "b.png": make_picture(33, "PNG")}),
        make_row(4, ("Two and two?", "Four."), pictures={}),
    ]


def load_folder(folder: Path, tmp_path: Path, **options: Any) -> Any:
    datasets = pytest.importorskip("datasets", reason="Hugging Face datasets is not installed")
    return datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"), **options)


def load_json(file: Path, tmp_path: Path) -> Any:
    return load_folder(Path("json"), tmp_path, data_files=str(file), split="train")


def make_processor() -> Any:
    """Return a LLaVA processor of one token a byte and four a picture; nothing is downloaded for it."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    level = tokenizers.pre_tokenizers.ByteLevel
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.BPE(vocab={char: number for number, char in enumerate(sorted(level.alphabet()))}, merges=[])
    )
    tokenizer.pre_tokenizer = level(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    size = {"height": 28, "width": 28}
    return transformers.LlavaProcessor(
        transformers.CLIPImageProcessor(size=size, crop_size=size),
        transformers.PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, pad_token="<pad>", additional_special_tokens=["<image>"]
        ),
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=(
            "{% for turn in messages %}[{{ turn['role'] }}]{% for part in turn['content'] %}"
            "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
            "{% endfor %}{% endfor %}"
        ),
    )


# What the processor makes of `make_rows`.
SEEN = [
    f'[user]{"<image>" * 4}What?[assistant]A "dog" – 犬.[user]And?[assistant]A ball.',
    f"[system]Be brief.[user]{'<image>' * 4}Who?[assistant]Nobody.",
    f"[user]{'<image>' * 8}Which?[assistant]The first.",
    "[user]Two and two?[assistant]Four.",
]


def decode(processor: Any, batch: Any) -> list[str]:
    return [processor.tokenizer.decode(row).replace("<pad>", "") for row in batch["input_ids"]]


def sizes_of(row: Any) -> list[tuple[int, int]]:
    return [picture.size for picture in row["images"]]


@pytest.mark.parametrize("form", ["messages", "trl"])
def test_datasets_opens_the_folder_with_decoded_pictures(form: str, tmp_path: Path) -> None:
    rows = make_rows()
    out = write_rows(rows, form, tmp_path).folder
    loaded = load_folder(out, tmp_path)
    assert list(loaded) == ["train"]
    assert [row["messages"] for row in loaded["train"]] == [row["messages"] for row in rows]
    assert [sizes_of(row) for row in loaded["train"]] == [[(40, 30)], [(40, 30)], [(40, 30), (40, 30)], []]
    assert loaded["train"][2]["images"][1].getpixel((0, 0)) == (33, 33, 33)


def test_datasets_finds_each_split_of_the_folder(tmp_path: Path) -> None:
    out = write_rows(make_rows(), "messages", tmp_path, split="val").folder
    assert list(load_folder(out, tmp_path)) == ["val"]


def test_datasets_does_not_open_paths_that_stand_alone(tmp_path: Path) -> None:
    from instructgen.dataset.exports.base import ExportSettings

    out = write_rows(make_rows(), "messages", tmp_path, ExportSettings(with_pictures=False)).folder
    loaded = load_folder(out, tmp_path, split="train")
    assert loaded[0]["images"] == [{"bytes": None, "path": "000000000001.jpg"}]


def test_datasets_reads_the_list_of_llava(tmp_path: Path) -> None:
    rows = [make_row(1), make_row(4, pictures={}), make_row(5)]
    out = write_rows(rows, "llava", tmp_path).folder
    loaded = load_json(out / "train.json", tmp_path)
    assert loaded["id"] == [row["sample_id"] for row in rows]
    assert loaded["image"] == ["000000000001.jpg", None, "000000000005.jpg"]
    assert loaded["conversations"][0][1] == {"from": "gpt", "value": "A dog."}


def test_datasets_reads_the_lines_of_sharegpt(tmp_path: Path) -> None:
    out = write_rows(make_hostile_rows(), "sharegpt", tmp_path).folder
    loaded = load_json(out / "train.jsonl", tmp_path)
    assert all((out / place).is_file() for places in loaded["images"] for place in places)
    assert [len(places) for places in loaded["images"]].count(0) == 1
    for turns, places in zip(loaded["conversations"], loaded["images"], strict=True):
        assert sum(turn["value"].count("<image>") for turn in turns) == len(places)


def test_trl_puts_the_pictures_into_the_first_user_turn(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="TRL needs torch")
    data_utils = pytest.importorskip("trl.data_utils", reason="TRL is not installed")
    rows = make_hostile_rows()
    exported = write_rows(rows, "trl", tmp_path)
    loaded = load_folder(exported.folder, tmp_path, split="train")
    assert exported.left_out == {}
    for row, example in zip(rows, loaded, strict=True):
        assert data_utils.is_conversational(example)
        messages = data_utils.prepare_multimodal_messages(example["messages"], images=example["images"])
        texts = [[part["text"] for part in message["content"] if part["type"] == "text"] for message in messages]
        assert texts == [[message["content"]] for message in row["messages"]]
        first = next(message for message in messages if message["role"] == "user")
        shown = [part["image"].size for message in messages for part in message["content"] if part["type"] == "image"]
        assert [part["type"] for part in first["content"]] == ["image"] * len(row["images"]) + ["text"]
        assert shown == sizes_of(example)


def test_trl_makes_a_batch_of_the_rows(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="TRL needs torch")
    trainer = pytest.importorskip("trl.trainer.sft_trainer", reason="TRL is not installed")
    processor = make_processor()
    loaded = load_folder(write_rows(make_rows(), "trl", tmp_path).folder, tmp_path, split="train")
    batch = trainer.DataCollatorForVisionLanguageModeling(processor)(list(loaded))
    assert decode(processor, batch) == SEEN
    assert batch["pixel_values"].shape == (4, 3, 28, 28)


def test_llama_factory_loads_every_row_and_finds_every_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISABLE_VERSION_CHECK", "1")  # of transformers and others, which this test does not use
    pytest.importorskip("torch", reason=FACTORY)
    loader = pytest.importorskip("llamafactory.data.loader", reason=FACTORY)
    from llamafactory.data.mm_plugin import get_mm_plugin
    from llamafactory.data.parser import get_dataset_list
    from llamafactory.hparams import DataArguments, ModelArguments

    exported = write_rows(make_hostile_rows(), "llamafactory", tmp_path)
    out = exported.folder
    options = DataArguments(dataset="train", dataset_dir=str(out))
    model = ModelArguments(model_name_or_path="none", cache_dir=str(tmp_path / "cache"))
    [described] = get_dataset_list(["train"], str(out))
    training = SimpleNamespace(local_process_index=0, dataloader_num_workers=0)
    found = list(loader._load_single_dataset(described, model, options, training))
    assert len(found) == exported.num_rows
    plugin = get_mm_plugin("base")
    for one in found:
        assert one["_response"]
        images = one["_images"] or []
        assert all(Path(image).is_file() and Path(image).is_relative_to(out) for image in images)
        plugin._validate_messages(one["_prompt"] + one["_response"], images, [], [])
    assert [one["_system"] for one in found if one["_system"]] == ["Be brief."]


def test_axolotl_takes_the_messages_as_they_are(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason=AXOLOTL)
    processing = pytest.importorskip("axolotl.processing_strategies", reason=AXOLOTL)
    rows = make_hostile_rows()
    exported = write_rows(rows, "axolotl", tmp_path)
    assert exported.left_out == {}
    strategy = processing.ProcessingStrategy(processor=object())
    for row, example in zip(rows, strategy(list(load_json(exported.folder / "train.jsonl", tmp_path))), strict=True):
        parts = [part for message in example["messages"] for part in message["content"]]
        assert [part["text"] for part in parts if part["type"] == "text"] == [
            message["content"] for message in row["messages"]
        ]
        places = [part["path"] for part in parts if part["type"] == "image"]
        assert [(exported.folder / place).read_bytes() for place in places] == [
            image["bytes"] for image in row["images"]
        ]
        assert all(set(part) == {"type", "text" if part["type"] == "text" else "path"} for part in parts)


def test_axolotl_makes_a_batch_of_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch", reason=AXOLOTL)
    collators = pytest.importorskip("axolotl.utils.collators.mm_chat", reason=AXOLOTL)
    from axolotl.processing_strategies import ProcessingStrategy

    processor = make_processor()
    out = write_rows(make_rows(), "axolotl", tmp_path).folder
    loaded = load_json(out / "train.jsonl", tmp_path)
    monkeypatch.chdir(out)  # paths of pictures are relative to it
    collator = collators.MultiModalChatDataCollator(processor.tokenizer, ProcessingStrategy(processor))
    batch = collator(list(loaded))
    assert decode(processor, batch) == SEEN
    assert batch["pixel_values"].shape == (4, 3, 28, 28)


def test_axolotl_knows_every_key_of_the_configuration(tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    out = write_rows(make_rows(), "axolotl", tmp_path, split="val").folder
    config = yaml.safe_load((out / "axolotl.yaml").read_text(encoding="utf-8"))
    assert [dataset["path"] for dataset in config["test_datasets"]] == ["./val.jsonl"]
    assert "datasets" not in config
    pytest.importorskip("torch", reason=AXOLOTL)
    schemas = pytest.importorskip("axolotl.utils.schemas.config", reason=AXOLOTL)
    dataset = pytest.importorskip("axolotl.utils.schemas.datasets", reason=AXOLOTL)
    assert config.keys() <= schemas.AxolotlInputConfig.model_fields.keys()
    found = dataset.SFTDataset.model_validate(config["test_datasets"][0])
    assert (found.type, found.ds_type, found.field_messages) == ("chat_template", "json", "messages")
