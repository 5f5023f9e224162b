"""The prompts of refinement: what they show, and what is said of one that cannot be used."""

import shutil
from pathlib import Path

import pytest

from instructgen.config import RefineConfig
from instructgen.errors import InstructgenError
from instructgen.grounding.check import check_turns
from instructgen.grounding.evidence import read_evidence
from instructgen.records import Decoding, Message
from instructgen.refine.prompts import Draft, load_refine_prompts
from instructgen.refine.repair import list_faults
from instructgen.resources import shared_folder
from tests.support.make import make_record

ALL = RefineConfig(continue_below_tokens=80, rewrite=True, repair_rounds=1)


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """A copy of the shipped prompts, to be spoilt."""
    return Path(shutil.copytree(shared_folder("prompts"), tmp_path / "prompts"))


def test_only_what_the_settings_use_is_read() -> None:
    assert load_refine_prompts(None, RefineConfig(clean=True)).sha256 == {}
    assert load_refine_prompts(None, ALL).sha256.keys() == {"continue", "refine", "repair"}


def test_rewriting_shows_the_text_alone() -> None:
    rewrite = load_refine_prompts(None, ALL).rewrite
    assert rewrite is not None
    rules, query = rewrite.messages(Draft("A dog.\n\nA {{ cat }}."), Decoding())
    assert (rules.role, query) == ("system", Message("user", "A dog.\n\nA {{ cat }}."))
    assert "JSON" not in rules.content
    assert "JSON" in rewrite.messages(Draft("{}"), Decoding(output_format="json"))[0].content


def test_repair_names_each_fault_with_its_sentence_and_evidence() -> None:
    turns = (Message("user", "What is there?"), Message("assistant", "A brown dog lies there. Two cats sit by it."))
    faults = list_faults(turns, check_turns(turns, read_evidence(make_record())), with_unverifiable=False)
    assert [(fault.number, fault.claim, fault.sentence) for fault in faults] == [
        (1, "Two cats", "Two cats sit by it.")
    ]
    repair = load_refine_prompts(None, ALL).repair
    assert repair is not None
    text = repair.messages(Draft("the text", "the surrogate", faults), Decoding())[1].content
    assert f'1. "Two cats" in the sentence "Two cats sit by it.": {faults[0].evidence}' in text
    assert text.index("the surrogate") < text.index("the text") < text.index("Two cats")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("refine/user.j2", "Mend it.", "refine/user.j2 leaves out the text of the draft"),
        ("repair/user.j2", "{{ draft.text }}", "repair/user.j2 leaves out the surrogate of the draft"),
        ("repair/user.j2", "{{ draft.txt }}", r"repair/user.j2 line 1: .*txt"),
        ("refine/system.j2", "{{ draft.text }}", "refine/system.j2 line 1: nothing is called 'draft' here"),
        ("refine/system.j2", " ", "refine/system.j2 renders to nothing"),
        ("continue/user.txt", "\n", "continue/user.txt is empty"),
    ],
)
def test_unusable_prompt_is_named_with_what_is_wrong(prompts: Path, name: str, text: str, message: str) -> None:
    (prompts / name).write_text(text)
    with pytest.raises(InstructgenError, match=message):
        load_refine_prompts(prompts, ALL)


def test_missing_folder_is_named(prompts: Path) -> None:
    shutil.rmtree(prompts / "repair")
    with pytest.raises(InstructgenError, match="no prompt for 'repair'"):
        load_refine_prompts(prompts, ALL)
