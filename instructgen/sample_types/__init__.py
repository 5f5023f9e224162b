"""The sample types by name: how each writes its turns as a reply and reads a reply back."""

from instructgen.sample_types.base import SampleType
from instructgen.sample_types.caption import Caption
from instructgen.sample_types.conversation import Conversation
from instructgen.sample_types.detail import Detail
from instructgen.sample_types.reasoning import Reasoning

SAMPLE_TYPES: dict[str, SampleType] = {
    "conv": Conversation(),
    "detail": Detail(),
    "reasoning": Reasoning(),
    "caption": Caption(),
}
# Types that only a teacher that sees the picture can write.
SEEN_TYPES = ("caption",)
