"""What a server may answer, and what becomes of it; against a real server on this machine."""

import asyncio
import hashlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from instructgen.errors import InstructgenError, RunLockedError
from instructgen.fetch.addresses import parse_url
from instructgen.fetch.ask import Moved
from instructgen.fetch.folder import FetchFolder
from instructgen.fetch.options import FetchOptions, Limits, Politeness
from instructgen.fetch.partials import Origin, Partial
from instructgen.fetch.pictures import judge_head
from instructgen.fetch.reasons import Missed
from instructgen.fetch.session import make_asker, make_session
from tests.support.fetching import LOCAL, QUICK, fetch
from tests.support.picture_server import (
    LAST_MODIFIED,
    PictureServer,
    answer,
    cut,
    drip,
    gzipped,
    in_turn,
    later,
    make_jpeg,
    make_png,
    redirect,
    serve,
)


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with PictureServer() as made:
        yield made


def make_bomb(width: int, height: int) -> bytes:
    """Return a PNG that says it is large and is small."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    pixels = zlib.compress(bytes(1 << 20))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_picture_is_kept_as_it_was_sent_and_described(server: PictureServer, tmp_path: Path) -> None:
    body = make_jpeg(1, side=40)
    done = fetch(tmp_path / "out", {"a": server.add("a.jpg", serve(body, etag='"x"'))}, caption="A dog.")
    row = done.rows["a"]
    assert done.picture("a") == body
    assert row["path"] == f"images/{hashlib.sha256(b'a').hexdigest()[:2]}/a.jpg"
    assert (row["width_px"], row["height_px"], row["num_bytes"]) == (40, 40, len(body))
    assert row["sha256"] == row["fetched_sha256"] == hashlib.sha256(body).hexdigest()
    assert (row["status"], row["reason"], row["http_status"], row["etag"]) == ("there", "", 200, '"x"')
    assert row["caption"] == "A dog."
    assert (done.report.there, done.report.num_missing) == (1, 0)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (answer(404), "gone_404"),
        (answer(410), "gone_410"),
        (answer(403), "refused_403"),
        (answer(401), "refused_401"),
        (answer(451), "refused_451"),
        (answer(418), "refused_4xx"),
        (answer(500), "server_error"),
        (answer(200, b"<!DOCTYPE html><html><body>This picture was removed.</body></html>"), "html_page"),
        (answer(200, b"\n <HTML>gone"), "html_page"),
        (answer(200, b"plain words, and many more of them than a header has"), "not_an_image"),
        (answer(200, b"\xff\xd8\xff but no picture at all, only its first bytes"), "not_an_image"),
        (answer(200, b""), "empty"),
        (serve(make_jpeg(1)[:-200]), "truncated_picture"),
        (serve(make_png(1)[:-20]), "truncated_picture"),
        (serve(make_bomb(60_000, 60_000)), "too_many_pixels"),
        (serve(make_bomb(4_001, 1_000)), "too_many_pixels"),
        (serve(make_jpeg(1, side=900, quality=100)), "too_large"),
        (gzipped(make_jpeg(1) + bytes(50_000_000)), "too_large"),
        (answer(200, b"not packed at all", Content_Encoding="gzip"), "bad_encoding"),
        (answer(200, b"whatever", Content_Encoding="br"), "bad_encoding"),
        (serve(make_jpeg(1), **{"X-Robots-Tag": "noindex, NoAI"}), "opted_out"),
        (serve(make_jpeg(1), **{"X-Robots-Tag": "instructgen: noimageai"}), "opted_out"),
        (redirect("file:///etc/passwd"), "bad_redirect"),
        (redirect("ftp://127.0.0.1/a.jpg"), "bad_redirect"),
        (redirect(""), "bad_redirect"),
        (cut(make_jpeg(1), 100), "truncated"),
        (cut(make_jpeg(1), 100, etag="", tells_length=False), "truncated"),
    ],
)
def test_what_is_no_picture_has_a_reason(server: PictureServer, tmp_path: Path, act: object, reason: str) -> None:
    limits = Limits(max_bytes=300_000, max_pixels=4_000_000, allows_private=True)
    url = server.add("a", act)  # type: ignore[arg-type]
    done = fetch(tmp_path / "out", {"a": url}, FetchOptions(QUICK, limits))
    assert done.reason("a") == reason
    assert done.report.reasons == {reason: 1}
    assert not list((tmp_path / "out" / "images").rglob("*.*"))
    assert not list((tmp_path / "out" / ".fetch" / "new").iterdir())


@pytest.mark.parametrize(
    "act",
    [
        gzipped(make_jpeg(1)),
        answer(200, zlib.compress(make_jpeg(1)), Content_Encoding="deflate"),
        answer(200, zlib.compress(make_jpeg(1))[2:-4], Content_Encoding="deflate"),
        serve(make_jpeg(1), **{"Content-Type": "text/html"}),
        serve(make_jpeg(1) + b"trailing bytes"),
        serve(make_jpeg(1), **{"X-Robots-Tag": "otherbot: noai, noimageai"}),
        serve(make_jpeg(1), **{"X-Robots-Tag": "max-image-preview: large, nofollow"}),
        in_turn(answer(500), serve(make_jpeg(1))),
        in_turn(answer(503, Retry_After="0"), answer(429, Retry_After="1"), serve(make_jpeg(1))),
        in_turn(cut(make_jpeg(1), 100, etag=""), serve(make_jpeg(1))),
    ],
)
def test_picture_that_comes_in_the_end_is_there(server: PictureServer, tmp_path: Path, act: object) -> None:
    done = fetch(tmp_path / "out", {"a": server.add("a", act)})  # type: ignore[arg-type]
    assert done.rows["a"]["status"] == "there"
    assert done.picture("a").startswith(make_jpeg(1))


def test_second_run_asks_for_nothing_that_was_settled(server: PictureServer, tmp_path: Path) -> None:
    urls = {"a": server.add("a", make_jpeg(1)), "b": server.url("nothing"), "c": server.add("c", answer(500))}
    fetch(tmp_path / "out", urls)
    num_before = len(server.log)
    again = fetch(tmp_path / "out", urls)
    assert len(server.log) == num_before
    assert again.report.asked == 0
    assert again.report.reasons == {"gone_404": 1, "server_error": 1}


@pytest.mark.parametrize(("retry", "asked"), [("gone", "b"), ("failed", "c")])
def test_retry_asks_again_for_that_status_alone(
    server: PictureServer, tmp_path: Path, retry: str, asked: str
) -> None:
    urls = {"a": server.add("a", make_jpeg(1)), "b": server.url("b"), "c": server.add("c", answer(500))}
    fetch(tmp_path / "out", urls)
    server.add("b", make_jpeg(2))
    server.add("c", make_jpeg(3))
    server.log.clear()
    options = FetchOptions(QUICK, LOCAL, frozenset({retry}))  # type: ignore[arg-type]
    again = fetch(tmp_path / "out", urls, options)
    assert [each.name for each in server.log] == [asked]
    assert again.rows[asked]["status"] == "there"
    assert again.report.there == 2


def test_picture_that_was_removed_or_cut_is_asked_again(server: PictureServer, tmp_path: Path) -> None:
    urls = {
        "a": server.add("a", make_jpeg(1)),
        "b": server.add("b", make_jpeg(2)),
        "c": server.add("c", make_jpeg(3)),
    }
    first = fetch(tmp_path / "out", urls)
    (first.out / first.rows["a"]["path"]).unlink()
    (first.out / first.rows["b"]["path"]).write_bytes(b"")
    again = fetch(tmp_path / "out", urls)
    assert [server.num_asked(name) for name in "abc"] == [2, 2, 1]
    assert (again.picture("a"), again.picture("b")) == (make_jpeg(1), make_jpeg(2))


def test_rest_of_a_picture_is_asked_for_where_it_is_the_same(server: PictureServer, tmp_path: Path) -> None:
    body = make_jpeg(5, side=400, quality=100)
    url = server.add("a", in_turn(cut(body, 300_000), serve(body)))
    done = fetch(tmp_path / "out", {"a": url})
    assert [each.range for each in server.log] == ["", "bytes=300000-"]
    assert server.log[1].headers["If-Range"] == '"1"'
    assert server.log[1].num_sent == len(body) - 300_000
    assert done.picture("a") == body
    assert not list((done.out / ".fetch" / "partial").iterdir())


def test_picture_that_changed_meanwhile_is_fetched_from_its_start(server: PictureServer, tmp_path: Path) -> None:
    old, new = make_jpeg(5, side=400, quality=100), make_jpeg(6, side=300, quality=100)
    url = server.add("a", in_turn(cut(old, 300_000, etag='"old"'), serve(new, etag='"new"')))
    done = fetch(tmp_path / "out", {"a": url})
    assert server.log[1].status == 200
    assert done.picture("a") == new


def test_server_that_ignores_if_range_does_not_mix_two_pictures(server: PictureServer, tmp_path: Path) -> None:
    old, new = make_jpeg(5, side=400, quality=100), make_jpeg(6, side=400, quality=100)
    size = max(len(old), len(new))
    old, new = old.ljust(size, b"\0"), new.ljust(size, b"\0")  # only the ETag tells them apart

    async def mixing(request: object, asked: object) -> object:
        rest = new[300_000:]
        headers = {"Content_Range": f"bytes 300000-{len(new) - 1}/{len(new)}", "ETag": '"new"'}
        return await answer(206, rest, **headers)(request, asked)  # type: ignore[arg-type]

    url = server.add("a", in_turn(cut(old, 300_000, etag='"old"'), mixing, serve(new, etag='"new"')))  # type: ignore[arg-type]
    done = fetch(tmp_path / "out", {"a": url}, FetchOptions(Politeness(max_tries=4), LOCAL))
    assert [each.range for each in server.log] == ["", "bytes=300000-", ""]
    assert done.picture("a") == new


def test_picture_that_does_not_fit_together_is_fetched_anew(server: PictureServer, tmp_path: Path) -> None:
    """A server whose ETag stays the same though the file is another."""
    old, new = make_jpeg(5, side=400, quality=100), make_jpeg(6, side=400, quality=100)
    size = max(len(old), len(new))
    old, new = old.ljust(size, b"\0"), new.ljust(size, b"\0")
    url = server.add("a", in_turn(cut(old, 300_000), serve(new)))
    options = FetchOptions(Politeness(max_tries=4), LOCAL)
    done = fetch(tmp_path / "out", {"a": url}, options, sha256=hashlib.sha256(new).hexdigest())
    assert [each.range for each in server.log] == ["", "bytes=300000-", ""]
    assert done.picture("a") == new


def test_server_without_ranges_sends_all_of_it_again(server: PictureServer, tmp_path: Path) -> None:
    body = make_jpeg(5, side=400, quality=100)
    url = server.add("a", in_turn(cut(body, 300_000), serve(body, takes_ranges=False)))
    done = fetch(tmp_path / "out", {"a": url})
    assert server.log[1].num_sent == len(body)
    assert done.picture("a") == body


def test_nothing_is_gone_on_with_that_may_be_another_file(server: PictureServer, tmp_path: Path) -> None:
    body = make_jpeg(5, side=400, quality=100)
    for etag in ("", 'W/"1"'):
        server.log.clear()
        url = server.add("a", in_turn(cut(body, 300_000, etag=etag), serve(body, etag=etag)))
        done = fetch(tmp_path / f"out{len(etag)}", {"a": url})
        assert [each.range for each in server.log] == ["", ""]
        assert done.picture("a") == body


def test_date_serves_where_there_is_no_strong_etag() -> None:
    assert Origin("u", 'W/"1"', LAST_MODIFIED).validator == LAST_MODIFIED
    assert Origin("u", '"1"', LAST_MODIFIED).validator == '"1"'


def test_slow_picture_goes_on_after_its_time_is_over(server: PictureServer, tmp_path: Path) -> None:
    body = make_jpeg(5, side=200, quality=100)
    url = server.add("a", drip(body, len(body) // 8, 0.4))
    limits = Limits(allows_private=True, total_timeout_s=2)
    done = fetch(tmp_path / "out", {"a": url}, FetchOptions(Politeness(max_tries=6), limits))
    assert done.picture("a") == body
    assert len(server.log) > 1
    assert all(each.range for each in server.log[1:])


def test_silent_server_is_a_timeout(server: PictureServer, tmp_path: Path) -> None:
    limits = Limits(allows_private=True, read_timeout_s=0.3)
    url = server.add("a", later(serve(make_jpeg(1)), 3))
    done = fetch(tmp_path / "out", {"a": url}, FetchOptions(QUICK, limits))
    assert done.reason("a") == "timeout"


def test_redirects_are_followed_so_far_and_no_further(server: PictureServer, tmp_path: Path) -> None:
    server.add("end", make_jpeg(1))
    server.add("near", redirect(server.url("end")))
    server.add("loop", redirect("/loop"))
    done = fetch(tmp_path / "out", {"near": server.url("near"), "loop": server.url("loop")})
    assert done.rows["near"]["status"] == "there"
    assert done.rows["near"]["url"] == server.url("near")
    assert done.reason("loop") == "too_many_redirects"
    assert server.num_asked("loop") == LOCAL.max_redirects + 1


def test_private_servers_are_not_asked_unless_allowed(server: PictureServer, tmp_path: Path) -> None:
    port = server.url("a").split(":")[2].split("/")[0]
    server.add("a", make_jpeg(1))
    hosts = [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "169.254.169.254",
        "127.1",
        "2130706433",
    ]
    urls = {f"h{number}": f"http://{host}:{port}/a" for number, host in enumerate(hosts)}
    done = fetch(tmp_path / "out", urls, FetchOptions(QUICK, Limits()))
    reasons = [done.reason(key) for key in urls]
    assert reasons[:6] == ["private_address"] * 6
    assert set(reasons[6:]) <= {"private_address", "bad_url"}  # old spellings of 127.0.0.1
    assert server.log == []


def test_address_that_a_redirect_leads_to_is_judged_like_any_other(server: PictureServer, tmp_path: Path) -> None:
    server.add("public", redirect("http://127.0.0.1/latest/meta-data"))

    async def ask(url: object, limits: Limits) -> object:
        async with make_session(QUICK, limits) as session:
            asker = make_asker(session, QUICK, limits, judge_head, lambda _: None)
            return await asker.ask(url, Partial(tmp_path, "key", str(url)))  # type: ignore[arg-type]

    moved = asyncio.run(ask(parse_url(server.url("public")), LOCAL))  # as if that server were a public one
    assert isinstance(moved, Moved)
    assert asyncio.run(ask(moved.url, Limits())) == Missed("private_address", "127.0.0.1")


def test_checksums_of_the_table_are_held_against_what_came(server: PictureServer, tmp_path: Path) -> None:
    body = make_jpeg(1)
    url = server.add("a", body)
    right = {"sha256": hashlib.sha256(body).hexdigest().upper(), "md5": hashlib.md5(body).hexdigest()}
    assert fetch(tmp_path / "right", {"a": url}, **right).report.there == 1
    assert fetch(tmp_path / "sha", {"a": url}, sha256="0" * 64).reason("a") == "checksum_differs"
    assert fetch(tmp_path / "md5", {"a": url}, md5="0" * 32).reason("a") == "checksum_differs"
    assert fetch(tmp_path / "none", {"a": url}, md5="12").report.reasons == {"bad_checksum": 1}


def test_opt_out_can_be_left_unheeded(server: PictureServer, tmp_path: Path) -> None:
    url = server.add("a", serve(make_jpeg(1), **{"X-Robots-Tag": "noai"}))
    done = fetch(tmp_path / "out", {"a": url}, FetchOptions(Politeness(opt_out=()), LOCAL))
    assert done.report.there == 1


def test_large_picture_is_made_smaller_and_small_one_left_alone(server: PictureServer, tmp_path: Path) -> None:
    from PIL import Image

    large = make_jpeg(1, side=300)
    urls = {"large": server.add("l", large), "small": server.add("s", make_png(2, side=20))}
    done = fetch(tmp_path / "out", urls, FetchOptions(QUICK, LOCAL, resize_max_side=100))
    row = done.rows["large"]
    with Image.open(io.BytesIO(done.picture("large"))) as image:
        assert image.size == (row["width_px"], row["height_px"]) == (100, 100)
    assert row["sha256"] == hashlib.sha256(done.picture("large")).hexdigest()
    assert row["fetched_sha256"] == hashlib.sha256(large).hexdigest()
    assert done.picture("small") == make_png(2, side=20)
    assert done.rows["small"]["path"].endswith("/small.png")


def test_broken_pixels_are_found_where_they_are_decoded(server: PictureServer, tmp_path: Path) -> None:
    body = make_png(1, side=200)
    broken = body[:5000] + bytes(2000) + body[7000:]
    url = server.add("a", serve(broken))
    done = fetch(tmp_path / "out", {"a": url}, FetchOptions(QUICK, LOCAL, resize_max_side=50))
    assert done.reason("a") == "undecodable"


def test_one_server_gets_so_many_requests_at_a_time(server: PictureServer, tmp_path: Path) -> None:
    urls = {f"p{n}": server.add(f"p{n}", later(serve(make_jpeg(n)), 0.02)) for n in range(30)}
    done = fetch(tmp_path / "out", urls, FetchOptions(Politeness(per_host=3), LOCAL))
    assert done.report.there == 30
    assert server.max_in_flight == 3


def test_one_server_gets_so_many_requests_a_second(server: PictureServer, tmp_path: Path) -> None:
    urls = {f"p{n}": server.add(f"p{n}", make_jpeg(n)) for n in range(13)}
    fetch(tmp_path / "out", urls, FetchOptions(Politeness(per_host_per_s=20), LOCAL))
    began = sorted(each.began_s for each in server.log)
    assert began[-1] - began[0] >= 0.3  # 5 at once, 8 more at 20 a second


def test_server_that_asks_to_wait_is_left_alone_until_then(server: PictureServer, tmp_path: Path) -> None:
    urls = {f"p{n}": server.add(f"p{n}", make_jpeg(n)) for n in range(6)}
    server.add("p0", in_turn(answer(429, Retry_After="1"), serve(make_jpeg(0))))
    done = fetch(tmp_path / "out", urls, FetchOptions(Politeness(per_host=1), LOCAL))
    assert done.report.there == 6
    first, second = sorted(each.began_s for each in server.log)[:2]
    assert second - first >= 1


def test_server_that_asks_to_wait_for_long_is_not_asked_any_more(server: PictureServer, tmp_path: Path) -> None:
    urls = {f"p{n}": server.add(f"p{n}", answer(429, Retry_After="3600")) for n in range(6)}
    done = fetch(tmp_path / "out", urls, FetchOptions(Politeness(per_host=1), LOCAL))
    assert done.report.reasons == {"rate_limited": 6}
    assert len(server.log) == 1


def test_dead_server_is_given_up_after_some_rows(tmp_path: Path) -> None:
    urls = {f"p{n:03}": f"http://127.0.0.1:1/{n}" for n in range(100)}
    done = fetch(tmp_path / "out", urls, FetchOptions(Politeness(max_tries=1, per_host=2), LOCAL))
    assert set(done.report.reasons) == {"connection", "host_down"}
    assert done.report.reasons["host_down"] > 80
    assert done.report.failed == 100


def test_two_rows_of_one_picture_ask_once_and_an_id_means_one_address(server: PictureServer, tmp_path: Path) -> None:
    from instructgen.fetch.images import fetch_images
    from instructgen.fetch.tables import Columns
    from tests.support.fetching import Silent, read_index, write_table

    url, other = server.add("a", make_jpeg(1)), server.add("b", make_jpeg(2))
    rows = [{"id": "x", "url": url}, {"id": "x", "url": url}, {"id": "x", "url": other}, {"url": url}, {"url": url}]
    table = write_table(tmp_path / "table.jsonl", rows)
    report = fetch_images(table, tmp_path / "out", Columns(), FetchOptions(QUICK, LOCAL), Silent())
    assert (report.rows, report.there, report.rejected) == (5, 2, 1)
    assert server.num_asked("a") == 2
    assert server.num_asked("b") == 0
    reasons = [row["reason"] for row in read_index(tmp_path / "out").values()]
    assert sorted(reasons) == ["", "", "id_taken"]


def test_new_address_of_what_was_gone_is_asked(server: PictureServer, tmp_path: Path) -> None:
    assert fetch(tmp_path / "out", {"a": server.url("gone")}).reason("a") == "gone_404"
    assert fetch(tmp_path / "out", {"a": server.add("new", make_jpeg(1))}).report.there == 1


def test_second_process_is_refused(server: PictureServer, tmp_path: Path) -> None:
    with FetchFolder(tmp_path / "out"), pytest.raises(RunLockedError, match="another process is fetching"):
        fetch(tmp_path / "out", {"a": server.add("a", make_jpeg(1))})


def test_state_of_another_format_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out" / ".fetch").mkdir(parents=True)
    (tmp_path / "out" / ".fetch" / "state.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(InstructgenError, match="cannot be read"):
        FetchFolder(tmp_path / "out")
