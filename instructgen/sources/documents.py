"""Documents of text with pictures or clips between it, as corpora give them: MMC4, OBELICS, our own lines, and pairs.

    {"text_list": [...], "image_info": [...], "similarity_matrix": [[...]]}      MMC4 (arXiv 2304.06939)
    {"texts": ["A.", null], "images": [null, "b.jpg"]}                           OBELICS (arXiv 2306.16527)
    {"id": "7", "parts": [{"text": "A."}, {"image": "b.jpg"}, {"clip": "c.mp4"}]}   our own
    {"image": "b.jpg", "caption": "A."}, {"video": "c.mp4", "caption": "A."}     a pair, a document of one picture

Which one a record is its keys tell.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from instructgen.records import Fault

_PICTURE_KEYS = ("image", "file_name", "image_path", "url", "image_url", "path")
_CLIP_KEYS = ("video", "clip", "video_path")
_TEXT_KEYS = ("caption", "text")
# What a model's tokenizer takes for a picture or the end of a chunk.
_TAGS = ("<image>", "<|endofchunk|>")
_SHOWN_CHARS = 80
_MAX_CELLS = 1_000_000  # of pictures times sentences; the assignment takes seconds there


class DocumentPicture(Struct, frozen=True, gc=False):
    """A picture or a clip as a document names it. `place` is the number of the text that it stands before.

    `is_matched` tells that its place on the page is lost: `place` is the corpus's own guess then, -1 where it has
    none, `matched` how similar it found the two, and `similarities` those to each text where the corpus has them.
    `data` is what came with the record.
    """

    name: str
    place: int
    similarities: tuple[float, ...] = ()
    is_matched: bool = False
    matched: float | None = None
    data: bytes | None = None
    url: str = ""
    is_clip: bool = False


class Document(Struct, frozen=True):
    """`pictures` are in the order of the page. A "pair" is one picture or clip with its own text."""

    document_id: str
    kind: Literal["document", "pair"]
    texts: tuple[str, ...]
    pictures: tuple[DocumentPicture, ...]


class DocumentError(Exception):
    """A record that is no document; `fault` has a fixed reason."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.fault = Fault(reason, detail)


def read_document(record: Mapping[str, Any], otherwise: str) -> Document:
    """Return a record's document; `otherwise` is its id where the record has none.

    Blank texts are left out, and what stood before one stands before the next. Raises DocumentError.
    """
    if isinstance(record.get("text_list"), list):
        kind, texts, pictures = "document", record["text_list"], _read_mmc4(record)
    elif isinstance(record.get("texts"), list) and isinstance(record.get("images"), list):
        kind, (texts, pictures) = "document", _read_obelics(record["texts"], record["images"])
    elif isinstance(record.get("parts"), list):
        kind, (texts, pictures) = "document", _read_parts(record["parts"])
    else:
        kind, (texts, pictures) = "pair", _read_pair(record)
    return _make(_read_id(record) or otherwise, "pair" if kind == "pair" else "document", texts, pictures)


def _make(
    document_id: str, kind: Literal["document", "pair"], texts: Sequence[object], pictures: list[DocumentPicture]
) -> Document:
    kept: list[str] = []
    numbers: list[int] = []  # of each text the number of the next that is kept
    columns: list[int] = []
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise DocumentError("text_missing", f"text {number} is {str(text)[:_SHOWN_CHARS]!r}")
        numbers.append(len(kept))
        if text.strip():
            columns.append(number)
            kept.append(_check_text(text.strip()))
    if not kept:
        raise DocumentError("no_text")
    if len(pictures) * len(kept) > _MAX_CELLS:
        raise DocumentError("document_too_large", f"{len(pictures)} pictures beside {len(kept)} texts")
    numbers.append(len(kept))
    moved = [
        msgspec.structs.replace(
            one,
            place=numbers[one.place] if one.place >= 0 else -1,
            similarities=tuple(one.similarities[column] for column in columns) if one.similarities else (),
        )
        for one in pictures
    ]
    return Document(document_id, kind, tuple(kept), tuple(moved))


def _check_text(text: str) -> str:
    if any(tag in text for tag in _TAGS):
        raise DocumentError("control_string", text[:_SHOWN_CHARS])
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise DocumentError("broken_text", text[:_SHOWN_CHARS].encode("ascii", "replace").decode())
    return text


def _read_id(record: Mapping[str, Any]) -> str:
    found = record.get("id", record.get("sample_id", record.get("key")))
    text = str(found).strip() if isinstance(found, str | int) and not isinstance(found, bool) else ""
    return text if text.isprintable() and " " not in text and len(text) <= 200 else ""


def _read_mmc4(record: Mapping[str, Any]) -> list[DocumentPicture]:
    infos, num_texts = record.get("image_info") or [], len(record["text_list"])
    matrix = record.get("similarity_matrix")
    if not isinstance(infos, list) or (matrix is not None and not isinstance(matrix, list)):
        raise DocumentError("unknown_form", "image_info and similarity_matrix are lists")
    if matrix is not None and len(matrix) != len(infos):
        raise DocumentError("similarity_broken", f"{len(matrix)} lines for {len(infos)} pictures")
    found = []
    for number, info in enumerate(infos):
        name = info.get("image_name") if isinstance(info, dict) else None
        if not isinstance(name, str) or not name:
            raise DocumentError("picture_unnamed", str(info)[:_SHOWN_CHARS])
        place = info.get("matched_text_index")
        is_placed = type(place) is int and 0 <= place < num_texts
        similarities = _read_similarities(matrix[number], num_texts) if matrix else ()
        matched, url = info.get("matched_sim"), info.get("raw_url")
        found.append(
            DocumentPicture(
                name,
                place if is_placed else -1,
                similarities,
                is_matched=True,
                matched=float(matched) if is_placed and isinstance(matched, int | float) else None,
                data=_decode_base64(name, info.get("image_base64")),
                url=url if isinstance(url, str) else "",
            )
        )
    return found


def _read_similarities(line: object, num_texts: int) -> tuple[float, ...]:
    is_whole = isinstance(line, list) and len(line) == num_texts
    if not is_whole or not all(isinstance(one, int | float) and -2 < one < 2 for one in line):  # type: ignore[attr-defined]
        raise DocumentError("similarity_broken", f"{str(line)[:_SHOWN_CHARS]} for {num_texts} texts")
    return tuple(float(one) for one in line)  # type: ignore[attr-defined]


def _decode_base64(name: str, encoded: object) -> bytes | None:
    import binascii

    if not isinstance(encoded, str):
        return None
    try:
        return binascii.a2b_base64(encoded)
    except ValueError:
        raise DocumentError("picture_broken", f"{name}: its base64 cannot be read") from None


def _read_obelics(texts: list[object], images: list[object]) -> tuple[list[object], list[DocumentPicture]]:
    if len(texts) != len(images) or any(
        (one is None) == (two is None) for one, two in zip(texts, images, strict=True)
    ):
        raise DocumentError("not_parallel", f"{len(images)} images beside {len(texts)} texts")
    kept: list[object] = []
    found = []
    for text, image in zip(texts, images, strict=True):
        if image is None:
            kept.append(text)
        else:
            found.append(_name_picture(image, len(kept)))
    return kept, found


def _read_parts(parts: list[object]) -> tuple[list[object], list[DocumentPicture]]:
    texts: list[object] = []
    found = []
    for part in parts:
        keys = list(part) if isinstance(part, dict) else []
        if not isinstance(part, dict) or len(keys) != 1 or keys[0] not in ("text", "image", *_CLIP_KEYS):
            raise DocumentError("unknown_part", str(part)[:_SHOWN_CHARS])
        if keys[0] == "text":
            texts.append(part["text"])
        else:
            found.append(_name_picture(part[keys[0]], len(texts), is_clip=keys[0] in _CLIP_KEYS))
    return texts, found


def _read_pair(record: Mapping[str, Any]) -> tuple[list[object], list[DocumentPicture]]:
    text = next((record[key] for key in _TEXT_KEYS if key in record), None)
    for keys, is_clip in ((_CLIP_KEYS, True), (_PICTURE_KEYS, False)):
        name = next((record[key] for key in keys if record.get(key)), None)
        if name is not None and text is not None:
            return [text], [_name_picture(name, 0, is_clip=is_clip)]
    raise DocumentError("unknown_form", ", ".join(str(key)[:_SHOWN_CHARS] for key in list(record)[:8]))


def _name_picture(name: object, place: int, *, is_clip: bool = False) -> DocumentPicture:
    if not isinstance(name, str) or not name:
        raise DocumentError("picture_unnamed", str(name)[:_SHOWN_CHARS])
    return DocumentPicture(name, place, is_clip=is_clip)
