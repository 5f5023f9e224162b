"""What BLIP-2's first stage is made of, as a recipe's [model] table with [model.text] says it; no torch."""

from msgspec import Struct

from instructgen.models.spec import PositiveInt, QFormerSpec, VisionSpec


class TextSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """The text half: its tokenizer, and where its first weights are."""

    name: str = ""
    """A BERT of the Q-Former's shape (Hugging Face id or folder), from which both halves begin; empty begins from
    nothing."""
    tokenizer: str = ""
    """A Hugging Face id or a folder; empty is `name`."""
    max_positions: PositiveInt = 512


class RepresentationSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A frozen tower, the whole Q-Former with its heads, and the seed of whatever has no weights yet.

    `vision.normalises_last` stays false: the stage trains a norm of its own behind the tower (BLIP-2's ln_vision).
    """

    vision: VisionSpec
    text: TextSpec
    qformer: QFormerSpec = QFormerSpec()
    projection_size: PositiveInt = 256
    """Width in which pictures and texts are compared."""
    seed: int = 0
