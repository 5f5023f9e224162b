"""Prompt templates: Jinja with `for` and `if` alone, so that a template from elsewhere can neither reach Python
nor eat memory or time without bound."""

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    import jinja2
    from jinja2 import nodes

# Far above any prompt: LLaVA's longest, with its examples, has 7,421 characters.
MAX_SOURCE_CHARS = 65_536
MAX_RENDERED_CHARS = 1_000_000
# No calls, filters, arithmetic, assignments, macros or includes: what is left cannot build large values.
_ALLOWED_NODES = (
    "Template",
    "Output",
    "TemplateData",
    "Name",
    "Getattr",
    "Const",
    "For",
    "If",
    "CondExpr",
    "Compare",
    "Operand",
    "And",
    "Or",
    "Not",
)


class Field(Struct, frozen=True):
    """`{{ record.name }}`."""

    record: str
    name: str


class PromptTemplate(Struct, frozen=True):
    """A checked template. `path` is for messages; `records` names what it is given."""

    path: Path
    records: tuple[str, ...]
    compiled: "jinja2.Template"
    pieces: tuple[str | Field, ...] | None = None
    """A template of nothing but text and fields of its records; None where there is more to it."""

    def render(self, **records: Struct) -> str:
        """Return the text for the records; raises InstructgenError naming file and line."""
        assert records.keys() == set(self.records)
        text = None if self.pieces is None else _join(self.pieces, records)
        return self._run(records) if text is None else text

    def _run(self, records: Mapping[str, Struct]) -> str:
        import jinja2

        parts: list[str] = []
        num_chars = 0
        try:
            for part in self.compiled.generate(**records):
                num_chars += len(part)
                if num_chars > MAX_RENDERED_CHARS:
                    raise InstructgenError(f"{self.path} renders to more than {MAX_RENDERED_CHARS:,} characters")
                parts.append(part)
        except (jinja2.TemplateError, TypeError) as error:
            raise InstructgenError(f"{self.path} line {_line_of(error, self.compiled)}: {error}") from None
        return "".join(parts)


def load_template(path: Path, source: str, records: tuple[str, ...]) -> PromptTemplate:
    """Check and compile a template that will be given `records`.

    Raises InstructgenError naming file and line for a syntax error, a name that is not in `records`, anything but
    output, `for` and `if`, a loop within a loop, and a source beyond the bound.
    """
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    if len(source) > MAX_SOURCE_CHARS:
        raise InstructgenError(f"{path} has {len(source):,} characters; at most {MAX_SOURCE_CHARS:,} are allowed")
    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=0,
    )
    environment.globals.clear()
    environment.filters.clear()
    try:
        tree = environment.parse(source)
        _check_nodes(path, tree, set(records), in_loop=False)
        compiled = environment.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise InstructgenError(f"{path} line {error.lineno}: {error.message}") from None
    except RecursionError:
        raise InstructgenError(f"{path} is nested too deeply") from None
    return PromptTemplate(path, records, compiled, _find_pieces(tree))


def _find_pieces(tree: "nodes.Template") -> tuple[str | Field, ...] | None:
    """Return the template in pieces where it is text and fields alone, so that no interpreter need run."""
    from jinja2 import nodes

    pieces: list[str | Field] = []
    for output in tree.body:
        if not isinstance(output, nodes.Output):
            return None
        for node in output.nodes:
            match node:
                case nodes.TemplateData(data=str(data)):
                    pieces.append(data)
                case nodes.Getattr(node=nodes.Name(name=record), attr=name):
                    pieces.append(Field(record, name))
                case _:
                    return None
    return tuple(pieces)


def _join(pieces: tuple[str | Field, ...], records: Mapping[str, Struct]) -> str | None:
    """Return what Jinja would; None where a field is no text of moderate length, which is Jinja's to judge."""
    texts: list[str] = []
    num_chars = 0
    for piece in pieces:
        text = piece if isinstance(piece, str) else _find_text(records[piece.record], piece.name)
        if text is None:
            return None
        num_chars += len(text)
        if num_chars > MAX_RENDERED_CHARS:
            return None
        texts.append(text)
    return "".join(texts)


def _find_text(record: Struct, name: str) -> str | None:
    value = getattr(record, name) if name in record.__struct_fields__ else None
    return value if isinstance(value, str) else None


def _check_nodes(path: Path, node: "nodes.Node", known: set[str], *, in_loop: bool) -> None:
    from jinja2 import nodes

    where = f"{path} line {node.lineno}"
    kind = type(node).__name__
    if kind not in _ALLOWED_NODES:
        raise InstructgenError(f"{where}: {kind} is not allowed in a prompt; there are output, for and if alone")
    if isinstance(node, nodes.Name) and node.ctx == "load" and node.name not in known:
        raise InstructgenError(
            f"{where}: nothing is called '{node.name}' here; there are: {', '.join(sorted(known))}"
        )
    if isinstance(node, nodes.For):
        if in_loop or node.recursive:
            # Two loops over a text of 10,000 characters are 100 million rounds.
            raise InstructgenError(f"{where}: a loop within a loop is not allowed in a prompt")
        if not isinstance(node.target, nodes.Name):
            raise InstructgenError(f"{where}: a loop wants one name, as in 'for caption in ...'")
        known = known | {node.target.name, "loop"}
        in_loop = True
    for child in node.iter_child_nodes():
        _check_nodes(path, child, known, in_loop=in_loop)


def _line_of(error: Exception, compiled: "jinja2.Template") -> int:
    """Return the template's line in which rendering failed; Jinja rewrites the traceback to its lines."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == (compiled.filename or "<template>")]
    return (lines[-1] if lines else 1) or 1
