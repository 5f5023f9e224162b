"""The pages of the site do what they say: their commands run in order, and print what they show."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.chat_server import ChatServer
from tests.support.cli import NO_KEYRING, ROOT, environment
from tests.support.curation import Curator
from tests.support.documents import DOCS, SHELLS, Block, Command, list_pages, read_blocks, read_commands

FOLDERS = ("tutorial", "guides", "explanation", "reference")
PAGES = [page for page in list_pages() if page == "index.md" or page.split("/")[0] in FOLDERS]
NUM_IMAGES = 12  # of the COCO folder that the guides read
_CHANGING = re.compile(r"\b[0-9a-f]{12}\b|\d+(?:[.,:]\d+)*")


@dataclass
class Reader:
    """Somebody who does what a page says, in a folder of his own."""

    folder: Path
    checkout: "Checkout | None" = None  # where the page changes the code
    addresses: dict[str, str] = field(default_factory=dict)  # as the page has them -> the tests' own servers
    variables: dict[str, str] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)  # of the page's Python
    printed: str = ""

    def follow(self, block: Block) -> None:
        if "output" in block.notes:
            assert find_missing(block.text, self.printed) is None, f"{block.where}\n{self.printed}"
        elif block.language == "diff":
            self._change(block)
        elif block.title:
            self._write(block)
        elif block.language == "python":
            exec(compile(block.text, block.where, "exec"), self.names)
        elif block.language in SHELLS:
            self.printed = ""
            *before, last = read_commands(block.text)
            for command in before:
                assert self._run(command, block) == 0, f"{block.where} {command.words}\n{self.printed}"
            code = self._run(last, block)
            assert code == int(block.notes.get("exit", 0)), f"{block.where} {last.words}: {code}\n{self.printed}"

    def _write(self, block: Block) -> None:
        path = self.folder / block.title
        path.parent.mkdir(parents=True, exist_ok=True)
        text = re.sub(
            r'^(model = "gpt-.*")$', rf'\1\nbase_url = "{self.addresses.get("openai")}"', block.text, flags=re.M
        )
        path.write_text(self._turn(text), encoding="utf-8")

    def _change(self, block: Block) -> None:
        path = self.folder / block.title
        lines = block.text.splitlines()
        old, new = ("\n".join(line[1:] for line in lines if line[:1] in signs) for signs in (" -", " +"))
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{block.where}: its lines are not in {block.title}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def _run(self, command: Command, block: Block) -> int:
        if command.words[0] == "export":
            name, _, value = command.words[1].partition("=")
            os.environ[name] = value
            return 0
        words = [self._turn(word) for word in command.words]
        if self.checkout is not None:
            code, out = self.checkout.run(words, block.where)
        else:
            assert words[0] == "instructgen", f"{block.where}: who runs {words[0]}?"
            code, out = run_here([*words[1:], *self._address(words, block)], command.stdin)
        if command.stdout:
            (self.folder / command.stdout).write_text(out, encoding="utf-8")
        self.printed += out
        return code

    def _address(self, words: list[str], block: Block) -> list[str]:
        asks_openai = block.notes.get("server") == "openai" and words[1] in ("build", "plan")
        return ["--base-url", self.addresses["openai"]] if asks_openai and "--pipeline" not in words else []

    def _turn(self, text: str) -> str:
        for shown, real in self.addresses.items():
            text = text.replace(shown, real)
        return text


def run_here(arguments: list[str], stdin: str) -> tuple[int, str]:
    from typer.testing import CliRunner

    from instructgen.cli.app import app
    from instructgen.errors import InstructgenError

    done = CliRunner().invoke(app, arguments, input=stdin)
    if isinstance(done.exception, InstructgenError):
        return done.exception.exit_code, f"{done.output}error: {done.exception}\n"
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


class Checkout:
    """A process that works in a changed copy of the repository, one command after the other."""

    _LOOP = """
import contextlib, io, json, sys
import pytest
from tests.integration.test_docs_run import run_here
for line in sys.stdin:
    module, *arguments = json.loads(line)
    if module == "pytest":
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code = int(pytest.main([*arguments, "-n0", "-p", "no:cacheprovider"]))
        done = code, out.getvalue()
    else:
        done = run_here(arguments, "")
    print(json.dumps(done), flush=True)
"""

    def __init__(self, folder: Path) -> None:
        # With its bytecode, which would be made anew otherwise.
        for name in ("instructgen", "prompts", "pipelines", "data", "tests"):
            shutil.copytree(ROOT / name, folder / name)
        shutil.copy(ROOT / "pyproject.toml", folder)
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def run(self, words: list[str], where: str) -> tuple[int, str]:
        """Run `python -m MODULE ...`; the process starts with the first, when the page has changed the files."""
        assert words[:2] == ["python", "-m"], f"{where}: who runs {words[0]}?"
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", self._LOOP],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=self._folder,
                env=environment(PYTHONPATH=str(self._folder)),
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words[2:]) + "\n")
        self._process.stdin.flush()
        code, out = json.loads(self._process.stdout.readline())
        return code, out

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate(timeout=30)


def find_missing(shown: str, printed: str) -> str | None:
    """Return the first shown line that was not printed, in order; numbers may differ and "..." is anything."""
    rest = [_CHANGING.sub("#", line) for line in printed.splitlines()]
    for line in shown.splitlines():
        if line.strip() == "...":
            continue
        pattern = re.escape(_CHANGING.sub("#", line.rstrip())).replace(re.escape("..."), ".*")
        at = next((number for number, text in enumerate(rest) if re.fullmatch(pattern, text.rstrip())), None)
        if at is None:
            return line
        rest = rest[at + 1 :]
    return None


def write_coco(root: Path) -> None:
    """Write the first images of the bundled sample as if they were val2017."""
    sample = ROOT / "data" / "sample"
    (root / "annotations").mkdir(parents=True)
    (root / "val2017").mkdir()
    for kind in ("captions", "instances"):
        table = json.loads((sample / "annotations" / f"{kind}_sample.json").read_text(encoding="utf-8"))
        table["images"] = table["images"][:NUM_IMAGES]
        kept = {image["id"] for image in table["images"]}
        table["annotations"] = [one for one in table["annotations"] if one["image_id"] in kept]
        (root / "annotations" / f"{kind}_val2017.json").write_text(json.dumps(table), encoding="utf-8")
    for image in table["images"]:
        shutil.copy(sample / "sample" / image["file_name"], root / "val2017")


def write_student(folder: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("transformers", reason="transformers is not installed")
    from tests.support.tiny_students import make_picture, make_spec, save_student

    save_student(folder, make_spec(max_position_embeddings=8192))
    (Path.cwd() / "photo.jpg").write_bytes(make_picture(1, (64, 48), "JPEG"))


def answer_yes_and_no(body: dict[str, Any]) -> str | None:
    """Answer as the guide's own sample type wants it; None for all others, which are answered like their examples."""
    if 'begins with "Yes"' not in body["messages"][0]["content"]:
        return None
    thing = re.findall(r"^([a-z ]+): \[", body["messages"][-1]["content"], re.MULTILINE)[0]
    return f"Question:\nIs there a {thing} in the picture?\n===\nAnswer:\nYes, there is a {thing}."


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("OPENAI", "SLURM"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OPENAI_API_KEY", "")  # put back, whatever a page sets
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", NO_KEYRING)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.mark.parametrize("page", [page for page in PAGES if any(one.language in SHELLS for one in read_blocks(page))])
@pytest.mark.usefixtures("quiet")
def test_page_does_what_it_says(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [block for block in read_blocks(page) if "not run" not in block.notes]
    text = (DOCS / page).read_text(encoding="utf-8")
    reader = Reader(tmp_path)
    monkeypatch.chdir(tmp_path)
    if "root coco" in text or 'root = "coco"' in text:
        write_coco(tmp_path / "coco")
    for folder in {block.notes["student"] for block in blocks if "student" in block.notes}:
        write_student(tmp_path / folder)
    with ExitStack() as stack:
        for address in {one for block in blocks for one in block.notes.get("server", "").split()}:
            answer = Curator().text if "minigpt4" in page else answer_yes_and_no
            reader.addresses[address] = stack.enter_context(ChatServer(text=answer)).base_url
        if any(block.language == "diff" for block in blocks):
            reader.checkout = Checkout(tmp_path)
            stack.callback(reader.checkout.close)
        for block in blocks:
            reader.follow(block)
    for named in re.findall(r"`(out/[\w./-]+\.html)`", text):
        assert (tmp_path / named).is_file() or not (tmp_path / named).parent.is_dir(), f"{page} names {named}"


def test_shown_line_that_was_not_printed_is_found() -> None:
    printed = "version 08bcd3f4eb01 in out (1.0 s)\n  conv  64 planned = 63 accepted\n"
    assert (
        find_missing("version 0123456789ab in out (12.5 s)\n...\n  conv  1 planned = 2 accepted\n", printed) is None
    )
    assert find_missing("version ... (3 s)\n", printed) is None
    assert find_missing("  conv  64 planned = 63 rejected\n", printed) == "  conv  64 planned = 63 rejected"
    assert find_missing("  conv  64 planned = 63 accepted\nversion ...\n", printed) == "version ..."
