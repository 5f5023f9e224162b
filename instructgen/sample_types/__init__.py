"""The sample types by name: how each writes its turns as a reply and reads a reply back."""

from instructgen.sample_types.base import SampleType
from instructgen.sample_types.conversation import Conversation
from instructgen.sample_types.description import Description
from instructgen.sample_types.reasoning import Reasoning

SAMPLE_TYPES: dict[str, SampleType] = {
    "conv": Conversation(),
    "detail": Description("detail"),  # LLaVA's, from the surrogate (arXiv 2304.08485, section 3)
    "reasoning": Reasoning(),
    "caption": Description("caption"),  # MiniGPT-4's, from the picture (arXiv 2304.10592, section 3.2)
}
# Types that only a teacher that sees the picture can write.
SEEN_TYPES = ("caption",)
