"""Few-shot prompts in OpenFlamingo's words: examples with their answers, a line each, and the query without one."""

import re
from collections.abc import Sequence

from msgspec import Struct

from instructgen.train.marks import END_OF_CHUNK, PICTURE, Mark, Part

NUM_TEXT_SHOTS = 2
"""With 0 shots so many examples stand there without their pictures: they show the form, and nothing of the task."""
BETWEEN = "\n"


class Shot(Struct, frozen=True):
    """An example. `question` is "" in forms that ask nothing."""

    key: str
    image_id: str
    question: str
    answer: str


class Form(Struct, frozen=True):
    """`wording` stands between a picture and its answer; an answer ends before any of the words in `cuts`.

    `max_tokens` is how long an answer may be.
    """

    name: str
    wording: str
    cuts: tuple[str, ...]
    max_tokens: int

    def cut(self, answer: str) -> str:
        """Return the answer without what a model writes that goes on with examples of its own."""
        found = re.split("|".join(map(re.escape, self.cuts)), answer, maxsplit=1)[0] if self.cuts else answer
        return found.strip()


CAPTION = Form("caption", "Output:", ("Output",), 20)
VQA = Form("vqa", "Question:{question} Short answer:", ("Question", "Answer", "Short"), 5)
LABEL = Form("label", "Output:", ("Output",), 5)
HATEFUL = Form("hateful-memes", "is an image with: '{question}' written on it. Is it hateful? Answer:", (), 5)
FORMS = {form.name: form for form in (CAPTION, VQA, LABEL, HATEFUL)}


def build_prompt(
    form: Form, shots: Sequence[Shot], question: str = "", *, shows: bool = True, between: str = BETWEEN
) -> tuple[Part, ...]:
    """Return the document up to the query's answer; the pictures are the shots' in order, then the query's.

    Without `shows` the shots have no pictures, which is how 0 shots are asked (NUM_TEXT_SHOTS of them).
    """
    parts: list[Part] = []
    for shot in shots:
        said = form.wording.format(question=shot.question.strip()) + shot.answer.strip()
        parts += [*((PICTURE,) if shows else ()), said, END_OF_CHUNK, *((between,) if between else ())]
    return (*parts, PICTURE, form.wording.format(question=question.strip()))


def write_prompt(parts: Sequence[Part]) -> str:
    """Return a document as it is printed: the marks as OpenFlamingo writes them."""
    return "".join(part.value if isinstance(part, Mark) else part for part in parts)
