"""Near duplicates from files are those that are found in memory."""

import random
from pathlib import Path

import pytest

from instructgen.filters.near_duplicate import NearDuplicate
from instructgen.filters.near_duplicate_disk import OnDisk
from instructgen.records import ImageRecord, Message, Sample


def make_samples(num: int) -> list[Sample]:
    """Return texts of which many are another one with some words changed, of two types; some are too short."""
    draw = random.Random(5)
    words = [f"word{number}" for number in range(300)]
    texts = [[draw.choice(words) for _ in range(draw.choice([5, 40, 60]))] for _ in range(num // 12)]
    samples = []
    for number in range(num):
        text = list(draw.choice(texts))
        for _ in range(draw.choice([0, 0, 1, 2, 4, 8])):
            text[draw.randrange(len(text))] = draw.choice(words)
        kind = draw.choice(["conv", "detail"])
        turns = (Message("user", "What?"), Message("assistant", " ".join(text)))
        samples.append(Sample(f"coco/{number}/{kind}/0", f"coco/{number}", kind, turns, (), {}))
    return samples


@pytest.mark.parametrize("at_once", [7, 100, 100_000])
@pytest.mark.parametrize("num_dropped", [0, 60])
def test_decisions_are_those_of_the_pass_in_memory(at_once: int, num_dropped: int) -> None:
    options = NearDuplicate(threshold=0.7)
    samples = make_samples(400)
    dropped = {sample.sample_id for sample in samples[::3][:num_dropped]}
    decided = []
    for rule in (options, OnDisk(options, at_once)):
        one = rule.start()
        for sample in samples:
            one.observe(sample, ImageRecord(sample.image_id, "", 1, 1, (), ()))
        decided.append(one.decide(dropped))
    assert len(decided[0]) > 30
    assert decided[1] == decided[0]
    assert list(decided[1]) == list(decided[0])


def test_nothing_seen_drops_nothing() -> None:
    assert OnDisk(NearDuplicate()).start().decide() == {}


def test_texts_that_are_all_too_short_drop_nothing() -> None:
    one = OnDisk(NearDuplicate()).start()
    for number in range(3):
        turns = (Message("user", "What?"), Message("assistant", "A dog."))
        one.observe(Sample(f"coco/{number}/conv/0", "", "conv", turns, (), {}), ImageRecord("", "", 1, 1, (), ()))
    assert one.decide() == {}


def test_files_are_gone_once_it_has_decided(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    one = OnDisk(NearDuplicate()).start()
    for sample in make_samples(40):
        one.observe(sample, ImageRecord("", "", 1, 1, (), ()))
    assert list(tmp_path.iterdir())
    one.decide()
    assert not list(tmp_path.iterdir())
