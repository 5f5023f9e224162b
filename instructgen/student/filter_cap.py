"""Captions of a folder as MiniGPT-4's second stage reads them: filter_cap.json, and the pictures beside it."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from instructgen.dataset.exports.base import new_folder
from instructgen.dataset.exports.filter_cap import FILE_NAME
from instructgen.errors import InstructgenError
from instructgen.student.describing import Caption


def write_described(folder: Path, captions: Mapping[str, Caption], out: Path) -> int:
    """Write the described pictures, numbered in the order of their names; return how many there are.

    MiniGPT-4's loader opens image/<image_id>.jpg by that name whatever the bytes are, so they are copied as they lie.
    Raises InstructgenError where `out` is there already, and for a picture that is gone.
    """
    listed: list[dict[str, str]] = []
    with new_folder(out) as made:
        (made / "image").mkdir()
        for number, name in enumerate(sorted(captions), 1):
            try:
                shutil.copyfile(folder / name, made / "image" / f"{number}.jpg")
            except OSError as error:
                raise InstructgenError(
                    f"{folder / name} is described and cannot be copied ({error.strerror}); put it back, or take its "
                    "line out of the captions"
                ) from None
            listed.append({"image_id": str(number), "caption": captions[name].caption})
        (made / FILE_NAME).write_bytes(msgspec.json.encode({"annotations": listed}) + b"\n")
    return len(listed)
