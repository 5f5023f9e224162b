"""Prompts are shown as they were sent: made again from the run, and proved by the request's id."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from instructgen.jobs.review import Evidence
from instructgen.sources.coco import CocoSource
from tests.support.answers import answer_like_shots, find_text
from tests.support.chat_server import ChatServer
from tests.support.cli import run_cli
from tests.support.coco_folder import make_coco
from tests.support.rows import read_rows
from tests.support.viewer import ask, viewing

pytest.importorskip("duckdb", reason="the viewer's extra is not installed")
pytest.importorskip("starlette", reason="the viewer's extra is not installed")

from instructgen.jobs.view_sent import SentFinder

Built = tuple[Path, Path, list[dict[str, Any]]]


def answer(body: dict[str, Any]) -> str:
    return "9 8\nFine." if "[What is known" in find_text(body["messages"][-1]) else answer_like_shots(body)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """A dataset whose samples took two requests, of two models, whose server is gone."""
    folder = tmp_path_factory.mktemp("sent")
    make_coco(folder / "coco", 3)
    with ChatServer(text=answer) as server:
        teacher = f"model = 'm'\nbase_url = '{server.base_url}'\n"
        (folder / "own.toml").write_text(
            f"[teacher]\n{teacher}[judge.teacher]\n{teacher.replace(repr('m'), repr('j'))}"
        )
        done = run_cli(
            *("build", "--pipeline", folder / "own.toml", "--root", folder / "coco", "--types", "conv,detail"),
            *("--out", folder / "ds", "--json"),
        )
        assert done.code == 0, done.err
        bodies = list(server.bodies)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        yield folder / "ds", folder / "coco", bodies


def test_every_request_of_a_sample_is_shown_word_for_word(built: Built) -> None:
    dataset, root, bodies = built
    sent = {json.dumps([[one["role"], one["content"]] for one in body["messages"]]) for body in bodies}
    with viewing(dataset, evidence=Evidence(root=root)) as view:
        for row in read_rows(next((dataset / "versions").iterdir())):
            told = ask(view, f"/sample/{row['sample_id']}").text
            assert told.count("exactly as sent") == 2
            assert "not as sent" not in told
            assert "generate: " in told
            assert "judge: 2 messages" in told
    records = {record.image_id: record for record in CocoSource(root).records()}  # type: ignore[union-attr]
    version = next((dataset / "versions").iterdir())
    finder = SentFinder(version, records.get)  # type: ignore[arg-type]
    for row in read_rows(version):
        requests = finder.find(row["image_id"], row["sample_type"], row["request_ids"]).requests
        assert [request.request_id for request in requests] == row["request_ids"]
        assert [request.step for request in requests] == ["generate", "judge"]
        for request in requests:
            assert json.dumps([[one.role, one.content] for one in request.messages]) in sent
            assert request.reply is not None


def test_without_annotations_the_replies_are_shown_and_what_is_missing_is_said(
    built: Built,
) -> None:
    dataset, _, _ = built
    with viewing(dataset) as view:
        row = read_rows(next((dataset / "versions").iterdir()))[0]
        told = ask(view, f"/sample/{row['sample_id']}").text
    assert "give --root FOLDER" in told
    assert told.count("Raw reply") == 2


def test_settings_that_changed_since_are_not_taken_for_what_was_sent(built: Built, tmp_path: Path) -> None:
    dataset, root, _ = built
    shutil.copytree(dataset, tmp_path / "ds")
    path = tmp_path / "ds" / "run" / "run.json"
    run = json.loads(path.read_bytes())
    run["settings"]["surrogate"]["order"] = "area"
    run["settings"]["surrogate"]["max_boxes"] = 1
    path.write_text(json.dumps(run))
    with viewing(tmp_path / "ds", evidence=Evidence(root=root)) as view:
        row = read_rows(next((dataset / "versions").iterdir()))[0]
        told = ask(view, f"/sample/{row['sample_id']}").text
    assert "not as sent" in told
    assert "exactly as sent" not in told


def test_version_without_a_run_says_so(built: Built, tmp_path: Path) -> None:
    dataset, root, _ = built
    version = next((dataset / "versions").iterdir())
    shutil.copytree(version, tmp_path / version.name)
    with viewing(tmp_path / version.name, evidence=Evidence(root=root)) as view:
        told = ask(view, "/row/0").text
    assert "No run folder lies beside the version" in told
