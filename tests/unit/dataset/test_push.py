"""What a push sends, leaves, deletes and refuses, against a Hub on this machine."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from instructgen.cli.dataset_push import add_push
from instructgen.dataset.cards.presentation import present
from instructgen.dataset.stored import LocalVersion
from instructgen.dataset.sums import SUMS_NAME, make_sums
from instructgen.errors import InstructgenError
from tests.support.hub_server import TOKEN, HubServer, Repo, running_hub
from tests.support.versions import make_row_of, write_version

pytest.importorskip("huggingface_hub", reason="the extra [hub] is not installed")

REPO = "group/data"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # its storage protocol needs more than a small server
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with running_hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def make_version(folder: Path, *texts: str) -> LocalVersion:
    """A version whose rows have these answers; two types, so two shards."""
    rows = [
        make_row_of(number, sample_type, [("What is there?", text)])
        for number, text in enumerate(texts)
        for sample_type in ("conv", "detail")
    ]
    version = write_version(folder, rows)
    present(folder, version.manifest)
    (folder / SUMS_NAME).write_bytes(make_sums(folder))
    return version


@pytest.fixture
def version(tmp_path: Path) -> LocalVersion:
    return make_version(tmp_path / "one", "A dog.", "A cat.")


class Done:
    def __init__(self, *arguments: str) -> None:
        app = typer.Typer()
        app.callback()(lambda: None)
        add_push(app)
        result = CliRunner().invoke(app, ["push", *arguments])
        self.error = result.exception if isinstance(result.exception, InstructgenError) else None
        if self.error is None and result.exception is not None:
            raise result.exception
        self.out, self.err = result.stdout, result.stderr
        self.json = json.loads(self.out.splitlines()[-1]) if "--json" in arguments else {}


def push(version: LocalVersion, *arguments: str) -> Done:
    return Done(REPO, "--dataset", str(version.folder), "--json", *arguments)


def files_of(version: LocalVersion) -> dict[str, bytes]:
    return {
        path.relative_to(version.folder).as_posix(): path.read_bytes()
        for path in version.folder.rglob("*")
        if path.is_file()
    }


def test_new_repository_gets_every_file_and_a_tag_of_the_versions_name(hub: HubServer, version: LocalVersion) -> None:
    done = push(version, "--private")
    assert done.error is None
    repo = hub.repos[REPO]
    assert repo.is_private
    assert {path: text for path, text in hub.files(REPO).items() if path != ".gitattributes"} == files_of(version)
    name = version.manifest.version
    assert repo.tags == {name: repo.branches["main"]} == {name: done.json["commit"]}
    assert repo.messages == ["initial commit", f"instructgen version {name}"]


def test_same_version_again_sends_nothing(hub: HubServer, version: LocalVersion) -> None:
    commit = push(version).json["commit"]
    hub.calls.clear()
    again = push(version)
    assert again.json["was_there"]
    assert again.json["commit"] == commit
    assert again.json["sent"] == {}
    assert not [call for call in hub.calls if call.startswith(("POST", "PUT"))]


def test_next_version_sends_what_is_new_and_deletes_what_was_the_olds(
    hub: HubServer, version: LocalVersion, tmp_path: Path
) -> None:
    push(version)
    assert len(hub.uploads) == 2
    rows = [
        make_row_of(number, "conv", [("What is there?", text)]) for number, text in enumerate(("A dog.", "A cat."))
    ]
    newer = write_version(tmp_path / "two", rows)  # one of the two shards, named otherwise, and no plots
    done = push(newer)
    assert len(hub.uploads) == 2  # the Hub knows the shard by its content
    assert "rejected.jsonl" in done.json["unchanged"]
    assert {"data/train-00001-of-00002.parquet", "assets/types.svg"} <= set(done.json["deleted"])
    assert {path for path in hub.files(REPO) if path != ".gitattributes"} == set(files_of(newer))
    assert set(hub.files(REPO, version.manifest.version)) >= set(files_of(version))


def test_shard_that_the_branch_has_already_is_not_sent_again(hub: HubServer, version: LocalVersion) -> None:
    push(version)
    hub.repos[REPO].tags.clear()
    (version.folder / "README.md").write_text("---\nlicense: unknown\n---\nAnother card.\n")
    done = push(version)
    assert set(done.json["sent"]) == {"README.md"}
    assert len(hub.uploads) == 2


def test_push_killed_before_the_tag_is_ended_by_the_next(hub: HubServer, version: LocalVersion) -> None:
    hub.refuses_tags = True
    assert "no tags today" in str(push(version).error)
    hub.refuses_tags = False
    done = push(version)
    assert done.json["sent"] == {}
    assert hub.repos[REPO].tags == {version.manifest.version: hub.repos[REPO].branches["main"]}


def test_version_with_other_shards_under_its_name_is_refused(hub: HubServer, version: LocalVersion) -> None:
    push(version)
    repo = hub.repos[REPO]
    tree = repo.commits[repo.tags[version.manifest.version]]
    tree["data/train-00000-of-00002.parquet"] = (b"other rows", "0" * 64)
    before = dict(repo.branches)
    error = str(push(version).error)
    assert "has a version" in error
    assert "data/train-00000-of-00002.parquet" in error
    assert repo.branches == before


def test_manifest_of_another_day_is_the_same_version(hub: HubServer, version: LocalVersion) -> None:
    push(version)
    text = (version.folder / "manifest.json").read_text()
    (version.folder / "manifest.json").write_text(text.replace("2026-01-01", "2026-02-02"))
    assert push(version).json["was_there"]


def test_dry_run_lists_the_files_and_writes_nothing(hub: HubServer, version: LocalVersion) -> None:
    done = Done(REPO, "--dataset", str(version.folder), "--dry-run")
    assert f"would create {hub.url}/datasets/{REPO}" in done.out
    assert all(f"would send   {path}" in done.out for path in files_of(version))
    assert hub.repos == {}
    assert not [call for call in hub.calls if call.startswith("POST")]


def test_damaged_shard_is_not_sent(hub: HubServer, version: LocalVersion) -> None:
    path = version.folder / version.manifest.shards[0].path
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert "is not the file that the manifest names" in str(push(version).error)
    assert hub.repos == {}


@pytest.mark.parametrize("has_sums", [True, False])
def test_what_is_not_of_the_version_is_not_sent(has_sums: bool, hub: HubServer, version: LocalVersion) -> None:
    files = files_of(version)
    if not has_sums:  # as versions of format 1 were
        del files[SUMS_NAME]
        (version.folder / SUMS_NAME).unlink()
        path = version.folder / "manifest.json"
        path.write_bytes(path.read_bytes().replace(b'"format": 2', b'"format": 1'))
        files["manifest.json"] = path.read_bytes()
    (version.folder / ".git").mkdir()
    (version.folder / ".git" / "config").write_text("token")
    (version.folder / "notes.txt").write_text("mine")
    (version.folder / "link").symlink_to(version.folder / "README.md")
    assert push(LocalVersion(version.folder)).error is None
    assert {path: text for path, text in hub.files(REPO).items() if path != ".gitattributes"} == files


def test_link_to_a_file_that_the_version_does_not_have_is_refused(
    hub: HubServer, version: LocalVersion, tmp_path: Path
) -> None:
    card = version.folder / "README.md"
    card.rename(tmp_path / "same.md")
    card.symlink_to(tmp_path / "same.md")
    assert push(version, "--dry-run").error is None
    (tmp_path / "same.md").write_text("another")
    assert "leads out of the version" in str(push(version).error)
    card.unlink()
    assert "has no README.md" in str(push(version).error)
    assert hub.repos == {}


def test_repository_of_somebody_else_is_not_overwritten(hub: HubServer, version: LocalVersion) -> None:
    repo = hub.repos[REPO] = Repo()
    repo.commit("main", {"README.md": (b"my own", None)}, "mine")
    assert "holds a README.md" in str(push(version).error)
    assert hub.files(REPO) == {"README.md": b"my own"}


def test_file_that_no_push_makes_stays(hub: HubServer, version: LocalVersion) -> None:
    repo = hub.repos[REPO] = Repo()
    repo.commit("main", {"LICENSE": (b"mine", None)}, "mine")
    assert push(version).error is None
    assert hub.files(REPO)["LICENSE"] == b"mine"


def test_branch_is_created_and_main_left_as_it_is(hub: HubServer, version: LocalVersion) -> None:
    repo = hub.repos[REPO] = Repo()
    main = repo.commit("main", {"LICENSE": (b"mine", None)}, "mine")
    push(version, "--revision", "try")
    assert repo.branches["main"] == main
    assert "manifest.json" in hub.files(REPO, "try")


def test_branch_that_moved_on_meanwhile_is_not_committed_to(hub: HubServer, version: LocalVersion) -> None:
    hub.moves_on = True
    assert "A commit has happened since" in str(push(version).error)
    assert hub.repos[REPO].tags == {}
    assert "manifest.json" not in hub.files(REPO)


def test_refused_token_is_named_by_its_variable_and_not_printed(
    hub: HubServer, version: LocalVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_anothersecretwhichiswrong")
    done = push(version)
    assert "HF_TOKEN" in str(done.error)
    assert "hf_anothersecret" not in str(done.error) + done.out + done.err


def test_version_without_a_row_is_refused(hub: HubServer, tmp_path: Path) -> None:
    empty = write_version(tmp_path / "none", [])
    assert "has no row" in str(push(empty).error)


def test_name_without_an_owner_is_refused(version: LocalVersion) -> None:
    assert "OWNER/NAME" in str(Done("data", "--dataset", str(version.folder)).error)


def test_version_and_tag_choose_among_the_datasets_versions(hub: HubServer, tmp_path: Path) -> None:
    made = make_version(tmp_path / "new", "A dog.")
    folder = tmp_path / "ds" / "versions" / made.manifest.version
    folder.parent.mkdir(parents=True)
    made.folder.rename(folder)
    (tmp_path / "ds" / "tags").mkdir()
    (tmp_path / "ds" / "tags" / "good").write_text(made.manifest.version + "\n")
    dataset = ("--dataset", str(tmp_path / "ds"), "--dry-run", "--json")
    assert Done(REPO, *dataset, "--tag", "good").json["version"] == made.manifest.version
    assert Done(REPO, *dataset, "--version", made.manifest.version).json["version"] == made.manifest.version
    assert "has no tag 'bad'" in str(Done(REPO, *dataset[:-1], "--tag", "bad").error)
    assert "has no version '../x'" in str(Done(REPO, *dataset[:-1], "--version", "../x").error)
