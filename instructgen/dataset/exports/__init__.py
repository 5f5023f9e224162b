"""The forms of other projects that a version can be written in: name -> what writes it."""

from instructgen.dataset.exports.axolotl import write_axolotl
from instructgen.dataset.exports.base import Export
from instructgen.dataset.exports.filter_cap import write_filter_cap
from instructgen.dataset.exports.interleaved import write_interleaved, write_obelics
from instructgen.dataset.exports.llamafactory import write_llamafactory
from instructgen.dataset.exports.llava import write_llava
from instructgen.dataset.exports.messages import write_messages, write_trl
from instructgen.dataset.exports.openai import write_openai
from instructgen.dataset.exports.sharegpt import write_sharegpt
from instructgen.dataset.exports.texts import write_texts
from instructgen.dataset.exports.webdataset import write_webdataset
from instructgen.errors import InstructgenError

EXPORTS: dict[str, Export] = {
    "llava": Export("LLaVA: a JSON list of conversations with <image>, images/", write_llava),
    "sharegpt": Export("ShareGPT: JSON lines of conversations with <image>, images/", write_sharegpt),
    "messages": Export("Hugging Face: Parquet with messages and images, for load_dataset", write_messages),
    "trl": Export("TRL's SFTTrainer: Parquet with messages and images", write_trl),
    "llamafactory": Export("LLaMA-Factory: dataset_info.json, ShareGPT JSON, images/", write_llamafactory),
    "axolotl": Export("axolotl: JSON lines of messages in parts, axolotl.yaml, images/", write_axolotl),
    "filter_cap": Export("MiniGPT-4: filter_cap.json with image/", write_filter_cap, names_paths=False),
    "texts": Export("nanoVLM, The Cauldron: Parquet with images and texts", write_texts, names_paths=False),
    "interleaved": Export("MMC4, OpenFlamingo: JSON lines of texts and image places, images/", write_interleaved),
    "obelics": Export("OBELICS: Parquet with texts and image names side by side, images/", write_obelics),
    "webdataset": Export("WebDataset: tar shards of .json and pictures", write_webdataset, names_paths=False),
    "openai": Export("OpenAI's fine-tuning: JSON lines of messages with pictures", write_openai, names_paths=False),
}


def check_exports(names: tuple[str, ...]) -> None:
    """Raise InstructgenError for a form that is not known."""
    for name in names:
        if name not in EXPORTS:
            raise InstructgenError(f"dataset.exports: no export called '{name}'; there are: {', '.join(EXPORTS)}")
