"""The columns of a dataset: Hugging Face `messages` and `images`, then where each row comes from."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from instructgen.records import ImageRecord, Reply, Sample

if TYPE_CHECKING:
    import pyarrow as pa

# What a row is on its way to Parquet: a plain dict, for pyarrow takes nothing else.
Row = dict[str, Any]


class Provenance(Struct, frozen=True):
    """Where a sample's text comes from; `reply` is the one that the turns were parsed from."""

    source: str
    prompt_sha256: str
    reply: Reply


def make_schema(filter_names: Sequence[str], *, embeds_images: bool) -> "pa.Schema":
    """Return the Arrow schema.

    The children of `images` are exactly Hugging Face's Image struct, in its order: another order or
    large_binary silently gives dicts instead of pictures. Readers are told to decode them only where the bytes
    are there, for a bare relative path would make them open a file in the working directory.
    """
    import pyarrow as pa

    message = pa.struct([("role", pa.string()), ("content", pa.string())])
    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    fields = [
        ("sample_id", pa.string()),
        ("image_id", pa.string()),
        ("sample_type", pa.string()),
        ("messages", pa.list_(message)),
        ("images", pa.list_(picture)),
        ("source", pa.string()),
        ("teacher", pa.string()),
        ("model", pa.string()),
        ("prompt_sha256", pa.string()),
        ("request_ids", pa.list_(pa.string())),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("cost_usd", pa.float64()),
    ]
    if filter_names:  # Parquet has no empty struct
        fields.append(("scores", pa.struct([(name, pa.float64()) for name in filter_names])))
    schema = pa.schema(fields)
    if embeds_images:
        features = {"images": {"feature": {"_type": "Image"}, "_type": "List"}}
        metadata = msgspec.json.encode({"info": {"features": features}})
        schema = schema.with_metadata({b"huggingface": metadata})
    return schema


def make_row(
    sample: Sample,
    record: ImageRecord,
    provenance: Provenance,
    picture: bytes | None,
    partner_picture: bytes | None = None,
) -> Row:
    """Return the row of a sample; `picture` None keeps the image by its path, relative to the image folder.

    The sample's own image is the last of `images`; that of its partner, if it has one, comes before it.
    """
    images = [{"bytes": picture, "path": record.file_name}]
    if sample.partner is not None:
        images.insert(0, {"bytes": partner_picture, "path": sample.partner.file_name})
    reply = provenance.reply
    return {
        "sample_id": sample.sample_id,
        "image_id": sample.image_id,
        "sample_type": sample.sample_type,
        "messages": [{"role": turn.role, "content": turn.content} for turn in sample.turns],
        "images": images,
        "source": provenance.source,
        "teacher": reply.teacher,
        "model": reply.model,
        "prompt_sha256": provenance.prompt_sha256,
        "request_ids": list(sample.request_ids),
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "cost_usd": reply.cost_usd,
        "scores": dict(sample.checks),
    }


def hash_row(row: Mapping[str, Any]) -> bytes:
    """Return a digest of the row's content that no Parquet writer, codec or version of one can change."""
    pictures = [
        {"sha256": hashlib.sha256(picture["bytes"] or b"").hexdigest(), "path": picture["path"]}
        for picture in row["images"]
    ]
    return hashlib.sha256(msgspec.json.encode({**row, "images": pictures}, order="deterministic")).digest()
