"""The dataset card: README.md with the front matter that Hugging Face's readers follow."""

import re
from pathlib import Path

from msgspec import Struct

from instructgen.dataset.cards.front_matter import DEFAULT, sort_into_configs, write_front_matter
from instructgen.dataset.cards.licences import UNKNOWN, Licence, describe_licence
from instructgen.dataset.cards.plots import make_plots
from instructgen.dataset.cards.statistics import Statistics
from instructgen.dataset.manifest import Manifest
from instructgen.sample_types import PAIRED_TYPES

_NUM_FIRST_WORDS = 12
_SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\`*_{}[]<>#|~$"})

# Where GitHub's Markdown, and what follows it, would make a link or a mention of plain text. A comment parts it, for
# some look for links once escapes are resolved.
_LINK = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)(?=[\w\\])", re.IGNORECASE)


class LicenceRow(Struct, frozen=True):
    """A line of the card's table of licences; `share` is of all pictures, 0 to 1."""

    licence: Licence
    images: int
    share: float

    @property
    def is_known(self) -> bool:
        return self.licence.name != UNKNOWN


def make_card(manifest: Manifest, prefix: str = "", statistics: Statistics | None = None) -> str:
    """Return the card; `prefix` ("versions/<version>/") is for the card above the versions.

    Without statistics it says nothing of lengths, licences and columns, and shows no plots.
    """
    from jinja2 import Environment, StrictUndefined

    template = Path(__file__).with_name("card.md.j2").read_text(encoding="utf-8")
    environment = Environment(
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  the filters below escape for Markdown
    )
    environment.filters |= {"text": escape_text, "code": escape_code}
    return environment.from_string(template).render(
        front_matter=write_front_matter(manifest, prefix, statistics),
        manifest=manifest,
        prefix=prefix,
        statistics=statistics,
        paired_types=PAIRED_TYPES,
        configs=[name for name in sort_into_configs(manifest) if name != DEFAULT],
        licences=() if statistics is None else list_licences(statistics),
        first_words=() if statistics is None else statistics.first_words[:_NUM_FIRST_WORDS],
        num_shared=None if statistics is None else count_shared(statistics),
        plots=() if statistics is None else tuple(make_plots(manifest, statistics)),
    )


def list_licences(statistics: Statistics) -> tuple[LicenceRow, ...]:
    num_images = sum(found.images for found in statistics.licences)
    return tuple(
        LicenceRow(describe_licence(found.name), found.images, found.images / num_images)
        for found in statistics.licences
    )


def count_shared(statistics: Statistics) -> int:
    """Return how many pictures are in more splits than one, each as often as it is in one too many."""
    return sum(found.images for found in statistics.splits.values()) - sum(
        found.images for found in statistics.licences
    )


def escape_text(value: object) -> str:
    """Return the value as one line of Markdown that shows its characters as they are, and links nowhere."""
    return _LINK.sub("<!-- -->", _join_lines(value).translate(_SPECIAL))


def escape_code(value: object) -> str:
    """Return the value as inline code, outside tables; a backtick, which would end it, becomes an apostrophe."""
    shown = _join_lines(value).replace("`", "'")
    return f"`{shown}`" if shown else "(none)"


def _join_lines(value: object) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in str(value)).split())
