"""Prompt templates: Jinja with `for` and `if` alone, so that a template from elsewhere can neither reach Python
nor eat memory or time without bound."""

import traceback
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


class PromptTemplate(Struct, frozen=True):
    """A checked template. `path` is for messages; `records` names what it is given."""

    path: Path
    records: tuple[str, ...]
    compiled: "jinja2.Template"

    def render(self, **records: Struct) -> str:
        """Return the text for the records; raises InstructgenError naming file and line."""
        import jinja2

        assert set(records) == set(self.records)
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
    return PromptTemplate(path, records, compiled)


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
