"""examples/dvc: a pipeline that builds, measures, checks and tags, and does nothing where nothing has changed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from instructgen.config import load_config
from instructgen.dataset.gates.settings import load_gates
from tests.support.cli import ROOT, environment

yaml = pytest.importorskip("yaml", reason="reads dvc.yaml")

EXAMPLE = ROOT / "examples" / "dvc"


def test_files_that_the_pipeline_names_are_there_and_right() -> None:
    stages = yaml.safe_load((EXAMPLE / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert list(stages) == ["build", "measure", "check", "tag"]
    named = {path for stage in stages.values() for path in stage.get("deps", []) if "/" not in path}
    assert {path for path in named if not (EXAMPLE / path).is_file()} == {"check.json"}  # made by a stage
    load_config(EXAMPLE / "pipeline.toml")
    load_gates(EXAMPLE / "gates.toml")


def run_dvc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = f"{folder / '.bin'}{os.pathsep}{os.environ['PATH']}"
    env = environment(PATH=path, DVC_NO_ANALYTICS="1", DVC_SITE_CACHE_DIR=str(folder / ".site"))
    return subprocess.run(["dvc", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.mark.skipif(shutil.which("dvc") is None, reason="needs DVC (pip install dvc)")
def test_changed_parameter_builds_again_and_a_failed_gate_moves_no_tag(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLE, folder)
    (folder / ".bin").mkdir()
    for name, arguments in (("python", ""), ("instructgen", "-m instructgen ")):
        script = folder / ".bin" / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n', encoding="utf-8")
        script.chmod(0o755)
    assert run_dvc(folder, "init", "--no-scm", "--quiet").returncode == 0

    first = run_dvc(folder, "repro")
    assert first.returncode == 0, first.stderr
    latest, checked = folder / "dataset" / "tags" / "latest", folder / "dataset" / "tags" / "checked"
    version = latest.read_text(encoding="utf-8")
    assert checked.read_text(encoding="utf-8").strip() == version.strip()

    second = run_dvc(folder, "repro")
    assert "Running stage" not in second.stdout
    assert second.stdout.count("didn't change, skipping") == 4

    pipeline = folder / "pipeline.toml"
    pipeline.write_text(pipeline.read_text(encoding="utf-8").replace("limit = 12", "limit = 14"), encoding="utf-8")
    third = run_dvc(folder, "repro")
    assert third.stdout.count("Running stage") == 4, third.stderr
    newer = latest.read_text(encoding="utf-8")
    assert newer != version
    assert checked.read_text(encoding="utf-8").strip() == newer.strip()
    assert (folder / "dataset" / "versions" / version.strip()).is_dir()

    gates = folder / "gates.toml"
    gates.write_text(gates.read_text(encoding="utf-8").replace("min = 20", "min = 200"), encoding="utf-8")
    failed = run_dvc(folder, "repro")
    assert failed.returncode != 0
    assert "exited with 7" in failed.stderr + failed.stdout
    assert checked.read_text(encoding="utf-8").strip() == newer.strip()
