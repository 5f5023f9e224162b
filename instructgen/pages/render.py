"""Turns values into a page: every text is escaped, a name that a template misspells is an error."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from instructgen.pages.assets import make_policy, read_asset
from instructgen.pages.numbers import FILTERS
from instructgen.pages.scripts import json_for_script

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = Path(__file__).parents[1]
_PARTS = ("pages", "report", "viewer")
_POLICY_MARK = "content-security-policy-goes-here"


def render(template: str, **values: object) -> str:
    """Return the text of a template, named by its part and file: "viewer/list.html" is viewer/templates/list.html."""
    return _environment().get_template(template).render(values)


def render_static(template: str, **values: object) -> str:
    """Return a page that needs nothing but itself; the template extends "pages/static.html".

    `has_charts` among the values says whether it carries the library that draws them.
    """
    html = render(template, policy=_POLICY_MARK, **{"has_charts": False, **values})
    return html.replace(_POLICY_MARK, make_policy(html), 1)


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
    from markupsafe import Markup

    loaders = {part: FileSystemLoader(_PACKAGE / part / "templates") for part in _PARTS}
    environment = Environment(
        loader=PrefixLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.filters["json_for_script"] = lambda value: Markup(json_for_script(value))  # noqa: S704
    environment.globals["asset"] = lambda name: Markup(read_asset(name))  # noqa: S704
    return environment
