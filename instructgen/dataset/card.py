"""The dataset card: README.md with the front matter that Hugging Face's readers follow."""

from pathlib import Path

from instructgen.dataset.manifest import Manifest
from instructgen.sample_types import PAIRED_TYPES


def make_card(manifest: Manifest, prefix: str = "") -> str:
    """Return the card; `prefix` ("versions/<version>/") is for the card above the versions."""
    from jinja2 import Environment, StrictUndefined

    template = Path(__file__).with_name("card.md.j2").read_text(encoding="utf-8")
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    return environment.from_string(template).render(manifest=manifest, prefix=prefix, paired_types=PAIRED_TYPES)
