"""The counting behind a report: what stands out, what is shown, and how it is said."""

import random
from collections import Counter
from pathlib import Path

import pytest

from instructgen.dataset.manifest import Counts
from instructgen.records import Box, Message
from instructgen.report.funnel import make_funnel
from instructgen.report.measures import list_measures
from instructgen.report.picks import pick_gallery, pick_strange
from instructgen.report.plots import plot_answer_words, plot_first_words, plot_yes_no
from instructgen.report.refined import read_refined
from instructgen.report.rejections import RejectedLine, Rejections
from instructgen.report.shown import SampleShower
from instructgen.report.spoken import check_rows
from instructgen.report.survey import Survey, survey_texts
from instructgen.report.texts import TextRow, read_texts
from instructgen.review.annotations import PictureFinder
from tests.support.make import make_record
from tests.support.reports import make_rows
from tests.support.versions import make_row_of, write_version


def make_text(number: int, *answers: str, doubt: float = 0.0, question: str = "Is there a dog?") -> TextRow:
    turns = tuple(turn for answer in answers for turn in (Message("user", question), Message("assistant", answer)))
    image_id = f"coco/{number:012d}"
    return TextRow(f"{image_id}/conv/0", image_id, "conv", turns, doubt, 0, number)


def test_order_of_rows_changes_nothing_that_is_picked() -> None:
    rows = [make_text(n, " ".join(["word"] * (n % 7 + 1)), doubt=(n % 3) / 4) for n in range(300)]
    mixed = random.Random(1).sample(rows, len(rows))
    first, second = survey_texts(rows, 400), survey_texts(mixed, 400)
    for name in ("doubtful", "longest", "shortest"):
        assert getattr(first, name).rows() == getattr(second, name).rows()
    assert list(first.walk_drawn()) == list(second.walk_drawn())
    assert first.types == second.types


def test_doubt_of_nothing_is_no_doubt() -> None:
    assert survey_texts([make_text(1, "Yes.")], 1).doubtful.rows() == []


def test_rows_are_read_with_their_turns_and_highest_doubt(tmp_path: Path) -> None:
    rows = make_rows()
    rows[3]["scores"] = {"grounding": 0.2, "repetition": 0.4}
    for place in (0, 1, 2, 4, 5, 6, 7):
        rows[place]["scores"]["repetition"] = None
    found = list(read_texts(write_version(tmp_path / "v", rows)))
    assert [row.sample_id for row in found] == [row["sample_id"] for row in rows]
    assert [[turn.content for turn in row.turns] for row in found] == [
        [turn["content"] for turn in row["messages"]] for row in rows
    ]
    assert [row.doubt for row in found] == [0.0, 0.1, 0.2, 0.4, 0.4, 0.5, 0.6, 0.7]
    assert [row.row for row in found] == list(range(len(rows)))


def test_place_of_a_row_counts_through_its_shard(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("instructgen.report.texts._BATCH_ROWS", 3)
    version = write_version(tmp_path / "v", make_rows())
    assert [row.row for row in read_texts(version)] == list(range(8))


def test_unusual_are_the_rows_with_the_rarest_words_and_one_of_a_kind() -> None:
    usual = " ".join(f"common{n}" for n in range(14))
    rows = [make_text(n, usual) for n in range(50)]
    rows += [make_text(n, f"{usual} zebu yak xebec") for n in (60, 61)]
    survey = survey_texts(rows, 1)
    survey.find_unusual(rows)
    picks = [pick for pick in pick_strange(survey) if "rare words" in pick.why]
    assert picks[0].row.sample_id in {rows[50].sample_id, rows[51].sample_id}
    assert "(xebec, yak, zebu)" in picks[0].why
    assert "(xebec, yak, zebu)" not in picks[1].why  # the other row with these words is not shown beside it


def test_gallery_takes_each_image_once_and_those_with_a_picture_first() -> None:
    rows = [make_text(n // 2, "Yes.") for n in range(40)]
    picks = pick_gallery(rows)
    assert len({pick.row.image_id for pick in picks}) == len(picks) == 12
    has = {rows[30].image_id, rows[36].image_id}
    picks = pick_gallery(rows, lambda image_id: image_id in has)
    assert {pick.row.image_id for pick in picks[:2]} == has
    assert len(picks) == 12
    assert len(pick_gallery(rows[:6])) == 6


def test_answers_are_counted_in_bins_of_one_width_with_the_longest_in_the_last() -> None:
    rows = [make_text(n, " ".join(["a"] * (n + 1))) for n in range(200)] + [make_text(999, "a " * 5_000)]
    chart = plot_answer_words(survey_texts(rows, 1))
    assert sum(row[1] for row in chart.rows) == 201  # type: ignore[misc]
    assert chart.rows[0] == ["0–11", 11]
    assert chart.rows[-1][0] == "192+"
    assert len(chart.rows) <= 18


def test_first_words_make_rings_whose_parts_add_up() -> None:
    survey = Survey(first_words=Counter({("what", "is", "it"): 3, ("what", "are", "they"): 2, ("why",): 1}))
    chart = plot_first_words(survey)
    (ring,) = chart.option["series"]  # type: ignore[misc]
    assert ring["data"][0]["name"] == "what"
    assert ring["data"][0]["value"] == 5
    assert [child["value"] for child in ring["data"][0]["children"]] == [3, 2]
    assert chart.rows[0] == ["what", 5, "83.3%"]
    assert "100.0% have a place" in chart.about


def test_unit_that_was_turned_away_twice_is_shown_twice() -> None:
    found = Rejections()
    for text in ("first", "second", "third", "fourth"):
        found.observe(RejectedLine("coco/1/conv", "too_long", "filter", text=text))
    assert [line.text for line in found.list_shown(("filter", "too_long"))] == ["first", "second", "third"]


def test_yes_and_no_are_counted_of_questions_of_existence_and_of_all_answers() -> None:
    rows = [make_text(1, "Yes, there is."), make_text(2, "No."), make_text(3, "No.", question="Does it fly?")]
    chart = plot_yes_no(survey_texts(rows, 1))
    assert chart is not None
    assert [list(row) for row in chart.rows] == [
        ["conv: is it there?", 1, 1, "50.0%"],
        ["conv: answers that begin so", 1, 2, "33.3%"],
    ]
    assert plot_yes_no(survey_texts([make_text(1, "A dog.", question="What?")], 1)) is None


def test_rejections_keep_a_few_of_each_reason_whatever_the_order() -> None:
    lines = [RejectedLine(f"coco/{n}/conv", f"reason{n % 2}", "filter", text="x" * n * 50) for n in range(100)]
    first, second = Rejections(), Rejections()
    for line in lines:
        first.observe(line)
    for line in reversed(lines):
        second.observe(line)
    key = ("filter", "reason0")
    assert first.list_shown(key) == second.list_shown(key)
    assert len(first.list_shown(key)) == 3
    assert first.counts[key] == {"conv": 50}
    assert max(len(line.text) for line in first.list_shown(key)) < 1_300


def test_funnel_loses_what_each_stage_lost() -> None:
    rejections = Rejections()
    for stage in ("source", "surrogate", "teacher", "parse", "refine", "filter", "publish"):
        rejections.observe(RejectedLine(f"coco/{stage}/conv", f"at_{stage}", stage))
    counts = Counts({"conv": 10}, {"conv": 3}, {"conv": 7}, {"conv": 0}, {})
    steps = {step.name: (step.num, step.lost, list(step.reasons)) for step in make_funnel(counts, rejections)}
    assert steps == {
        "planned": (10, 0, []),
        "answered": (7, 3, ["at_source", "at_surrogate", "at_teacher"]),
        "parsed": (6, 1, ["at_parse"]),
        "refined": (5, 1, ["at_refine"]),
        "kept": (3, 2, ["at_filter", "at_publish"]),
    }


@pytest.mark.parametrize(
    ("measure", "value", "before", "change", "direction"),
    [
        ("contradicted_claims", 0.1, 0.2, "-10.0 points", "better"),
        ("contradicted_claims", 0.2, 0.1, "+10.0 points", "worse"),
        ("kept_share", 0.9, 0.8, "+10.0 points", "better"),
        ("yes_share", 0.9, 0.8, "+10.0 points", ""),
        ("samples", 1200, 1000, "+200", ""),
        ("kept_share", 0.9, 0.9001, "same", ""),
        ("kept_share", 0.9, None, "", ""),
    ],
)
def test_change_is_better_or_worse_by_the_measure(
    measure: str, value: float, before: float | None, change: str, direction: str
) -> None:
    (row,) = list_measures({"total": {measure: value}, "types": {}}, {}, {"total": {measure: before}, "types": {}})
    assert (row.change, row.direction) == (change, direction)


def test_gate_of_a_type_stands_at_the_type_and_a_missing_value_passes_none() -> None:
    gates = {"total": {"kept_share": {"min": 0.9, "max": None}}, "types": {"conv": {"kept_share": {"min": 0.5}}}}
    metrics = {"total": {"kept_share": 0.8}, "types": {"conv": {"kept_share": 0.8}, "detail": {"kept_share": None}}}
    (row,) = list_measures(metrics, gates, None)
    assert (row.total.gate, row.total.state) == ("at least 90.0%", "failed")
    assert [(cell.gate, cell.state) for cell in row.types] == [("at least 50.0%", "passed"), ("", "")]
    metrics["total"]["kept_share"] = None  # type: ignore[assignment,index]
    assert list_measures(metrics, gates, None)[0].total.state == ""


def test_objects_are_spoken_of_or_passed_over_where_they_lie() -> None:
    records = {f"coco/{n:012d}": make_record(n) for n in (1, 2)}
    rows = [make_text(1, "A brown dog lies there."), make_text(2, "It is a nice day."), make_text(3, "A dog.")]
    spoken = check_rows(rows, records, frozenset())
    assert spoken.num_checked == 2  # of the third no annotations are at hand
    assert spoken.annotated == {"dog": 2, "sports ball": 2}
    assert spoken.mentioned == {"dog": 1}
    assert spoken.coverage == 0.25
    assert spoken.spoken_grid[8][4] == 1  # the dog's centre is at 0.275, 0.7
    assert sum(map(sum, spoken.passed_grid)) == 3
    assert check_rows(rows, records, frozenset({"conv"})).num_checked == 0


def test_crowd_has_no_place_of_its_own() -> None:
    crowd = make_record(1, boxes=(Box("dog", 0.1, 0.5, 0.45, 0.9, is_crowd=True),))
    spoken = check_rows([make_text(1, "There are dogs.")], {crowd.image_id: crowd}, frozenset())
    assert spoken.annotated == {"dog": 1}
    assert sum(map(sum, [*spoken.spoken_grid, *spoken.passed_grid])) == 0


def test_sample_of_two_pictures_has_both_with_their_own_boxes_and_its_claims() -> None:
    row = make_row_of(2, pairs=[("What do both have?", "Both pictures show a dog.")])
    row["images"] = [{"bytes": None, "path": "000000000001.jpg"}, *row["images"]]
    first = make_record(1, boxes=make_record(1).boxes[:1])
    records = {record.image_id: record for record in (first, make_record(2))}
    shower = SampleShower(records, PictureFinder(None, None), "model")
    shown = shower.show(row, "train", "k")
    assert [[box.label for box in picture.boxes] for picture in shown.pictures] == [["dog"], ["dog", "sports ball"]]
    assert shown.claims["supported"] > 0
    alone = SampleShower({"coco/000000000002": make_record(2)}, PictureFinder(None, None), "model")
    assert alone.show(row, "train", "k").claims == {}  # one record of two proves nothing


def test_refined_texts_are_shown_where_they_changed(tmp_path: Path) -> None:
    line = (
        b'{"unit_id":"coco/%d/conv","step":"rewrite","outcome":"accepted","is_unchanged":%s,'
        b'"diff":[["=","A"],["-","dog"],["+","cat"]]}\n'
    )
    version = write_version(tmp_path / "v", make_rows())
    (version.folder / "refined.jsonl").write_bytes(line % (1, b"true") + 2 * (line % (2, b"false")))
    assert [one.unit_id for one in read_refined(version).list_shown()] == ["coco/2/conv", "coco/2/conv"]
