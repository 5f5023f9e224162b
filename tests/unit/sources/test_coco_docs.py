"""docs/coco.md has every word by which the COCO source counts, and no other."""

import ast
import re
from pathlib import Path

from instructgen.sources.coco_rules import DROP_REASONS

ROOT = Path(__file__).resolve().parents[3]
CALLS_WITH_A_REASON = {"SourceIssue": 1, "Fault": 0}


def words_in_code() -> set[str]:
    words = {reason for reason in DROP_REASONS if reason}
    for name in ("coco_records", "coco_rules"):
        tree = ast.parse((ROOT / "instructgen" / "sources" / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS_WITH_A_REASON:
                reason = node.args[CALLS_WITH_A_REASON[node.func.id]]
                words |= {reason.value} if isinstance(reason, ast.Constant) else set()
            elif isinstance(node, ast.Constant) and re.fullmatch(r"[a-z]+_(box|caption)", str(node.value)):
                words.add(node.value)
    return words


def test_documented_words_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "coco.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == words_in_code()
