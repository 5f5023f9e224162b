"""Five captions for a drawing, as five people would write them; every word holds for the pixels."""

import random
from collections import Counter
from collections.abc import Callable

from msgspec import Struct

from instructgen.scenes.phrases import (
    GENERAL_PLACES,
    PLACES,
    SCENE_NOUNS,
    Group,
    Phrase,
    join_phrases,
    light_phrase,
    name_group,
    with_article,
)
from instructgen.scenes.render import Drawing, Sighting
from instructgen.scenes.scene import Act

NUM_CAPTIONS = 5  # COCO asks five people (arXiv 1504.00325)
MIN_WORDS = 8  # COCO's own lower bound (arXiv 1504.00325)
MAX_WORDS = 14
_MAX_ROUNDS = 300
_MAX_USES = 2  # of one kind of sentence for one picture, where others will do
_COLOUR_SHARE = 0.75  # of the phrases in which a colour could be said
# A relation must hold with room to spare: shares of the picture's width.
_SIDE_GAP = 0.02
_SIDE_DISTANCE = 0.16
_NEXT_TO_GAP = 0.06


class View(Struct):
    """What a writer sees: the groups from the largest, people first; and the writer's own draw."""

    setting: str
    light: str
    width_px: int
    groups: tuple[Group, ...]
    acts: tuple[Act, ...]
    draw: random.Random

    def name(self, group: Group) -> Phrase:
        return name_group(group, self.draw, self.draw.random() < _COLOUR_SHARE)

    def place(self, group: Group) -> str:
        places = PLACES.get((self.setting, group.zone), GENERAL_PLACES[self.setting])
        return self.draw.choice(places)

    def general_place(self) -> str:
        return self.draw.choice(GENERAL_PLACES[self.setting])

    def shared_place(self, groups: list[Group]) -> str:
        return self.place(groups[0]) if len({group.zone for group in groups}) == 1 else self.general_place()

    def some_light(self) -> str:
        return light_phrase(self.setting, self.light, self.draw) if self.draw.random() < 0.5 else ""

    def pick_main(self) -> Group:
        return self.draw.choice(self.groups[:2])

    def pick_several(self, count: int) -> list[Group]:
        """Return up to `count` groups, the main ones mostly."""
        pool = list(self.groups[: count + 1])
        while len(pool) > count:
            pool.remove(self.draw.choice(pool))
        return pool


Writer = Callable[[View], str | None]


def write_captions(drawing: Drawing, draw: random.Random) -> tuple[str, ...]:
    """Return NUM_CAPTIONS different captions; as many different kinds of sentence as the picture allows."""
    view = View(
        drawing.scene.setting,
        drawing.scene.light,
        drawing.picture.width,
        _group_sightings(drawing.sightings),
        drawing.scene.acts,
        draw,
    )
    captions: list[str] = []
    uses: Counter[Writer] = Counter()
    for number in range(_MAX_ROUNDS):
        for writer in draw.sample(_WRITERS, len(_WRITERS)):
            text = writer(view)
            is_tired = uses[writer] >= _MAX_USES and number < _MAX_ROUNDS / 2
            if text is None or is_tired or not MIN_WORDS <= len(text.split()) <= MAX_WORDS:
                continue
            caption = f"{text[0].upper()}{text[1:]}."
            if caption not in captions:
                captions.append(caption)
                uses[writer] += 1
            if len(captions) == NUM_CAPTIONS:
                return tuple(captions)
    raise AssertionError(f"no {NUM_CAPTIONS} captions for {view.groups}")


def _group_sightings(sightings: tuple[Sighting, ...]) -> tuple[Group, ...]:
    """Return the groups to speak of; the table is spoken of as the place where the others are."""
    kinds = dict.fromkeys(sighting.thing.kind for sighting in sightings)
    groups = [Group(kind, tuple(s for s in sightings if s.thing.kind == kind)) for kind in kinds]
    told = [group for group in groups if group.kind != "dining table"] or groups
    return tuple(sorted(told, key=lambda group: (group.kind != "person", -group.area_px)))


def _write_main(view: View) -> str | None:
    """A brown dog is standing on the grass in a park."""
    group = view.pick_main()
    name, participle = view.name(group), group.participle()
    if participle is None:
        return None
    verb = f"{name.be} {participle}" if view.draw.random() < 0.6 else participle
    return f"{name.text} {verb} {view.place(group)}{view.some_light()}"


def _write_seen(view: View) -> str:
    group = view.pick_main()
    return f"{view.name(group).text} can be seen {view.place(group)}{view.some_light()}"


def _write_there(view: View) -> str:
    groups = view.pick_several(view.draw.choice((1, 2, 2)))
    listed = join_phrases([view.name(group) for group in groups])
    verb = "is" if listed.startswith(("a ", "an ")) else "are"
    return f"there {verb} {listed} {view.shared_place(groups)}{view.some_light()}"


def _write_list(view: View) -> str | None:
    groups = view.pick_several(view.draw.choice((2, 3, 3)))
    if len(groups) < 2:
        return None
    listed = join_phrases([view.name(group) for group in groups])
    return f"{listed} {view.shared_place(groups)}{view.some_light()}"


def _write_scene(view: View) -> str:
    """A sunny park with two dogs, a bench and a red kite."""
    groups = view.pick_several(view.draw.choice((1, 2, 3, 3)))
    plain, *longer = SCENE_NOUNS[view.setting]
    adjective = {"day": "sunny ", "rain": "rainy "}.get(view.light, "")
    light = light_phrase(view.setting, view.light, view.draw)
    listed = join_phrases([view.name(group) for group in groups])
    if light and adjective and view.draw.random() < 0.6:
        return f"{with_article(adjective + plain)} with {listed}"
    noun = view.draw.choice((plain, *longer))
    return f"{with_article(noun)} with {listed}{light if view.draw.random() < 0.5 else ''}"


def _write_picture(view: View) -> str:
    groups = view.pick_several(view.draw.choice((1, 1, 2)))
    opening = view.draw.choice(("a picture of", "an image of", "a view of", "a drawing of"))
    listed = join_phrases([view.name(group) for group in groups])
    return f"{opening} {listed} {view.shared_place(groups)}{view.some_light()}"


def _write_act(view: View) -> str | None:
    """A man in a red shirt is riding a bicycle on a city street: where all who are there take part."""
    by_kind = {group.kind: group for group in view.groups}
    acts = [act for act in view.acts if _is_whole(by_kind[act.actor], act) and _is_whole(by_kind[act.target], act)]
    if not acts:
        return None
    act = view.draw.choice(acts)
    actor, target = view.name(by_kind[act.actor]), view.name(by_kind[act.target])
    verb = f"{actor.be} {act.verb}" if view.draw.random() < 0.5 else act.verb
    return f"{actor.text} {verb} {target.text} {view.general_place()}{view.some_light()}"


def _is_whole(group: Group, act: Act) -> bool:
    return all(sighting.thing.group == act.group for sighting in group.sightings)


def _write_side(view: View) -> str | None:
    """A red car is to the left of a bus on a city street: single things, clearly apart."""
    singles = [group for group in view.groups if len(group.sightings) == 1]
    pairs = [(a, b) for a in singles for b in singles if _is_left_of(a, b, view.width_px)]
    if not pairs:
        return None
    left, right = view.draw.choice(pairs)
    if view.draw.random() < 0.5:
        first, second, side = left, right, "left"
    else:
        first, second, side = right, left, "right"
    place = view.shared_place([first, second]) if view.draw.random() < 0.6 else ""
    return f"{view.name(first).text} is to the {side} of {view.name(second).text} {place}".rstrip()


def _is_left_of(first: Group, second: Group, width_px: int) -> bool:
    (x0, _, x1, _), (other_x0, _, other_x1, _) = first.sightings[0].box_px, second.sightings[0].box_px
    distance = (other_x0 + other_x1 - x0 - x1) / 2
    return other_x0 - x1 >= _SIDE_GAP * width_px and distance >= _SIDE_DISTANCE * width_px


def _write_next_to(view: View) -> str | None:
    singles = [group for group in view.groups if len(group.sightings) == 1]
    pairs = [(a, b) for a in singles for b in singles if a is not b and _is_next_to(a, b, view.width_px)]
    if not pairs:
        return None
    first, second = view.draw.choice(pairs)
    participle = first.participle()
    verb = f" {participle}" if participle else ""
    return f"{view.name(first).text}{verb} next to {view.name(second).text} {view.shared_place([first, second])}"


def _is_next_to(first: Group, second: Group, width_px: int) -> bool:
    """Side by side on the same ground, at about the same depth, with a small gap and no overlap."""
    if first.zone != second.zone or first.zone in ("air", "sky", "wall"):
        return False
    a, b = first.sightings[0], second.sightings[0]
    gap = max(a.box_px[0], b.box_px[0]) - min(a.box_px[2], b.box_px[2])
    return 0 <= gap <= _NEXT_TO_GAP * width_px and abs(a.thing.y - b.thing.y) < 0.07


_WRITERS: tuple[Writer, ...] = (
    _write_main, _write_main, _write_seen, _write_there, _write_list, _write_list, _write_scene, _write_picture,
    _write_act, _write_act, _write_side, _write_next_to,
)  # fmt: skip
