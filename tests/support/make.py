"""Small real records for tests."""

from instructgen.dataset.manifest import Counts, Manifest, SourceFacts, TeacherFacts
from instructgen.records import Box, ImageRecord, Message, Reply, Sample, Surrogate, Unit


def make_record(number: int = 1, **changes: object) -> ImageRecord:
    """A dog beside a red ball in a park, 640 x 480; `changes` replaces fields."""
    fields: dict[str, object] = {
        "image_id": f"coco/{number:012d}",
        "file_name": f"{number:012d}.jpg",
        "width_px": 640,
        "height_px": 480,
        "captions": ("A brown dog lies beside a red ball.", "The dog rests on the grass in a park."),
        "boxes": (Box("dog", 0.1, 0.5, 0.45, 0.9), Box("sports ball", 0.7, 0.75, 0.8, 0.9)),
    }
    return ImageRecord(**{**fields, **changes})  # type: ignore[arg-type]


def make_unit(number: int = 1, sample_type: str = "conv") -> Unit:
    record = make_record(number)
    return Unit(record, sample_type, Surrogate(record.image_id, "\n".join(record.captions), 2, 2))


def make_reply(number: int = 1, text: str = "A brown dog.", **changes: object) -> Reply:
    fields: dict[str, object] = {
        "request_id": f"{number:064x}",
        "text": text,
        "finish_reason": "stop",
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "cost_usd": 0.25,
        "model": "test-model",
        "teacher": "openai",
    }
    return Reply(**{**fields, **changes})  # type: ignore[arg-type]


def make_sample(number: int = 1, sample_type: str = "conv", answer: str = "A brown dog lies there.") -> Sample:
    image_id = f"coco/{number:012d}"
    turns = (Message("user", "What is lying on the grass?"), Message("assistant", answer))
    return Sample(f"{image_id}/{sample_type}/0", image_id, sample_type, turns, (f"{number:064x}",), {})


def make_manifest(**changes: object) -> Manifest:
    """A version of nothing; `changes` replaces fields."""
    fields: dict[str, object] = {
        "format": 1,
        "version": "",
        "parent": None,
        "created_at": "",
        "code": {},
        "config": {},
        "prompts": {},
        "source": SourceFacts("coco", "COCO", 1, {}),
        "teacher": TeacherFacts("openai", "m", {}, 0, 0, 0.0),
        "counts": Counts({}, {}, {}, {}, {}),
        "splits": {},
        "embeds_images": False,
        "unpublished_sha256": "",
        "shards": (),
    }
    return Manifest(**{**fields, **changes})  # type: ignore[arg-type]
