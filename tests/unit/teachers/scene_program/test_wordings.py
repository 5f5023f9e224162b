"""The wordings as they ship: many, varied, complete; and what somebody is told whose file cannot be used."""

import re
import string
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import pytest

from instructgen.errors import InstructgenError
from instructgen.teachers.scene_program.wordings import STYLES, Family, hash_wordings, load_wordings, slots_of

FAMILIES = load_wordings()
# Sentences of their own or put behind others, which nobody asks for and no style changes.
ADDED = {name for name in FAMILIES if name.startswith(("add_", "d_", "r_"))}
ASKED = FAMILIES.keys() - ADDED
# Boxes are told in one style.
STYLED = {name for name in ASKED if not name.startswith("refer_")}
SLOTS = {
    *("pic", "apic", "x", "y", "xs", "ys", "a_x", "a_y", "the_x", "x_main", "main", "number", "number_x", "number_y"),
    *(
        "it",
        "It",
        "kind",
        "its",
        "is",
        "be",
        "who",
        "what",
        "where",
        "there",
        "place",
        "setting",
        "name",
        "side",
        "half",
        "edge",
        "extent",
    ),
    *("list", "others", "a", "b", "c", "d", "c1", "c2", "color", "other", "acolor", "aother", "material"),
    *("has", "lacks", "most"),
    *("adjectives", "doing", "event", "shown", "held", "wears", "time", "weather", "box"),
}
KINDS = ("ask", "plain", "terse", "warm")


def forms_of(name: str, kind: str) -> tuple[str, ...]:
    found: tuple[str, ...] = getattr(FAMILIES[name], kind)
    return found


def starts_of(forms: tuple[str, ...]) -> Counter[str]:
    return Counter(" ".join(form.split()[:5]) for form in forms)


def test_there_are_families_of_both_sorts() -> None:
    assert len(STYLED) >= 45
    assert len(ADDED) >= 45


@pytest.mark.parametrize("name", sorted(ASKED))
def test_question_has_forms_enough(name: str) -> None:
    assert len(forms_of(name, "ask")) >= 12
    assert len(forms_of(name, "plain")) >= 8
    if name in STYLED:
        assert len(forms_of(name, "terse")) >= 3
        assert len(forms_of(name, "warm")) >= 6


@pytest.mark.parametrize("name", sorted(ADDED))
def test_added_sentence_has_plain_forms_alone(name: str) -> None:
    assert len(forms_of(name, "plain")) >= 2
    assert not any(forms_of(name, kind) for kind in ("ask", "terse", "warm"))
    for style in STYLES:
        assert FAMILIES[name].tells(style) == forms_of(name, "plain")


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_form_is_written_with_care(name: str) -> None:
    lists = [forms_of(name, kind) for kind in KINDS]
    assert [len({form.lower() for form in forms}) for forms in lists] == [len(forms) for forms in lists], "twice"
    for form in (form for forms in lists for form in forms):
        assert "  " not in form
        assert form == form.strip()
        assert slots_of(form) <= SLOTS, form
        assert form[0].isupper() or form[0] == "{", form
        assert form.endswith((".", "?", "!")) or form == "{box}", form
        assert form.count("{") == form.count("}") == len(list_slots(form)), form
        assert " ," not in form
        assert ".." not in form


def list_slots(form: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(form) if name]


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_forms_of_a_family_begin_in_different_ways(name: str) -> None:
    for forms in (forms_of(name, kind) for kind in KINDS if kind != "terse"):
        starts = starts_of(forms)
        assert max(starts.values(), default=0) <= 2 + len(forms) // 30
        assert len(starts) >= (0.6 if name in ADDED else 0.85) * len(forms)


@pytest.mark.parametrize("name", sorted(STYLED))
def test_styles_of_a_family_differ(name: str) -> None:
    by_style = {style: set(forms_of(name, style)) for style in STYLES}
    assert not by_style["plain"] & by_style["warm"]
    assert not by_style["terse"] & by_style["warm"]

    terse, plain, warm = (
        fmean(len(form.split()) for form in by_style[style]) for style in ("terse", "plain", "warm")
    )
    assert terse < plain < warm


def test_families_that_are_asked_alike_have_the_same_questions() -> None:
    groups: dict[str, set[tuple[str, ...]]] = {}
    names: Counter[str] = Counter()
    for family in FAMILIES.values():
        if family.asked_as:
            groups.setdefault(family.asked_as, set()).add(family.ask)
            names[family.asked_as] += 1
    assert set(groups) >= {"count", "presence", "presence of several"}
    assert {key: len(asked) for key, asked in groups.items()} == dict.fromkeys(groups, 1)
    assert min(names.values()) > 1, "nothing to share with"


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("present_one", "absent_one"),
        ("present_one_bare", "absent_but"),
        ("present_many", "absent_many"),
        ("count", "false_count"),
        ("count", "count_one"),
        ("color", "false_color"),
        ("doing", "false_doing"),
        ("region", "false_place"),
    ],
)
def test_question_does_not_tell_its_answer(yes: str, no: str) -> None:
    """What is not there is asked for in the words in which one asks for what is."""
    there, missing = ({_bare(form) for form in forms_of(name, "ask")} for name in (yes, no))
    assert there == missing


def _bare(form: str) -> str:
    return form.replace("{the_x}", "the {x}").replace("{is}", "is")


@pytest.mark.parametrize("name", ["present_one", "present_one_bare", "present_many"])
def test_every_affirming_answer_says_yes_and_no_no(name: str) -> None:
    for form in (*forms_of(name, "plain"), *forms_of(name, "warm"), *forms_of(name, "terse")):
        assert re.search(r"\byes\b", form.lower()), form


@pytest.mark.parametrize("name", ["absent_one", "absent_many", "absent_but", "neither"])
def test_every_denying_answer_says_no(name: str) -> None:
    for form in (*forms_of(name, "plain"), *forms_of(name, "warm"), *forms_of(name, "terse")):
        assert re.search(r"\bno\b", form.lower()), form
        assert not re.search(r"\byes\b", form.lower()), form


# What follows are files of somebody who extends the wordings.

Write = Callable[[str, str], None]


GOOD = '[overview]\nask = ["What is there?"]\nplain = ["I see {list}."]\n'


def test_own_file_is_read(write: Write) -> None:
    write("wordings/mine.toml", GOOD)
    family = Family(ask=("What is there?",), plain=("I see {list}.",))
    assert load_wordings() == {"overview": family}
    assert [family.tells(style) for style in STYLES] == [family.plain] * 3


def test_shared_questions_are_joined_without_doubles(write: Write) -> None:
    write("wordings/a.toml", '[yes]\nasked_as = "it"\nask = ["Is it?", "Well?"]\nplain = ["Yes."]\n')
    write("wordings/b.toml", '[no]\nasked_as = "it"\nask = ["Well?", "Is it so?"]\nplain = ["No."]\n')
    asked = ("Is it?", "Well?", "Is it so?")
    assert {name: family.ask for name, family in load_wordings().items()} == {"yes": asked, "no": asked}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[overview\n", ["TOML", "line 1"]),
        ('[overview]\nask = ["What?"]\nask = ["Why?"]\n', ["TOML", "line 3"]),
        ('[overview]\nasks = ["What?"]\n', ["'overview'", "asks"]),
        ('[overview]\nask = "What?"\n', ["'overview'", "ask", "array"]),
        ("[overview]\nplain = [3]\n", ["'overview'", "plain", "str"]),
        ("overview = 3\n", ["'overview'", "object"]),
    ],
    ids=["no TOML", "key twice", "unknown key", "no list", "no words", "no table"],
)
def test_fault_of_a_file_is_told_with_its_place(write: Write, text: str, told: list[str]) -> None:
    write("wordings/mine.toml", text)
    with pytest.raises(InstructgenError) as caught:
        load_wordings()
    for words in ("mine.toml", *told):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('plain = ["I see {list."]', "{list."),
        ('plain = ["I see {}."]', "{}"),
        ('ask = ["What is there?"]', "plain"),
    ],
    ids=["open brace", "slot without name", "no answers"],
)
def test_form_that_no_answer_can_come_of_is_told_with_its_place(write: Write, line: str, told: str) -> None:
    """Read and checked once: not only when an image happens to draw the form."""
    write("wordings/mine.toml", f"[overview]\n{line}\n")
    with pytest.raises(InstructgenError) as caught:
        load_wordings()
    for words in ("mine.toml", "'overview'", told):
        assert words in str(caught.value)


def test_file_that_is_no_text_is_told(write: Write, tmp_path: Path) -> None:
    (tmp_path / "scene-program" / "wordings" / "mine.toml").write_bytes(b'[a]\nask = ["\xff"]\n')
    with pytest.raises(InstructgenError, match=r"mine\.toml: no valid TOML"):
        load_wordings()


def test_family_in_two_files_is_told(write: Write) -> None:
    write("wordings/a.toml", GOOD)
    write("wordings/b.toml", GOOD)
    with pytest.raises(InstructgenError, match=r"b\.toml: the family 'overview' is in another file already"):
        load_wordings()


def test_other_wordings_are_another_model(write: Write) -> None:
    write("wordings/mine.toml", GOOD)
    first = hash_wordings()
    hash_wordings.cache_clear()
    assert hash_wordings() == first
    write("wordings/mine.toml", GOOD.replace("I see", "You see"))
    hash_wordings.cache_clear()
    assert hash_wordings() != first
