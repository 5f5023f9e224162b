"""Which COCO image a record means: ids, file names and paths, as datasets write them."""

import re

# As "000000000139.jpg", "COCO_val2014_000000000139.jpg", "139".
_NAME = re.compile(r"(coco_[a-z]+\d{4}_)?(\d{1,12})(?:\.(?:jpe?g|png|webp))?", re.IGNORECASE)
# A short number in any other folder is some other dataset's: "vg/VG_100K/2403.jpg" is not COCO's image 2403.
_COCO_FOLDER = re.compile(r"coco\w*|images?|data|sample|(?:train|val|test)\d{4}|\.", re.IGNORECASE)
_FULL_DIGITS = 12
# Sources of our own whose ids look like COCO's.
_OTHER_SOURCES = ("scenes", "simple-scenes")


def base_name(image: str | int) -> str:
    """Return the last part of a path or an address."""
    return str(image).replace("\\", "/").rpartition("/")[2]


def coco_number(image: str | int) -> int | None:
    """Return the COCO id that an image's id, file name, path or address tells, or None."""
    if isinstance(image, int):
        return image if image >= 0 else None
    *folders, name = image.replace("\\", "/").split("/")
    found = _NAME.fullmatch(name)
    if not found or any(folder in _OTHER_SOURCES for folder in folders):
        return None
    is_full = bool(found[1]) or len(found[2]) == _FULL_DIGITS
    return int(found[2]) if is_full or all(map(_COCO_FOLDER.fullmatch, folders)) else None


def is_full_name(image: object) -> bool:
    """Return whether a text can be nothing but a COCO image: with all twelve digits, or COCO's prefix."""
    if not isinstance(image, str):
        return False
    found = _NAME.fullmatch(base_name(image))
    return bool(found and (found[1] or len(found[2]) == _FULL_DIGITS))
