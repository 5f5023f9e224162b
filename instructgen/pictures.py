"""A decoded picture in the colours that models see."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image


def flatten_picture(image: "Image.Image") -> "Image.Image":
    """Return the picture in RGB; what is transparent becomes white."""
    from PIL import Image

    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")
