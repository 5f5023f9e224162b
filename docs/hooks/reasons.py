"""The pages of reason words and of columns, made of the code; where a word is explained is found in the documents."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_REASONS, _COLUMNS = "<!-- generated: reasons -->", "<!-- generated: columns -->"
# What takes a reason word, and at which place.
_CALLS = {"Fault": 0, "AttemptError": 0, "SourceIssue": 1, "Rejected": 2, "DocumentError": 0}
_STAGES = {
    "sources": "reading a source",
    "dataset": "reading pictures, publishing, importing",
    "surrogate": "writing an image down",
    "jobs": "a unit's course",
    "teachers": "asking",
    "sample_types": "reading the answer",
    "filters": "filters",
    "evaluate": "the judge",
    "train": "chats for training",
}
# The documents that speak of a part.
_NEAR = {
    "sources": ("coco.md", "pairs.md", "interleaved.md"),
    "dataset": ("datasets.md", "exports.md"),
    "jobs": ("refinement.md", "review.md", "interleaved.md"),
    "teachers": ("reference/reasons.md",),
    "sample_types": ("prompts.md",),
    "filters": ("filters.md",),
    "evaluate": ("refinement.md",),
    "train": ("templates.md", "reference/reasons.md"),
}
_WORD = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_TYPES = {"list<element: string>": "list of string", "list<item: string>": "list of string"}
_MEANINGS = {
    "sample_id": "`<image_id>/<type>/<n>`: the same sample has the same id in every version",
    "image_id": "`<source>/<id>`, as `coco/000000000139`",
    "sample_type": "`conv`, `detail` ...",
    "messages": "the turns, user first; what TRL and Hugging Face take",
    "images": "the pictures that the first user turn shows; `bytes` is null where a row names its picture by path",
    "image_licences": "of each picture in `images`, null where the source does not say ([the card](../card.md))",
    "image_urls": "where each picture was published",
    "source": "the source's name and split",
    "teacher": "who wrote: `scene-program`, `captions`, `replay`, or the server's name",
    "model": "the model that the answer names",
    "prompt_sha256": "of the prompt's files ([prompts](../prompts.md#identity))",
    "request_ids": "every request that the row took; each is a key of the [ledger](../ledger.md)",
    "prompt_tokens": "of all these requests",
    "completion_tokens": "of all these requests",
    "cost_usd": "of all these requests; null where no price is known",
    "image_at": "before which turn each picture, or clip, stands; null for all before the first question "
    "([interleaved](../interleaved.md))",
    "frames": "how many of `images` each of them takes, more than 1 for a clip; null for one each",
    "scores": "what each [filter](../filters.md) measured; null where it has nothing to measure",
}


class Place(NamedTuple):
    document: str
    title: str
    anchor: str
    is_row: bool


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:  # noqa: ARG001  mkdocs names them
    if _REASONS in markdown:
        markdown = markdown.replace(_REASONS, write_reasons())
    if _COLUMNS in markdown:
        markdown = markdown.replace(_COLUMNS, write_columns())
    return markdown


def write_columns() -> str:
    """Return a table of a build's columns, with their Arrow types."""
    from instructgen.dataset.columns import make_schema
    from instructgen.filters import FILTERS

    lines = ["| column | type | |", "|---|---|---|"]
    for field in make_schema(tuple(FILTERS), embeds_images=True, has_places=True, has_frames=True):
        kind = "a double for each filter" if field.name == "scores" else _TYPES.get(str(field.type), str(field.type))
        lines.append(f"| `{field.name}` | {kind.replace('<', '&lt;')} | {_MEANINGS[field.name]} |")
    return "\n".join(lines)


def write_reasons() -> str:
    """Return a table of all reason words: who says it, and where it is explained."""
    lines = ["| reason | said by | explained in |", "|---|---|---|"]
    for word, parts in sorted(find_reasons().items()):
        where = ", ".join(_STAGES.get(part, part) for part in sorted(parts))
        lines.append(f"| `{word}` | {where} | {explain(word, parts)} |")
    return "\n".join(lines)


@cache
def find_reasons() -> dict[str, set[str]]:
    """Return every reason word that the code gives, and the parts of the package that give it."""
    found: dict[str, set[str]] = defaultdict(set)
    for part, words in list_tables():
        for word in words:
            found[word].add(part)
    for path in sorted((ROOT / "instructgen").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not any(f"{name}(" in text for name in _CALLS):
            continue
        tree = ast.parse(text)
        named = _read_named(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
                for word in _read_words(node, named):
                    found[word].add(path.relative_to(ROOT / "instructgen").parts[0])
    return found


def list_tables() -> list[tuple[str, Iterable[str]]]:
    """Return the words that the code keeps in tables rather than beside what it says of them."""
    from instructgen.attempts import SERVER_REASONS
    from instructgen.filters import FILTERS
    from instructgen.sources.coco_rules import DROP_REASONS

    tables: list[tuple[str, Iterable[str]]] = [("teachers", SERVER_REASONS), ("teachers", ["bad_request"])]
    tables.append(("sources", filter(None, DROP_REASONS)))
    tables += [("filters", getattr(kind, "reasons", ())) for kind in FILTERS.values()]
    tables.append(("jobs", ["reviewer_rejected", "not_reviewed"]))
    tables.append(("dataset", ["duplicate_sample", "not_sampled", "over_cap", "not_in_selection"]))
    return tables


def _read_named(tree: ast.Module) -> dict[str, list[str]]:
    """Return the words of the module's constants, and those that its functions return."""
    named: dict[str, list[str]] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named[node.targets[0].id] = _list_strings(node.value)
        elif isinstance(node, ast.FunctionDef) and isinstance(node.returns, ast.Name) and node.returns.id == "str":
            returned = [one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value]
            named[node.name] = [word for value in returned for word in _list_strings(value)]
    return named


def _list_strings(node: ast.AST) -> list[str]:
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def _read_words(call: ast.Call, named: dict[str, list[str]]) -> list[str]:
    place = _CALLS[call.func.id]  # type: ignore[attr-defined]
    if len(call.args) <= place:
        return []
    node = call.args[place]
    names = [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]
    values = [*_list_strings(node), *(word for name in names for word in named.get(name, ()))]
    return [value for value in values if _WORD.fullmatch(value)]


def explain(word: str, parts: Iterable[str]) -> str:
    """Return a link to the section that explains a word: a document of who says it before others, then a table."""
    near = [name for part in parts for name in _NEAR.get(part, ())]
    places = find_places().get(word, [])
    if not places:
        return ""
    best = min(places, key=lambda place: (place.document not in near, not place.is_row))
    is_here = best.document == "reference/reasons.md"
    return f"[{'below' if is_here else best.title}](../{best.document}{best.anchor})"


@cache
def find_places() -> dict[str, list[Place]]:
    """Return every section of the documents that names a word as code."""
    found: dict[str, list[Place]] = defaultdict(list)
    docs = ROOT / "docs"
    for path in [*sorted(docs.glob("*.md")), docs / "reference" / "reasons.md"]:
        title = page_title = anchor = ""
        text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for line in text.splitlines():
            if heading := re.match(r"(#+) (.*)", line):
                words = heading[2].replace("`", "")
                page_title = words if heading[1] == "#" else page_title
                title, anchor = (words, "") if heading[1] == "#" else (f"{page_title}: {words}", f"#{_slug(words)}")
            is_row = line.startswith("| `")
            for word in re.findall(r"`([a-z_0-9]+)`", line.split(" | ")[0] if is_row else line):
                found[word].append(Place(path.relative_to(docs).as_posix(), title, anchor, is_row))
    return found


def _slug(heading: str) -> str:
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip())
