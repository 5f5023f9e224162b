"""One published version with its pictures inside, opened by what the field trains with.

Each reader counts the rows and decodes one picture. torch and trl are no part of the test extra; where they are not
installed, their tests say so. docs/training-data.md has the same lines, and its Python is run here too.
"""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from instructgen.dataset.loader import open_rows
from instructgen.dataset.manifest import read_manifest
from tests.support.cli import ROOT, run_cli

DOCUMENT = ROOT / "docs" / "training-data.md"
TORCH = "no torch here; `pip install torch` opens a version in a DataLoader"
TRL = "no trl here; `pip install trl` trains on a version with SFTTrainer"


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("openers") / "out" / "coco-sample"
    done = run_cli("build", "--source", "coco", "--images", "embed", "--limit", "24", "--out", out, "--json")
    assert done.code == 0, done.err
    return Path(done.result["out"])


@pytest.fixture(scope="module")
def splits(version: Path) -> dict[str, int]:
    manifest = read_manifest(version)
    assert manifest.embeds_images
    return manifest.splits


def size_of(picture: bytes) -> tuple[int, int]:
    image = Image.open(io.BytesIO(picture))
    image.load()
    return image.size


def is_picture(size: tuple[int, int]) -> bool:
    return min(size) > 100


def test_datasets_opens_the_folder(version: Path, splits: dict[str, int], tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="no datasets here")
    loaded = datasets.load_dataset(str(version), cache_dir=str(tmp_path))
    assert {name: part.num_rows for name, part in loaded.items()} == splits
    assert is_picture(loaded["train"][0]["images"][0].size)
    assert loaded["train"][0]["messages"][0]["role"] == "user"


def test_datasets_streams_the_folder(version: Path, splits: dict[str, int], tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="no datasets here")
    streamed = datasets.load_dataset(str(version), streaming=True, cache_dir=str(tmp_path))
    assert {name: sum(1 for _ in part.select_columns("image_id")) for name, part in streamed.items()} == splits
    assert is_picture(next(iter(streamed["train"]))["images"][0].size)


def test_pandas_reads_the_data_folder(version: Path, splits: dict[str, int]) -> None:
    import pandas as pd

    frame = pd.read_parquet(version / "data")
    assert len(frame) == sum(splits.values())
    assert is_picture(size_of(frame["images"][0][0]["bytes"]))


def test_polars_reads_and_scans(version: Path, splits: dict[str, int]) -> None:
    pl = pytest.importorskip("polars", reason="no polars here")
    frame = pl.read_parquet(version / "data" / "*.parquet")
    assert frame.height == sum(splits.values())
    assert is_picture(size_of(frame["images"][0][0]["bytes"]))
    lazy = pl.scan_parquet(version / "data" / "train-*.parquet")
    assert lazy.select(pl.len()).collect().item() == splits["train"]


def test_duckdb_counts_and_takes_a_picture(version: Path, splits: dict[str, int]) -> None:
    duckdb = pytest.importorskip("duckdb", reason="no duckdb here")
    files = f"{version}/data/*.parquet"
    assert duckdb.sql(f"SELECT count(*) FROM '{files}'").fetchall() == [(sum(splits.values()),)]
    query = f"SELECT images[1].bytes FROM '{files}' WHERE sample_type = 'conv' LIMIT 1"
    ((picture,),) = duckdb.sql(query).fetchall()
    assert is_picture(size_of(picture))


def test_pyarrow_opens_the_data_folder_as_one_dataset(version: Path, splits: dict[str, int]) -> None:
    import pyarrow.dataset as ds

    data = ds.dataset(version / "data", format="parquet")
    assert data.count_rows() == sum(splits.values())
    assert is_picture(size_of(data.head(1)["images"][0][0]["bytes"].as_py()))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_torch_loader_gives_the_rows_in_the_loaders_order(
    version: Path, splits: dict[str, int], num_workers: int
) -> None:
    data = pytest.importorskip("torch.utils.data", reason=TORCH)
    rows = open_rows(version, "train", seed=5, columns=["sample_id", "images"])
    loader = data.DataLoader(rows, batch_size=7, num_workers=num_workers, collate_fn=list)
    read = [row for batch in loader for row in batch]
    assert [row["sample_id"] for row in read] == [row["sample_id"] for row in rows]
    assert len(read) == splits["train"]
    assert is_picture(read[0]["images"][0].size)


def test_torch_loader_goes_on_at_any_row(version: Path) -> None:
    data = pytest.importorskip("torch.utils.data", reason=TORCH)
    rows = open_rows(version, "train", columns=["sample_id"]).in_epoch(1)
    rest = data.DataLoader(rows.skip(10), batch_size=4, num_workers=2, collate_fn=list)
    assert [row["sample_id"] for batch in rest for row in batch] == [row["sample_id"] for row in rows][10:]


def test_torch_stream_shares_rows_among_workers(version: Path, splits: dict[str, int]) -> None:
    data = pytest.importorskip("torch.utils.data", reason=TORCH)

    class Stream(data.IterableDataset):  # type: ignore[name-defined, misc]
        def __init__(self, rows: Any) -> None:
            self.rows = rows

        def __iter__(self) -> Any:
            worker = data.get_worker_info()
            return iter(self.rows if worker is None else self.rows.share(worker.id, worker.num_workers))

    rows = open_rows(version, "train", columns=["sample_id"])
    for num_workers in (0, 2):
        loader = data.DataLoader(Stream(rows), batch_size=None, num_workers=num_workers)
        read = [row["sample_id"] for row in loader]
        assert len(read) == len(set(read)) == splits["train"]


def list_examples() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("number", range(len(list_examples())))
def test_example_of_the_document_runs(
    version: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    example = list_examples()[number]
    for name in re.findall(r"^(?:import|from) (datasets|polars|duckdb|torch)\b", example, re.MULTILINE):
        pytest.importorskip(name, reason=f"no {name} here")
    monkeypatch.chdir(version.parents[3])
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    exec(compile(example, DOCUMENT.name, "exec"), {"__name__": "example"})


def test_document_has_an_example_for_every_library() -> None:
    text = "\n".join(list_examples())
    for name in ("open_rows", "DataLoader", "datasets", "pandas", "polars", "duckdb", "pyarrow.dataset"):
        assert name in text


@pytest.fixture(scope="module")
def tiny_llava() -> Callable[[list[str]], tuple[Any, Any]]:
    """A Llava of a few thousand parameters and its processor, with a vocabulary of the words that it is given."""
    pytest.importorskip("trl", reason=TRL)
    import transformers as tf
    from tokenizers import Tokenizer, models, pre_tokenizers

    template = (
        "{% for message in messages %}{{ message['role'] }}: {% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %} </s>{% endfor %}"
    )

    def make(texts: list[str]) -> tuple[Any, Any]:
        words = sorted({word for text in texts for word in re.findall(r"\w+|[^\w\s]+", text)} | {"user", "assistant"})
        names = ["<unk>", "<pad>", "</s>", "<image>", *words]
        bare = Tokenizer(models.WordLevel({name: number for number, name in enumerate(names)}, unk_token="<unk>"))
        bare.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer = tf.PreTrainedTokenizerFast(
            tokenizer_object=bare,
            unk_token="<unk>",
            pad_token="<pad>",
            eos_token="</s>",
            extra_special_tokens=["<image>"],
        )
        vision = tf.CLIPVisionConfig(
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            image_size=28,
            patch_size=14,
        )
        language = tf.LlamaConfig(
            hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=len(names)
        )
        config = tf.LlavaConfig(vision_config=vision, text_config=language, image_token_id=3, vision_feature_layer=-1)
        size = {"height": 28, "width": 28}
        images = tf.CLIPImageProcessorPil(size=size, crop_size=size)
        processor = tf.LlavaProcessor(
            images, tokenizer, patch_size=14, vision_feature_select_strategy="default", chat_template=template,
            num_additional_image_tokens=1,
        )  # fmt: skip
        return tf.LlavaForConditionalGeneration(config), processor

    return make


@pytest.mark.parametrize("opener", ["datasets", "instructgen"])
def test_trl_trains_on_the_rows(
    version: Path, tmp_path: Path, tiny_llava: Callable[[list[str]], tuple[Any, Any]], opener: str
) -> None:
    """SFTTrainer's own preparation, collator and loss; from `datasets`, and from what our loader reads."""
    trl = pytest.importorskip("trl", reason=TRL)
    import datasets

    columns = ["messages", "images"]
    if opener == "datasets":
        train = datasets.load_dataset(str(version), split="train", cache_dir=str(tmp_path)).select_columns(columns)
    else:
        rows = open_rows(version, "train", columns=columns)
        train = datasets.IterableDataset.from_generator(lambda: iter(rows))
    texts = [message["content"] for row in open_rows(version, columns=["messages"]) for message in row["messages"]]
    model, processor = tiny_llava(texts)
    settings = trl.SFTConfig(
        output_dir=str(tmp_path / "run"), max_steps=2, per_device_train_batch_size=4, max_length=None,
        report_to="none", use_cpu=True, bf16=False, save_strategy="no", logging_steps=1, gradient_checkpointing=False,
    )  # fmt: skip
    trainer = trl.SFTTrainer(model, args=settings, train_dataset=train, processing_class=processor)
    batch = next(iter(trainer.get_train_dataloader()))
    assert batch["pixel_values"].shape == (4, 3, 28, 28)
    assert (batch["input_ids"] == 3).sum() == 4 * 4  # four patches for each of four pictures
    assert not (batch["input_ids"] == 0).any()
    result = trainer.train()
    assert result.metrics["train_loss"] > 0
