"""A build whose teacher is a served student: it sees the pictures, and what it says nonsense is counted."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.student.ask import Ask
from tests.support.cli import run_cli
from tests.support.coco_folder import make_coco
from tests.support.served_students import ServedStudent
from tests.support.tiny_students import make_picture, make_spec, make_tiny


def test_served_student_is_a_teacher_that_sees_and_the_counts_add_up(tmp_path: Path) -> None:
    num_images = 6
    coco = make_coco(tmp_path / "coco", num_images)
    student = make_tiny(make_spec(max_position_embeddings=8192))
    seen: list[Ask] = []
    together = student.answer_together

    def watched(asks, is_wanted):  # type: ignore[no-untyped-def]
        seen.extend(ask for ask, _ in asks)
        return together(asks, is_wanted)

    student.answer_together = watched  # type: ignore[method-assign]
    (coco / "val2017").mkdir()
    for number in range(10, 10 + num_images):
        (coco / "val2017" / f"{number:012d}.jpg").write_bytes(make_picture(number, (640, 480), "JPEG"))
    with ServedStudent(student) as server:
        arguments = (
            *("build", "--root", coco, "--types", "caption", "--base-url", server.base_url, "--model", "tiny"),
            *("--see-image", "only", "--out", tmp_path / "ds", "--json"),
        )
        done = run_cli(*arguments)
        again = run_cli(*arguments)
    assert done.code in (0, 4), done.err  # 4: nothing was accepted, as is to be expected of random weights
    result = done.result
    ended = sum(sum(result[name].values()) for name in ("accepted", "rejected", "failed") if name in result)
    assert ended == num_images
    assert result["failed"] == {"caption": 0}
    assert len(seen) == num_images
    assert all(len(ask.pictures) == 1 and ask.system for ask in seen)
    assert len({ask.pictures for ask in seen}) == num_images
    assert result["prompt_tokens"] > 0
    assert again.result["new_requests"] == 0
