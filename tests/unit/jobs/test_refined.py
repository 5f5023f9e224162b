"""refined.jsonl: what it holds of a text, and that it is a part of what a version is."""

import json
from pathlib import Path

from msgspec.structs import replace

from instructgen.dataset.manifest import RefinementFacts, make_version
from instructgen.jobs.course import Change, Ended
from instructgen.jobs.refined import RefinedFile
from tests.support.make import make_manifest, make_reply, make_sample, make_unit

FACTS = RefinementFacts("openai", "m", {}, {"rewrite": {"changed": 1, "unchanged": 0}}, {}, "ab" * 32)
MANIFEST = make_manifest()


def end(*changes: Change) -> Ended:
    reply = make_reply()
    return Ended(make_sample(), reply, (reply,), (reply,), changes)


def test_line_has_both_texts_their_difference_and_what_came_of_it(tmp_path: Path) -> None:
    with RefinedFile(tmp_path / "refined.jsonl") as file:
        file.write(make_unit(), end(Change("repair", "r1", "A dog, a cat.", "A dog.", ("apology",), "accepted")))
    (line,) = (tmp_path / "refined.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {
        "unit_id": "coco/000000000001/conv",
        "step": "repair",
        "request_id": "r1",
        "before": "A dog, a cat.",
        "after": "A dog.",
        "diff": [["=", "A"], ["-", "dog, a cat."], ["+", "dog."]],
        "rules": ["apology"],
        "is_unchanged": False,
        "outcome": "accepted",
    }


def test_unit_that_nothing_was_done_to_makes_no_file(tmp_path: Path) -> None:
    with RefinedFile(tmp_path / "refined.jsonl") as file:
        file.write(make_unit(), end())
    assert list(tmp_path.iterdir()) == []


def test_version_is_another_where_texts_were_refined_otherwise() -> None:
    other = replace(FACTS, refined_sha256="cd" * 32)
    manifests = [MANIFEST, replace(MANIFEST, refinement=FACTS), replace(MANIFEST, refinement=other)]
    assert len({make_version(manifest) for manifest in manifests}) == 3
