"""Reads instruction data that exists already, whoever made it (docs/audit.md, docs/exports.md)."""

from instructgen.dataset.imports.base import Import
from instructgen.dataset.imports.conversations import (
    read_axolotl,
    read_llamafactory,
    read_llava,
    read_messages,
    read_sharegpt,
    read_trl,
)
from instructgen.dataset.imports.filter_cap import read_filter_cap
from instructgen.dataset.imports.interleaved import read_interleaved
from instructgen.dataset.imports.openai import read_openai
from instructgen.dataset.imports.texts import read_texts
from instructgen.dataset.imports.webdataset import read_webdataset

# The forms of other projects whose files can be read into a version: name -> what reads them.
IMPORTS: dict[str, Import] = {
    "llava": read_llava,
    "sharegpt": read_sharegpt,
    "messages": read_messages,
    "trl": read_trl,
    "llamafactory": read_llamafactory,
    "axolotl": read_axolotl,
    "filter_cap": read_filter_cap,
    "texts": read_texts,
    "interleaved": read_interleaved,
    "obelics": read_interleaved,
    "webdataset": read_webdataset,
    "openai": read_openai,
}
