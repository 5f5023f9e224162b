"""The page of a pipeline's keys, made of the settings' structs.

What a key means comes from the comments of docs/pipelines.md, and where that says nothing from those of the code.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

_MARK = "<!-- generated: settings -->"
_PIPELINES = Path(__file__).resolve().parents[1] / "pipelines.md"
_KEY = re.compile(r"^(?:# )?(\w+) = ")
_TABLE = re.compile(r"^(?:# )?\[+([\w.]+)\]+")
# Tables with the keys of another one, and free ones.
_SAME_AS = {"teacher.fallback": "teacher", "refine.teacher": "teacher", "judge.teacher": "teacher"}
# What neither the document nor the code says beside the key.
_SERVERS_OWN = "of this server; the teacher's if left out"
_MEANINGS = {
    ("source.tables", "path"): "the table, or a folder of them",
    ("source.tables", "weight"): "how many of its pairs come for those of the others",
    ("source.columns", "caption"): "the column's name; found by its usual names if left out",
    ("source.columns", "url"): "the same",
    ("source.balance", "max_per_phrase"): "of the captions that have a phrase, a random so many at most",
    ("teacher", "model"): "the name by which the server knows its model; names the paid teacher",
    ("teacher", "base_url"): "an OpenAI-compatible server; OpenAI's own if left out",
    ("teacher", "tokens_per_minute"): "the same, in tokens of prompts and answers",
    ("teacher", "connect_timeout_s"): "until there is a connection",
    ("teacher.servers", "base_url"): "the server's address",
    ("teacher.servers", "api_key_env"): _SERVERS_OWN,
    ("teacher.servers", "concurrency"): "of this server; by its weight if left out",
    ("teacher.servers", "requests_per_minute"): _SERVERS_OWN,
    ("teacher.servers", "tokens_per_minute"): _SERVERS_OWN,
    ("teacher.decoding", "temperature"): 'of the draws; "omit" leaves it out, for a server that refuses it',
    ("teacher.decoding", "top_p"): "draws from the likeliest tokens of this share",
    ("teacher.decoding", "max_tokens"): "the longest answer",
    ("teacher.decoding", "seed"): "sent to servers that draw by it",
    ("filters", "options"): "a table for each filter ([filters](../filters.md))",
    ("judge", "min_relevancy"): "the same, of how well the answers serve their questions",
    ("gates", "total"): "bounds of the whole dataset's measures: `chair_i = { max = 0.01 }`",
    ("gates", "types"): "the same for one type, in a table with its name",
    ("dataset", "rows_per_shard"): "the most; shards are about two thirds of it",
    ("run", "budget_tokens"): "the same, in tokens",
}
_PLAIN = {
    msgspec.inspect.StrType: "text",
    msgspec.inspect.BoolType: "true, false",
    msgspec.inspect.NoneType: "",
    msgspec.inspect.AnyType: "any",
}


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:  # noqa: ARG001  mkdocs names them
    return markdown.replace(_MARK, "\n\n".join(write_settings())) if _MARK in markdown else markdown


def write_settings() -> Iterator[str]:
    """Yield a heading and a table for each table of a pipeline file."""
    from instructgen.config import BuildConfig

    said = read_meanings(_PIPELINES.read_text(encoding="utf-8"))
    for name, struct, fields in walk_tables(BuildConfig()):
        yield f"## {f'[{name}]' if name else 'At the top'}"
        if name in _SAME_AS:
            yield f"The keys of [[{_SAME_AS[name]}]](#{_SAME_AS[name]})."
            continue
        lines = ["| key | values | default | |", "|---|---|---|---|"]
        for field in fields:
            key = (name, field.name)
            meaning = said.get(key) or read_comment(struct, field.name) or _MEANINGS[key]
            meaning = meaning.replace("|", "\\|")
            lines.append(
                f"| `{field.name}` | {write_type(field.type)} | {_write_default(struct, field)} | {meaning} |"
            )
        yield "\n".join(lines)


def walk_tables(table: Any, prefix: str = "") -> Iterator[tuple[str, Any, list[Any]]]:
    """Yield the name, the defaults and the plain fields of every table, the outer one first.

    `table` holds the defaults; it is a struct's class where the table is not there by default.
    """
    struct = table if isinstance(table, type) else type(table)
    fields = list(msgspec.inspect.type_info(struct).fields)  # type: ignore[attr-defined]
    inner = {field.name: found for field in fields if (found := _find_struct(field.type)) is not None}
    yield prefix.rstrip("."), table, [field for field in fields if field.name not in inner]
    for name, found in inner.items():
        if f"{prefix}{name}" in _SAME_AS:
            yield f"{prefix}{name}", found, []
        else:
            default = getattr(table, name, None)
            yield from walk_tables(default if isinstance(default, found) else found, f"{prefix}{name}.")


def _find_struct(kind: Any) -> type | None:
    """Return the struct that a key holds, by itself or in a list."""
    if isinstance(kind, msgspec.inspect.StructType):
        return kind.cls
    if isinstance(kind, msgspec.inspect.UnionType):
        return next((found for one in kind.types if (found := _find_struct(one)) is not None), None)
    if isinstance(kind, msgspec.inspect.VarTupleType):
        return _find_struct(kind.item_type)
    return None


def read_meanings(text: str) -> dict[tuple[str, str], str]:
    """Return what the comments of the document's block say: (table, key) -> words."""
    block = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert block is not None
    said: dict[tuple[str, str], str] = {}
    table, latest = "", ("", "")
    for line in block[1].splitlines():
        comment = re.search(r"\s# (.*)$", line)
        if found := _TABLE.match(line):
            table = found[1]
        elif found := _KEY.match(line):
            latest = (table, found[1])
            said[latest] = comment[1] if comment else ""
        elif line.startswith(" ") and line.strip().startswith("# "):
            said[latest] = f"{said.get(latest, '')} {line.strip()[2:]}".strip()
    return said


def read_comment(table: Any, key: str) -> str:
    struct = table if isinstance(table, type) else type(table)
    found = re.search(rf"^    {key}: .*?  # (.*)$", inspect.getsource(struct), re.MULTILINE)
    return found[1] if found else ""


def write_type(kind: Any) -> str:
    if isinstance(kind, msgspec.inspect.UnionType):
        return " or ".join(text for one in kind.types if (text := write_type(one)))
    if isinstance(kind, msgspec.inspect.LiteralType):
        return ", ".join(f"`{value}`" for value in kind.values)
    if isinstance(kind, msgspec.inspect.VarTupleType):
        return f"list of {write_type(kind.item_type)}"
    if isinstance(kind, msgspec.inspect.IntType | msgspec.inspect.FloatType):
        return _write_number(kind)
    if isinstance(kind, msgspec.inspect.DictType):
        return "table"
    return _PLAIN[type(kind)]


def _write_number(kind: Any) -> str:
    word = "whole number" if isinstance(kind, msgspec.inspect.IntType) else "number"
    if kind.ge is not None and kind.le is not None:
        return f"{word} from {kind.ge:g} to {kind.le:g}"
    bounds = {"ge": "of {:g} or more", "gt": "above {:g}", "le": "of {:g} or less"}
    said = [text.format(bound) for key, text in bounds.items() if (bound := getattr(kind, key)) is not None]
    return " ".join([word, *said])


def _write_default(table: Any, field: Any) -> str:
    value = field.default if isinstance(table, type) else getattr(table, field.name)
    if value is msgspec.NODEFAULT:
        value = None if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    if value is None or value in ((), {}):
        return "none"
    return f"`{msgspec.json.encode(value).decode()}`"
