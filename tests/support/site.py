"""The documentation, built as a site once for all tests, also where several processes run them."""

import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from tests.support.cli import ROOT, environment

_PACKAGES = ("mkdocs", "material", "mkdocstrings")


def build_site(factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site; a skip where the extra [docs] is not installed."""
    for name in _PACKAGES:
        pytest.importorskip(name, reason="the site is built where the extra [docs] is installed")
    base = factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base  # of all of pytest-xdist's processes
    folder = shared / "site"
    with FileLock(shared / "site.lock"):
        if not (folder / "index.html").is_file():
            _build(folder)
    return folder


def _build(folder: Path) -> None:
    # An address that nobody answers: whatever would be fetched while building fails.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(NO_MKDOCS_2_WARNING="1", **nowhere),
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
