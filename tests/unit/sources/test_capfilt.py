"""CapFilt: the two best of eleven captions, and one of them at random in each epoch."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from instructgen.errors import InstructgenError
from instructgen.sources.capfilt import ScoredCaption, ScoreTable, pick_caption, select_captions

GENERATED = [f"a caption {k}" for k in range(10)]


class Fixed:
    """Scores by a table; what is not in it gets 0."""

    def __init__(self, **scores: float) -> None:
        self.scores = {name.replace("_", " "): score for name, score in scores.items()}
        self.asked: list[str] = []

    def __call__(self, key: str, captions: Sequence[str]) -> list[float]:
        self.asked = list(captions)
        return [self.scores.get(caption, 0.0) for caption in captions]


def test_best_two_of_ten_and_the_original_are_kept() -> None:
    scorer = Fixed(a_caption_7=0.9, the_original=0.8, a_caption_2=0.7)
    kept = select_captions("k", "the original", GENERATED, scorer)
    assert kept == (ScoredCaption("a caption 7", 0.9), ScoredCaption("the original", 0.8))
    assert scorer.asked == ["the original", *GENERATED]


def test_original_is_dropped_where_two_are_better() -> None:
    kept = select_captions("k", "the original", GENERATED, Fixed(a_caption_0=1, a_caption_1=2))
    assert [one.caption for one in kept] == ["a caption 1", "a caption 0"]


def test_equal_scores_keep_the_original_then_the_earlier() -> None:
    kept = select_captions("k", "the original", GENERATED, Fixed())
    assert [one.caption for one in kept] == ["the original", "a caption 0"]


def test_same_caption_twice_is_kept_once_and_a_blank_one_never() -> None:
    scorer = Fixed(a_dog=1)
    kept = select_captions("k", "a dog", [" a dog ", "", " ", "a cat"], scorer)
    assert [one.caption for one in kept] == ["a dog", "a cat"]
    assert scorer.asked == ["a dog", "a cat"]
    assert select_captions("k", " ", [""], scorer) == ()


@pytest.mark.parametrize("scores", [[1.0], [1.0, float("nan")], [1.0, 2.0, 3.0]])
def test_scorer_that_does_not_give_a_number_for_each_is_refused(scores: list[float]) -> None:
    with pytest.raises(InstructgenError, match="one finite number for each"):
        select_captions("k", "a", ["b"], lambda key, captions: scores)


def test_one_of_two_is_drawn_half_the_time_whatever_the_epoch() -> None:
    for epoch in (0, 1):
        picked = [pick_caption(f"k{k}", ("a", "b"), epoch, 0) for k in range(10_000)]
        assert abs(picked.count("a") - 5_000) < 200


def test_draw_hangs_on_key_epoch_and_seed_alone() -> None:
    def draw(epoch: int, seed: int) -> list[str]:
        return [pick_caption(f"k{k}", ("a", "b"), epoch, seed) for k in range(200)]

    assert draw(0, 0) == draw(0, 0)
    assert draw(0, 0) != draw(1, 0)
    assert draw(0, 0) != draw(0, 1)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_given_scores_are_looked_up_by_key_and_caption(tmp_path: Path, suffix: str) -> None:
    rows = [
        {"key": f"k{k}", "caption": caption, "score": k + n / 10} for k in (1, 2) for n, caption in enumerate("abc")
    ]
    table = ScoreTable(write_scores(tmp_path / f"scores{suffix}", [*rows, {**rows[0], "score": 9.0}]))
    assert len(table) == 6
    assert table("k1", ["a", "c"]) == pytest.approx([9.0, 1.2])
    assert [one.caption for one in select_captions("k2", "a", ["b", "c"], table)] == ["c", "b"]
    with pytest.raises(InstructgenError, match="no score for key 'k3' and the caption 'a'"):
        table("k3", ["a"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"key": "k", "caption": "a"}', "line 1.*score"),
        ("{", "line 1"),
        ('{"key":1,"caption":"a","score":"x"}', "line 1"),
    ],
)
def test_bad_line_of_scores_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "scores.jsonl"
    path.write_text(text)
    with pytest.raises(InstructgenError, match=message):
        ScoreTable(path)


def test_file_that_is_no_table_of_scores_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match=r"\.jsonl or \.parquet"):
        ScoreTable(tmp_path / "scores.csv")
    (tmp_path / "a.parquet").write_bytes(b"no")
    with pytest.raises(InstructgenError, match="no Parquet file"):
        ScoreTable(tmp_path / "a.parquet")
    with pytest.raises(InstructgenError, match="cannot be read"):
        ScoreTable(tmp_path / "none.jsonl")


def write_scores(path: Path, rows: list[dict[str, object]]) -> Path:
    import json

    import pyarrow as pa
    from pyarrow import parquet

    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        parquet.write_table(pa.Table.from_pylist(rows), path)
    return path
