"""Nothing that comes in with data gets to run, and nothing leaves a page."""

import base64
import hashlib
import json
import re

import pytest
from jinja2 import DictLoader, UndefinedError

from instructgen.errors import InstructgenError
from instructgen.pages import render as rendering
from instructgen.pages.assets import SCRIPTS, SERVED_POLICY, STYLES, make_policy, read_asset
from instructgen.pages.figures import find_media_type, make_data_uri
from instructgen.pages.render import render, render_static
from instructgen.pages.scripts import json_for_script

HOSTILE = "</script><script>alert(1)</script><!-- ' \" & \u2028"


@pytest.fixture
def template(monkeypatch):
    """Give the environment templates of the test's own under "test/"."""

    def add(text: str) -> str:
        mapping = rendering._environment().loader.mapping
        monkeypatch.setitem(mapping, "test", DictLoader({"one.html": text}))
        rendering._environment().cache.clear()
        return "test/one.html"

    return add


def test_text_of_the_data_is_escaped_in_bodies_and_attributes(template) -> None:
    html = render(template('<p title="{{ text }}">{{ text }}</p>'), text=HOSTILE)
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 2
    assert '"alert' not in html


def test_a_name_that_a_template_misspells_is_an_error(template) -> None:
    with pytest.raises(UndefinedError):
        render(template("{{ tiels }}"), tiles=1)


def test_json_in_a_script_element_cannot_end_it_and_decodes_to_the_same() -> None:
    value = {"a": HOSTILE, "b": [1, 2.5, None]}
    text = json_for_script(value)
    assert not re.search(r"[<>&\u2028]", text)
    assert json.loads(text) == value


def test_policy_names_our_own_assets_alone() -> None:
    html = (
        f"<script>{read_asset('house.js')}</script><script>alert(1)</script><style>{read_asset('house.css')}</style>"
    )
    policy = make_policy(html)
    ours = base64.b64encode(hashlib.sha256(read_asset("house.js").encode()).digest()).decode()
    foreign = base64.b64encode(hashlib.sha256(b"alert(1)").digest()).decode()
    assert f"script-src 'sha256-{ours}';" in policy
    assert foreign not in policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy + SERVED_POLICY


def test_page_without_inline_script_allows_none() -> None:
    assert "script-src 'none'; style-src 'none'" in make_policy("<p>no</p>")


def test_static_page_holds_its_policy_and_asks_for_nothing(template) -> None:
    html = render_static(template('{% extends "pages/static.html" %}'), has_charts=True)
    assert html.count("Content-Security-Policy") == 1
    assert "goes-here" not in html
    outside = re.sub(r"<(script|style)>.*?</\1>", "", html, flags=re.DOTALL)
    assert not re.search(r'(?:src|href)="(?!#|data:)', outside)


def test_assets_are_whole_and_safe_inside_of_a_page() -> None:
    for name in SCRIPTS + STYLES:
        text = read_asset(name)
        assert text
        assert "\r" not in text  # a parser would change it, and its digest with it
        assert "</script" not in text.lower()
        assert "<!--" not in text
    assert "</style" not in read_asset("house.css").lower()
    assert "url(" not in read_asset("house.css")
    assert "@import" not in read_asset("house.css")


def test_no_file_but_an_asset_is_read() -> None:
    with pytest.raises(InstructgenError, match=r"no page asset '\.\./assets\.py'; there are: house.css"):
        read_asset("../assets.py")


def test_vendored_libraries_have_their_licences_beside_them() -> None:
    folder = rendering._PACKAGE / "pages" / "assets" / "licenses"
    names = {path.name.partition("-")[0] for path in folder.iterdir()}
    assert names == {"echarts", "htmx", "zrender"}


def test_only_pictures_that_browsers_show_become_addresses() -> None:
    assert find_media_type(b"RIFF\0\0\0\0WEBPVP8 ") == "image/webp"
    assert make_data_uri(b"\xff\xd8\xff\xe0") == "data:image/jpeg;base64,/9j/4A=="
    assert make_data_uri(b"<svg onload=alert(1)>") is None
