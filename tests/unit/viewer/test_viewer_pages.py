"""What the pages show: escaped, with picture, permalink, reason and difference."""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from instructgen.dataset.stores import open_store
from instructgen.errors import InstructgenError
from instructgen.jobs.review import Evidence
from tests.support.coco_folder import make_coco
from tests.support.versions import make_row_of
from tests.support.viewer import ask, make_picture, make_rows, viewing, write_store

pytest.importorskip("duckdb", reason="the viewer's extra is not installed")
pytest.importorskip("starlette", reason="the viewer's extra is not installed")


class Elements(HTMLParser):
    """Every element that runs, loads or listens to something, but for our own assets and pictures by row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.foreign: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name.startswith("on") or name == "style" or "script:" in (value or "").lower():
                self.foreign.append(f"{tag} {name}")
            if name == "src" and not (value or "").startswith(("/asset/", "/picture/")):
                self.foreign.append(f"{tag} {value}")
        if tag in ("style", "iframe", "object", "embed", "base") or (tag == "script" and "src" not in dict(attrs)):
            self.foreign.append(tag)


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{7*7}}"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_text_of_the_data_is_text_in_every_page(tmp_path: Path) -> None:
    row = make_row_of(1, "conv", [(HOSTILE, f"It says {HOSTILE}")])
    row = {
        **row,
        "model": HOSTILE,
        "scores": {"length": 1.0},
        "image_id": f"x/{HOSTILE}",
        "sample_id": f"s/{HOSTILE}",
    }
    row["images"][0]["path"] = f"{HOSTILE}.jpg"
    line = {"unit_id": f"u/{HOSTILE}", "outcome": HOSTILE, "stage": HOSTILE, "reason": HOSTILE, "detail": HOSTILE,
            "image_id": HOSTILE, "sample_type": HOSTILE, "text": HOSTILE, HOSTILE: HOSTILE}  # fmt: skip
    write_store(tmp_path / "ds", [row], rejected=json.dumps(line).encode() + b"\n")
    with viewing(tmp_path / "ds") as view:
        pages = [
            ask(view, path)
            for path in ("/?outcome=all", "/?q=alert", "/row/0", "/row/1", "/?q=%3Cscript%3E", "/x<script>")
        ]
        address = re.search(r'class="card" href="([^"]+)"', pages[0].text)
        assert address is not None
        pages.append(ask(view, address.group(1).replace("&amp;", "&")))
    assert [page.status for page in pages] == [200, 200, 200, 200, 200, 404, 200]
    for page in pages:
        found = Elements(page.text)
        assert found.foreign == []
        assert page.status == 404 or "{{7*7}}" in page.text


@pytest.mark.parametrize("name", ["a/../../b", "..", "a//b", "/a", "a\\b", "a?b#c%2f d", "ä/日本", "x" * 300])
def test_every_name_has_an_address_that_opens_it(tmp_path: Path, name: str) -> None:
    write_store(tmp_path / "ds", [{**make_row_of(1), "sample_id": name}, make_row_of(2)])
    with viewing(tmp_path / "ds") as view:
        page = ask(view, "/")
        addresses = [found.replace("&amp;", "&") for found in re.findall(r'class="card" href="([^"]+)"', page.text)]
        told = ask(view, addresses[0])
    assert told.status == 200
    assert ".." not in addresses[0]
    assert "//" not in addresses[0]


def test_permalink_is_the_samples_name(tmp_path: Path) -> None:
    write_store(tmp_path / "ds", make_rows(3))
    with viewing(tmp_path / "ds") as view:
        told = ask(view, "/sample/coco/000000000002/reasoning/0")
        assert (
            'href="/sample/coco/000000000002/reasoning/0?q=there&amp;sort=doubt"'
            in ask(view, "/?q=there&sort=doubt").text
        )
        assert ask(view, "/sample/coco/000000000099/conv/0").status == 404
    assert told.status == 200
    assert '<h1 class="name">coco/000000000002/reasoning/0</h1>' in told.text


def test_sample_tells_its_place_and_leads_back_to_its_page_of_the_list(tmp_path: Path) -> None:
    rows = make_rows(60)
    write_store(tmp_path / "ds", rows)
    with viewing(tmp_path / "ds") as view:
        listed = re.findall(r'class="card" href="([^"]+)"', ask(view, "/?q=there&sort=longest&start=25").text)
        told = ask(view, listed[6].replace("&amp;", "&")).text
        first = ask(view, re.findall(r'class="card" href="([^"]+)"', ask(view, "/").text)[0]).text
        alone = ask(view, "/sample/coco/000000000003/conv/0?q=nothing").text
    assert "31 of 60" in told
    assert 'href="/?q=there&amp;sort=longest&amp;start=25" data-list' in told
    assert "1 of 60" in first
    assert 'href="/" data-list' in first
    assert "of 60" not in alone


def test_picture_is_served_by_its_row_with_its_type(tmp_path: Path) -> None:
    picture = make_picture(kind="JPEG")
    version = write_store(
        tmp_path / "ds", [make_row_of(1, picture=picture), make_row_of(2, picture=b"<svg onload=alert(1)>")]
    )
    name = version.manifest.version
    with viewing(tmp_path / "ds") as view:
        told = ask(view, f"/picture/{name}/0/0")
        assert (told.status, told.headers["content-type"], told.body) == (200, "image/jpeg", picture)
        assert ask(view, f"/picture/{name}/1/0").status == 404  # no picture that we know: never sent
        assert ask(view, f"/picture/{name}/0/1").status == 404
        assert ask(view, "/picture/000000000000/0/0").status == 404
        assert f'<img src="/picture/{name}/0/0"' in ask(view, "/row/0").text
        listed = ask(view, "/").text
        assert f"/picture/{name}/0/0" in listed
        assert f"/picture/{name}/1/0" not in listed


def test_path_in_a_row_leads_to_no_file_outside_the_folder(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "secret.png").write_bytes(make_picture())
    (tmp_path / "pictures" / "in.png").write_bytes(make_picture())
    rows = []
    for number, path in enumerate(("../secret.png", str(tmp_path / "secret.png"), "in.png"), 1):
        row = make_row_of(number)
        rows.append({**row, "images": [{"bytes": None, "path": path}]})
    version = write_store(tmp_path / "ds", rows)
    with viewing(tmp_path / "ds", evidence=Evidence(images=tmp_path / "pictures")) as view:
        addresses = [f"/picture/{version.manifest.version}/{pos}/0" for pos in range(3)]
        assert [ask(view, address).status for address in addresses] == [404, 404, 200]


def test_claims_are_marked_and_boxes_drawn_where_annotations_are_given(tmp_path: Path) -> None:
    make_coco(tmp_path / "coco")
    row = make_row_of(10, "conv", [("What is there?", "There is a dog beside a zebra.")])
    manifest = {"config": {"source": {"name": "coco", "split": "val2017"}}}
    write_store(tmp_path / "ds", [row], **manifest)
    with viewing(tmp_path / "ds", evidence=Evidence(root=tmp_path / "coco")) as view:
        text = ask(view, "/sample/coco/000000000010/conv/0").text
        found = {where: ask(view, f"/?thing=zebra&where={where}").text.count('class="card"') for where in
                 ("said", "boxed", "said-not-boxed", "boxed-not-said")}  # fmt: skip
        boxed = ask(view, "/?thing=dog&where=boxed").text.count('class="card"')
    assert re.search(r'<mark class="claim supported"[^>]*>a dog</mark>', text)
    assert re.search(r'<mark class="claim contradicted"[^>]*>a zebra</mark>', text)
    assert 'data-label="dog"' in text
    assert found == {"said": 1, "boxed": 0, "said-not-boxed": 1, "boxed-not-said": 0}
    assert boxed == 1


def test_rejected_unit_is_shown_with_reason_and_turns(tmp_path: Path) -> None:
    line = {"unit_id": "coco/000000000009/conv", "outcome": "rejected", "stage": "filter", "reason": "too_short",
            "image_id": "coco/000000000009", "sample_type": "conv", "detail": "two words", "request_id": "",
            "text": "Question:\nWhat?\n===\nAnswer:\nA dog."}  # fmt: skip
    write_store(tmp_path / "ds", make_rows(2), rejected=json.dumps(line).encode() + b"\n")
    with viewing(tmp_path / "ds") as view:
        listed, told = ask(view, "/?outcome=rejected"), ask(view, "/sample/coco/000000000009/conv")
    assert "rejected: too short" in listed.text
    assert "<strong>too short</strong> (two words)" in told.text
    assert '<div class="said">A dog.</div>' in told.text


def test_two_versions_are_one_list_and_differences_are_marked_by_more_than_colour(tmp_path: Path) -> None:
    old = make_rows(6)
    changed = {
        **old[2],
        "messages": [old[2]["messages"][0], {"role": "assistant", "content": "There is one blue bird."}],
    }
    write_store(tmp_path / "a", old)
    write_store(tmp_path / "b", [*old[1:2], changed, *old[3:], make_row_of(7, "conv")])
    with viewing(tmp_path / "a", tmp_path / "b") as view:
        assert view.first_path == "/?change=changed"
        counts = {what: ask(view, f"/?change={what}").text.count('class="card"') for what in
                  ("changed", "added", "removed", "unchanged")}  # fmt: skip
        told = ask(view, f"/sample/{changed['sample_id']}").text
        gone = ask(view, f"/sample/{old[0]['sample_id']}").text
        found = [
            ask(view, path)
            for path in ("/?q=bird", "/?q=dog&change=removed", "/?change=removed&thing=car",
                         "/?change=removed&score=grounding&score_min=0.25&score_max=0.25",
                         "/?change=removed&score=grounding&score_min=0.5")
        ]  # fmt: skip
    assert counts == {"changed": 1, "added": 1, "removed": 1, "unchanged": 4}
    assert "<ins>one blue bird.</ins>" in told
    assert re.search(r"<del>[^<]+</del>", told)
    assert "removed" in gone
    assert [page.text.count('class="card"') for page in found] == [1, 0, 1, 1, 0]


def test_samples_of_one_name_are_all_in_the_list(tmp_path: Path) -> None:
    write_store(tmp_path / "ds", [make_row_of(1), make_row_of(1, pairs=[("Q?", "Another.")])])
    with viewing(tmp_path / "ds") as view:
        page = ask(view, "/")
        addresses = [found.replace("&amp;", "&") for found in re.findall(r'class="card" href="([^"]+)"', page.text)]
        texts = [ask(view, address).text for address in addresses]
    assert "A dog." in texts[0]
    assert "Another." in texts[1]


def test_version_without_a_row_shows_what_was_rejected(tmp_path: Path) -> None:
    line = {"unit_id": "coco/1/conv", "outcome": "failed", "stage": "teacher", "reason": "timeout", "text": ""}
    version = write_store(tmp_path / "ds", [], rejected=json.dumps(line).encode() + b"\n")
    with viewing(version.folder) as view:
        assert ask(view, "/").status == 200
        assert "failed: timeout" in ask(view, "/?outcome=failed").text


@pytest.mark.parametrize("name", ["duckdb", "starlette", "uvicorn"])
def test_missing_package_is_told_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write_store(tmp_path / "ds", make_rows(1))
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InstructgenError, match=r"pip install 'instructgen\[view\]'"), viewing(tmp_path / "ds"):
        pass


def test_cache_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    write_store(tmp_path / "ds", make_rows(2))
    with viewing(tmp_path / "ds") as view:
        assert ask(view, "/").text.count('class="card"') == 2


def test_version_in_a_store_elsewhere_is_shown_with_its_pictures(tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="a store of the machine's memory")
    picture = make_picture()
    version = write_store(tmp_path / "ds", make_rows(5, picture=picture))
    store = open_store(f"memory://viewer-{tmp_path.name}/data")
    store.add(version)
    with viewing(f"{store.address}@{version.manifest.version}") as view:
        assert ask(view, "/?q=dog").text.count('class="card"') == 2
        assert ask(view, f"/picture/{version.manifest.version}/0/0").body == picture
