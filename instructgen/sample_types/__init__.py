"""The sample types by name: how each writes its turns as a reply and reads a reply back."""

from instructgen.sample_types.base import SampleType
from instructgen.sample_types.conversation import Conversation
from instructgen.sample_types.description import Description
from instructgen.sample_types.reasoning import Reasoning

SAMPLE_TYPES: dict[str, SampleType] = {
    "conv": Conversation("conv"),
    "detail": Description("detail"),  # LLaVA's, from the surrogate (arXiv 2304.08485, section 3)
    "reasoning": Reasoning(),
    "caption": Description("caption"),  # MiniGPT-4's, from the picture (arXiv 2304.10592, section 3.2)
    "brief": Description("brief"),  # stage 1's pairs: a brief question, and the caption (LLaVA, section 4.2)
    "negative": Conversation("negative"),  # what is not there, as LRV-Instruction asks (arXiv 2306.14565)
    "referring": Conversation("referring"),  # words for boxes and boxes for words, as Shikra's (arXiv 2306.15195)
    "multi-image": Conversation("multi-image"),  # two images compared
}
# Types that only a teacher that sees the picture can write.
SEEN_TYPES = ("caption",)
# Types that only the scene program writes; they have no prompt.
PROGRAM_TYPES = ("negative", "referring", "multi-image")
PROMPTED_TYPES = tuple(name for name in SAMPLE_TYPES if name not in PROGRAM_TYPES)
# Types whose samples speak of two images: the one before in the source's order, and then the unit's own.
PAIRED_TYPES = ("multi-image",)
