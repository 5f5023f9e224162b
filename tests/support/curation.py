"""A vision model that describes the bundled sample, well or badly, and a copy editor that mends texts, well or badly.

A good description is the scene program's, so it is true and passes every filter; what goes wrong is put on top of
it. Which way a picture goes depends on its number alone.
"""

import random
from dataclasses import dataclass, field
from typing import Any

from instructgen.config import SourceConfig
from instructgen.records import ImageRecord
from instructgen.refine.sentences import split_line
from instructgen.sources import open_source
from instructgen.teachers.pictures import encode_small
from instructgen.teachers.scene_program import Task, write_text
from tests.support.answers import find_picture, find_text

APOLOGY = "I'm sorry I made a mistake in what I said before."
OPENING = "Sure! Here is the corrected paragraph:\n\n"
CLOSING = "Let me know if there is anything else that I can help you with!"
LIE = "Two elephants and a giraffe stand in the middle of it."
REFUSAL = "I'm sorry, but I cannot see the image that you sent."
KINDS = ("good", "short", "apology", "chatter", "repeated", "lie", "broken", "refusal")
EDITS = ("same", "opened", "says", "shorter", "same", "refusal")
SHORT_TOKENS = (1, 79, 80)
LONG_TOKENS = (81, 82, 200)


@dataclass
class Curator:
    """`text` and `usage` are for a ChatServer. The books say what was asked, by the number of the picture."""

    records: list[ImageRecord] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    continued: list[int] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        import base64

        source = open_source(SourceConfig(), 0)
        for record in source.records():
            assert isinstance(record, ImageRecord)
            picture = source.image_bytes(record)
            assert picture is not None
            small = encode_small(picture, 768, 10**8, record.file_name)
            self._numbers[f"data:image/jpeg;base64,{base64.b64encode(small).decode()}"] = len(self.records)
            self.records.append(record)

    def kind_of(self, number: int) -> str:
        return KINDS[number % len(KINDS)]

    def of_kind(self, *kinds: str) -> list[int]:
        return [number for number in range(len(self.records)) if self.kind_of(number) in kinds]

    def describe(self, number: int) -> str:
        """Return the whole description that is true of a picture."""
        return write_text(Task("detail", self.records[number]), 0)

    def text(self, body: dict[str, Any]) -> str:
        url = find_picture(body)
        if url is None:
            return self._edit(find_text(body["messages"][-1]))
        number = self._numbers[url]
        if find_text(body["messages"][-1]) == "Continue":
            self.continued.append(number)
            return " ".join(self._sentences(number)[2:])
        self.seen.append(number)
        return self._describe_badly(number)

    def usage(self, body: dict[str, Any]) -> tuple[int, int]:
        """Count few tokens for what breaks off early, as if words were cut finer or coarser."""
        url = find_picture(body)
        if url is None or find_text(body["messages"][-1]) == "Continue":
            return 300, 60
        number = self._numbers[url]
        of = SHORT_TOKENS if self.kind_of(number) == "short" else LONG_TOKENS
        return 900, of[number // len(KINDS) % len(of)]

    def _sentences(self, number: int) -> list[str]:
        return [sentence for line in self.describe(number).split("\n") for sentence in split_line(line)]

    def _describe_badly(self, number: int) -> str:
        sentences = self._sentences(number)
        whole = " ".join(sentences)
        return {
            "good": whole,
            "short": " ".join(sentences[:2]),
            "apology": f"{sentences[0]} {APOLOGY} {' '.join(sentences[1:])}",
            "chatter": f"{OPENING}{whole}\n\n{CLOSING}",
            "repeated": f"{whole} {sentences[-1]} {sentences[0]}",
            "lie": f"{sentences[0]} {LIE} {' '.join(sentences[1:])}",
            "broken": f"{whole} In the back of it there is also a",
            "refusal": REFUSAL,
        }[self.kind_of(number)]

    def _edit(self, text: str) -> str:
        self.edited.append(text)
        if LIE in text:
            return text  # the filter has to meet it, whatever is drawn
        edit = random.Random(text).choice(EDITS)
        if edit == "shorter" and len(split_line(text)) > 4:
            return " ".join(split_line(text)[:-1])
        return {"opened": f"{OPENING}{text}", "says": "No changes are needed.", "refusal": REFUSAL}.get(edit, text)
