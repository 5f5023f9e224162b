"""The values that travel between stages: frozen, slotted, comparable by value.

They are `msgspec.Struct`s rather than dataclasses: the same reading for a user, but built more than ten times
faster, and reading COCO train2017 builds almost a million of them (docs/decisions/0001-spine.md).
Boxes are fractions of the image's width and height, origin top left, x0 <= x1 and y0 <= y1. Pixels exist
only inside the source that reads them.
"""

from typing import Literal

from msgspec import Struct

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "content_filter", "other"]
# A stage in the order in which a unit passes it.
Stage = Literal["source", "surrogate", "teacher", "parse", "refine", "filter", "publish"]


class Box(Struct, frozen=True, gc=False):
    """One annotated thing; a crowd box covers many things of the category that were not told apart."""

    category: str
    x0: float
    y0: float
    x1: float
    y1: float
    is_crowd: bool = False

    @property
    def area(self) -> float:
        """Share of the image, 0 to 1."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)


class ImageRecord(Struct, frozen=True):
    """One image and everything that is known of it. `image_id` is "<source>/<id>", as "coco/000000391895".

    `file_name` is relative to the source's image folder; boxes keep the order of the annotations. `licence` is the
    picture's, short ("CC-BY-2.0"), and `url` where it was published; each is "" where the source does not say.
    """

    image_id: str
    file_name: str
    width_px: int
    height_px: int
    captions: tuple[str, ...]
    boxes: tuple[Box, ...]
    licence: str = ""
    url: str = ""


class SourceIssue(Struct, frozen=True):
    """An annotation (not a whole image) that a rule set aside or mended, to be counted by its reason."""

    record_id: str
    reason: str
    detail: str


class Surrogate(Struct, frozen=True):
    """An image written down as text (LLaVA, arXiv 2304.08485, section 3)."""

    image_id: str
    text: str
    num_captions: int
    num_boxes: int


class Picture(Struct, frozen=True):
    """A picture that goes along with a message: its bytes are read and made small enough when that is sent."""

    sha256: str
    """Of the bytes as the source stores them, in hex."""
    max_side_px: int


class Message(Struct, frozen=True, omit_defaults=True):
    """`parts` stand in the place of `content` and `picture` where texts and several pictures alternate, in order."""

    role: Role
    content: str
    picture: Picture | None = None
    parts: tuple[str | Picture, ...] = ()


class Decoding(Struct, frozen=True, omit_defaults=True):
    """Sampling settings that are sent to a teacher, and so part of a request's identity; None is not sent."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    output_format: Literal["text", "json"] = "text"


class Unit(Struct, frozen=True):
    """The work to be accounted for: one (image, sample type). `unit_id` is "<image_id>/<type>".

    `picture_sha256` is of the stored picture, where a teacher sees it. `partner` is the image that comes before
    `record` in a sample of two images; None for every other type, and where there is none. `shots` are those that
    come before it in a sample that goes from image to image.
    """

    record: ImageRecord
    sample_type: str
    surrogate: Surrogate
    picture_sha256: str = ""
    partner: ImageRecord | None = None
    shots: tuple[ImageRecord, ...] = ()

    @property
    def unit_id(self) -> str:
        return f"{self.record.image_id}/{self.sample_type}"


class Request(Struct, frozen=True):
    """What is asked of a teacher. `request_id` is the sha256 (hex) of messages, model and decoding.

    `record` says where the picture is, if a message has one.
    """

    request_id: str
    sample_type: str
    image_id: str
    messages: tuple[Message, ...]
    record: ImageRecord | None = None


class Cost(Struct, frozen=True):
    """Money in billionths of a dollar (0 where no price is known), and prompt plus completion tokens."""

    nano_usd: int = 0
    tokens: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.nano_usd + other.nano_usd, self.tokens + other.tokens)


NOTHING = Cost()
# What is odd about an answer that is kept all the same, or is rejected for it later.
ReplyNote = Literal["usage_missing", "wrong_model", "extra_choices", "refused"]


class Reply(Struct, frozen=True):
    """What a teacher answered; stored in the ledger before anything reads it. `cost_usd` None: no price known.

    `model` is the one that the answer names. `notes` is empty for an answer that is as it should be.
    """

    request_id: str
    text: str
    finish_reason: FinishReason
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    model: str
    teacher: str
    notes: tuple[ReplyNote, ...] = ()


class Sample(Struct, frozen=True):
    """One conversation. `sample_id` is "<image_id>/<type>/<n>"; `checks` holds a score for each filter passed.

    `partner` is the first of two images that it speaks of, whose second is the one that it is named for; `shots` are
    those that come before it in a sample that goes from image to image.
    """

    sample_id: str
    image_id: str
    sample_type: str
    turns: tuple[Message, ...]
    request_ids: tuple[str, ...]
    checks: dict[str, float]
    partner: ImageRecord | None = None
    shots: tuple[ImageRecord, ...] = ()

    @property
    def others(self) -> tuple[ImageRecord, ...]:
        """The images that it speaks of beside its own, in the order of its row."""
        return (*self.shots, *(() if self.partner is None else (self.partner,)))


class Rejected(Struct, frozen=True):
    """A record that a rule turned away. `reason` is a fixed word that reports count; free text is in `detail`."""

    record_id: str
    stage: Stage
    reason: str
    detail: str = ""


class Failed(Struct, frozen=True):
    """A unit that could not be answered; asking again may succeed. `reason` is a fixed word."""

    record_id: str
    stage: Stage
    reason: str
    detail: str = ""


class Fault(Struct, frozen=True):
    """Why a parser or a filter turns a text away; the job makes a `Rejected` of it."""

    reason: str
    detail: str = ""


class Verdict(Struct, frozen=True):
    """What a filter found: a score (its meaning and range are the filter's) and a fault if it rejects.

    `turns`, where given, replace the sample's: a filter may cut what is wrong instead of rejecting all of it.
    """

    score: float
    fault: Fault | None = None
    turns: tuple[Message, ...] | None = None
