"""Stage 0 of the demo: stand-ins for what LLaVA takes from others, a vision tower and a language model."""

import json
import os
from pathlib import Path

from instructgen.jobs.demo_plan import DemoPlan

_TELL_EVERY = 50
CURVE_SUFFIX = ".curve.json"


def make_part(part: str, folder: Path, plan: DemoPlan) -> None:
    """Draw the other scenes, train "vision" or "language" on them, and write its folder and its curve.

    The folder gets its name last, so that it is whole or not there.
    """
    import torch

    from instructgen.jobs.demo_language import train_language
    from instructgen.jobs.demo_scenes import draw_other_scenes
    from instructgen.jobs.demo_vision import train_vision

    torch.set_num_threads(1)
    scenes = list(draw_other_scenes(plan.other_seed, plan.num_other_scenes))
    losses: list[tuple[int, float]] = []

    def tell(done: int, num_steps: int, loss: float) -> None:
        if done % _TELL_EVERY == 0 or done == num_steps:
            losses.append((done, loss))
            print(f"{part}: step {done} of {num_steps}, loss {loss:.3f}", flush=True)  # noqa: T201

    made = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    if part == "vision":
        train_vision(scenes, made, num_steps=plan.vision_steps, seed=plan.seed, tell=tell)
    else:
        train_language(scenes, made, steps=plan.language_steps, seed=plan.seed, tell=tell)
    folder.with_name(folder.name + CURVE_SUFFIX).write_text(json.dumps(losses), encoding="utf-8")
    made.rename(folder)
