"""What every kind of student reads: pictures of a shape that can be resized, tokens as text, what ends an answer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from instructgen.errors import InstructgenError
from instructgen.models.pictures import open_picture
from instructgen.train.encode import Stop

if TYPE_CHECKING:
    from PIL import Image
    from transformers import PreTrainedTokenizerBase

TEXT_STOPS = "text_stops"
"""Where generation_config.json has a stop that is ordinary text, for us: under the name that transformers knows,
`stop_strings`, its `generate` would refuse to run without a tokenizer."""
# A few hundred bytes can hold a line of 100,000 pixels. What pads to a square, or resizes the shorter side before the
# middle is cut out, makes many gigabytes of it.
_MAX_SIDE_PX = 16_384
_MAX_ASPECT = 100


def open_checked(picture: bytes) -> "Image.Image":
    """Decode a picture. Raises InstructgenError for what is none, or is too large or too narrow to be resized."""
    image = open_picture(picture)
    shorter, longer = sorted(image.size)
    if longer > _MAX_SIDE_PX or longer > _MAX_ASPECT * shorter:
        raise InstructgenError(
            f"a picture of {image.width} x {image.height} pixels; a side has at most {_MAX_SIDE_PX}, and at most "
            f"{_MAX_ASPECT} times the other's"
        )
    return image


def find_text_stop(stop: Stop) -> str:
    """Return the text that ends an answer where no token of its own does; "" elsewhere."""
    return stop.string if stop.sequence and stop.sequence[-1] not in stop.token_ids else ""


def decode(tokenizer: "PreTrainedTokenizerBase", ids: Sequence[int]) -> str:
    """Return the text of tokens as it is, without control tokens."""
    text = tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert isinstance(text, str)
    return text
