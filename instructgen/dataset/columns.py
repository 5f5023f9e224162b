"""The columns of a dataset: Hugging Face `messages` and `images`, then where each row comes from."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from instructgen.records import ImageRecord, Reply, Sample
from instructgen.sample_types import place_images

if TYPE_CHECKING:
    import pyarrow as pa

PLACES, FRAMES = "image_at", "frames"
# What a row is on its way to Parquet: a plain dict, for pyarrow takes nothing else.
Row = dict[str, Any]


class Provenance(Struct, frozen=True):
    """Where a sample's text comes from; `reply` is the one that the turns were parsed from."""

    source: str
    prompt_sha256: str
    reply: Reply


def make_schema(
    filter_names: Sequence[str], *, embeds_images: bool, has_places: bool = False, has_frames: bool = False
) -> "pa.Schema":
    """Return the Arrow schema, with `image_at` where pictures stand between turns, and `frames` where some are clips.

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
        ("image_licences", pa.list_(pa.string())),
        ("image_urls", pa.list_(pa.string())),
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
    if has_places:
        fields.append((PLACES, pa.list_(pa.int64())))
    if has_frames:
        fields.append((FRAMES, pa.list_(pa.int64())))
    schema = pa.schema(fields)
    return declare_pictures(schema) if embeds_images else schema


def declare_pictures(schema: "pa.Schema") -> "pa.Schema":
    """Return the schema with what tells Hugging Face's readers to decode the bytes in `images`."""
    features = {"images": {"feature": {"_type": "Image"}, "_type": "List"}}
    metadata = msgspec.json.encode({"info": {"features": features}})
    return schema.with_metadata({b"huggingface": metadata})


def make_row(
    sample: Sample,
    record: ImageRecord,
    provenance: Provenance,
    picture: bytes | None,
    other_pictures: Mapping[str, bytes | None] | None = None,
) -> Row:
    """Return the row of a sample; `picture` None keeps the image by its path, relative to the image folder.

    The sample's own image is the last of `images`; the others that it speaks of come before it, with their pictures
    by their ids in `other_pictures`. Licences and addresses are in the order of `images`, None where the source does
    not say.
    """
    records = [*sample.others, record]
    others = other_pictures or {}
    pictures = [*(others.get(one.image_id) for one in sample.others), picture]
    image_at = place_images(sample.sample_type, len(sample.turns), len(records))
    reply = provenance.reply
    return {
        "sample_id": sample.sample_id,
        "image_id": sample.image_id,
        "sample_type": sample.sample_type,
        "messages": [{"role": turn.role, "content": turn.content} for turn in sample.turns],
        "images": [{"bytes": encoded, "path": one.file_name} for one, encoded in zip(records, pictures, strict=True)],
        "image_licences": [one.licence or None for one in records],
        "image_urls": [one.url or None for one in records],
        "source": provenance.source,
        "teacher": reply.teacher,
        "model": reply.model,
        "prompt_sha256": provenance.prompt_sha256,
        "request_ids": list(sample.request_ids),
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "cost_usd": reply.cost_usd,
        "scores": dict(sample.checks),
        PLACES: None if image_at is None else list(image_at),
    }


def hash_picture(picture: bytes | None) -> str:
    """Return the sha256 (hex) of a stored picture; of one that is not stored, that of no bytes."""
    return hashlib.sha256(picture or b"").hexdigest()


def hash_row(row: Mapping[str, Any], hash_picture: Callable[[bytes | None], str] = hash_picture) -> bytes:
    """Return a digest of the row's content that no Parquet writer, codec or version of one can change.

    `hash_picture` may be one that remembers: the samples of an image share their picture.

    A column that is null counts as one that is not there, and so does a score: a version that other columns are
    joined to has the same rows.
    """
    pictures = [{"sha256": hash_picture(picture["bytes"]), "path": picture["path"]} for picture in row["images"]]
    content = {name: value for name, value in row.items() if value is not None} | {"images": pictures}
    scores = {name: score for name, score in (row.get("scores") or {}).items() if score is not None}
    if scores:
        content["scores"] = scores
    else:
        content.pop("scores", None)
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).digest()
