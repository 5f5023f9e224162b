"""The same chats for a student that is to learn from the questions alone: every picture is gray.

Each scene keeps a picture of its own, so that steps are made of the same samples as those of the student who sees.
"""

import io
import json
from pathlib import Path

from instructgen.disk import replace_text
from instructgen.models.pictures import usual_colours
from instructgen.train.example_rows import open_source

_FOLDER = "gray"
_SIDE_PX = 64


def write_blind(dataset: Path, path: Path) -> None:
    """Write the chats of a dataset's training split as JSON lines, with pictures of the tower's mean colour."""
    from PIL import Image

    (path.parent / _FOLDER).mkdir(parents=True, exist_ok=True)
    mean, _ = usual_colours("clip")
    red, green, blue = (round(255 * value) for value in mean)
    encoded = io.BytesIO()
    Image.new("RGB", (_SIDE_PX, _SIDE_PX), (red, green, blue)).save(encoded, "PNG")
    lines = []
    for row in open_source(dataset, "train").rows():
        pictures = [f"{_FOLDER}/{Path(key.rpartition(':')[2]).stem}.png" for key in row.keys]
        for picture in pictures:
            if not (path.parent / picture).exists():
                (path.parent / picture).write_bytes(encoded.getvalue())
        messages = [{"role": one.role, "content": one.content} for one in row.messages]
        lines.append(json.dumps({"id": row.sample_id, "images": pictures, "messages": messages}))
    replace_text(path, "\n".join(lines) + "\n")
