"""The documentation builds as a site without a warning and without the network, and asks nobody for anything."""

import re
from pathlib import Path

import pytest

from tests.support.documents import list_command_paths, list_pipeline_keys
from tests.support.site import build_site

# Whatever is fetched as soon as a page is opened; a link is not.
_FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio)\b[^>]*?\bsrc=["']?([^"'\s>]+)"""
    r"""|<link\b(?=[^>]*\brel=["']?(?:stylesheet|icon|preconnect|preload|dns-prefetch|manifest))"""
    r"""[^>]*?\bhref=["']?([^"'\s>]+)"""
)
_IN_CSS = re.compile(r"""(?:url\(|@import\s)\s*["']?([^"')\s]+)""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory)


def read_text(site: Path, page: str) -> str:
    """Return the words of a page, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", (site / page).read_text(encoding="utf-8")))


def test_no_page_and_no_style_fetches_anything_from_elsewhere(site: Path) -> None:
    found = {}
    for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
        pattern = _FETCHED if path.suffix == ".html" else _IN_CSS
        text = path.read_text(encoding="utf-8")
        addresses = [next(filter(None, match.groups())) for match in pattern.finditer(text)]
        assert path.suffix == ".css" or len(addresses) >= 3, path  # the pattern finds what there is
        for address in addresses:
            if re.match(r"(?:[a-z]+:)?//", address) and not address.startswith("data:"):
                found[path.name] = address
    assert found == {}


def test_pages_hold_every_command_every_flag_and_every_key(site: Path) -> None:
    commands, settings = read_text(site, "reference/commands.html"), read_text(site, "reference/settings.html")
    for path, flags in list_command_paths():
        assert path in commands
        assert [flag for flag in flags if flag not in commands] == [], path
    assert [key for key in list_pipeline_keys() if key not in settings] == []
    assert "generated:" not in commands + settings


def test_a_link_out_of_the_documents_leads_to_a_page_of_the_site(site: Path) -> None:
    text = (site / "benchmarks.html").read_text(encoding="utf-8")
    assert 'href="repository/bench/readings/index.html"' in text
    assert "56 of 200 are usable" in read_text(site, "repository/bench/readings/index.html")
    assert (site / "repository" / "pipelines" / "mixtures" / "llava15.toml").is_file()
    # Without the point in front: many servers hide what begins with one.
    assert (site / "repository" / "github" / "workflows" / "dataset.yml").is_file()


def test_search_finds_a_page_without_a_server(site: Path) -> None:
    assert "Why text is enough" in (site / "search" / "search_index.js").read_text(encoding="utf-8")
    assert 'src="assets/iframe-worker/shim.js"' in (site / "index.html").read_text(encoding="utf-8")
    assert (site / "assets" / "iframe-worker" / "LICENSE").is_file()


def test_nothing_of_the_hooks_is_in_the_site(site: Path) -> None:
    assert list(site.rglob("*.py")) == []
