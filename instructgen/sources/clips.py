"""Frames of video clips, a few a clip and in order of time, decoded one after another (PyAV, the extra [video]).

Flamingo (arXiv 2204.14198) draws 1 frame a second and trains on 8. No more of a clip is decoded than its last drawn
frame, and no more than one is held beside those that are drawn, so that a film takes no more memory than a clip.
"""

import io
import math
from collections.abc import Iterator
from fractions import Fraction
from importlib.util import find_spec
from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.records import Fault

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

CLIP_SUFFIXES = ("mp4", "webm", "mkv", "mov", "avi", "m4v", "mpg", "mpeg", "ogv")
# Of what FFmpeg reads: files alone. Its readers of playlists would open what these name.
_OPTIONS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegvideo,mpegts,ogg,flv,asf",
    "protocol_whitelist": "none",
}
_JPEG_QUALITY = 90
_MAX_SKIPPED = 100_000  # frames between two that are drawn: an hour at 25 a second, or a broken clock


class FrameRules(Struct, frozen=True):
    """`fps` frames are drawn of each second, `max_frames` at most; each is stored at most `max_side_px` long."""

    fps: float = 1.0
    max_frames: int = 8
    max_side_px: int = 480
    max_pixels: int = 100_000_000


def require_decoder() -> None:
    """Raise InstructgenError where PyAV is not installed."""
    if find_spec("av") is None:
        raise InstructgenError("video clips need PyAV: pip install instructgen[video]")


def draw_frames(clip: BinaryIO, rules: FrameRules) -> list[bytes] | Fault:
    """Return JPEGs of the frames at 0, 1 / fps, 2 / fps ... seconds: of each moment the first frame at or after it.

    A clip shorter than a moment gives its first frame. The faults are video_broken, video_too_large, no_video.
    """
    import av

    try:
        with av.open(clip, "r", metadata_errors="ignore", container_options=_OPTIONS) as container:
            if not container.streams.video:
                return Fault("no_video", "it has no picture track")
            stream = container.streams.video[0]
            if stream.width * stream.height > rules.max_pixels:
                return Fault(
                    "video_too_large", f"{stream.width} x {stream.height}, at most {rules.max_pixels} pixels"
                )
            frames = [_encode(frame, rules.max_side_px) for frame in _choose(container, stream, rules)]
    except (av.FFmpegError, OSError, ValueError, EOFError) as error:
        return Fault("video_broken", str(error)[:200])
    return frames or Fault("video_broken", "it has no frame that can be decoded")


def _choose(container: "InputContainer", stream: "VideoStream", rules: FrameRules) -> Iterator["VideoFrame"]:
    """Yield the frames that are drawn; a frame without a time is taken to follow the one before."""
    rate = float(stream.average_rate or stream.guessed_rate or 25)
    step_s, num_drawn, num_skipped = 1 / Fraction(rules.fps).limit_denominator(1000), 0, 0
    start_s, clock_s = math.nan, 0.0
    for frame in container.decode(stream):
        clock_s = clock_s + 1 / rate if frame.time is None else frame.time
        start_s = clock_s if math.isnan(start_s) else start_s
        # Clocks tick in thousandths or finer; half a frame early is the frame of the moment.
        if clock_s - start_s + 0.5 / max(rate, 1.0) >= float(num_drawn * step_s):
            yield frame
            num_drawn, num_skipped = num_drawn + 1, 0
            if num_drawn == rules.max_frames:
                return
        elif (num_skipped := num_skipped + 1) > _MAX_SKIPPED:
            raise ValueError(f"{_MAX_SKIPPED} frames stand between two that are drawn")


def _encode(frame: "VideoFrame", max_side_px: int) -> bytes:
    image = frame.to_image()  # type: ignore[no-untyped-call]
    image.thumbnail((max_side_px, max_side_px))
    encoded = io.BytesIO()
    image.convert("RGB").save(encoded, "JPEG", quality=_JPEG_QUALITY)
    return encoded.getvalue()
