"""What stands in a document beside its texts: the same in training and where a student is asked to go on with one."""

from enum import Enum


class Mark(Enum):
    """The values are how OpenFlamingo writes them; in a text of a document these strings mean nothing."""

    PICTURE = "<image>"
    END_OF_CHUNK = "<|endofchunk|>"


PICTURE, END_OF_CHUNK = Mark.PICTURE, Mark.END_OF_CHUNK
Part = Mark | str
"""One after another they are the document: a text, a picture's place, or where what is said of a picture ends."""
