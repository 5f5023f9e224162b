"""Questions whose answer is no, for conversations in which it is nearly always yes (docs/filters.md).

LLaVA's data hardly ever says no, and models trained on it see whatever they are asked for (LRV-Instruction, arXiv
2306.14565). What is asked for here is absent, or coloured otherwise, by boxes and captions alike; the answer speaks
of the picture, never of what was or was not mentioned.
"""

import random
from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from instructgen.draws import make_generator
from instructgen.filters.questions import pair_turns, read_question
from instructgen.grounding.evidence import Evidence
from instructgen.grounding.objects import find_hint, find_presence
from instructgen.grounding.samples import find_evidence
from instructgen.grounding.words import NEAR_COLOURS, as_words
from instructgen.lexicon.categories import CATEGORIES, Category
from instructgen.lexicon.words import with_article
from instructgen.records import ImageRecord, Message, Sample, Verdict

# Large enough that annotators and speakers do not pass over them.
_LARGE = sorted(
    as_words(
        """
        person bicycle car motorcycle airplane bus train truck boat bench bird cat dog horse sheep cow elephant bear
        zebra giraffe umbrella suitcase kite skateboard surfboard pizza cake couch bed toilet tv laptop microwave
        oven refrigerator
        """
    )
)
_ABSENT = (
    ("Is there {a} in the picture?", "No, there is no {one} in the picture."),
    ("Can you see {a} here?", "No, no {one} can be seen here."),
    ("Does the scene have {a} in it?", "No, it does not have {a} in it."),
    ("Are there any {many} around?", "No, there are no {many}."),
    ("Would I find {a} if I looked closely?", "No, there is none, however closely you look."),
    ("Is {a} visible anywhere?", "No, {a} is not visible anywhere."),
    ("And is {a} part of this scene?", "It is not; there is no {one} here."),
    ("Do you notice any {many}?", "No, I do not see any {many}."),
    ("Has the photographer caught {a}?", "No, the photo shows no {one}."),
    ("Is that {a} in the background?", "No, there is no {one} in the background or anywhere else."),
    ("How about {a}, is there one?", "No, there is not a single {one}."),
    ("Could you point out the {one}?", "There is no {one} to point out."),
)
_COLOUR = (
    ("Is the {one} {wrong}?", "No, the {one} is {right}."),
    ("Would you say that the {one} is {wrong}?", "No, it is {right}."),
    ("The {one} is {wrong}, isn't it?", "It is not {wrong}; it is {right}."),
    ("Does the {one} have {a_wrong} color?", "No, its color is {right}."),
)
_COLOURS = ("red", "blue", "green", "yellow", "black", "white", "brown", "orange", "pink", "purple")
_COLOUR_SHARE = 0.25
_MIN_TOLD = 2  # captions that agree on a color


class YesBias(Struct, frozen=True, forbid_unknown_fields=True):
    """Add questions to be answered with no until a conversation says as often no as yes.

    The score is the number of questions added. A conversation without a "yes" gets none, and neither do other types.
    """

    reasons: ClassVar[tuple[str, ...]] = ()
    is_default: ClassVar[bool] = False
    adds: ClassVar[bool] = True

    max_added: Annotated[int, Meta(ge=1, le=8)] = 2
    seed: int = 0

    def check(self, sample: Sample, record: ImageRecord) -> Verdict:
        num_wanted = min(self.max_added, _count_excess(sample.turns))
        if sample.sample_type != "conv" or num_wanted <= 0:
            return Verdict(0.0)
        evidence = find_evidence(record)
        draw = make_generator(self.seed, "yes_bias", sample.sample_id)
        asked = " ".join(turn.content.lower() for turn in sample.turns)
        pairs = _draw_pairs(evidence, draw, num_wanted, asked)
        added = tuple(turn for pair in pairs for turn in (Message("user", pair[0]), Message("assistant", pair[1])))
        return Verdict(float(len(pairs)), None, (*sample.turns, *added))


def _count_excess(turns: tuple[Message, ...]) -> int:
    """Return how many more questions are answered with yes than with no."""
    excess = 0
    for asked, answer in pair_turns(turns):
        if read_question(asked).kind == "yes_no":
            opener = answer.lower().split(",")[0].split(" ")[0].strip(".!")
            excess += (opener in ("yes", "yeah", "yep")) - (opener in ("no", "nope"))
    return excess


def _draw_pairs(evidence: Evidence, draw: random.Random, num_wanted: int, asked: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    absent = _find_absent(evidence, draw)
    coloured = _find_coloured(evidence)
    forms = list(_ABSENT)
    draw.shuffle(forms)
    while len(pairs) < num_wanted and (absent or coloured):
        if coloured and (not absent or draw.random() < _COLOUR_SHARE):
            pairs.append(_ask_colour(coloured.pop(draw.randrange(len(coloured))), draw))
            continue
        category = absent.pop(0)
        if category.spoken not in asked:
            question, answer = forms[len(pairs) % len(forms)]
            words = {"a": with_article(category.spoken), "one": category.spoken, "many": category.plural}
            pairs.append((question.format(**words), answer.format(**words)))
    return pairs


def _find_absent(evidence: Evidence, draw: random.Random) -> list[Category]:
    """Return what is certainly not there; first what keeps company with what is: the same kinds of things."""
    groups = {CATEGORIES[name].group for name in (*evidence.boxes, *evidence.crowds) if name in CATEGORIES}
    absent = [
        CATEGORIES[name] for name in _LARGE if not find_presence(name, evidence) and not find_hint(name, evidence)
    ]
    draw.shuffle(absent)
    return sorted(absent, key=lambda category: category.group not in groups)


def _find_coloured(evidence: Evidence) -> list[tuple[str, str]]:
    """Return (what a single boxed thing is called, its color) where captions agree on one."""
    found = []
    for name, boxes in sorted(evidence.boxes.items()):
        told = [attribute.colours for attribute in evidence.attributes.get(name, ()) if attribute.colours]
        is_one = len(boxes) == 1 and name not in evidence.crowds | evidence.plurals and name != "person"
        if is_one and name in CATEGORIES and len(told) >= _MIN_TOLD and len(set(told)) == 1 and len(told[0]) == 1:
            found.append((CATEGORIES[name].spoken, told[0][0]))
    return found


def _ask_colour(coloured: tuple[str, str], draw: random.Random) -> tuple[str, str]:
    one, right = coloured
    near = {colour for pair in NEAR_COLOURS if right in pair for colour in pair}
    wrong = draw.choice([colour for colour in _COLOURS if colour != right and colour not in near])
    question, answer = draw.choice(_COLOUR)
    words = {"one": one, "right": right, "wrong": wrong, "a_wrong": with_article(wrong)}
    return question.format(**words), answer.format(**words)
