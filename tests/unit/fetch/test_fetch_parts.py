"""The parts alone: waits, opt-outs, unpacking, picture ends, the index, and what the document says of the reasons."""

import gzip
import re
import time
import zlib
from email.utils import formatdate
from pathlib import Path

import pytest

from instructgen.fetch.ask import Unpacker, is_opted_out, name_status
from instructgen.fetch.folder import FetchFolder
from instructgen.fetch.index import make_report, write_index
from instructgen.fetch.options import OPT_OUT
from instructgen.fetch.partials import Origin, Partial
from instructgen.fetch.pictures import is_whole, judge_head
from instructgen.fetch.reasons import MEANINGS, status_of
from instructgen.fetch.store import Result
from instructgen.fetch.waits import Backoff, read_retry_after_s
from tests.support.cli import ROOT
from tests.support.picture_server import make_jpeg, make_png


def test_documented_reasons_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "fetch.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (gone|failed|rejected) \| `(\w+)` \| (.+) \|$", text, re.MULTILINE)
    assert rows == [(status_of(reason), reason, meaning) for reason, meaning in MEANINGS.items()]


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [("3", 3.0), (" 0 ", 0.0), ("1.5", 1.5), ("", None), ("-1", None), ("nan", None), ("inf", None), ("soon", None)],
)
def test_retry_after_is_seconds_or_nothing(text: str, wait_s: float | None) -> None:
    assert read_retry_after_s(text) == wait_s


def test_retry_after_may_be_a_date() -> None:
    assert 50 < (read_retry_after_s(formatdate(time.time() + 60, usegmt=True)) or 0) < 61
    assert read_retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


def test_retry_after_counts_where_the_server_refuses_for_now() -> None:
    assert name_status(503, {"Retry-After": "7"}).retry_after_s == 7
    assert name_status(404, {"Retry-After": "7"}).retry_after_s is None


def test_waits_grow_to_half_a_minute() -> None:
    backoff = Backoff()
    assert all(0 <= backoff.wait_s(1) <= 0.5 for _ in range(50))
    assert max(backoff.wait_s(9) for _ in range(200)) > 10
    assert all(backoff.wait_s(50) <= 30 for _ in range(50))


@pytest.mark.parametrize(
    ("values", "is_out"),
    [
        (("noai",), True),
        (("NOINDEX , nofollow",), True),
        (("nofollow", "noimageai"), True),
        (("ours: noai",), True),
        (("other: noai, noimageai",), False),
        (("max-snippet: 20, noai",), True),
        (("unavailable_after: 25 Jun 2010 15:00:00 PST",), False),
        (("noarchive",), False),
        ((), False),
    ],
)
def test_opt_out_is_for_all_agents_or_for_ours(values: tuple[str, ...], *, is_out: bool) -> None:
    assert is_opted_out(values, "ours", frozenset(OPT_OUT)) is is_out


@pytest.mark.parametrize("packed", [gzip.compress(b"x" * 3_000_000), zlib.compress(b"x" * 3_000_000)])
@pytest.mark.parametrize("size", [1, 100, 10**9])
def test_unpacking_yields_all_of_it_in_pieces_of_bounded_size(packed: bytes, size: int) -> None:
    unpacker = Unpacker()
    pieces = [data for at in range(0, len(packed), size) for data in unpacker.feed(packed[at : at + size])]
    assert b"".join(pieces) == b"x" * 3_000_000
    assert max(map(len, pieces)) <= 256 << 10
    assert unpacker.is_whole


def test_stream_that_was_cut_is_not_whole() -> None:
    unpacker = Unpacker()
    assert list(unpacker.feed(gzip.compress(make_jpeg(1))[:-20]))
    assert not unpacker.is_whole


def test_thumbnail_in_the_head_of_a_jpeg_is_not_its_end() -> None:
    thumbnail = make_jpeg(2, side=8)
    part = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    body = make_jpeg(1)
    with_thumbnail = body[:2] + part + body[2:]
    assert is_whole(with_thumbnail, "JPEG")
    assert not is_whole(with_thumbnail[:-100], "JPEG")


@pytest.mark.parametrize(
    ("body", "kind"),
    [(make_jpeg(1), "JPEG"), (make_png(1), "PNG"), (b"RIFF\x04\0\0\0WEBP", "WEBP"), (b"GIF89a....;", "GIF")],
)
def test_end_of_a_picture_is_known(body: bytes, kind: str) -> None:
    assert judge_head(body[:32]) == ""
    assert is_whole(body, kind)
    assert not is_whole(body[:-2], kind)


def test_hostile_picture_of_many_parts_costs_little() -> None:
    assert not is_whole(b"\xff\xd8" + b"\xff" * 20_000_000, "JPEG")
    assert not is_whole(b"\x89PNG\r\n\x1a\n" + bytes(20_000_000), "PNG")


def test_partial_of_another_address_is_not_gone_on_with(tmp_path: Path) -> None:
    partial = Partial(tmp_path, "key", "http://a")
    partial.restart(Origin("http://a", '"1"', "", 1000), 0.0)
    partial.write(b"x" * 100, 0.0)
    partial.pause()
    assert Partial(tmp_path, "key", "http://a").num_bytes == 100
    assert Partial(tmp_path, "key", "http://b").num_bytes == 0
    assert not list(tmp_path.iterdir())


def test_partial_that_is_longer_than_its_whole_is_dropped(tmp_path: Path) -> None:
    partial = Partial(tmp_path, "key", "http://a")
    partial.restart(Origin("http://a", '"1"', "", 50), 0.0)
    partial.write(b"x" * 100, 0.0)
    partial.pause()
    assert Partial(tmp_path, "key", "http://a").num_bytes == 0


def test_index_has_all_rows_in_the_order_of_the_table_in_groups(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    num = 25_000
    with FetchFolder(tmp_path / "out") as folder:
        results = (
            Result(position=num - number, key=f"k{number}", url="http://a", status="gone", reason="gone_404")
            for number in range(num)
        )
        folder.store.put(results)
        assert write_index(folder) == num
        report = make_report(folder, num, 0, 0.0)
    file = pq.ParquetFile(tmp_path / "out" / "index.parquet")
    assert file.metadata.num_rows == num
    assert file.metadata.row_group(0).num_rows == 10_000
    keys = file.read(columns=["key"]).column("key").to_pylist()
    assert (keys[0], keys[-1]) == (f"k{num - 1}", "k0")
    assert (report.gone, report.there, report.reasons) == (num, 0, {"gone_404": num})


def test_index_of_nothing_can_be_read(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    with FetchFolder(tmp_path / "out") as folder:
        assert write_index(folder) == 0
    assert pq.read_table(tmp_path / "out" / "index.parquet").num_rows == 0
