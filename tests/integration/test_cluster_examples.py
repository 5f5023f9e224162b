"""examples/slurm and examples/kubernetes: scripts that run as on a cluster, manifests that its schemas take."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from instructgen.config import BuildConfig, load_config
from instructgen.dataset.manifest import read_manifest
from instructgen.dataset.publish import find_version
from instructgen.sources.shares import parse_share
from tests.support.cli import ROOT, environment, run_cli
from tests.support.documents import parse_command

SLURM = ROOT / "examples" / "slurm"
KUBERNETES = ROOT / "examples" / "kubernetes"
_VLLM = """#!/bin/bash
# Answers /health as a server does, until it is ended.
while (($#)); do [[ $1 == --port ]] && port=$2; shift; done
exec "{python}" -c "
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == '/health' else 404)
        self.end_headers()
http.server.HTTPServer(('127.0.0.1', $port), Handler).serve_forever()
"
"""
_SBATCH = """#!/bin/bash
echo "$*" >>"{log}"
echo "server=${SERVERS_JOB:-} parts=$NUM_PARTS out=$OUT" >>"{log}"
echo "$(($(wc -l <"{log}") / 2 + 100));cluster"
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder that comes first in PATH, with this checkout's instructgen."""
    folder = tmp_path / "bin"
    folder.mkdir()
    write_program(folder / "instructgen", f'#!/bin/sh\nexec "{sys.executable}" -m instructgen "$@"\n')
    return folder


def write_program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def run_script(path: Path, programs: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    full = environment(PATH=f"{programs}{os.pathsep}{os.environ['PATH']}", POLL_S="0.05", **env)
    command = ["bash", str(path), *arguments]
    return subprocess.run(command, env=full, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("path", sorted(SLURM.glob("*.s*")), ids=lambda path: path.name)
def test_script_is_valid_bash(path: Path) -> None:
    done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert path.read_text(encoding="utf-8").startswith("#!/bin/bash\n")


def test_array_of_parts_and_its_merge_make_the_dataset_of_one_build(programs: Path, tmp_path: Path) -> None:
    pipeline = tmp_path / "pipeline.toml"
    pipeline.write_text('types = ["detail"]\n[source]\nlimit = 5\n', encoding="utf-8")
    out = tmp_path / "out"
    shared = {"PIPELINE": str(pipeline), "OUT": str(out), "NUM_PARTS": "2", "NUM_SERVERS": "0", "SERVERS_JOB": ""}
    for task in ("0", "1"):
        # As where the second task was submitted again alone: then the array has one.
        done = run_script(
            SLURM / "part.sbatch", programs, SLURM_ARRAY_TASK_ID=task, SLURM_ARRAY_TASK_COUNT="1", **shared
        )
        assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (out / "parts").iterdir()) == ["000000", "000001"]
    merged = run_script(SLURM / "merge.sbatch", programs, **shared)
    assert merged.returncode == 0, merged.stderr
    assert run_cli("build", "--pipeline", pipeline, "--out", tmp_path / "whole").code == 0
    found, whole = read_manifest(find_version(out / "dataset")), read_manifest(find_version(tmp_path / "whole"))
    assert found.version == whole.version
    assert (out / "dataset" / "tags" / "merged").read_text(encoding="utf-8").strip() == whole.version


def test_part_that_was_stopped_is_queued_again_and_one_that_fails_is_not(programs: Path, tmp_path: Path) -> None:
    log = tmp_path / "requeued"
    write_program(programs / "scontrol", f'#!/bin/sh\necho "$@" >>"{log}"\n')
    shared = {"PIPELINE": "p", "OUT": str(tmp_path), "NUM_PARTS": "8", "NUM_SERVERS": "0", "SLURM_JOB_ID": "77"}
    shared |= {"SLURM_ARRAY_JOB_ID": "70", "SLURM_ARRAY_TASK_ID": "3"}
    for code, is_good in ((4, True), (2, False), (3, False)):
        write_program(programs / "instructgen", f"#!/bin/sh\nexit {code}\n")
        done = run_script(SLURM / "part.sbatch", programs, **shared)
        assert (done.returncode == 0) == is_good
    assert log.read_text(encoding="utf-8") == "requeue 70_3\n"


def test_time_that_is_up_ends_the_build_which_ends_in_peace(programs: Path, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    write_program(
        programs / "instructgen",
        f'#!/bin/bash\ntrap \'sleep 0.2; echo ended >>"{marks}"; exit 3\' TERM\necho up >"{marks}"\n'
        "for i in $(seq 400); do sleep 0.05; done\n",
    )
    shared = {"PIPELINE": "p", "OUT": str(tmp_path), "NUM_PARTS": "8", "NUM_SERVERS": "0", "SLURM_ARRAY_TASK_ID": "3"}
    env = environment(PATH=f"{programs}{os.pathsep}{os.environ['PATH']}", **shared)
    process = subprocess.Popen(["bash", str(SLURM / "part.sbatch")], env=env)
    wait_for(marks)
    process.terminate()
    assert process.wait(60) != 0
    assert marks.read_text(encoding="utf-8") == "up\nended\n"


def wait_for(path: Path) -> None:
    """Wait until a file is there and has something in it."""
    script = f'for i in $(seq 600); do [ -s "{path}" ] && exit 0; sleep 0.05; done; exit 1'
    subprocess.run(["bash", "-c", script], check=True)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the script asks with curl whether its server is up")
def test_server_writes_its_address_while_it_is_up(programs: Path, tmp_path: Path) -> None:
    write_program(programs / "vllm", _VLLM.replace("{python}", sys.executable))
    env = environment(
        PATH=f"{programs}{os.pathsep}{os.environ['PATH']}",
        OUT=str(tmp_path),
        MODEL="m",
        POLL_S="0.05",
        SLURM_JOB_ID="77",
        SLURM_ARRAY_TASK_ID=str(20_000 + os.getpid() % 20_000),
    )
    process = subprocess.Popen(["bash", str(SLURM / "server.sbatch")], env=env)
    address = tmp_path / "endpoints" / "77"
    wait_for(address)
    assert re.fullmatch(r"http://[^:/]+:\d+/v1\n", address.read_text(encoding="utf-8"))
    process.terminate()
    assert process.wait(60) == 0
    assert list((tmp_path / "endpoints").iterdir()) == []


def test_jobs_are_submitted_in_their_order(programs: Path, tmp_path: Path) -> None:
    log = tmp_path / "sbatch.log"
    log.touch()
    write_program(programs / "sbatch", _SBATCH.replace("{log}", str(log)))
    out = tmp_path / "out"
    done = run_script(SLURM / "submit.sh", programs, OUT=str(out), NUM_PARTS="8", NUM_SERVERS="2", AT_ONCE="4")
    assert done.returncode == 0, done.stderr
    servers, _, parts, _, merge, last = log.read_text(encoding="utf-8").splitlines()
    assert "--array=1-2 " in servers
    assert "--dependency=after:101_1 --array=0-7%4 " in parts
    assert "--dependency=afterany:102 " in merge
    assert last == f"server=101 parts=8 out={out}"
    assert done.stdout == "servers 101, parts 102, merge 103\n"


def test_pipelines_of_the_examples_can_be_loaded(tmp_path: Path) -> None:
    assert load_config(SLURM / "pipeline.toml").teacher.endpoints == "/shared/out/endpoints"
    (settings,) = [one for one in read_manifests() if one["kind"] == "ConfigMap"]
    config = msgspec.convert(tomllib.loads(settings["data"]["pipeline.toml"]), BuildConfig)
    (server,) = [one for one in read_manifests() if one["kind"] == "StatefulSet"]
    hosts = [
        f"http://{server['metadata']['name']}-{number}.teacher:8000/v1"
        for number in range(server["spec"]["replicas"])
    ]
    assert [one.base_url for one in config.teacher.servers] == hosts


def read_manifests() -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml", reason="reads the manifests")
    paths = sorted(KUBERNETES.glob("*.yaml"))
    return [one for path in paths for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def test_manifests_are_what_the_schemas_of_kubernetes_take() -> None:
    checker = pytest.importorskip("kubernetes_validate", reason="needs kubernetes-validate, which has the schemas")
    for manifest in read_manifests():
        checker.validate(manifest, "1.35", strict=True)
    broken = next(one for one in read_manifests() if one["kind"] == "Job")
    broken["spec"]["completion"] = 1
    with pytest.raises(checker.ValidationError):
        checker.validate(broken, "1.35", strict=True)


def test_indexes_of_the_job_are_the_shares(programs: Path, tmp_path: Path) -> None:
    job = next(one for one in read_manifests() if one["metadata"]["name"] == "parts")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    settings = {one["name"]: one.get("value") for one in container["env"]}
    assert settings["NUM_PARTS"] == str(job["spec"]["completions"])
    log = tmp_path / "asked"
    for code in (0, 4, 3):
        write_program(programs / "instructgen", f'#!/bin/sh\necho "$@" >>"{log}"\nexit {code}\n')
        env = environment(
            PATH=f"{programs}{os.pathsep}{os.environ['PATH']}", JOB_COMPLETION_INDEX="63", NUM_PARTS="64"
        )
        done = subprocess.run(container["command"], env=env, check=False, timeout=60)
        assert done.returncode == (3 if code == 3 else 0)
    words = log.read_text(encoding="utf-8").splitlines()[0].split()
    parse_command(tuple(words))
    assert parse_share(words[words.index("--shard") + 1]).is_last


def test_merge_of_the_parts_is_a_command_that_there_is() -> None:
    job = next(one for one in read_manifests() if one["metadata"]["name"] == "merge")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    parse_command(tuple(container["command"][-1].split()[1:]))
