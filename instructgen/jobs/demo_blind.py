"""The same chats for a student that is to learn from the questions alone: every picture is the same gray one."""

import json
from pathlib import Path

from instructgen.dataset.disk import replace_text
from instructgen.models.pictures import usual_colours
from instructgen.train.example_rows import open_source

_PICTURE_NAME = "gray.png"
_SIDE_PX = 64


def write_blind(dataset: Path, path: Path) -> None:
    """Write the chats of a dataset's training split as JSON lines, with a picture of the tower's mean colour."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    mean, _ = usual_colours("clip")
    red, green, blue = (round(255 * value) for value in mean)
    Image.new("RGB", (_SIDE_PX, _SIDE_PX), (red, green, blue)).save(path.parent / _PICTURE_NAME)
    lines = [
        json.dumps(
            {
                "id": row.sample_id,
                "images": [_PICTURE_NAME],
                "messages": [{"role": one.role, "content": one.content} for one in row.messages],
            }
        )
        for row in open_source(dataset, "train").rows()
    ]
    replace_text(path, "\n".join(lines) + "\n")
