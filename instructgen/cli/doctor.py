"""`instructgen doctor`: what is installed, what is missing for what, and how to get it."""

import importlib.metadata
import json
import platform
from dataclasses import asdict, dataclass

import typer

import instructgen
from instructgen.resources import shared_folder
from instructgen.secrets import read_secret

# (package, what it is for, how to get it); the first group must be there.
_NEEDED = (
    "aiohttp",
    "filelock",
    "jinja2",
    "msgspec",
    "numpy",
    "openai",
    "pandas",
    "pillow",
    "pyarrow",
    "pycocotools",
    "rich",
    "tenacity",
    "tqdm",
    "typer",
)
_OPTIONAL = (
    ("uvloop", "a tenth less CPU for each request", "pip install uvloop (not on Windows)"),
    ("tiktoken", "counting an OpenAI model's tokens in a plan", "pip install 'instructgen[tokens]'"),
    ("tokenizers", "counting tokens with a model's tokenizer.json", "pip install 'instructgen[tokens]'"),
    ("keyring", "keys from the system's keyring", "pip install 'instructgen[keyring]'"),
    ("prometheus-client", "--metrics", "pip install 'instructgen[metrics]'"),
    ("spacy", "`parse`, a dependency parse of captions", "pip install 'instructgen[parse]'"),
    ("datasets", "opening a dataset with Hugging Face's reader", "pip install datasets"),
    ("duckdb", "`view`", "pip install 'instructgen[view]'"),
    ("starlette", "`view`", "pip install 'instructgen[view]'"),
    ("uvicorn", "`view`", "pip install 'instructgen[view]'"),
    ("torch", "training and using a model", "pip install 'instructgen[train]'"),
    ("transformers", "training and using a model", "pip install 'instructgen[train]'"),
    ("peft", "LoRA", "pip install 'instructgen[train]'"),
    ("tensorboard", "curves of a training run", "pip install 'instructgen[train]'"),
    ("pycocoevalcap", "CIDEr, BLEU and METEOR in `evaluate`", "pip install 'instructgen[evaluate]'"),
    ("ray", "the cluster engine to come", "pip install 'instructgen[ray]'"),
    ("pytest", "running instructgen's own tests", "pip install 'instructgen[test]'"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `cure` is empty where nothing is missing."""

    name: str
    found: str
    use: str
    cure: str
    is_needed: bool


def add_to(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(as_json: bool = typer.Option(False, "--json", help="Print one JSON object.")) -> None:
    """Say what is installed, what is missing for what, and how to get it. Uses no network.

    \b
    Examples:
      instructgen doctor
      instructgen doctor --json
    """
    findings = find_all()
    is_well = all(finding.found for finding in findings if finding.is_needed)
    if as_json:
        typer.echo(json.dumps({"ok": is_well, "findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            state = "ok     " if finding.found else ("MISSING" if finding.is_needed else "absent ")
            cure = f"; to get it: {finding.cure}" if finding.cure else ""
            typer.echo(f"{state} {finding.name:16} {finding.found or '-':16} {finding.use}{cure}")
    if not is_well:
        raise typer.Exit(2)


def find_all() -> list[Finding]:
    """Return the findings: instructgen itself, packages needed and optional, keys."""
    findings = [
        Finding("instructgen", instructgen.__version__, f"on Python {platform.python_version()}", "", is_needed=True)
    ]
    findings += [
        Finding(f"{name}/", str(sum(path.is_file() for path in shared_folder(name).rglob("*"))), "files", "", True)
        for name in ("prompts", "pipelines", "data")
    ]
    for name in _NEEDED:
        cure = "" if (found := _find_version(name)) else "pip install --force-reinstall instructgen"
        findings.append(Finding(name, found, "building datasets", cure, is_needed=True))
    for name, use, cure in _OPTIONAL:
        found = _find_version(name)
        findings.append(Finding(name, found, use, "" if found else cure, is_needed=False))
    has_key = read_secret("OPENAI_API_KEY") is not None
    cure = "" if has_key else "export OPENAI_API_KEY=...; not needed for local servers or the scene-program teacher"
    key = Finding("OPENAI_API_KEY", "set" if has_key else "", "the openai teacher", cure, is_needed=False)
    return [*findings, key]


def _find_version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
