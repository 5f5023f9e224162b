"""A pull request that makes data worse is failed: the workflow's own commands, in a repository of the test's own."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.answers import answer_like_shots, prompt_key
from tests.support.chat_server import ChatServer
from tests.support.cli import ROOT, command_of, environment, run_cli
from tests.support.warm import COMMAND_LINE

yaml = pytest.importorskip("yaml", reason="reads the workflow")

WORKFLOW = ".github/workflows/dataset.yml"
ACTION = ".github/actions/dataset-check"
PIPELINE = """
types = ["detail"]
[source]
name = "coco"
limit = 24
[teacher]
replay = "recorded"
"""
GATES = """
[rows]
min = 10
max_drop = 0.1
[metrics.total]
chair_i = { max = 0.0 }
contradicted_claims = { max_worsening = 0.0 }
[schema]
"""


def answer(body: dict[str, Any]) -> str:
    """Every third answer tells of animals that no bundled image shows."""
    is_false = int(prompt_key(body), 16) % 3 == 0
    return ("There are three zebras in the picture. " if is_false else "") + answer_like_shots(body)


def git(folder: Path, *arguments: str) -> str:
    names = {f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **names, **alone},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@dataclass
class Runner:
    """As much of GitHub's runner as the workflow uses. It stops at the first step that fails."""

    repository: Path
    temp: Path
    base_sha: str
    steps: dict[str, dict[str, str]] = field(default_factory=dict)
    log: str = ""

    @property
    def summary(self) -> str:
        return self._read("summary.md")

    def _read(self, name: str) -> str:
        path = self.temp / name
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def run_job(self, name: str) -> str | None:
        """Return the name of the step that failed, or None."""
        workflow = yaml.safe_load((self.repository / WORKFLOW).read_text(encoding="utf-8"))
        for step in workflow["jobs"][name]["steps"]:
            if step.get("name") != "install" and not self._run(step, workflow["env"], {}):
                return str(step["name"])
        return None

    def _run(self, step: dict[str, Any], env: dict[str, str], inputs: dict[str, str]) -> bool:
        if step.get("uses") == f"./{ACTION}":
            return self._run_action(step)
        if "uses" in step:
            return True
        own = {name: self._fill(str(value), inputs) for name, value in {**env, **step.get("env", {})}.items()}
        output = self.temp / f"{step.get('id', 'step')}.output"
        told = {
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_ENV": str(self.temp / "env"),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary.md"),
        }
        assert "${{" not in step["run"], "text put into a script would be run"
        path = f"{self.temp / 'bin'}{os.pathsep}{os.environ['PATH']}"
        later = dict(line.split("=", 1) for line in self._read("env").splitlines())
        if "PYTHONPATH" in later:  # the test's base has no package of its own
            later["PYTHONPATH"] += f"{os.pathsep}{ROOT}"
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.repository,
            env=environment(**later, **own, **told, PATH=path),
            capture_output=True,
            text=True,
            check=False,
        )
        self.log += done.stdout + done.stderr
        if output.is_file():
            lines = output.read_text(encoding="utf-8").splitlines()
            self.steps[step["id"]] = dict(line.split("=", 1) for line in lines)
        return done.returncode == 0

    def _run_action(self, step: dict[str, Any]) -> bool:
        action = yaml.safe_load((self.repository / ACTION / "action.yml").read_text(encoding="utf-8"))
        assert step["with"].keys() <= action["inputs"].keys()
        defaults = {name: str(told.get("default", "")) for name, told in action["inputs"].items()}
        inputs = {**defaults, **{name: self._fill(str(value), {}) for name, value in step["with"].items()}}
        assert all(inputs[name] for name, told in action["inputs"].items() if told.get("required"))
        inner = action["runs"]["steps"]
        return all(
            self._run(one, {}, inputs) for one in inner if one["name"] != "install" or inputs["install"] != "no"
        )

    def _fill(self, text: str, inputs: dict[str, str]) -> str:
        known = {"runner.temp": str(self.temp), "github.event.pull_request.base.sha": self.base_sha}
        known |= {f"inputs.{name}": value for name, value in inputs.items()}
        known |= {
            f"steps.{step}.outputs.{name}": value
            for step, outputs in self.steps.items()
            for name, value in outputs.items()
        }
        return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda found: known[found[1]], text)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a pipeline, a recorded run, gates, the workflow and the action, all on `main`."""
    folder = tmp_path_factory.mktemp("repository")
    for name in (WORKFLOW, f"{ACTION}/action.yml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    for name, text in {"pipelines/smoke.toml": PIPELINE, "data/smoke-gates.toml": GATES}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    recorded = tmp_path_factory.mktemp("recorded") / "ds"
    with ChatServer(text=answer) as server:
        asked = ("--base-url", server.base_url, "--model", "m", "--types", "detail", "--no-alarm")
        done = run_cli("build", *asked, "--limit", "24", "--out", recorded)
    assert done.code in (0, 4), done.err
    (folder / "recorded").mkdir()
    for name in ("ledger.sqlite", "journal"):
        shutil.copyfile(recorded / "run" / name, folder / "recorded" / name)
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "data")
    return folder


def open_pull_request(repository: Path, tmp_path: Path, changes: dict[str, str]) -> Runner:
    """Return a runner whose checkout is a branch with the changes."""
    checkout = tmp_path / "checkout"
    git(repository, "clone", "--quiet", str(repository), str(checkout))
    git(checkout, "switch", "--quiet", "--create", "change")
    for name, text in changes.items():
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).write_text(text, encoding="utf-8")
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "--message", "change")
    temp = tmp_path / "temp"
    (temp / "bin").mkdir(parents=True)
    write_scripts(temp / "bin")
    return Runner(checkout, temp, git(repository, "rev-parse", "main"))


def write_scripts(folder: Path) -> None:
    """Write `python` and `instructgen`: our own package runs in a process that has imported it already.

    A package that is found before ours runs in a Python of its own, as a package and its console script do.
    """
    ours = shlex.join(command_of(COMMAND_LINE))
    begin = f"""#!/bin/sh
finds_ours() (
    IFS=:
    for folder in $1; do
        [ "$folder" = "{ROOT}" ] && return 0
        [ -e "$folder/instructgen" ] && return 1
    done
    return 1
)
"""
    scripts = {
        "python": f"""
if [ "$1 $2" = "-m instructgen" ] && finds_ours "$PWD:$PYTHONPATH"; then shift 2; exec {ours} "$@"; fi
exec "{sys.executable}" "$@"
""",
        # As pip writes a console script: the working directory is not where it looks for packages.
        "instructgen": f"""
if finds_ours "$PYTHONPATH"; then exec {ours} "$@"; fi
exec "{sys.executable}" -P -m instructgen "$@"
""",
    }
    for name, text in scripts.items():
        (folder / name).write_text(begin + text, encoding="utf-8")
        (folder / name).chmod(0o755)


needs_shell = pytest.mark.skipif(
    shutil.which("git") is None or shutil.which("bash") is None, reason="the workflow runs git and bash"
)


@needs_shell
def test_pull_request_that_keeps_the_data_is_passed(repository: Path, tmp_path: Path) -> None:
    runner = open_pull_request(repository, tmp_path, {"README.md": "Nothing of the data.\n"})
    assert runner.run_job("check") is None, runner.log
    assert runner.steps["check"] == {"passed": "true"}
    assert "## Gates: passed" in runner.summary
    assert "none is different" in runner.summary
    assert (runner.temp / "comment.md").read_text(encoding="utf-8") == runner.summary


@needs_shell
def test_pull_request_that_lets_bad_answers_pass_is_failed_with_a_readable_comment(
    repository: Path, tmp_path: Path
) -> None:
    lax = PIPELINE + '[filters]\nuse = ["length"]\n'
    runner = open_pull_request(repository, tmp_path, {"pipelines/smoke.toml": lax})
    assert runner.run_job("check") == "all gates pass", runner.log
    assert runner.steps["check"] == {"passed": "false"}
    comment = (runner.temp / "comment.md").read_text(encoding="utf-8")
    assert "## Gates: failed" in comment
    assert "❌ <code>metrics.total.chair&#95;i.max</code>" in comment
    assert re.search(r"chair&#95;i</code> \| 0 \| 0\.\d+ \| 🔻 worse", comment)
    assert "<code>contradicted&#95;claim</code> | <code>accepted</code>" in comment
    assert "three zebras" in comment
    assert "config.filters.grounding" in comment


@needs_shell
def test_pull_request_with_fewer_rows_is_failed_whatever_gates_it_brings(repository: Path, tmp_path: Path) -> None:
    changes = {
        "pipelines/smoke.toml": PIPELINE.replace("limit = 24", "limit = 18"),
        "data/smoke-gates.toml": "[rows]\nmin = 1\n",
    }
    runner = open_pull_request(repository, tmp_path, changes)
    assert runner.run_job("check") == "all gates pass", runner.log
    assert "❌ <code>rows.max&#95;drop</code>" in runner.summary


@needs_shell
def test_pull_request_is_not_judged_by_code_that_it_brings(repository: Path, tmp_path: Path) -> None:
    lenient = """
import os, sys
if "check" in sys.argv:
    sys.exit(0)
os.execv(sys.executable, [sys.executable, "-P", "-m", "instructgen", *sys.argv[1:]])
"""
    changes = {
        "pipelines/smoke.toml": PIPELINE.replace("limit = 24", "limit = 18"),
        "instructgen/__init__.py": "",
        "instructgen/__main__.py": lenient,
    }
    runner = open_pull_request(repository, tmp_path, changes)
    assert runner.run_job("check") == "all gates pass", runner.log
    assert "❌ <code>rows.max&#95;drop</code>" in runner.summary
    assert f"PYTHONPATH={runner.temp / 'base'}" in (runner.temp / "env").read_text(encoding="utf-8")


def test_no_checkout_leaves_its_token_to_what_runs_after() -> None:
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        for step in steps:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, path.name


@needs_shell
def test_mistake_in_the_gates_fails_the_check_itself(repository: Path, tmp_path: Path) -> None:
    broken = {"data/smoke-gates.toml": "[row]\nmin = 1\n"}
    first = open_pull_request(repository, tmp_path, broken)
    base = git(first.repository, "rev-parse", "HEAD")
    runner = Runner(first.repository, first.temp, base)
    assert runner.run_job("check") == "check"
    assert "unknown field `row`" in runner.log
    assert "could not be checked" in runner.summary


def test_what_runs_code_of_a_pull_request_can_only_read() -> None:
    workflow = yaml.safe_load((ROOT / WORKFLOW).read_text(encoding="utf-8"))
    triggers = workflow[True]  # YAML reads the key `on` as a boolean
    assert list(triggers) == ["pull_request"]
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in workflow["jobs"]["check"]
    assert workflow["concurrency"]["cancel-in-progress"] is True
    comment = workflow["jobs"]["comment"]
    assert comment["permissions"] == {"pull-requests": "write"}
    assert "head.repo.full_name == github.repository" in comment["if"]
    assert not any("checkout" in step.get("uses", "") for step in comment["steps"])
    assert "secrets." not in (ROOT / WORKFLOW).read_text(encoding="utf-8")
    for job in workflow["jobs"].values():
        assert not any("${{" in step.get("run", "") for step in job["steps"])
