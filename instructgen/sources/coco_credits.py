"""Whose each picture is: the licence that its annotation file names, and the address where it was published."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from instructgen.sources.coco_schema import CocoImage
from instructgen.sources.spool import Int64s, is_among

_MAX_NAME_CHARS = 80
_MAX_URL_CHARS = 2_000
# "http://creativecommons.org/licenses/by-nc-sa/2.0/", and the public domain's two.
_CC_LICENCE = re.compile(r"https?://(?:www\.)?creativecommons\.org/licenses/([a-z-]+)/(\d\.\d)(?:/([a-z]{2,3})\b)?")
_CC_PUBLIC = re.compile(r"https?://(?:www\.)?creativecommons\.org/(?:publicdomain|licenses)/(zero|mark)/(\d\.\d)")
_PUBLIC_NAMES = {"zero": "CC0", "mark": "PDM"}


def shorten_licence(name: object, url: object) -> str:
    """Return SPDX's identifier of a Creative Commons licence, told by its address, else the name, else the address.

    "" where neither is a text of one line or more.
    """
    name, url = (" ".join(text.split()) if isinstance(text, str) else "" for text in (name, url))
    if found := _CC_LICENCE.match(url.lower()):
        return "-".join(["CC", *(part.upper() for part in (found[1], found[2], found[3]) if part)])
    if found := _CC_PUBLIC.match(url.lower()):
        return f"{_PUBLIC_NAMES[found[1]]}-{found[2]}"
    return "".join(char for char in name or url if char.isprintable())[:_MAX_NAME_CHARS]


def name_licences(listed: Iterable[Any]) -> dict[int, str]:
    """Return short names by the file's numbers; what is no licence with a whole number is passed over."""
    return {
        one["id"]: shorten_licence(one.get("name"), one.get("url"))
        for one in listed
        if isinstance(one, dict) and type(one.get("id")) is int
    }


@dataclass(frozen=True)
class Credits:
    """Licences and addresses by image; the addresses lie in one text, image k's from `starts[k]` to the next."""

    ids: Int64s
    licences: list[str]
    urls: bytearray
    starts: Int64s

    def of(self, rows: Int64s) -> tuple[list[str], list[str]]:
        """Return licence and address of each row."""
        starts, ends = self.starts[rows].tolist(), self.starts[rows + 1].tolist()
        licences = [self.licences[row] for row in rows.tolist()]
        return licences, [self.urls[start:end].decode("ascii") for start, end in zip(starts, ends, strict=True)]

    def append(self, other: "Credits") -> "Credits":
        """Return both, the other's behind; what they share in memory may not be used apart any more."""
        if not len(other.ids):
            return self
        starts = np.concatenate([self.starts, other.starts[1:] + len(self.urls)])
        self.urls.extend(other.urls)
        return Credits(np.concatenate([self.ids, other.ids]), self.licences + other.licences, self.urls, starts)


class CreditColumns:
    """Takes a file's images in its order. Images among `known_ids`, which rise, are passed over."""

    def __init__(self, known_ids: Int64s | None = None) -> None:
        self._known_ids = known_ids
        self._ids: list[Int64s] = [np.empty(0, np.int64)]
        self._licence_numbers: list[object] = []  # small numbers are one object each
        self._urls = bytearray()
        self._lengths: list[Int64s] = [np.zeros(1, np.int64)]

    def add(self, images: list[CocoImage], ids: Int64s) -> None:
        if self._known_ids is not None:
            is_new = ~is_among(ids, self._known_ids)
            if not is_new.any():
                return
            images = [images[row] for row in np.flatnonzero(is_new).tolist()]
            ids = ids[is_new]
        urls = _find_urls(images)
        self._ids.append(ids)
        self._licence_numbers += [image.license for image in images]
        self._urls += "".join(urls).encode("ascii")
        self._lengths.append(np.fromiter(map(len, urls), np.int64, len(urls)))

    def finish(self, licences: Iterable[Any]) -> Credits:
        """Return the columns, with the names that the file's own list gives to its numbers; "" where it has none."""
        names = name_licences(licences)
        found = [names.get(number, "") if type(number) is int else "" for number in self._licence_numbers]
        return Credits(np.concatenate(self._ids), found, self._urls, np.cumsum(np.concatenate(self._lengths)))


def _find_urls(images: list[CocoImage]) -> list[str]:
    """Return the pictures' addresses on Flickr, whose numbers lead to their authors, else those of COCO's copies."""
    urls = [image.flickr_url or image.coco_url for image in images]
    if _are_addresses(urls):
        return urls
    either = [(image.flickr_url, image.coco_url) for image in images]
    return [next((url for url in both if _are_addresses([url])), "") for both in either]


def _are_addresses(urls: list[Any]) -> bool:
    """Whether each is an address without blanks, told at once for many."""
    try:
        joined = "\n".join(urls)
    except TypeError:
        return False
    num_starts = sum(f"\n{joined}".count(f"\n{scheme}") for scheme in ("http://", "https://"))
    is_plain = joined.isascii() and " " not in joined and joined.replace("\n", "").isprintable()
    return (
        is_plain and num_starts == len(urls) == joined.count("\n") + 1 and len(max(urls, key=len)) <= _MAX_URL_CHARS
    )
