"""What the documents say is held against the code."""

import re
import tomllib
from pathlib import Path

import msgspec

from instructgen.config import BuildConfig, ServerConfig
from tests.support.cli import ROOT


def test_documented_defaults_are_the_defaults() -> None:
    text = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
    block = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert block is not None
    assert msgspec.convert(tomllib.loads(block.group(1)), BuildConfig) == BuildConfig()


def test_every_key_is_documented() -> None:
    text = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
    block = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert block is not None
    config = BuildConfig()
    parts = (config, config.source, config.surrogate, config.teacher, config.teacher.decoding, config.filters)
    parts = (*parts, config.refine, config.judge)
    keys = {key for part in (*parts, config.dataset, config.run, ServerConfig()) for key in part.__struct_fields__}
    written = set(re.findall(r"(?:^(?:# )?|[{,] )\[?([\w.]+)\]? ?(?:=|\]|$)", block.group(1), re.MULTILINE))
    names = {name for path in written for name in path.split(".")}
    assert keys - names == set()


def test_links_between_documents_lead_somewhere() -> None:
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_readme_test_command_is_what_ci_runs() -> None:
    assert "make check" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make ci" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"^ci: browser check", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_commands_of_the_readme_exist() -> None:
    from typer.main import get_command

    from instructgen.cli.app import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "README.md", Path(ROOT / "docs" / "cli.md"))]
    used = {name for text in texts for name in re.findall(r"instructgen ([a-z]+)(?= )", text)}
    assert used & known >= {"build", "show", "prompts"}
    assert known <= {name for text in texts for name in re.findall(r"`?(?:instructgen )?([a-z]+)", text)}
