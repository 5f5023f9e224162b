"""The metrics file, read back by Prometheus's own parser."""

import re
import sys
from pathlib import Path

import pytest

from instructgen import secrets
from instructgen.errors import InstructgenError
from instructgen.observe.stats import RunStats
from instructgen.records import Reply
from tests.support.cli import ROOT

KEY = "sk-planted-0123456789"


class Clock:
    def __init__(self) -> None:
        self.now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(autouse=True)
def needs_prometheus(request: pytest.FixtureRequest) -> None:
    if "missing" not in request.node.name:
        pytest.importorskip("prometheus_client", reason="the optional prometheus_client package is not installed")


def make_stats() -> RunStats:
    stats = RunStats()
    for latency_s in (0.08, 0.2, 7.0, 1_000.0):
        stats.sent("http://a m")
        stats.attempt("http://a m", "answered", latency_s)
        stats.answered(Reply("id", "t", "stop", 100, 20, 0.5, "m", "openai", ("usage_missing",)), "http://a m")
    stats.sent("http://b m")
    stats.attempt("http://b m", "rate_limited", 0.01, 7)
    stats.retried("rate_limited")
    stats.sent("http://b m")
    stats.found("shared cache")
    stats.settled("accepted")
    stats.settled("rejected", "refusal")
    return stats


def parse(path: Path) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    from prometheus_client.parser import text_string_to_metric_families

    families = list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
    assert all(family.documentation and family.type != "unknown" for family in families)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_prometheus_reads_back_every_count(tmp_path: Path) -> None:
    from instructgen.observe.metrics import MetricsFile

    path = tmp_path / "metrics" / "run.prom"
    MetricsFile(path, make_stats()).write()
    found = parse(path)
    a, b = (("server", "http://a m"),), (("server", "http://b m"),)
    assert found["instructgen_requests_total", a] == 4
    assert found["instructgen_requests_total", b] == 2
    assert found["instructgen_failed_attempts_total", (("reason", "rate_limited"), *b)] == 1
    assert found["instructgen_retries_total", (("reason", "rate_limited"),)] == 1
    assert found["instructgen_answers_total", ()] == 4
    assert found["instructgen_tokens_total", (("kind", "prompt"),)] == 400
    assert found["instructgen_tokens_total", (("kind", "completion"),)] == 80
    assert found["instructgen_cost_usd_total", ()] == 2.0
    assert found["instructgen_found_total", (("where", "shared cache"),)] == 1
    assert found["instructgen_answer_notes_total", (("note", "usage_missing"),)] == 4
    assert found["instructgen_units_total", (("outcome", "rejected"), ("reason", "refusal"))] == 1
    assert found["instructgen_in_flight", b] == 1
    assert found["instructgen_concurrency", b] == 7
    assert found["instructgen_running", ()] == 1


def test_latency_is_a_histogram_whose_buckets_add_up(tmp_path: Path) -> None:
    from instructgen.observe.metrics import MetricsFile

    path = tmp_path / "run.prom"
    MetricsFile(path, make_stats()).write()
    found = parse(path)
    counts = {
        dict(labels)["le"]: value
        for (name, labels), value in found.items()
        if name == "instructgen_latency_seconds_bucket" and ("server", "http://a m") in labels
    }
    assert (counts["0.05"], counts["0.1"], counts["0.25"], counts["10.0"], counts["300.0"]) == (0, 1, 2, 3, 3)
    assert counts["+Inf"] == found["instructgen_latency_seconds_count", (("server", "http://a m"),)] == 4
    assert list(counts.values()) == sorted(counts.values())
    total_s = found["instructgen_latency_seconds_sum", (("server", "http://a m"),)]
    assert total_s == pytest.approx(1_007.28)


def test_every_metric_is_named_after_the_program_and_explained(tmp_path: Path) -> None:
    from instructgen.observe.metrics import MetricsFile

    path = tmp_path / "run.prom"
    MetricsFile(path, make_stats()).write()
    text = path.read_text(encoding="utf-8")
    samples = {re.split(r"[{ ]", line)[0] for line in text.splitlines() if not line.startswith("#")}
    assert all(name.startswith("instructgen_") for name in samples)
    assert len(re.findall("^# HELP ", text, re.MULTILINE)) == len(re.findall("^# TYPE ", text, re.MULTILINE)) == 15


def test_file_is_rewritten_every_five_seconds_and_at_the_end(tmp_path: Path) -> None:
    from instructgen.observe.metrics import MetricsFile

    clock, stats = Clock(), RunStats()
    path = tmp_path / "run.prom"
    metrics = MetricsFile(path, stats, now=clock)
    metrics.maybe_write()
    stats.found("ledger")
    clock.now_s += 4.9
    metrics.maybe_write()
    assert ("instructgen_found_total", (("where", "ledger"),)) not in parse(path)
    clock.now_s += 0.2
    metrics.maybe_write()
    assert parse(path)["instructgen_found_total", (("where", "ledger"),)] == 1
    stats.found("ledger")
    metrics.close()
    assert parse(path)["instructgen_found_total", (("where", "ledger"),)] == 2
    assert parse(path)["instructgen_running", ()] == 0
    assert [file.name for file in tmp_path.iterdir()] == ["run.prom"]


def test_no_label_holds_a_key_and_odd_labels_are_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from instructgen.observe.metrics import MetricsFile

    monkeypatch.setattr(secrets, "_secrets", set())
    monkeypatch.setattr(secrets, "_forms", ())
    secrets.register(KEY)
    stats = RunStats()
    stats.sent(f'http://"{KEY}"\n m\\')
    path = tmp_path / "run.prom"
    MetricsFile(path, stats).write()
    assert KEY not in path.read_text(encoding="utf-8")
    assert parse(path)["instructgen_requests_total", (("server", 'http://"[key]"\n m\\'),)] == 1


def test_file_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    from instructgen.observe.metrics import MetricsFile

    (tmp_path / "file").write_text("", encoding="utf-8")
    said: list[str] = []
    metrics = MetricsFile(tmp_path / "file" / "run.prom", RunStats(), say=said.append)
    metrics.write()
    metrics.close()
    assert len(said) == 1
    assert "run.prom" in said[0]


def test_missing_package_is_said_with_the_way_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from instructgen.observe.metrics import MetricsFile

    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(InstructgenError, match=r"pip install 'instructgen\[metrics\]'"):
        MetricsFile(tmp_path / "run.prom", RunStats())


def test_every_metric_is_documented(tmp_path: Path) -> None:
    from instructgen.observe.metrics import MetricsFile

    path = tmp_path / "run.prom"
    MetricsFile(path, make_stats()).write()
    types = re.findall(r"^# TYPE (\w+) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    text = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(instructgen_\w+)` \| (\w+) \|", text, re.MULTILINE)) == set(types)
