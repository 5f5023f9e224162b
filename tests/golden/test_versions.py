"""The same settings, prompts, annotations and replies give the same version, on every machine and from day to day.

After a wanted change (a prompt, a rule of the scene program, the sample) write the new names with
INSTRUCTGEN_UPDATE_GOLDEN=1, and say so in CHANGELOG.md.
"""

import json
import os
from pathlib import Path

import pytest

from tests.support.cli import ROOT, run_cli

EXPECTED = ROOT / "data" / "expected_versions.json"
BUILDS = {
    "sample, seed 0": ["build"],
    "smoke": ["build", "--pipeline", "smoke"],
    "sample, seed 1": ["build", "--seed", "1"],
}


@pytest.mark.parametrize("name", BUILDS)
def test_version_is_the_expected_one(name: str, tmp_path: Path) -> None:
    done = run_cli(*BUILDS[name], "--out", tmp_path / "ds", "--json")
    assert done.code == 0, done.err
    expected = json.loads(EXPECTED.read_text(encoding="utf-8"))
    if os.environ.get("INSTRUCTGEN_UPDATE_GOLDEN"):
        expected[name] = done.result["version"]
        EXPECTED.write_text(json.dumps(expected, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    assert done.result["version"] == expected[name]
