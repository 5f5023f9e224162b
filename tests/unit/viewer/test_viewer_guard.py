"""Who may ask the viewer for what."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.viewer import HOST, ask, make_picture, make_rows, viewing, write_store

pytest.importorskip("duckdb", reason="the viewer's extra is not installed")
pytest.importorskip("starlette", reason="the viewer's extra is not installed")

from instructgen.jobs.view import View

ORIGIN = f"http://{HOST}"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("guard") / "ds"
    write_store(out, make_rows(3, picture=make_picture()))
    return out


@pytest.fixture(scope="module")
def view(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        with viewing(dataset, is_review=True, by="ann") as opened:
            yield opened


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8000", "", "localhost@evil.example", "0.0.0.0:8000"]
)
def test_name_that_is_not_this_machines_is_turned_away_even_with_the_word(view: View, host: str) -> None:
    cookie = f"instructgen-8000={view.token}; instructgen-80={view.token}"
    told = ask(view, f"/?token={view.token}", headers={"host": host, "cookie": cookie})
    assert told.status == 403
    assert "set-cookie" not in told.headers


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000"])
def test_names_of_loopback_are_answered(view: View, host: str) -> None:
    assert ask(view, "/", headers={"host": host}).status == 200


@pytest.mark.parametrize(
    "path", ["/", "/sample/coco/000000000001/detail/0", "/row/0", "/picture/x/0/0", "/asset/house.css"]
)
def test_nothing_is_told_without_the_word(view: View, path: str) -> None:
    told = ask(view, path, has_cookie=False)
    assert told.status == 403
    assert "dog" not in told.text
    assert ask(view, path, headers={"cookie": "instructgen-8000=guess"}).status == 403
    assert ask(view, f"{path}?token=guess", has_cookie=False).status == 403


def test_the_word_is_given_once_and_leaves_the_address(view: View) -> None:
    told = ask(view, f"/sample/coco/000000000001/detail/0?q=dog&token={view.token}", has_cookie=False)
    assert told.status == 303
    assert told.headers["location"] == "/sample/coco/000000000001/detail/0?q=dog"
    assert told.headers["set-cookie"] == f"instructgen-8000={view.token}; Path=/; HttpOnly; SameSite=Lax"


def test_the_word_leads_to_no_other_host(view: View) -> None:
    told = ask(view, f"//evil.example/?token={view.token}", has_cookie=False)
    assert told.headers["location"] == "/evil.example/"


FOREIGN = [
    {"sec-fetch-site": "cross-site", "origin": ORIGIN},
    {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:9999"},
    {"sec-fetch-site": "none"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("path", ["/review/decide", "/review/undo"])
def test_form_of_another_page_changes_nothing(view: View, dataset: Path, path: str, headers: dict[str, str]) -> None:
    body = b"choice=accept&sample_id=coco/000000000001/detail/0&key=x"
    told = ask(view, path, method="POST", body=body, headers=headers)
    assert (told.status, told.text) == (403, "Only the viewer's own pages may change something.\n")
    assert not [
        line for file in dataset.rglob("*.jsonl") if file.parent.parent.name == "reviews" for line in file.open()
    ]


@pytest.mark.parametrize("origin", ["null", "http://evil.example", "http://127.0.0.1:9999", ""])
def test_older_browser_is_known_by_its_origin(dataset: Path, view: View, origin: str) -> None:
    from instructgen.viewer.guard import _is_from_us

    assert not _is_from_us({"host": HOST, "origin": origin})
    assert not _is_from_us({"host": HOST})
    assert _is_from_us({"host": HOST, "origin": ORIGIN})


def test_form_without_the_pages_own_key_changes_nothing(view: View, dataset: Path) -> None:
    body = b"choice=accept&sample_id=coco/000000000001/detail/0&key=guess"
    assert ask(view, "/review/decide", method="POST", body=body).status == 403
    assert ask(view, "/review/undo", method="POST", body=b"key=guess").status == 403


@pytest.mark.parametrize("path", ["/review/decide", "/review/undo"])
def test_no_get_decides(view: View, path: str) -> None:
    assert ask(view, f"{path}?choice=accept&sample_id=coco/000000000001/detail/0").status in (404, 405)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_other_methods_are_turned_away(view: View, method: str) -> None:
    assert ask(view, "/", method=method).status == 405


def test_form_of_no_end_is_turned_away(view: View) -> None:
    assert ask(view, "/review/decide", method="POST", body=b"answer=" + b"x" * (1 << 20)).status == 413


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/asset/../app.py",
            "/asset/..%2f..%2fapp.py",
            "/asset/%2e%2e/app.py",
            "/asset/viewer.css%00",
            "/asset/page.html",
        ),
        *(
            "/picture/../../manifest.json",
            "/picture/x/-1/0",
            "/picture/x/99999999999999999999/0",
            "/row/-1",
            "/row/12345",
        ),
        *(
            "/sample/../../../../etc/passwd",
            "/sample/..%2f..%2fetc%2fpasswd",
            "/etc/passwd",
            "/sample/",
            "/data/x.parquet",
        ),
    ],
)
def test_no_address_reads_a_file(view: View, path: str) -> None:
    told = ask(view, path)
    assert told.status == 404
    assert b"root:" not in told.body
    assert told.headers["x-content-type-options"] == "nosniff"


def test_every_answer_has_the_policy_and_is_kept_nowhere(view: View) -> None:
    for path in ("/", "/sample/coco/000000000001/detail/0", "/nothing", "/?q=dog"):
        told = ask(view, path)
        policy = told.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert told.headers["cache-control"] == "no-store"
        assert told.headers["referrer-policy"] == "same-origin"
        assert told.headers["x-frame-options"] == "DENY"
    assert ask(view, "/", has_cookie=False).headers["content-security-policy"] == policy
