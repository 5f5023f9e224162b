"""A model that is asked in another template's words counts as another model, whose answers are not reused."""

from pathlib import Path

import pytest

from instructgen.errors import InstructgenError
from instructgen.jobs.evaluate import describe_model


def test_answers_in_another_templates_words_are_another_models(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    plain, photo = (describe_model(str(tmp_path), None, template) for template in ("", "blip2_opt_photo"))
    assert plain == describe_model(str(tmp_path), None)
    assert photo.name == plain.name
    assert len({plain.digest, photo.digest, describe_model(str(tmp_path), None, "blip2_opt_vqa").digest}) == 3


def test_server_writes_its_own_prompts() -> None:
    with pytest.raises(InstructgenError, match="--template is for a folder's model"):
        describe_model("http://127.0.0.1:9/v1", "m", "blip2_opt_vqa")
