"""The live display: what it says at any size of the terminal, and how it leaves the terminal."""

import io
import re
import time

import pytest
from rich.cells import cell_len
from rich.console import Console

from instructgen.attempts import AttemptError
from instructgen.cli.live import LiveDisplay
from instructgen.cli.live_layout import View, make_lines
from instructgen.cli.live_parts import Marks, draw_bar, draw_block, fit_parts, show_number, show_time, show_usd
from instructgen.cli.progress import Progress, has_live_terminal
from instructgen.cli.progress_counts import BuildCounts
from instructgen.generate.breaker import Breaker
from instructgen.generate.budget import NANO, Budget
from instructgen.generate.pool import Endpoint
from instructgen.jobs.generate import Gauges
from instructgen.limits.bounds import ServerLimits
from instructgen.limits.gate import Gate
from instructgen.observe.stats import RunStats
from instructgen.records import Cost, Failed, Rejected
from tests.support.make import make_reply, make_sample
from tests.support.teachers import TestServer

HOSTILE = "Hi \x1b]52;c;cm0gLXJm\x07\x1b[2J\x9b3J\r\n[bold red]not markup[/] 犬犬犬"


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def make_endpoint(name: str) -> Endpoint:
    return Endpoint(TestServer(name), Gate(ServerLimits(32), lambda: 0.0), Breaker(lambda: 0.0))  # type: ignore[arg-type]


def make_counts(num_servers: int = 2) -> tuple[BuildCounts, Clock]:
    """Half of a thousand units are done, at ten a second."""
    clock = Clock()
    counts = BuildCounts(now=clock)
    counts.begin("generate", 1000)
    stats = RunStats()
    endpoints = tuple(make_endpoint(f"model@server-{number}.example/v1") for number in range(num_servers))
    for endpoint in endpoints:
        for _ in range(3):
            stats.sent(endpoint.server.name)
        stats.attempt(endpoint.server.name, "answered", 1.5, 16)
        stats.attempt(endpoint.server.name, "rate_limited", 0.1, 16)
    counts.gauges = Gauges(stats, Budget(max_nano_usd=3 * NANO, spent=Cost(0, 0)), endpoints)
    clock.now_s += 50
    for number in range(500):
        reply = make_reply(number, cost_usd=0.004)
        counts.bought.add(reply)
        counts.gauges.budget.settle(Cost(), Cost(4_000_000, 15))
        counts.answered(reply, make_sample(number, answer="A brown dog lies there. " * 30) if number % 2 else None)
    counts.rejected.update({"too_short": 40, "question_repeated": 4})
    counts.failed.update({"timeout": 2})
    return counts, clock


def draw(width: int, height: int, counts: BuildCounts | None = None, **view: object) -> list[str]:
    made, clock = make_counts()
    counts = counts or made
    shown = View(title="COCO val2017, gpt-4o-mini", started_s=100.0, now_s=clock.now_s, sample=counts.latest)
    return [line.plain for line in make_lines(counts, shown._replace(**view), width, height, Marks())]  # type: ignore[arg-type]


def test_wide_terminal_shows_everything_there_is_to_know() -> None:
    text = "\n".join(draw(100, 30))
    for told in (
        "instructgen build  COCO val2017, gpt-4o-mini",
        "50%",
        "0:50 left",
        "500 of 1,000",
        "10/s",
        "$2.00 of $3.00",
        "about $4.00 in all",
        "enough for 750 units",
        "5,000 prompt, 2,500 answer",
        "500 answered",
        "44 rejected of 250 judged",
        "2 failed",
        "too_short",
        "timeout",
        "model@server-1.example/v1  1/16 in flight  1 answered  1.5 s each  1 rate_limited",
        "coco/000000000499/conv/0",
        "Q: What is lying on the grass?",
        "A: A brown dog lies there.",
    ):
        assert told in text


@pytest.mark.parametrize("width", [1, 5, 12, 20, 39, 59, 79, 99, 250])
@pytest.mark.parametrize("height", [1, 2, 9, 23])
@pytest.mark.parametrize("is_over", [False, True])
def test_no_line_is_wider_and_no_drawing_higher_than_the_terminal(width: int, height: int, is_over: bool) -> None:
    lines = draw(width, height, is_over=is_over)
    assert 0 < len(lines) <= height
    assert max(map(cell_len, lines)) <= width


def test_narrow_terminal_keeps_what_matters_most() -> None:
    lines = draw(39, 9)
    text = "\n".join(lines)
    for told in ("50%", "0:50 left", "$2.00 of $3.00", "500 answered", "2 failed", "Q: What is lying"):
        assert told in text


def test_short_terminal_keeps_the_stage_that_goes_on() -> None:
    counts, _ = make_counts()
    counts.end()
    counts.begin("write", 1000)
    (line,) = draw(79, 1, counts)
    assert "write" in line


def test_bar_is_as_long_as_what_is_done() -> None:
    assert [len(text) for text, _ in draw_bar(0.25, 40, Marks())] == [10, 30]
    assert [len(text) for text, _ in draw_bar(1.5, 40, Marks())] == [40, 0]
    assert draw_block(0.5, 10, Marks()) == "█████"
    assert draw_block(0.001, 10, Marks()) == "▏"
    assert draw_block(0.55, 10, Marks(is_ascii=True)) == "#####"


def test_terminal_without_unicode_gets_ascii() -> None:
    counts, clock = make_counts()
    view = View("t", 100.0, clock.now_s, counts.latest)
    text = "\n".join(line.plain for line in make_lines(counts, view, 79, 30, Marks(is_ascii=True)))
    assert text.isascii()


def test_parts_that_do_not_fit_are_left_out_from_the_end() -> None:
    parts = [("aaaa", ""), ("bbbb", ""), ("cccc", "")]
    assert fit_parts(parts, 10, "  ") == [("aaaa", ""), ("  ", ""), ("bbbb", "")]
    assert fit_parts(parts, 2, "  ") == [("aaaa", "")]


def test_numbers_and_times_are_short() -> None:
    assert [show_number(one) for one in (0, 7, 0.25, 57.22, 9999, 12_345, 1_234_567, 5e9)] == [
        *("0", "7", "0.2", "57.2", "9,999", "12.3k", "1.23M", "5G"),
    ]
    assert [show_usd(one) for one in (0.0, 0.0123, 12.5, 1234.5)] == ["$0.0000", "$0.0123", "$12.50", "$1,234.50"]
    assert [show_time(one) for one in (7, 754, 11_220, 900_000)] == ["0:07", "12:34", "3:07:00", "10 days"]


def test_server_that_is_given_up_or_rests_says_so() -> None:
    counts, _ = make_counts()
    assert counts.gauges is not None
    first, second = counts.gauges.endpoints
    for _ in range(3):
        first.breaker.count(AttemptError("unauthorized", "no such key"))
    second.breaker.is_resting = True
    text = "\n".join(draw(100, 30, counts))
    assert "server-0.example/v1  given up" in text
    assert "server-1.example/v1  rests" in text


def test_many_servers_take_no_more_room_than_five() -> None:
    counts, _ = make_counts(num_servers=9)
    text = "\n".join(draw(100, 40, counts))
    assert text.count("model@server-") == 4
    assert "and 5 more servers" in text


def test_build_that_asks_nobody_shows_no_cost() -> None:
    counts = BuildCounts(now=Clock())
    counts.begin("generate", 10)
    text = "\n".join(draw(100, 30, counts))
    assert "cost" not in text
    assert "tokens" not in text


def test_unknown_price_is_told() -> None:
    counts, _ = make_counts()
    counts.bought.cost_usd = None
    assert "unknown, no price is configured" in "\n".join(draw(100, 30, counts))


def test_stage_that_was_stopped_has_no_mark_of_being_done() -> None:
    counts, _ = make_counts()
    counts.end()
    stopped = "\n".join(draw(100, 30, counts, is_over=True))
    assert "✓" not in stopped
    counts.stage.num_done = 1000
    assert "✓" in "\n".join(draw(100, 30, counts, is_over=True))


def test_text_of_a_sample_cannot_steer_the_terminal_or_be_markup() -> None:
    counts, clock = make_counts()
    counts.latest = make_sample(1, answer=HOSTILE)
    counts.rejected["\x1b[31mred"] = 9
    console = Console(file=io.StringIO(), force_terminal=True, width=80, height=30, color_system="truecolor")
    view = View(f"t{HOSTILE}", 100.0, clock.now_s, counts.latest)
    for line in make_lines(counts, view, 79, 29, Marks()):
        console.print(line)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[bold red]not markup[/]" in printed
    assert "\x9b" not in printed
    assert "\x07" not in printed
    assert "\r" not in printed
    # The only escapes are our own colours.
    assert re.sub(r"\x1b\[[0-9;]*m", "", printed).count("\x1b") == 0


def test_no_colour_is_written_where_the_user_wants_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    printed = run_display(Console(file=io.StringIO(), force_terminal=True, width=80, height=24))
    codes = {int(code) for found in re.findall(r"\x1b\[([\d;]+)m", printed) for code in found.split(";")}
    assert not codes & {*range(30, 39), *range(40, 49), *range(90, 108)}
    assert "500 answered" in printed


def run_display(console: Console) -> str:
    counts, _ = make_counts()
    display = LiveDisplay(counts, "title", console)
    display.start()
    display.say("a message\x1b[2J")
    display.close()
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_last_drawing_stays_below_what_was_said_and_the_cursor_is_back() -> None:
    printed = run_display(Console(file=io.StringIO(), force_terminal=True, width=80, height=24))
    assert printed.count("\x1b[?25l") == 1
    assert printed.rindex("\x1b[?25h") > printed.rindex("\x1b[?25l")
    said, last = printed.index("a message?[2J"), printed.rindex("500 answered")
    assert said < last
    assert "latest" not in printed[printed.rindex("instructgen build") :]


def test_terminal_that_became_narrower_has_its_wrapped_lines_erased() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=30)
    counts, _ = make_counts()
    display = LiveDisplay(counts, "title", console)
    display.start()
    before = console.file.getvalue()  # type: ignore[attr-defined]
    num_lines = len(make_lines(counts, View("title", 100.0, 150.0, counts.latest), 99, 29, Marks()))
    console.width = 50
    display.say("narrow")
    written = console.file.getvalue()[len(before) :]  # type: ignore[attr-defined]
    display.close()
    # One line up for each but the last of the drawing, as rich goes, and more for those that take two now.
    ups_before_text = written[: written.index("instructgen build")].count("\x1b[1A")
    assert ups_before_text > num_lines - 1


def test_error_in_a_build_gives_the_cursor_back(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with Progress(is_live=True) as progress:
            progress.begin("write", 10)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    err = capsys.readouterr().err
    assert err.rindex("\x1b[?25h") > err.rindex("\x1b[?25l")


def test_dumb_terminal_and_none_at_all_are_not_drawn_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", io.StringIO())
    monkeypatch.setenv("TERM", "xterm-256color")
    assert not has_live_terminal()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert has_live_terminal()
    for name in ("dumb", "", "unknown"):
        monkeypatch.setenv("TERM", name)
        assert not has_live_terminal()


def test_plain_progress_is_a_line_for_each_stage(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(is_live=False) as progress:
        progress.begin("generate", None)
        progress.expect(3)
        reply = make_reply(cost_usd=0.25)
        progress.counts.bought.add(reply)
        progress.answered(reply, make_sample(1))
        progress.answered(reply, Rejected("a/conv", "filter", "too_short"))
        progress.answered(Failed("b/conv", "teacher", "timeout", ""), None)
        progress.say("a word\x1b[2J")
        progress.end()
    told = capsys.readouterr()
    assert told.out == ""
    said, line = told.err.splitlines()
    assert said == "a word?[2J"
    assert re.fullmatch(
        r"generate: 3 of 3 units, 2 answered, 1 failed, 15 tokens, \$0\.2500, 1 rejected \(too_short 1\), "
        r"\d+ units/s",
        line,
    )


def test_counts_may_change_while_they_are_drawn() -> None:
    """Another thread draws: reading a dict that grows must not end it."""
    import threading

    counts, clock = make_counts()
    is_over = threading.Event()
    errors: list[BaseException] = []

    def read() -> None:
        try:
            while not is_over.is_set():
                make_lines(counts, View("t", 100.0, clock.now_s, counts.latest), 99, 30, Marks())
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    end_s = time.monotonic() + 0.3
    number = 0
    while time.monotonic() < end_s:
        number += 1
        counts.rejected[f"reason {number}"] += 1
        counts.failed[f"reason {number}"] += 1
        if number % 1000 == 0:
            counts.rejected.clear()
            counts.failed.clear()
    is_over.set()
    thread.join()
    assert errors == []
