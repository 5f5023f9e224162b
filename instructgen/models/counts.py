"""How many parameters a model has, in which part, and which of them learn."""

from msgspec import Struct

from instructgen.models.spec import PARTS, Part
from instructgen.models.vision import count_idle
from instructgen.models.vlm import VisionLanguageModel, part_of


class PartCount(Struct, frozen=True):
    """`total` is the part as it is published; `used` what is left of a tower that is cut off above its layer."""

    total: int
    used: int
    trained: int


class Counts(Struct, frozen=True):
    """Parameters by part; a part that a model does not have counts 0. Adapters are counted apart."""

    parts: dict[Part, PartCount]
    final_norm: int
    """The tower's LayerNorm after the chosen layer, of `vision`."""
    adapters: int

    @property
    def used(self) -> int:
        return sum(part.used for part in self.parts.values()) + self.adapters

    @property
    def trained(self) -> int:
        return sum(part.trained for part in self.parts.values()) + self.adapters


def count_parameters(model: VisionLanguageModel) -> Counts:
    """Count what the model holds, by what asks for gradients now (freeze_all_but)."""
    used = dict.fromkeys(PARTS, 0)
    trained = dict.fromkeys(PARTS, 0)
    adapters = 0
    for name, weight in model.named_parameters():
        if ".lora_" in name:
            adapters += weight.numel()
            continue
        used[part_of(name)] += weight.numel()
        trained[part_of(name)] += weight.numel() if weight.requires_grad else 0
    idle = count_idle(model.vision)
    used["vision"] -= idle
    if trained["vision"]:
        trained["vision"] -= idle
    total = {**used, "vision": model.vision.num_total_parameters}
    final_norm = sum(weight.numel() for weight in model.vision.final_norm.parameters())
    return Counts({part: PartCount(total[part], used[part], trained[part]) for part in PARTS}, final_norm, adapters)
