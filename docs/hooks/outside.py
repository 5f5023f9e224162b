"""Links from the documents to the rest of the repository: Markdown there becomes pages, other files lie beside them.

The documents are written for the repository, where `../bench/README.md` is a file. The site has no such file, so what
is linked is taken in under `repository/`, and links are turned to where it is there.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "repository"
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]\n]*(?:\n[^\]\n]*)?)\]\((?P<target>[^)\s#]*)(?P<anchor>#[^)\s]*)?\)")
_FENCED = re.compile(r"^(```.*?^```)", re.MULTILINE | re.DOTALL)
# Pages of their own, in the navigation.
PAGES = (
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "bench/README.md",
    "bench/natural/README.md",
    "bench/readings/README.md",
    "examples/dvc/README.md",
    "examples/kubernetes/README.md",
    "examples/slurm/README.md",
    "prompts/README.md",
)


def on_files(files: Any, config: Any) -> Any:
    """Take in the pages from outside, and whatever file a document links to."""
    for path in PAGES:
        files.append(File.generated(config, place_in_site(path), content=(ROOT / path).read_text(encoding="utf-8")))
    for path in sorted(find_linked_files(files)):
        files.append(File.generated(config, place_in_site(path), abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:  # noqa: ARG001  mkdocs names them
    """Turn every relative link to where its file is in the site; one to nowhere in it keeps its words alone."""
    here = place_in_repository(page.file.src_uri)
    pieces = _FENCED.split(markdown)
    for number in range(0, len(pieces), 2):
        pieces[number] = _LINK.sub(lambda found: _turn(found, here, page.file.src_uri, files), pieces[number])
    return "".join(pieces)


def find_linked_files(files: Any) -> set[str]:
    """Return the files outside of docs/, but for pages, that a page links to, as paths in the repository."""
    found = set()
    for file in files.documentation_pages():
        here = place_in_repository(file.src_uri)
        for match in _LINK.finditer(file.content_string):
            target = _resolve(match["target"], here)
            if target and not target.startswith("docs/") and target not in PAGES and (ROOT / target).is_file():
                found.add(target)
    return found


def place_in_site(path: str) -> str:
    """Return where a file of the repository is in the site, as MkDocs names sources."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"{FOLDER}/{path.lstrip('.')}"


def place_in_repository(src_uri: str) -> str:
    return src_uri.removeprefix(f"{FOLDER}/") if src_uri.startswith(f"{FOLDER}/") else f"docs/{src_uri}"


def _resolve(target: str, here: str) -> str | None:
    """Return the path in the repository that a relative link leads to; None for addresses and anchors."""
    if not target or ":" in target:
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(here), target))


def _turn(found: re.Match[str], here: str, src_uri: str, files: Any) -> str:
    target = _resolve(found["target"], here)
    if target is None:
        return found[0]
    place = place_in_site(target)
    file = files.get_file_from_path(place)
    if file is None:
        # Within docs/ a link to nowhere is a mistake, which MkDocs tells.
        return found[0] if target.startswith("docs/") and not (ROOT / target).is_dir() else found["text"]
    text = found["text"]
    if text == posixpath.basename(target) and (title := re.search(r"^# (.*)", file.content_string, re.MULTILINE)):
        text = title[1]  # a file's name says little where there are no files
    relative = posixpath.relpath(place, posixpath.dirname(src_uri) or ".")
    return f"[{text}]({relative}{found['anchor'] or ''})"
