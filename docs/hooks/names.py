"""Names for what the theme leaves without one, for people who hear the page."""

from typing import Any

_SEARCH = 'data-md-component="search" role="dialog"'


def on_post_page(output: str, page: Any, config: Any) -> str:  # noqa: ARG001  mkdocs names them
    return output.replace(_SEARCH, f'{_SEARCH} aria-label="Search"')
