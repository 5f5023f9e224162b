"""The sample types by name: how each writes its turns as a reply and reads a reply back."""

from instructgen.sample_types.base import SampleType
from instructgen.sample_types.conversation import Conversation
from instructgen.sample_types.description import Description
from instructgen.sample_types.reasoning import Reasoning
from instructgen.sample_types.texts import Texts

SAMPLE_TYPES: dict[str, SampleType] = {
    "conv": Conversation("conv"),
    "detail": Description("detail"),  # LLaVA's, from the surrogate (arXiv 2304.08485, section 3)
    "reasoning": Reasoning(),
    "caption": Description("caption"),  # MiniGPT-4's, from the picture (arXiv 2304.10592, section 3.2)
    "brief": Description("brief"),  # stage 1's pairs: a brief question, and the caption (LLaVA, section 4.2)
    "negative": Conversation("negative"),  # what is not there, as LRV-Instruction asks (arXiv 2306.14565)
    "referring": Conversation("referring"),  # words for boxes and boxes for words, as Shikra's (arXiv 2306.15195)
    "multi-image": Conversation("multi-image"),  # two images compared
    "compare": Conversation("compare"),  # two images that are alike, compared as wholes
    "few-shot": Conversation("few-shot"),  # one question asked of several images in turn
    "interleaved": Texts("interleaved"),  # the same as a document (Flamingo, arXiv 2204.14198)
}
# Types that only a teacher that sees the picture can write.
SEEN_TYPES = ("caption",)
# Types that only the scene program writes; they have no prompt.
PROGRAM_TYPES = ("negative", "referring", "multi-image", "compare", "few-shot", "interleaved")
PROMPTED_TYPES = tuple(name for name in SAMPLE_TYPES if name not in PROGRAM_TYPES)
# Types whose samples speak of two images: another one, and then the unit's own.
PAIRED_TYPES = ("multi-image", "compare")
# Of these the other image is the one before in the source's order.
NEIGHBOUR_TYPES = ("multi-image",)
# Types whose samples go from image to image, with as many turns for each; the unit's own image is the last.
SHOT_TYPES = ("few-shot", "interleaved")
# Types whose other images are chosen by what they show.
MATCHED_TYPES = ("compare", *SHOT_TYPES)


def place_images(sample_type: str, num_turns: int, num_images: int) -> tuple[int, ...] | None:
    """Return before which turn each image stands; None for types that have all before the first question.

    Raises ValueError where the turns cannot be shared out among the images.
    """
    if sample_type not in SHOT_TYPES:
        return None
    num_each, rest = divmod(num_turns, num_images)
    if rest or not num_each:
        raise ValueError(f"{num_turns} turns for {num_images} images")
    return tuple(range(0, num_turns, num_each))
