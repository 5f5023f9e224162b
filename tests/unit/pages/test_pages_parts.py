"""What pages are put together from: answers with claims, pictures with boxes, charts and numbers."""

import re

import pytest

from instructgen.pages import numbers
from instructgen.pages.charts import Chart, make_bars, make_heat_map, make_lines
from instructgen.pages.claims import Note, Segment, Turn, split_answer
from instructgen.pages.figures import Picture, mark_boxes
from instructgen.pages.render import _environment

TEXT = "Two dogs lie left of a red car."


def note(words: str, truth: str = "supported", subject: str = "dog") -> Note:
    start = TEXT.index(words)
    return Note(start, start + len(words), truth, "object", f"of {words}", subject)  # type: ignore[arg-type]


def draw(macro: str, *values: object) -> str:
    return str(getattr(_environment().get_template("pages/parts.html").module, macro)(*values))


def test_segments_join_to_the_whole_answer() -> None:
    segments = split_answer(TEXT, [note("a red car"), note("Two dogs")])
    assert "".join(segment.text for segment in segments) == TEXT
    assert [segment.text for segment in segments if segment.notes] == ["Two dogs", "a red car"]


def test_claims_that_overlap_share_a_segment_and_the_worst_truth() -> None:
    found = split_answer(
        TEXT, [note("Two dogs"), note("dogs lie left of", "contradicted"), note("lie", "unverifiable")]
    )
    marked = [segment for segment in found if segment.notes]
    assert [segment.text for segment in marked] == ["Two dogs lie left of"]
    assert marked[0].truth == "contradicted"
    assert len(marked[0].notes) == 3
    assert marked[0].subjects == "dog"


def test_note_outside_of_the_text_is_left_out() -> None:
    assert split_answer("Hm.", [note("Two dogs"), Note(2, 2, "supported", "object", "")]) == (Segment("Hm."),)
    assert split_answer("", []) == (Segment(""),)


def test_claim_in_html_is_focusable_and_described_by_its_evidence() -> None:
    html = draw(
        "conversation", [Turn("assistant", split_answer(TEXT, [note("a red car", "contradicted", "car")]))], "s1"
    )
    mark = re.search(r'<mark class="claim contradicted" tabindex="0" aria-describedby="([^"]+)"', html)
    assert mark is not None
    evidence = re.search(rf'role="tooltip" id="{mark[1]}">(.*?)</span></span>', html)
    assert evidence is not None
    assert "contradicted, object</span>: of a red car" in evidence[1]
    assert (
        "".join(re.sub(r'<span class="evidence".*?</span></span>|<[^>]+>', "", html).split("assistant")).strip()
        == TEXT
    )


def test_boxes_come_largest_first_and_one_label_keeps_one_tone() -> None:
    marks = mark_boxes([("dog", 0, 0, 0.1, 0.1, False), ("car", 0, 0, 1, 1, False), ("dog", 0, 0, 0.5, 0.5, True)])
    assert [(box.label, box.x1) for box in marks] == [("car", 1), ("dog", 0.5), ("dog", 0.1)]
    assert marks[1].tone == marks[2].tone != marks[0].tone
    assert all(box.is_named for box in marks)


def test_of_many_boxes_with_one_label_only_the_largest_is_named() -> None:
    marks = mark_boxes(
        [("person", 0, 0, size / 10, 1, False) for size in range(1, 8)] + [("kite", 0, 0, 0.1, 0.1, False)]
    )
    assert [(box.label, box.x1) for box in marks if box.is_named] == [("person", 0.7), ("kite", 0.1)]
    picture = Picture(None, "", 4, 3, marks)
    assert [(line.label, line.num) for line in picture.labels] == [("person", 7), ("kite", 1)]


def test_picture_that_is_not_at_hand_shows_its_boxes_and_says_what_to_give() -> None:
    picture = Picture(
        None, "a dog", 400, 300, mark_boxes([("dog", 0.1, 0.2, 0.5, 0.9, False)]), "give --images FOLDER"
    )
    html = draw("picture", picture)
    assert "<img" not in html
    assert 'viewBox="0 0 400 300"' in html
    assert 'x="10.00%" y="20.00%" width="40.00%" height="70.00%"' in html
    assert "give --images FOLDER" in html


def test_no_part_has_what_the_policy_would_stop() -> None:
    """style="" and onclick="" are inline, too."""
    for name in _environment().list_templates():
        source, *_ = _environment().loader.get_source(_environment(), name)
        assert not re.search(r"""\s(?:style|on\w+)\s*=\s*["'{]""", source), name


def test_chart_has_its_numbers_as_a_table_and_its_option_as_json() -> None:
    chart = Chart(
        "Words", "How long.", make_bars({"a</script>": 2}, "answers"), ["words", "answers"], [["a", 2], ["b", None]]
    )
    html = draw("chart", chart)
    assert html.count("</script>") == 1
    assert '<td class="num">2</td>' in html
    assert "<td>–</td>" in html
    assert 'aria-label="Words. How long."' in html


def test_lines_and_heat_maps_keep_their_numbers() -> None:
    lines = make_lines({"loss": [(1, 2.0), (2, 1.5)]}, "step", "loss")
    assert lines["series"][0]["data"] == [[1, 2.0], [2, 1.5]]  # type: ignore[index]
    heat = make_heat_map([[0, 5], [2, 0]], "boxes")
    assert heat["series"][0]["data"] == [[0, 0, 0], [1, 0, 5], [0, 1, 2], [1, 1, 0]]  # type: ignore[index]
    assert heat["visualMap"]["max"] == 5  # type: ignore[index]


@pytest.mark.parametrize(
    ("say", "value", "text"),
    [
        (numbers.say_number, 158_000, "158,000"),
        (numbers.say_number, 2.0, "2"),
        (numbers.say_number, 0.12345, "0.123"),
        (numbers.say_number, 1e-5, "1e-05"),
        (numbers.say_share, 0.9742, "97.4%"),
        (numbers.say_usd, 12.5, "$12.50"),
        (numbers.say_usd, 0.0004, "$0.0004"),
        (numbers.say_usd, 0.0, "$0.00"),
        (numbers.say_duration, 8.04, "8.0 s"),
        (numbers.say_duration, 59.99, "1 min 00 s"),
        (numbers.say_duration, 185.2, "3 min 05 s"),
        (numbers.say_duration, 7_800, "2 h 10 min"),
        (numbers.say_bytes, 1_742_088, "1.7 MB"),
        (numbers.say_bytes, 12, "12 B"),
        (numbers.say_cell, None, "–"),
        (numbers.say_cell, True, "True"),
    ],
)
def test_numbers_are_written_for_people(say, value: float, text: str) -> None:
    assert say(value) == text
