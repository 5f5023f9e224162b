"""Style sheets and scripts that pages carry, and the content security policy that lets nothing else run."""

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path

from instructgen.errors import InstructgenError

_FOLDER = Path(__file__).parent / "assets"
SCRIPTS = ("house.js", "charts.js", "echarts.min.js", "htmx.min.js")
STYLES = ("house.css",)
MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)
_REST = "connect-src 'none'; font-src 'none'; base-uri 'none'; form-action 'none'"
# For a page that its own server sends with linked assets; the server adds it as a header.
SERVED_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


@lru_cache(maxsize=16)
def read_asset(name: str) -> str:
    """Return the text of one of SCRIPTS and STYLES; no other file is ever read."""
    if name not in SCRIPTS + STYLES:
        raise InstructgenError(f"no page asset {name!r}; there are: {', '.join(STYLES + SCRIPTS)}")
    return (_FOLDER / name).read_text(encoding="utf-8")


def make_policy(html: str) -> str:
    """Return the policy of a page that holds all it shows.

    Only inline scripts and styles that are our assets word for word are named in it: one that came in with a text
    of the data, past every escape, would still not run.
    """
    ours = {read_asset(name) for name in SCRIPTS + STYLES}
    digests: dict[str, set[str]] = {"script": set(), "style": set()}
    for tag, text in _INLINE.findall(html):
        if text in ours:
            digests[tag].add(_digest(text))
    script, style = (" ".join(sorted(digests[tag])) or "'none'" for tag in ("script", "style"))
    return f"default-src 'none'; script-src {script}; style-src {style}; img-src data:; {_REST}"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
