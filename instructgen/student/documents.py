"""How documents are written as tokens for any student, and how an answer in one ends: with its chunk."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Protocol

from instructgen.errors import InstructgenError
from instructgen.student.ask import Document
from instructgen.student.generate import Rules
from instructgen.train.marks import END_OF_CHUNK, Part


class DocumentEncoder(Protocol):
    """The half of instructgen.train.encode.Encoder that documents need."""

    def document_ids(self, parts: Sequence[Part]) -> Iterable[int]:
        """Return a document's ids from its beginning on, IMAGE_SLOT for a picture."""
        ...


class DocumentWording:
    """Writes documents as training does; an answer ends at the end of its chunk or of the text."""

    def __init__(self, encoder: DocumentEncoder, eos_id: int | None, decode: Callable[[Sequence[int]], str]) -> None:
        self._encoder = encoder
        self._eos_id = eos_id
        self._decode = decode

    @cached_property
    def rules(self) -> Rules:
        ends = {self._write((END_OF_CHUNK,))[-1]} | (set() if self._eos_id is None else {self._eos_id})
        return Rules(frozenset(ends), (), self._decode)

    def prompt_ids(self, document: Document) -> list[int]:
        """Raises InstructgenError where the places are not as many as the pictures."""
        ids = self._write(document.parts)
        num_places, num_shown = document.num_places, len(document.frames or document.pictures)
        if num_places != num_shown:
            raise InstructgenError(f"a document with {num_places} places for {num_shown} pictures")
        return ids

    def answer_ids(self, document: Document, answer: str) -> list[int]:
        """Return what the document goes on with where this is its answer, the end of the chunk included."""
        before = self._write(document.parts)
        whole = self._write((*document.parts, answer, END_OF_CHUNK))
        assert whole[: len(before)] == before, "what follows in a document changed what stands before"
        return whole[len(before) :]

    def _write(self, parts: Sequence[Part]) -> list[int]:
        return [int(number) for number in self._encoder.document_ids(parts)]
