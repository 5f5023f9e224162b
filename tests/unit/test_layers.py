"""The house's rules, read from the code: who may import whom, how large a file may be, what loads at start-up."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "instructgen"

# Lowest first. A part imports from the rows before its own, and from its own row where PAIRS says so.
LAYERS = (
    (
        *("errors", "secrets", "records", "attempts", "text", "draws"),
        *("resources", "lexicon", "pictures", "disk", "pages"),
    ),
    ("config", "prefixes", "grounding"),
    ("surrogate", "scenes", "sample_types", "filters", "ledger", "limits", "observe"),
    ("prompting", "sources", "scenegraph"),
    ("generate", "teachers", "dataset", "refine", "models"),
    ("train",),
    ("student",),
    ("batch", "evaluate", "fetch", "review"),
    ("report", "viewer"),
    ("jobs",),
    ("engine",),
    ("cli",),
)
PAIRS = {
    ("generate", "teachers"),
    ("teachers", "generate"),
    ("text", "lexicon"),
    ("lexicon", "text"),
    ("resources", "errors"),
    ("disk", "errors"),
    ("pages", "errors"),
    ("secrets", "errors"),
}
RANKS = {part: rank for rank, row in enumerate(LAYERS) for part in row}
HEAVY = (
    *("openai", "aiohttp", "uvloop", "tenacity", "tiktoken", "tokenizers", "keyring", "prometheus_client"),
    *("pandas", "pyarrow", "numpy", "PIL", "pycocotools", "torch", "jinja2", "inflect"),
    *("datasets", "spacy", "transformers", "rich", "duckdb", "starlette", "uvicorn", "av", "ray"),
)


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_parts(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        found |= {name.split(".")[1] for name in names if name.startswith("instructgen.")}
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_imports_only_from_below(path: Path) -> None:
    part = part_of(path)
    if part.startswith("__"):
        return
    for other in imported_parts(path) - {part}:
        allowed = RANKS[other] < RANKS[part] or (part, other) in PAIRS
        assert allowed, f"{path.name} ({part}) must not import instructgen.{other}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_file_is_short_enough_to_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350


def test_documented_tree_is_the_tree() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = re.search(r"```text\ninstructgen/\n(.*?)```", text, re.DOTALL)
    assert tree is not None
    documented = set(re.findall(r"^  ([\w/.]+)", tree.group(1), re.MULTILINE))
    actual = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in PACKAGE.iterdir()
        if not path.name.startswith("__") and (path.is_dir() or path.suffix == ".py")
    }
    assert documented == actual


def test_start_up_loads_nothing_heavy() -> None:
    script = f"import sys, instructgen.cli.app; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
