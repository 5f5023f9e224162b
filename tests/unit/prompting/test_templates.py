"""Templates that anybody may write: what they may do, and how a mistake is told."""

from pathlib import Path

import pytest
from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.prompting.templates import MAX_SOURCE_CHARS, load_template
from instructgen.records import Decoding


class Page(Struct, frozen=True):
    text: str
    words: tuple[str, ...] = ()


def render(source: str, text: str = "A dog.", words: tuple[str, ...] = ("a", "b")) -> str:
    return load_template(Path("system.j2"), source, ("page",)).render(page=Page(text, words))


def test_text_of_a_record_goes_in_as_it_is() -> None:
    assert render("<{{ page.text }}>\n", text="2 < 3 & 'x' {{ 7 }} {% if %}") == "<2 < 3 & 'x' {{ 7 }} {% if %}>"


def test_if_and_for_leave_no_lines_of_their_own() -> None:
    source = (
        "top\n{% for word in page.words %}\n  - {{ word }}\n{% endfor %}\n"
        "{% if page.text == 'x' %}\nno\n{% endif %}\nend\n"
    )
    assert render(source) == "top\n  - a\n  - b\nend"


def test_loop_knows_its_place() -> None:
    assert render("{% for word in page.words %}{{ word }}{% if not loop.last %}, {% endif %}{% endfor %}") == "a, b"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("one\n{% if page.text %}\n", r"system.j2 line 2: .*end of template"),
        ("one\ntwo {{ page.text }\n", r"system.j2 line 2: unexpected '}'"),
        ("one\n\n{{ pgae.text }}", r"system.j2 line 3: nothing is called 'pgae' here; there are: page"),
        (
            "one\n{% for w in page.words %}{{ v }}{% endfor %}",
            r"line 2: nothing is called 'v' here; there are: loop, page, w",
        ),
        ("{% for w in page.words %}{% endfor %}{{ w }}", r"line 1: nothing is called 'w' here"),
        ("\n{{ range(10) }}", r"line 2: Call is not allowed in a prompt; there are output, for and if alone"),
        ("{{ 'x' * 1000000000 }}", "Mul is not allowed"),
        ("{{ 10 ** 10 ** 10 }}", "Pow is not allowed"),
        ("{{ page.text ~ page.text }}", "Concat is not allowed"),
        ("{{ page.text | upper }}", "(Filter is not allowed|No filter named 'upper')"),
        ("{% set x = 1 %}", "Assign is not allowed"),
        ("{% include '/etc/passwd' %}", "Include is not allowed"),
        ("{% macro m() %}{% endmacro %}", "Macro is not allowed"),
        ("{{ page['text'] }}", "Getitem is not allowed"),
        ("{{ [1, 2] }}", "List is not allowed"),
        ("{% for a in page.words %}{% for b in page.words %}{% endfor %}{% endfor %}", "a loop within a loop"),
        ("{% for a, b in page.words %}{% endfor %}", "a loop wants one name"),
        ("(" * 3 + "{{ " + "(" * 30_000 + " }}", "nested too deeply"),
        ("x" * (MAX_SOURCE_CHARS + 1), "system.j2 has 65,537 characters; at most 65,536 are allowed"),
    ],
)
def test_what_a_prompt_must_not_hold_is_named_with_its_line(source: str, message: str) -> None:
    with pytest.raises(InstructgenError, match=message):
        load_template(Path("system.j2"), source, ("page",))


@pytest.mark.parametrize(
    ("source", "line"),
    [("one\n\n{{ page.txet }}", 3), ("one\n{{ page.__class__ }}", 2), ("{{ page.text.format.__self__ }}", 1)],
)
def test_field_that_is_not_there_is_named_with_its_line(source: str, line: int) -> None:
    with pytest.raises(InstructgenError, match=rf"system.j2 line {line}: "):
        render(source)


def test_loop_over_what_is_no_list_is_named_with_its_line() -> None:
    template = load_template(Path("system.j2"), "one\n{% for x in decoding.seed %}{% endfor %}", ("decoding",))
    with pytest.raises(InstructgenError, match=r"system.j2 line 2: .*not iterable"):
        template.render(decoding=Decoding(seed=3))


def test_output_is_bounded_while_it_is_made() -> None:
    with pytest.raises(InstructgenError, match=r"system.j2 renders to more than 1,000,000 characters"):
        render("{% for letter in page.text %}" + "x" * 1000 + "{% endfor %}", text="y" * 10_000_000)


@pytest.mark.parametrize(
    "source",
    ["{{ page.text }}", "{{ page.text }}\n", "\n{{ page.text }} and\n\n", "a{# not b #}c", "", "\n",
     " {{ page.text -}} \n x", "{{ page.text }}{{ page.text }}", "{{ 'a' }}", "{% if page.text %}yes{% endif %}\n"],
)  # fmt: skip
def test_text_and_fields_alone_give_what_jinja_gives(source: str) -> None:
    template = load_template(Path("user.j2"), source, ("page",))
    page = Page(text="  A <b>dog</b> & {{ cat }}\n")
    assert template.render(page=page) == "".join(template.compiled.generate(page=page))


def test_many_fields_are_bounded_before_they_are_put_together() -> None:
    with pytest.raises(InstructgenError, match=r"system.j2 renders to more than 1,000,000 characters"):
        render("{{ page.text }}" * 1000, text="y" * 100_000)
