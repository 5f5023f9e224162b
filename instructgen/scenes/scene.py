"""What a scene is before it is drawn: where it plays, and which things stand where."""

from msgspec import Struct

from instructgen.scenes.pen import Look

# Lengths are in heights of the picture: x runs from 0 to the aspect ratio, y from 0 (bottom) UP to 1.


class Thing(Struct, frozen=True):
    """One object. `unit` is the size of one of its kind's units; x, y is where its foot stands.

    Things of one group belong together (a rider and the bicycle): if one is hidden, all leave.
    `tether` is a string or leash, from x0, y0 to x1, y1.
    """

    kind: str
    look: Look
    x: float
    y: float
    unit: float
    zone: str
    group: int
    is_flipped: bool = False
    tether: tuple[float, float, float, float] | None = None


class Act(Struct, frozen=True):
    """Something that one thing of a group does with another: `verb` is the phrase between the two."""

    verb: str
    actor: str
    target: str
    group: int


class Scene(Struct, frozen=True):
    """`things` are in the order of painting, the farthest first. `shade` is a free number for the backdrop."""

    setting: str
    light: str
    shade: int
    things: tuple[Thing, ...]
    acts: tuple[Act, ...]

    def without_groups(self, groups: frozenset[int]) -> "Scene":
        """Return the scene after those groups have left."""
        things = tuple(thing for thing in self.things if thing.group not in groups)
        acts = tuple(act for act in self.acts if act.group not in groups)
        return Scene(self.setting, self.light, self.shade, things, acts)
