"""What is told to a teacher that sees the picture, beside the surrogate or instead of it."""

from pathlib import Path

from msgspec import Struct

from instructgen.config import TeacherConfig
from instructgen.prompting.prompts import load_text
from instructgen.records import Message, Picture, Unit


class Seeing(Struct, frozen=True):
    """`note` is put behind the rules; `stand_in` is what the user says where nothing but the picture is shown."""

    shows_surrogate: bool
    max_side_px: int
    note: str
    stand_in: str
    sha256: str

    def with_note(self, prefix: tuple[Message, ...]) -> tuple[Message, ...]:
        """Return the messages that all requests begin with, the note behind the rules."""
        rules = Message(prefix[0].role, f"{prefix[0].content}\n\n{self.note}")
        return (rules, *prefix[1:])

    def show(self, unit: Unit, query: Message) -> Message:
        """Return the user's message with the unit's picture."""
        assert unit.picture_sha256, f"{unit.unit_id} was planned without its picture"
        text = query.content.strip() or self.stand_in
        return Message(query.role, text, Picture(unit.picture_sha256, self.max_side_px))


def load_seeing(folder: Path | None, config: TeacherConfig) -> Seeing | None:
    """Return how the teacher is shown pictures, or None for one that sees none. Reads `<folder>/see/`."""
    if config.see_image == "no":
        return None
    note, sha256 = load_text(folder, "see", f"{config.see_image}.txt")
    stand_in, _ = load_text(folder, "see", "user.txt")
    return Seeing(config.see_image == "beside", config.max_image_side_px, note, stand_in, sha256)
