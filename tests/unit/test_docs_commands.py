"""Every command that a document shows is one that the command line takes."""

import ast
import json
import tomllib

import pytest

from tests.support.documents import (
    DOCS,
    SHELLS,
    Command,
    list_pages,
    parse_command,
    read_blocks,
    read_commands,
    read_indented,
    read_inline,
)


def list_commands(page: str) -> list[Command]:
    fenced = [
        command for block in read_blocks(page) if block.language in SHELLS for command in read_commands(block.text)
    ]
    return [command for command in [*fenced, *read_indented(page)] if command.own is not None]


@pytest.mark.parametrize("page", [page for page in list_pages() if list_commands(page)])
def test_command_of_a_document_is_taken_by_the_command_line(page: str) -> None:
    for command in list_commands(page):
        assert command.own is not None
        try:
            parse_command(command.own)
        except Exception as error:
            raise AssertionError(f"docs/{page}: {' '.join(command.words)}: {error}") from error


def test_command_within_a_sentence_has_only_flags_that_there_are() -> None:
    for page in list_pages():
        for command in read_inline(page):
            try:
                parse_command(command.own or ())
            except Exception as error:
                if "Missing" not in str(error):  # a sentence may leave the rest out
                    raise AssertionError(f"docs/{page}: {' '.join(command.words)}: {error}") from error


def test_command_with_an_unknown_flag_is_found() -> None:
    with pytest.raises(Exception, match="No such option"):
        parse_command(("build", "--root", "coco", "--no-such-flag"))
    with pytest.raises(Exception, match="No such command"):
        parse_command(("dataset", "no-such-command"))
    with pytest.raises(Exception, match="Missing"):
        parse_command(("dataset", "diff", "out/a"))


def test_block_that_is_not_run_says_why() -> None:
    known = {"not run", "server", "student", "exit", "output"}
    for page in list_pages():
        for block in read_blocks(page):
            assert set(block.notes) <= known, block.where
            assert block.notes.get("not run", "a reason"), block.where


def test_pages_of_the_site_are_those_that_lie_there() -> None:
    """A page that the navigation does not name is a warning of MkDocs, and one that it names wrongly an error."""
    text = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")
    assert [page for page in list_pages() if f": {page}\n" not in text and f": {page}" not in text] == []


@pytest.mark.parametrize("page", list_pages())
def test_block_is_valid_in_its_language(page: str) -> None:
    for block in read_blocks(page):
        try:
            if block.language == "python":
                ast.parse(block.text)
            elif block.language == "toml":
                tomllib.loads(block.text)
            elif block.language == "json" and block.title:
                [json.loads(line) for line in block.text.splitlines()]
        except (SyntaxError, ValueError) as error:
            raise AssertionError(f"{block.where}: {error}") from error
