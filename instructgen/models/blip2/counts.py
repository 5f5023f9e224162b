"""How many parameters the first stage has, by the parts that recipes name, and what its training takes."""

from typing import Any

from instructgen.models.blip2.model import Representation, representation_part_of
from instructgen.models.counts import Counts, PartCount
from instructgen.models.memory import Memory
from instructgen.models.spec import PARTS
from instructgen.models.vision import count_idle

_FLOAT32, _BFLOAT16 = 4, 2


def count_representation(model: Representation) -> Counts:
    """Count by representation_part_of; `final_norm` is the norm behind the tower, of `vision`."""
    used = dict.fromkeys(PARTS, 0)
    trained = dict.fromkeys(PARTS, 0)
    for name, weight in model.named_parameters():
        part = representation_part_of(name)
        used[part] += weight.numel()
        trained[part] += weight.numel() if weight.requires_grad else 0
    norm = sum(weight.numel() for weight in model.ln_vision.parameters())
    used["vision"] -= count_idle(model.vision)
    total = {**used, "vision": model.vision.num_total_parameters + norm}
    return Counts({part: PartCount(total[part], used[part], trained[part]) for part in PARTS}, norm, 0)


def estimate_representation_memory(
    model: Representation, pairs: int, text_tokens: int, *, in_bfloat16: bool, recomputes: bool, num_processes: int
) -> Memory:
    """Return the memory of a step in one process that takes `pairs` pairs; weights and moments are exact.

    A layer keeps 10 H + 4 I values a position (as models.memory has it) and, with cross-attention, 2 H a patch; six
    passes of Q, L, three times Q + L, and L positions a pair are kept, or with recomputing their inputs and one
    layer. Weights are shared evenly by the processes.
    """
    counts = count_representation(model)
    value = _BFLOAT16 if in_bfloat16 else _FLOAT32
    frozen = counts.used - counts.trained
    config: Any = model.qformer.config
    width, layers = int(config.hidden_size), int(config.num_hidden_layers)
    positions = pairs * (4 * model.num_queries + 5 * text_tokens)
    patches = 4 * pairs * model.vision.num_tokens  # once alone, three times in matching
    own = positions * (10 * width + 4 * int(config.intermediate_size))
    cross = patches * 2 * width
    num_cross = -(-layers // int(config.cross_attention_frequency))
    kept = layers * positions * width + own + cross if recomputes else layers * own + num_cross * cross
    logits = 3 * pairs * text_tokens * int(config.vocab_size) * _FLOAT32
    return Memory(
        weights=round((counts.trained * _FLOAT32 + frozen * value) / num_processes),
        gradients=round(counts.trained * _FLOAT32 / num_processes),
        optimiser=round(2 * counts.trained * _FLOAT32 / num_processes),
        activations=value * (kept + patches * model.vision.width) + logits,
    )
