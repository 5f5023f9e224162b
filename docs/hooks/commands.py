"""The page of all commands, made of the command line itself: the same words as `--help`."""

import html
import inspect
import re
from collections.abc import Iterator
from typing import Any

_MARK = "<!-- generated: commands -->"


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:  # noqa: ARG001  mkdocs names them
    return markdown.replace(_MARK, write_commands()) if _MARK in markdown else markdown


def write_commands() -> str:
    """Return a section for each command, those of a group below it."""
    import typer.main

    from instructgen.cli.app import app

    return "\n\n".join(_write_command(*found) for found in walk_commands(typer.main.get_command(app)))


def walk_commands(group: Any, parent: Any = None) -> Iterator[tuple[Any, int]]:
    """Yield the context and the depth of every command below a group, in the order of `--help`."""
    context = group.make_context("instructgen", [], resilient_parsing=True) if parent is None else parent
    depth = len(context.command_path.split())
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command.hidden:
            continue
        own = type(context)(command, info_name=name, parent=context)
        yield own, depth + 1
        if hasattr(command, "list_commands"):
            yield from walk_commands(command, own)


def _write_command(context: Any, depth: int) -> str:
    command = context.command
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    parts = [f"{'#' * depth} {context.command_path}", *_write_help(command.help or "")]
    if not hasattr(command, "list_commands"):
        parts += [f"```text\n{usage}\n```", *_write_parameters(context)]
    return "\n\n".join(parts)


def _write_help(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        lines = paragraph.replace("\b", "").strip("\n").splitlines()
        head = [line for line in lines if not line.startswith("  ")]
        code = [line.strip() for line in lines if line.startswith("  ")]
        if head:
            yield _escape(" ".join(head))
        if code:
            kind = "bash" if all(line.startswith("instructgen") for line in code) else "text"
            yield "\n".join([f"```{kind}", *code, "```"])


def _write_parameters(context: Any) -> Iterator[str]:
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[0] != "-h, --help":
            yield f"`{record[0]}`\n:   {_escape(' '.join(record[1].split())) or 'Required.'}"


def _escape(text: str) -> str:
    """Return text in which nothing is markup; backticks stay, for the help sets code in them."""
    pieces = re.split(r"(`[^`]*`)", text)
    pieces[::2] = [re.sub(r"([\\\[\]*_])", r"\\\1", html.escape(piece, quote=False)) for piece in pieces[::2]]
    return "".join(pieces)
