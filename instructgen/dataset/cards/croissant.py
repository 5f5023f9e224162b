"""croissant.json: the version in MLCommons' Croissant vocabulary, 1.1, which search engines and loaders read.

Paths are relative to the file, so that the folder can be moved. Each shard is a file with its digest; the record sets
read them through file sets, one for all rows and one for each sample type.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from instructgen.dataset.cards.features import LIST, STRUCT, Feature
from instructgen.dataset.cards.front_matter import DEFAULT, sort_into_configs
from instructgen.dataset.cards.licences import UNKNOWN, describe_licence
from instructgen.dataset.cards.statistics import Statistics
from instructgen.dataset.manifest import Manifest
from instructgen.dataset.shards import Shard

CROISSANT_NAME = "croissant.json"
CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
_PARQUET = "application/x-parquet"
_SPLITS = "split-names"
_NOT_STATED = "not stated by the source"
_KINDS = {
    "string": "sc:Text",
    "bool": "sc:Boolean",
    **{f"int{bits}": f"cr:Int{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"cr:UInt{bits}" for bits in (8, 16, 32, 64)},
    **{f"float{bits}": f"cr:Float{bits}" for bits in (16, 32, 64)},
}
# The terms in the order and with the meanings that the specification lists; readers compare it.
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{term: f"cr:{term}" for term in ("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty")},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in ("extract", "field", "fileProperty", "fileObject", "fileSet", "format")},
    **{term: f"cr:{term}" for term in ("includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5")},
    "name": {"@container": "@language"},
    **{term: f"cr:{term}" for term in ("parentField", "path", "recordSet", "references", "regex", "repeated")},
    **{term: f"cr:{term}" for term in ("replace", "samplingRate", "separator", "source", "subField", "transform")},
    "sc": "https://schema.org/",
}
_PLAIN_KEY = re.compile(r"[A-Za-z_]\w*")

Json = dict[str, Any]


def encode_croissant(manifest: Manifest, statistics: Statistics) -> bytes:
    return msgspec.json.format(msgspec.json.encode(make_croissant(manifest, statistics)), indent=1) + b"\n"


def make_croissant(manifest: Manifest, statistics: Statistics) -> Json:
    """Return the JSON-LD of a version; without a row it has no files and no record sets."""
    title = " ".join(f"{manifest.source.title}: instruction data".split())
    found: Json = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": title,
        "description": _describe(manifest),
        "url": "./",
        "license": list_licence_links(manifest, statistics),
        "citeAs": _cite(manifest, title),
        "version": f"1.0.0+{manifest.version}",
        "datePublished": manifest.created_at,
        "inLanguage": ["en"],
        "keywords": ["visual instruction tuning", "instructgen", *manifest.counts.accepted],
        "isLiveDataset": False,
    }
    if manifest.shards:
        configs = sort_into_configs(manifest)
        found["distribution"] = [
            *(_describe_file(shard) for shard in manifest.shards),
            *(_describe_file_set(name, shards) for name, shards in configs.items()),
        ]
        found["recordSet"] = [
            _list_splits(list(manifest.splits)),
            *(_describe_records(name, manifest, statistics) for name in configs),
        ]
    return found


def list_licence_links(manifest: Manifest, statistics: Statistics) -> list[str]:
    """Return addresses, else names, of the licences of the pictures that are in the rows; nobody told the texts'."""
    if not manifest.embeds_images or not statistics.licences:
        return [_NOT_STATED]
    known = (describe_licence(found.name) for found in statistics.licences)
    return [_NOT_STATED if one.name == UNKNOWN else one.url or one.name for one in known]


def _describe(manifest: Manifest) -> str:
    accepted = ", ".join(f"{count} {name}" for name, count in manifest.counts.accepted.items())
    return (
        f"Visual instruction data, written by {manifest.teacher.name} ({manifest.teacher.model}) about images of "
        f"{manifest.source.title} and accepted by instructgen's filters. Samples by type: {accepted or 'none'}."
    )


def _cite(manifest: Manifest, title: str) -> str:
    year = manifest.created_at[:4]
    plain = re.sub(r"[{}\\]", "", title)
    return (
        f"@misc{{instructgen_{manifest.version}, title={{{plain}}}, version={{{manifest.version}}}, year={{{year}}}}}"
    )


def _describe_file(shard: Shard) -> Json:
    return {
        "@type": "cr:FileObject",
        "@id": shard.path,
        "name": shard.path,
        "description": f"{shard.num_rows} samples of type {shard.sample_type}, split {shard.split}.",
        "contentUrl": shard.path,
        "contentSize": f"{shard.num_bytes} B",
        "encodingFormat": _PARQUET,
        "sha256": shard.sha256,
    }


def _describe_file_set(name: str, shards: Sequence[Shard]) -> Json:
    includes = ["data/*.parquet"] if name == DEFAULT else [shard.path for shard in shards]
    return {
        "@type": "cr:FileSet",
        "@id": f"{name}-files",
        "name": f"{name}-files",
        "description": "All shards." if name == DEFAULT else f"The shards of type {shards[0].sample_type}.",
        "encodingFormat": _PARQUET,
        "includes": includes if len(includes) > 1 else includes[0],
    }


def _list_splits(splits: list[str]) -> Json:
    name = f"{_SPLITS}/name"
    return {
        "@type": "cr:RecordSet",
        "@id": _SPLITS,
        "dataType": "cr:Split",
        "name": _SPLITS,
        "description": "The splits of the rows.",
        "key": {"@id": name},
        "field": [{"@type": "cr:Field", "@id": name, "name": "name", "dataType": "sc:Text"}],
        "data": [{name: split} for split in splits],
    }


def _describe_records(name: str, manifest: Manifest, statistics: Statistics) -> Json:
    file_set = {"fileSet": {"@id": f"{name}-files"}}
    splits = "|".join(re.escape(split) for split in manifest.splits)
    split: Json = {
        "@type": "cr:Field",
        "@id": f"{name}/split",
        "name": "split",
        "description": "The split that the row is in, from its file's name.",
        "dataType": "sc:Text",
        "source": {
            **file_set,
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": rf"^.*?({splits})-\d+-of-\d+\.parquet$"},
        },
    }
    fields = [
        _describe_field(column, (name,), file_set, decodes_pictures=manifest.embeds_images)
        for column in statistics.columns
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": "All rows." if name == DEFAULT else f"The rows of type {name}.",
        "key": {"@id": f"{name}/sample_id"},
        "field": [split, *fields],
    }


def _describe_field(feature: Feature, path: tuple[str, ...], file_set: Json, *, decodes_pictures: bool) -> Json:
    """Return the field of a column; `path` is the record set's name, then the column and what of it is a part."""
    is_list = feature.kind == LIST
    inner = feature.fields[0] if is_list else feature
    own = (*path, feature.name)
    found: Json = {"@type": "cr:Field", "@id": "/".join(own), "name": feature.name}
    if is_list:
        # mlcroissant 1.1.1 decodes lists of pictures by `repeated` alone, which isArray is to replace.
        found |= {"isArray": True, "arrayShape": "-1", "repeated": True}
    if inner.kind == STRUCT:
        parts = [part for part in inner.fields if part.name != "bytes" or not inner.is_picture or decodes_pictures]
        found["subField"] = [_describe_part(part, own, inner, file_set, is_list=is_list) for part in parts]
        return found
    return found | {"dataType": _name_kind(inner), "source": _find_source(own, file_set)}


def _describe_part(part: Feature, path: tuple[str, ...], whole: Feature, file_set: Json, *, is_list: bool) -> Json:
    own = (*path, part.name)
    kind = "sc:ImageObject" if whole.is_picture and part.name == "bytes" else _name_kind(part)
    found: Json = {"@type": "cr:Field", "@id": "/".join(own), "name": part.name, "dataType": kind}
    if is_list and kind == "sc:ImageObject":
        found["repeated"] = True
    return found | {"source": _find_source(own, file_set)}


def _find_source(path: tuple[str, ...], file_set: Json) -> Json:
    _, column, *parts = path
    source = {**file_set, "extract": {"column": column}}
    if parts:
        keys = (part if _PLAIN_KEY.fullmatch(part) else f'"{part}"' for part in parts)
        source["transform"] = {"jsonPath": ".".join(keys)}
    return source


def _name_kind(feature: Feature) -> str:
    """Return Croissant's name of a type; what it has none for is read as text."""
    return _KINDS.get(feature.kind, "sc:Text")
