"""Makes documents as MMC4 has them, with real pictures, and video clips."""

import io
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Of MMC4's own documentation: the similarities of its example, whose first picture belongs to the last sentence.
README_SIMILARITIES = (
    (0.24363446235656738, 0.31758785247802734, 0.27694183588027954),
    (0.2233106791973114, 0.3234919607639313, 0.26118797063827515),
)


def make_noise(seed: int, side_px: int = 100) -> bytes:
    """Return a JPEG that cannot be made small: 11,700 bytes and more."""
    from PIL import Image

    noise = random.Random(seed).randbytes(3 * side_px * side_px)
    buffer = io.BytesIO()
    Image.frombytes("RGB", (side_px, side_px), noise).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def make_mmc4(
    similarities: Sequence[Sequence[float]], *, num_texts: int = 0, matched: Sequence[int] | None = None
) -> dict[str, Any]:
    """Return a document whose picture k is "k.jpg" and whose sentence n is "Sentence n."."""
    num_texts = num_texts or len(similarities[0])
    infos = [{"image_name": f"{k}.jpg", "raw_url": f"http://a.example/{k}.jpg"} for k in range(len(similarities))]
    for k, place in enumerate(matched or ()):
        infos[k] |= {"matched_text_index": place, "matched_sim": similarities[k][place]}  # type: ignore[dict-item]
    return {
        "text_list": [f"Sentence {n}." for n in range(num_texts)],
        "image_info": infos,
        "similarity_matrix": [list(line) for line in similarities],
    }


def write_mmc4(
    folder: Path, documents: Sequence[Mapping[str, Any] | str], pictures: Mapping[str, bytes] | None = None
) -> Path:
    """Write documents.jsonl and images/; by default 0.jpg to 9.jpg are large enough."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    shown = {f"{k}.jpg": make_noise(k) for k in range(10)} if pictures is None else pictures
    for name, data in shown.items():
        (folder / "images" / name).write_bytes(data)
    lines = [one if isinstance(one, str) else json.dumps(one) for one in documents]
    (folder / "documents.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder


def make_clip(num_frames: int, rate: int = 25, size_px: tuple[int, int] = (64, 48), form: str = "mp4") -> bytes:
    """Return a clip whose frame k is a gray of 3 * k, up to 255; needs PyAV."""
    import av
    from PIL import Image

    buffer = io.BytesIO()
    with av.open(buffer, "w", format=form) as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height = size_px
        stream.pix_fmt = "yuv420p"
        for k in range(num_frames):
            gray = min(255, 3 * k)
            frame = av.VideoFrame.from_image(Image.new("RGB", size_px, (gray, gray, gray)))  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()
