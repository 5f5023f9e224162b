"""What a COCO annotation file holds, as far as we read it; segmentations are passed over unparsed."""

from typing import Annotated, Any

from msgspec import Meta, Struct

# Ids and pixels travel in columns of fixed width; 2**53 is where other JSON readers begin to round.
CocoId = Annotated[int, Meta(ge=0, lt=1 << 53)]
Whole = Annotated[int, Meta(ge=-(1 << 31), lt=1 << 31)]


class CocoImage(Struct, gc=False):
    """Whose the picture is comes as it may: other tools' files have null or text there, and are read all the same."""

    id: CocoId
    file_name: str
    width: Whole
    height: Whole
    license: Any = None
    flickr_url: Any = None
    coco_url: Any = None


class CocoCategory(Struct, gc=False):
    id: CocoId
    name: str


class CocoCaption(Struct, gc=False):
    id: CocoId
    image_id: CocoId
    caption: str


class CocoBox(Struct, gc=False):
    """`bbox` is x, y, width, height in pixels."""

    id: CocoId
    image_id: CocoId
    category_id: CocoId
    bbox: tuple[float, float, float, float]
    iscrowd: Whole | bool = 0


def explain_image(value: object) -> str | None:
    return _explain(value, whole=("id", "width", "height"), text=("file_name",))


def explain_category(value: object) -> str | None:
    return _explain(value, whole=("id",), text=("name",))


def explain_caption(value: object) -> str | None:
    return _explain(value, whole=("id", "image_id"), text=("caption",))


def explain_box(value: object) -> str | None:
    explained = _explain(value, whole=("id", "image_id", "category_id"), text=()) or _explain_bbox(value)
    if explained is None and isinstance(value, dict):
        return f"iscrowd is {_kind(value.get('iscrowd'))}, wants 0 or 1"
    return explained


def _explain(value: object, whole: tuple[str, ...], text: tuple[str, ...]) -> str | None:
    if not isinstance(value, dict):
        return f"is {_kind(value)}, wants an object with {', '.join(whole + text)}"
    for name in whole + text:
        if name not in value:
            return f"has no {name}"
    for name in whole:
        number = value[name]
        if isinstance(number, bool) or not isinstance(number, int):
            return f"{name} is {_kind(number)}, wants a whole number"
        if number < 0 and name not in ("width", "height"):
            return f"{name} is {number}, wants no negative number"
        if number >= 1 << 31 and (number >= 1 << 53 or name in ("width", "height")):
            return f"{name} is {number}, which is too large"
    for name in text:
        if not isinstance(value[name], str):
            return f"{name} is {_kind(value[name])}, wants text"
    return None


def _explain_bbox(value: object) -> str | None:
    assert isinstance(value, dict)
    wanted = "wants 4 (x, y, width, height in pixels)"
    if "bbox" not in value:
        return f"has no bbox, {wanted} numbers"
    bbox = value["bbox"]
    if not isinstance(bbox, list):
        return f"bbox is {_kind(bbox)}, {wanted} numbers"
    if len(bbox) != 4:
        return f"bbox has {len(bbox)} numbers, {wanted}"
    for number in bbox:
        if isinstance(number, bool) or not isinstance(number, int | float):
            return f"bbox holds {_kind(number)}, {wanted} numbers"
    return None


def _kind(value: object) -> str:
    """Say in a few words what a JSON value is."""
    kinds = {dict: "an object", list: "a list", type(None): "null"}
    if type(value) in kinds:
        return kinds[type(value)]
    shown = repr(value)
    return f"the text {shown[:40]}" if isinstance(value, str) else shown[:40]
