import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from instructgen.cli.comment import MAX_CHARS, code, draw_table, escape, fit, fold
from instructgen.cli.dataset_check import write_comment as write_check_comment
from instructgen.cli.diff_comment import write_comment
from instructgen.dataset.compare.diff import Named, diff_versions
from instructgen.dataset.gates.check import CheckReport, Finding
from tests.support.versions import make_row_of, write_version

HOSTILE = (
    "</pre></details></code><script>alert(1)</script><img src=x onerror=y> ![a](http://e.example/x.png) "
    "[link](javascript:x) `code` ``` ~~~ | cell | @maintainer #12 GH-12 https://e.example/ www.e.example a@e.example "
    "<!-- --> **bold** _em_ ~~x~~ $x$ :rocket: \\ &lt;b&gt; \u202e\u200b\x1b[31m\n\n# title\n\n- [x] task\n"
)


class Text(HTMLParser):
    """Tags, and the text that is not within code or pre."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.outside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"code", "pre"} & set(self.open):
            self.outside += data


def hostile_diff(tmp_path: Path, num: int = 4) -> str:
    turns = [("What is there? " + HOSTILE, HOSTILE * 3)]
    old_rows = [{**make_row_of(at, pairs=turns), "sample_id": f"{HOSTILE}{at}"} for at in range(num)]
    new_rows = [
        {**row, "messages": [*row["messages"][:1], {"role": HOSTILE, "content": HOSTILE}]} for row in old_rows
    ]
    extra = {**make_row_of(90, pairs=turns), "sample_id": HOSTILE + "new"}
    old = write_version(tmp_path / "old", old_rows, config={HOSTILE: HOSTILE}, metrics={"total": {"chair_i": 0.1}})
    metrics = {"total": {"chair_i": 0.2, HOSTILE: 1}, "types": {HOSTILE: {"chair_i": 0.3}}}
    new = write_version(tmp_path / "new", [*new_rows, extra], config={HOSTILE: 1}, metrics=metrics)
    return write_comment(diff_versions(old, new, num_examples=num), 50_000)


def test_nothing_that_a_dataset_says_acts_in_a_comment(tmp_path: Path) -> None:
    markdown_it = pytest.importorskip("markdown_it", reason="renders the comment")
    text = hostile_diff(tmp_path)
    rendered = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
    seen = Text()
    seen.feed(rendered)
    expected = {"h2", "h3", "p", "strong", "code", "pre", "details", "summary", "del", "ins"}
    assert seen.tags - {"table", "thead", "tbody", "tr", "th", "td"} <= expected
    assert seen.open == []
    for mark in ("@", "http", "www", "#1", "javascript", "alert", "\u202e", "\x1b"):
        assert mark not in seen.outside, mark
    assert "e.example" in rendered  # and yet it is there to be read
    for mark in ("\u202e", "\u200b", "\x1b", "<script", "<img", "```", "www.", "://", "@"):
        assert mark not in text, mark


def test_comment_fits_and_says_that_it_was_cut(tmp_path: Path) -> None:
    whole = hostile_diff(tmp_path / "a")
    many = hostile_diff(tmp_path / "b", num=40)
    assert "Cut here" not in whole
    assert len(many) <= 50_000
    assert many.count("<details>") == many.count("</details>")
    assert "Cut here" in many


def test_both_comments_together_fit_into_one(tmp_path: Path) -> None:
    findings = tuple(Finding(HOSTILE, "failed", 1.0, 0.5, HOSTILE * 9) for _ in range(60))
    report = CheckReport(Named("a", "b", "c"), Named("d", "e", "f"), findings)
    gates = write_check_comment(report)
    assert "60 of 60 gates failed" in gates
    assert "| ❌ <code>" in gates
    assert len(gates) + len(hostile_diff(tmp_path, num=40)) <= MAX_CHARS


def test_text_is_read_back_as_it_was() -> None:
    import html

    plain = "A dog's 1.5 m (long) lead_rope | <b> `x` & “é” 犬"
    assert html.unescape(escape(plain)) == plain
    assert not re.search(r"[<>`|&_*\[\]!#@:](?!#?\w+;)", escape(plain).replace("&#", ""))


def test_code_stays_on_one_line_and_is_cut() -> None:
    assert code("a\n\n b") == "<code>a b</code>"
    assert code("a" * 300, 10) == "<code>aaaaaaaaa…</code>"


def test_parts_are_kept_whole_in_their_order() -> None:
    parts = ["first", "x" * 80, fold("title", "y" * 400)]
    text = fit(parts, 250)
    assert text.startswith("first\n\nxxx")
    assert "yyy" not in text
    assert len(text) <= 250
    assert fit(["a", "", "b"]) == "a\n\nb\n"
    assert draw_table(("a", "b"), []) == ""
