"""The documents' code blocks: read, parsed as the command line would, and run in order in a folder of their own.

A comment in front of a block says what it needs: `<!-- not run: REASON -->` (its commands are parsed all the same),
`<!-- server: ADDRESS -->` (a server of the tests' own stands there; "openai" is OpenAI's), `<!-- student: FOLDER -->`
(a tiny model lies there), `<!-- exit N -->` (how its last command ends), `<!-- output -->` (the block shows what the
one before it prints). A block with a title is a file.
"""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.support.cli import ROOT

DOCS = ROOT / "docs"
SHELLS = ("bash", "console", "shell")
_FENCE = re.compile(
    r"^(?P<notes>(?:<!-- [^\n]* -->\n)*)```(?P<head>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_TITLE = re.compile(r'title="([^"]+)"')
# What a document writes where a reader puts a value of his own.
_PLACEHOLDERS = {"N": "1", "PORT": "8000", "FORM": "trl"}


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    title: str
    text: str
    notes: dict[str, str]

    @property
    def where(self) -> str:
        return f"docs/{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One line of a shell: its words, what is piped into it, and the file that its output goes to."""

    words: tuple[str, ...]
    stdin: str = ""
    stdout: str = ""

    @property
    def own(self) -> tuple[str, ...] | None:
        """What comes behind `instructgen`, if that is what it starts."""
        for number, word in enumerate(self.words):
            if Path(word).name == "instructgen":
                return self.words[number + 1 :]
        return None


def list_pages() -> list[str]:
    return sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


def read_blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = []
    for found in _FENCE.finditer(text):
        head = found["head"].strip()
        title = _TITLE.search(head)
        notes = dict(_read_note(note) for note in re.findall(r"<!-- (.*?) -->", found["notes"]))
        line = text[: found.start("head")].count("\n") + 1
        blocks.append(Block(page, line, head.split(" ")[0], title[1] if title else "", found["text"], notes))
    return blocks


def _read_note(note: str) -> tuple[str, str]:
    key, _, value = note.replace("exit ", "exit: ").partition(": ")
    return key, value


def read_commands(text: str) -> Iterator[Command]:
    """Yield the commands of a shell's block."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        stdin = ""
        if "|" in words:
            at = words.index("|")
            stdin, words = " ".join(words[1:at]) + "\n", words[at + 1 :]
        stdout = ""
        if ">" in words:
            at = words.index(">")
            stdout, words = words[at + 1], words[:at]
        words = [word for word in words if word != "&"]
        if words:
            yield Command(tuple(words), stdin, stdout)


def read_indented(page: str) -> list[Command]:
    """Return the commands that a page shows without a fence, with their placeholders filled."""
    text = re.sub(r"^```.*?^```$", "", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    # What is set in columns is no command but a picture of a screen.
    lines = re.findall(r"^ {4}(instructgen (?:(?!  +[^ #]).)*)$", text, re.MULTILINE)
    return [command for line in lines for command in read_commands(_fill(line))]


def read_inline(page: str) -> list[Command]:
    """Return the commands that a page's sentences name, but for those that only stand for one."""
    text = re.sub(r"^```.*?^```$", "", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    spans = [" ".join(span.split()) for span in re.findall(r"`(instructgen [a-z][^`]*)`", text)]
    whole = [span for span in spans if "..." not in span]
    return [command for span in whole for command in read_commands(_fill(span))]


def _fill(line: str) -> str:
    """Return a line of usage as one that could be typed: "[--limit N]" as "--limit 1"."""
    line = re.sub(r"\[([A-Z]+)\]\.\.\.", r"\1", line)
    line = re.sub(r"\[([^\]]*)\]", lambda found: found[1].replace(" | ", " "), line)
    line = re.sub(r"\b([a-z]+)\|[a-z|]+", r"\1", line)
    return re.sub(r"\b[A-Z]+\b", lambda found: _PLACEHOLDERS.get(found[0], found[0]), line)


def parse_command(arguments: tuple[str, ...]) -> None:
    """Read the arguments as the command line does, and run nothing. Raises click's UsageError where it refuses."""
    import typer
    from typer.main import get_command

    from instructgen.cli.app import app

    command: Any = get_command(app)
    name, rest, context = "instructgen", list(arguments), None
    try:
        while True:
            context = command.make_context(name, list(rest), parent=context)
            if not hasattr(command, "resolve_command"):
                return
            name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    except typer.Exit:  # --help and --version
        return


@cache
def load_hook(name: str) -> ModuleType:
    """Return a module of docs/hooks, which is no package: MkDocs reads its files by their names."""
    spec = importlib.util.spec_from_file_location(f"docs_hook_{name}", DOCS / "hooks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def list_command_paths() -> Iterator[tuple[str, list[str]]]:
    """Yield every command as it is typed, with its long flags, as click has them."""
    from typer.main import get_command

    from instructgen.cli.app import app

    def walk(group: Any, path: str) -> Iterator[tuple[str, list[str]]]:
        for name, command in group.commands.items():
            flags = [flag for one in command.params for flag in one.opts if flag.startswith("--")]
            yield f"{path} {name}", flags
            if hasattr(command, "commands"):
                yield from walk(command, f"{path} {name}")

    yield from walk(get_command(app), "instructgen")


def list_pipeline_keys() -> list[str]:
    from instructgen.config import BuildConfig, DatasetConfig, RunConfig, ServerConfig, TeacherConfig

    structs = (BuildConfig, DatasetConfig, RunConfig, ServerConfig, TeacherConfig)
    return [key for struct in structs for key in struct.__struct_fields__]
