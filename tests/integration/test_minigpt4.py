"""MiniGPT-4's whole curation on the bundled sample: a server that describes badly, one that edits badly."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.chat_server import ChatServer
from tests.support.cli import Done, run_cli
from tests.support.curation import APOLOGY, CLOSING, LIE, OPENING, Curator
from tests.support.rows import read_rows


class Built:
    """One build of the pipeline, with what the server saw of it."""

    def __init__(self, folder: Path) -> None:
        self.curator, self.out = Curator(), folder / "ds"
        with ChatServer(text=self.curator.text) as server:
            server.usage = self.curator.usage
            self.done = self.build(server)
            self.num_requests, self.malformed = server.num_requests, server.malformed
            self.bodies = server.bodies
            self.again = self.build(server)
            self.num_requests_again = server.num_requests - self.num_requests
        self.version = Path(self.done.result["out"])

    def build(self, server: ChatServer) -> Done:
        flags = ("--pipeline", "minigpt4", "--base-url", server.base_url, "--model", "m", "--out", self.out, "--json")
        return run_cli("build", *flags)

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.version / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tmp_path_factory.mktemp("minigpt4"))


def test_every_picture_is_seen_once_and_every_request_is_well_formed(built: Built) -> None:
    assert built.done.code == 0, built.done.err
    assert built.malformed == []
    assert sorted(built.curator.seen) == list(range(len(built.curator.records)))


def test_exactly_the_answers_of_80_tokens_or_fewer_are_gone_on_with_once(built: Built) -> None:
    short = built.curator.of_kind("short")
    assert {built.curator.usage(body)[1] for body in built.bodies if len(body["messages"]) == 2} >= {79, 80, 81}
    assert sorted(built.curator.continued) == short


def test_texts_that_went_on_are_published_whole(built: Built) -> None:
    short = {built.curator.records[number].image_id: number for number in built.curator.of_kind("short")}
    rows = [row for row in read_rows(built.version) if row["image_id"] in short]
    assert rows
    for row in rows:
        whole = " ".join(built.curator.describe(short[row["image_id"]]).split())
        assert whole.startswith(" ".join(row["messages"][1]["content"].split()))


def test_what_models_say_about_themselves_is_not_published(built: Built) -> None:
    rows = read_rows(built.version)
    assert {built.curator.kind_of(int(row["image_id"][-4:]) - 1) for row in rows} == {
        *("good", "short", "apology", "chatter", "repeated", "broken")
    }
    for row in rows:
        answer = row["messages"][1]["content"]
        assert not any(said in answer for said in (APOLOGY, OPENING.strip(), CLOSING, LIE))
        sentences = [sentence for sentence in answer.split(". ") if sentence]
        assert len(set(sentences)) == len(sentences)
        assert answer.endswith(".")


def test_every_drop_has_its_reason_and_the_kept_share_is_told(built: Built) -> None:
    result, lines = built.done.result, built.lines("rejected.jsonl")
    assert result["accepted"]["caption"] + len(lines) == len(built.curator.records)
    assert Counter(line["reason"] for line in lines) == result["reasons"]
    by_kind: dict[str, set[str]] = {}
    for line in lines:
        by_kind.setdefault(built.curator.kind_of(int(line["image_id"][-4:]) - 1), set()).add(line["reason"])
    assert by_kind["lie"] == {"contradicted_claim"}
    assert by_kind["refusal"] == {"refusal"}
    assert result["kept_share"] == round(result["accepted"]["caption"] / len(built.curator.records), 4)


def test_each_change_stands_side_by_side_with_what_was_before(built: Built) -> None:
    lines = built.lines("refined.jsonl")
    assert {line["step"] for line in lines} == {"continue", "clean", "rewrite"}
    accepted = {row["image_id"]: row for row in read_rows(built.version)}
    for line in lines:
        assert line["is_unchanged"] == (line["before"] == line["after"])
        assert (line["diff"] == []) == (line["before"].split() == line["after"].split())
        if line["step"] == "rewrite" and line["outcome"] == "accepted":
            row = accepted[line["unit_id"].rpartition("/")[0]]
            assert row["messages"][1]["content"] == line["after"]
            assert line["request_id"] in row["request_ids"]
    rules = {rule for line in lines for rule in line["rules"]}
    assert rules >= {"apology", "chatter_in_front", "chatter_behind", "repeated_sentence", "incomplete_end"}
    assert any(line["is_unchanged"] for line in lines)


def test_manifest_counts_what_was_refined_and_what_it_cost(built: Built) -> None:
    manifest = json.loads((built.version / "manifest.json").read_text(encoding="utf-8"))
    lines = built.lines("refined.jsonl")
    steps = manifest["refinement"]["steps"]
    assert steps["rewrite"]["changed"] + steps["rewrite"]["unchanged"] == len(built.curator.records)
    assert len(set(built.curator.edited)) == len(built.curator.edited)
    assert sum(found["changed"] + found["unchanged"] for found in steps.values()) == len(lines)
    assert manifest["prompts"].keys() == {"caption", "see", "continue", "refine"}
    spent = sum(sum(built.curator.usage(body)) for body in {json.dumps(body): body for body in built.bodies}.values())
    assert manifest["teacher"]["prompt_tokens"] + manifest["teacher"]["completion_tokens"] == spent


def test_row_names_every_request_that_it_took_and_counts_their_tokens(built: Built) -> None:
    for row in read_rows(built.version):
        is_short = built.curator.kind_of(int(row["image_id"][-4:]) - 1) == "short"
        assert len(set(row["request_ids"])) == (3 if is_short else 2)
        assert row["prompt_tokens"] == (1500 if is_short else 1200)


def test_same_command_again_asks_for_nothing_and_finds_the_same_version(built: Built) -> None:
    assert built.again.code == 0, built.again.err
    assert built.num_requests_again == 0
    assert built.again.result["version"] == built.done.result["version"]
    assert built.again.result["new_requests"] == 0


def test_ledger_and_journal_hold_no_picture(built: Built) -> None:
    for path in (built.out / "run").rglob("*"):
        if path.is_file():
            assert b"base64" not in path.read_bytes(), path


def test_filter_cap_lists_every_caption_with_its_picture(built: Built) -> None:
    folder = Path(built.done.result["exports"]["filter_cap"])
    listed = json.loads((folder / "filter_cap.json").read_text(encoding="utf-8"))["annotations"]
    rows = read_rows(built.version)
    assert sorted(one["caption"] for one in listed) == sorted(row["messages"][1]["content"] for row in rows)
    names = [one["image_id"] for one in listed]
    assert len(set(names)) == len(names)
    assert {path.name for path in (folder / "image").iterdir()} == {f"{name}.jpg" for name in names}
    pictures = {row["images"][0]["bytes"] for row in rows}
    assert {path.read_bytes() for path in (folder / "image").iterdir()} == pictures
