"""`instructgen ledger`, as a user runs it."""

import asyncio
import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from instructgen.ledger.ledger import Ledger
from instructgen.records import Cost, Failed
from tests.support.cli import environment, run_cli
from tests.support.make import make_reply


async def fill(ledger: Ledger, first: int, last: int) -> None:
    await asyncio.gather(*(ledger.store_reply(make_reply(number)) for number in range(first, last)))


def make_dataset(folder: Path, first: int = 0, last: int = 20) -> Path:
    with Ledger(folder / "run") as ledger:
        asyncio.run(fill(ledger, first, last))
    return folder


def answers(dataset: Path) -> list[int]:
    with Ledger(dataset / "run") as ledger:
        return sorted(int(reply.request_id, 16) for reply in ledger.replies())


def spoil(path: Path, old: bytes = b"A brown dog", new: bytes = b"A green dog") -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


def test_stats_count_answers_money_and_failures(tmp_path: Path) -> None:
    with Ledger(tmp_path / "run") as ledger:
        asyncio.run(fill(ledger, 0, 20))
        asyncio.run(ledger.store_reply(make_reply(50, cost_usd=None, model="other")))
        asyncio.run(ledger.store_failure("e" * 64, Failed("e" * 64, "teacher", "timeout"), Cost(1000, 5)))
        asyncio.run(ledger.mark_sent("d" * 64, Cost(1, 1)))
    found = run_cli("ledger", "stats", tmp_path, "--json").result
    assert found["replies"] == 21
    assert found["by_model"]["test-model (openai)"]["cost_usd"] == 5.0
    assert found["by_model"]["other (openai)"]["unpriced"] == 1
    assert (found["bought"]["cost_usd"], found["bought"]["maybe_tokens"]) == (5.0, 5)
    assert (found["failures"], found["in_doubt"]) == ({"timeout": 1}, 1)
    assert found["bytes"]["journal"] == (tmp_path / "run" / "journal").stat().st_size
    text = run_cli("ledger", "stats", tmp_path / "run").out
    assert "21 answers" in text
    assert "failed: timeout 1" in text


def test_folder_without_a_ledger_is_wrong_use(tmp_path: Path) -> None:
    for command in ("stats", "verify", "export", "gc"):
        done = run_cli("ledger", command, tmp_path)
        assert done.code == 2
        assert "holds no ledger" in done.err


@pytest.mark.parametrize("name", ["journal", "ledger.sqlite"])
def test_verify_finds_a_changed_letter_in_either_copy_and_repairs_it(name: str, tmp_path: Path) -> None:
    make_dataset(tmp_path)
    assert run_cli("ledger", "verify", tmp_path).code == 0
    spoil(tmp_path / "run" / name)
    done = run_cli("ledger", "verify", tmp_path)
    assert done.code == 4
    assert name in done.out
    assert "--repair" in done.out
    repaired = run_cli("ledger", "verify", tmp_path, "--repair", "--json")
    assert repaired.code == 0, repaired.out
    assert repaired.result["faults"] == []
    assert run_cli("ledger", "verify", tmp_path).code == 0
    assert answers(tmp_path) == list(range(20))


def test_journal_of_another_ledger_is_told_and_nothing_of_either_is_lost(tmp_path: Path) -> None:
    make_dataset(tmp_path / "one", 0, 20)
    make_dataset(tmp_path / "two", 15, 40)
    (tmp_path / "one" / "run" / "journal").write_bytes((tmp_path / "two" / "run" / "journal").read_bytes())
    assert "not the one that ledger.sqlite was written beside" in run_cli("ledger", "verify", tmp_path / "one").out
    assert run_cli("ledger", "verify", tmp_path / "one", "--repair").code == 0
    assert answers(tmp_path / "one") == list(range(40))


@pytest.mark.parametrize("name", ["answers.jsonl", "answers.jsonl.gz"])
def test_export_and_import_carry_every_answer_to_another_dataset(name: str, tmp_path: Path) -> None:
    make_dataset(tmp_path / "one")
    make_dataset(tmp_path / "two", 10, 15)
    assert run_cli("ledger", "export", tmp_path / "one", tmp_path / name, "--json").result["replies"] == 20
    again = run_cli("ledger", "export", tmp_path / "one", tmp_path / name)
    assert (again.code, "is there already" in again.err) == (2, True)
    found = run_cli("ledger", "import", tmp_path / "two", tmp_path / name, "--json").result
    assert (found["new"], found["known"]) == (15, 5)
    assert answers(tmp_path / "two") == list(range(20))
    with Ledger(tmp_path / "two" / "run") as ledger:
        assert ledger.find_reply(make_reply(3).request_id) == make_reply(3)
        assert ledger.spent().num_replies == 5
    assert (
        run_cli("ledger", "stats", tmp_path / "two", "--json").result["oldest"]
        == (run_cli("ledger", "stats", tmp_path / "one", "--json").result["oldest"])
    )


def test_export_to_standard_output_is_lines_of_json(tmp_path: Path) -> None:
    make_dataset(tmp_path)
    lines = run_cli("ledger", "export", tmp_path).out.splitlines()
    assert [json.loads(line)["reply"]["text"] for line in lines] == ["A brown dog."] * 20
    assert run_cli("ledger", "export", tmp_path, "--since", "2100-01-01").out == ""
    assert "wants a date" in run_cli("ledger", "export", tmp_path, "--since", "yesterday").err


def test_import_takes_another_dataset_and_makes_a_new_ledger(tmp_path: Path) -> None:
    make_dataset(tmp_path / "one")
    assert run_cli("ledger", "import", tmp_path / "new", tmp_path / "one").code == 0
    assert answers(tmp_path / "new") == list(range(20))


def test_import_names_each_faulty_line_and_takes_the_others(tmp_path: Path) -> None:
    make_dataset(tmp_path / "one", 0, 3)
    lines = run_cli("ledger", "export", tmp_path / "one").out.splitlines()
    lines.insert(1, lines[0].replace(f"{0:064x}", "abc"))
    lines.insert(2, "{broken")
    lines.insert(3, lines[0].replace('"prompt_tokens":10', '"prompt_tokens":"ten"'))
    lines.insert(4, "")
    file = tmp_path / "lines.jsonl.gz"
    file.write_bytes(gzip.compress("\n".join(lines).encode()))
    done = run_cli("ledger", "import", tmp_path / "new", file)
    assert done.code == 4
    for number, fault in ((2, "request id"), (3, "malformed"), (4, "prompt_tokens")):
        assert any(f"line {number}: " in line and fault in line for line in done.out.splitlines()), done.out
    assert "3 answers came in, 0 were there already, 3 lines were left out" in done.out
    assert answers(tmp_path / "new") == [0, 1, 2]


def test_import_of_what_is_not_there_or_cut_off_is_wrong_use(tmp_path: Path) -> None:
    make_dataset(tmp_path)
    assert "is not there" in run_cli("ledger", "import", tmp_path, tmp_path / "nothing").err
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b"{}\n" * 100)[:-9])
    assert "cannot be read" in run_cli("ledger", "import", tmp_path, tmp_path / "cut.jsonl.gz").err


def test_writing_commands_are_refused_during_a_run_and_reading_ones_are_not(tmp_path: Path) -> None:
    make_dataset(tmp_path)
    script = (
        "import sys; from pathlib import Path; from instructgen.ledger.ledger import Ledger\n"
        "with Ledger(Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        for reading in (("stats", tmp_path), ("verify", tmp_path), ("export", tmp_path)):
            assert run_cli("ledger", *reading).code == 0
        for writing in (("gc", tmp_path), ("import", tmp_path, tmp_path)):
            done = run_cli("ledger", *writing)
            assert (done.code, "in use by another" in done.err) == (2, True)
    finally:
        holder.communicate()


def test_gc_makes_the_journal_smaller_and_keeps_every_answer(tmp_path: Path) -> None:
    with Ledger(tmp_path / "run") as ledger:
        for _ in range(300):
            asyncio.run(ledger.mark_sent(make_reply(1).request_id, Cost(1, 1)))
        asyncio.run(fill(ledger, 0, 20))
        spent = ledger.spent()
    found = run_cli("ledger", "gc", tmp_path, "--json").result
    assert found["bytes_after"] < found["bytes_before"] - 10_000
    assert run_cli("ledger", "verify", tmp_path).code == 0
    (tmp_path / "run" / "ledger.sqlite").unlink()
    with Ledger(tmp_path / "run") as ledger:
        assert ledger.spent() == spent
    assert answers(tmp_path) == list(range(20))


def test_gc_removes_damaged_copies_only_when_asked(tmp_path: Path) -> None:
    make_dataset(tmp_path)
    spoil(tmp_path / "run" / "ledger.sqlite")
    run_cli("ledger", "verify", tmp_path, "--repair")
    assert list((tmp_path / "run").glob("*.damaged-*"))
    run_cli("ledger", "gc", tmp_path)
    assert list((tmp_path / "run").glob("*.damaged-*"))
    assert run_cli("ledger", "gc", tmp_path, "--damaged", "--json").result["damaged_removed"] >= 1
    assert not list((tmp_path / "run").glob("*.damaged-*"))


def test_gc_moves_out_only_what_no_version_refers_to(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    make_dataset(tmp_path)
    assert "no published version" in run_cli("ledger", "gc", tmp_path, "--unused-to", tmp_path / "u.jsonl").err
    for name, rows, rejected in (("a", (0, 1, 2), (3,)), ("b", (2, 4), ())):
        version = tmp_path / "versions" / name
        (version / "data").mkdir(parents=True)
        ids = [[make_reply(number).request_id] for number in rows]
        pq.write_table(pa.table({"request_ids": ids}), version / "data" / "train.parquet")
        lines = [json.dumps({"unit_id": "x", "request_id": make_reply(number).request_id}) for number in rejected]
        (version / "rejected.jsonl").write_text("\n".join([*lines, json.dumps({"unit_id": "y"})]) + "\n")
    found = run_cli("ledger", "gc", tmp_path, "--unused-to", tmp_path / "u.jsonl", "--json").result
    assert found["dropped"] == 15
    assert answers(tmp_path) == [0, 1, 2, 3, 4]
    assert run_cli("ledger", "verify", tmp_path).code == 0
    assert run_cli("ledger", "import", tmp_path, tmp_path / "u.jsonl", "--json").result["new"] == 15
    assert answers(tmp_path) == list(range(20))


def test_gc_drops_nothing_where_a_version_cannot_be_read(tmp_path: Path) -> None:
    make_dataset(tmp_path)
    (tmp_path / "versions" / "a" / "data").mkdir(parents=True)
    (tmp_path / "versions" / "a" / "data" / "x.parquet").write_bytes(b"garbage")
    done = run_cli("ledger", "gc", tmp_path, "--unused-to", tmp_path / "u.jsonl")
    assert (done.code, "nothing was dropped" in done.err) == (2, True)
    assert answers(tmp_path) == list(range(20))
    assert not (tmp_path / "u.jsonl").exists()


@pytest.mark.parametrize("command", ["stats", "verify", "export", "import", "gc"])
def test_help_shows_examples(command: str) -> None:
    text = run_cli("ledger", command, "--help").out
    assert f"instructgen ledger {command} out/coco" in text
