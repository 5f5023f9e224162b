"""How much of everything the demo takes."""

import msgspec
from msgspec import Struct

_OTHER_SCENES, _STUDENT_SCENES, _HELD_OUT_SCENES = 0, 1, 2


class DemoPlan(Struct, frozen=True):
    """Counts and steps. `language_steps` are of the three parts of train_language.

    Three seeds of scenes come from `seed`, so that no scene is in two of them: those of stage 0, those that the
    student is trained on, and those that it is asked about.
    """

    seed: int = 0
    num_other_scenes: int = 1800
    vision_steps: int = 320
    language_steps: tuple[int, int, int] = (100, 1400, 700)
    num_scenes: int = 2000
    stage1_steps: int = 1000
    stage2_steps: int = 600
    num_held_out: int = 200

    @property
    def other_seed(self) -> int:
        return self._scene_seed(_OTHER_SCENES)

    @property
    def student_seed(self) -> int:
        return self._scene_seed(_STUDENT_SCENES)

    @property
    def held_out_seed(self) -> int:
        return self._scene_seed(_HELD_OUT_SCENES)

    def _scene_seed(self, part: int) -> int:
        return 1000 * (self.seed + 1) + part

    def write(self) -> str:
        return msgspec.json.encode(self).decode()

    @staticmethod
    def read(text: str) -> "DemoPlan":
        return msgspec.json.decode(text, type=DemoPlan)


QUICK = DemoPlan(
    num_other_scenes=60,
    vision_steps=10,
    language_steps=(4, 4, 4),
    num_scenes=24,
    stage1_steps=3,
    stage2_steps=6,
    num_held_out=30,
)
"""Shows in under a minute that everything runs; nothing is learned."""
