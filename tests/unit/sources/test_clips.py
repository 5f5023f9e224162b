"""Frames of clips: at which moments, how many, how large, and what is told of clips that cannot be read."""

import io
import json
from pathlib import Path

import pytest

from instructgen.config import SourceConfig
from instructgen.records import Fault
from instructgen.sources.clips import FrameRules, draw_frames
from instructgen.sources.documents import Document
from instructgen.sources.documents_files import read_documents
from tests.support.mmc4 import make_clip
from tests.support.pair_tables import write_tar

RULES = FrameRules()
pytest.importorskip("av", reason="PyAV is not installed: pip install instructgen[video]")


def grays(clip: bytes, rules: FrameRules = RULES) -> list[int]:
    """Return the gray of each frame that is drawn, in frames of the clip."""
    from PIL import Image

    frames = draw_frames(io.BytesIO(clip), rules)
    assert isinstance(frames, list), frames
    found = []
    for frame in frames:
        with Image.open(io.BytesIO(frame)) as image:
            assert image.format == "JPEG"
            found.append(round(image.convert("L").getpixel((5, 5)) / 3))  # type: ignore[operator]
    return found


def near(found: list[int], wanted: list[int]) -> bool:
    return len(found) == len(wanted) and all(abs(one - two) <= 1 for one, two in zip(found, wanted, strict=True))


def test_one_frame_of_each_second_is_drawn() -> None:
    assert near(grays(make_clip(80)), [0, 25, 50, 75])
    assert near(grays(make_clip(76, rate=25, form="matroska")), [0, 25, 50, 75])
    assert near(grays(make_clip(30, rate=10)), [0, 10, 20])


def test_rate_and_number_are_options() -> None:
    assert near(grays(make_clip(60), FrameRules(fps=2.0)), [0, 12, 25, 37, 50])
    assert near(grays(make_clip(80), FrameRules(max_frames=2)), [0, 25])
    assert near(grays(make_clip(80), FrameRules(fps=0.5)), [0, 50])


def test_eight_frames_at_most_are_drawn_of_a_long_clip() -> None:
    assert len(grays(make_clip(40 * 5, rate=5))) == 8


def test_clip_shorter_than_a_second_gives_its_first_frame() -> None:
    assert near(grays(make_clip(3)), [0])


def test_no_more_is_read_than_up_to_the_last_drawn_frame() -> None:
    class Counting(io.BytesIO):
        num_read = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            Counting.num_read += len(data)
            return data

    clip = make_clip(3_000, rate=5, size_px=(128, 96), form="matroska")
    assert isinstance(draw_frames(Counting(clip), FrameRules()), list)
    assert Counting.num_read < len(clip) / 3


def test_large_frames_are_made_smaller_and_small_ones_stay() -> None:
    from PIL import Image

    frames = draw_frames(io.BytesIO(make_clip(1, size_px=(640, 320))), FrameRules(max_side_px=160))
    assert isinstance(frames, list)
    assert Image.open(io.BytesIO(frames[0])).size == (160, 80)
    frames = draw_frames(io.BytesIO(make_clip(1)), FrameRules())
    assert isinstance(frames, list)
    assert Image.open(io.BytesIO(frames[0])).size == (64, 48)


def reason_of(clip: bytes, rules: FrameRules = RULES) -> str:
    found = draw_frames(io.BytesIO(clip), rules)
    assert isinstance(found, Fault)
    return found.reason


def make_sound() -> bytes:
    import wave

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(bytes(8_000))
    return buffer.getvalue()


def test_broken_and_foreign_files_have_a_reason() -> None:
    clip = make_clip(50)
    assert reason_of(b"") == reason_of(b"no clip" * 100) == "video_broken"
    assert reason_of(clip[: len(clip) // 2]) == "video_broken", "the index of an mp4 is at its end"
    assert reason_of(make_sound()) == "video_broken", "not one of the forms that are read"
    assert reason_of(clip, FrameRules(max_pixels=64 * 47)) == "video_too_large"


def test_playlist_opens_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(make_clip(30))
    for text in (f"ffconcat version 1.0\nfile '{tmp_path}/a.mp4'\n", f"#EXTM3U\n#EXTINF:1,\n{tmp_path}/a.mp4\n"):
        assert reason_of(text.encode()) == "video_broken"


def read_clips(root: Path) -> list[tuple[str, int]]:
    """Return the text of each clip and how many of its bytes are found."""
    found = []
    for document, media in read_documents(SourceConfig("interleaved", str(root))):
        assert isinstance(document, Document)
        assert document.pictures[0].is_clip
        clip = media.open(document.pictures[0].name)
        assert clip is not None
        with clip:
            found.append((document.texts[0], len(clip.read())))
    return found


def test_clips_of_a_folder_a_table_and_a_shard_are_found(tmp_path: Path) -> None:
    clips = {"a": make_clip(5), "b": make_clip(9)}
    sizes = [("Clip a.", len(clips["a"])), ("Clip b.", len(clips["b"]))]
    for name in ("folder", "table", "shard"):
        (tmp_path / name).mkdir()
    for name, clip in clips.items():
        (tmp_path / "folder" / f"{name}.mp4").write_bytes(clip)
        (tmp_path / "folder" / f"{name}.txt").write_text(f"Clip {name}.\n")
        (tmp_path / "table" / f"{name}.mp4").write_bytes(clip)
    lines = [json.dumps({"video": f"{name}.mp4", "caption": f"Clip {name}."}) for name in clips]
    (tmp_path / "table" / "clips.jsonl").write_text("\n".join(lines))
    members: dict[str, bytes] = {}
    for name, clip in clips.items():
        members |= {f"{name}.mp4": clip, f"{name}.txt": f"Clip {name}.".encode()}
    write_tar(tmp_path / "shard" / "0.tar", members)
    assert read_clips(tmp_path / "folder") == sizes
    assert read_clips(tmp_path / "table") == sizes
    assert read_clips(tmp_path / "shard") == sizes


def test_clip_of_a_shard_can_be_read_where_it_lies(tmp_path: Path) -> None:
    """An mp4 has its index at its end: the part of the shard has to seek as a file does."""
    write_tar(
        tmp_path / "0.tar", {"a.mp4": make_clip(30, rate=10), "a.txt": b"A.", "b.mp4": make_clip(9), "b.txt": b"B."}
    )
    for document, media in read_documents(SourceConfig("interleaved", str(tmp_path))):
        assert isinstance(document, Document)
        clip = media.open(document.pictures[0].name)
        assert clip is not None
        with clip:
            frames = draw_frames(clip, FrameRules())
        assert len(frames) == {"A.": 3, "B.": 1}[document.texts[0]]  # type: ignore[arg-type]
