"""A detailed description in the making."""

import random

from instructgen.lexicon.words import with_article
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import Action, Entity, SceneGraph
from instructgen.scenegraph.settings import SETTINGS
from instructgen.teachers.scene_program.phrasing import Phrase, say_described
from instructgen.teachers.scene_program.speech import (
    PICTURE_WORDS,
    is_countable,
    polish,
    say_number,
    say_one,
    say_thing,
)
from instructgen.teachers.scene_program.wordings import Family

MIN_SENTENCES = 4
MAX_SENTENCES = 8


class Paragraph:
    """`named` are the things it has introduced, `told` the keys of facts, so that none comes twice."""

    def __init__(self, graph: SceneGraph, draw: random.Random, wordings: dict[str, Family]) -> None:
        self.graph = graph
        self.draw = draw
        self.wordings = wordings
        self.sentences: list[str] = []
        self.claims: list[Claim] = []
        self.named: set[str] = set()
        self.told: set[str] = set()
        self.used: set[str] = set()

    def add(self, family: str, claims: tuple[Claim, ...], **slots: str) -> None:
        """Add a sentence; a form serves once in a paragraph."""
        forms = [form for form in self.wordings[family].plain if form not in self.used]
        form = self.draw.choice(forms or self.wordings[family].plain)
        self.used.add(form)
        pic = self.draw.choice(PICTURE_WORDS)
        self.sentences.append(polish(form.format(pic=pic, apic=with_article(pic), **slots)))
        self.claims += claims

    def name(self, entity: Entity) -> str:
        """Say "the" of what was named before, "a" of what is new, and from now on "the"."""
        known = entity.name in self.named
        self.named.add(entity.name)
        return f"the {entity.word}" if known else say_one(entity.word)

    def has_said(self, word: str) -> bool:
        return word in " ".join(self.sentences).lower()

    def note(self, action: Action) -> None:
        """Keep in mind what an action told."""
        self.named.update(action.things | {action.category, action.subject, action.object, action.place})
        self.told.update((f"{action.verb} {action.subject}", action.place))
        if action.place in SETTINGS:
            self.told.add("setting")

    def room(self) -> int:
        return MAX_SENTENCES - 1 - len(self.sentences)

    def is_new(self, *keys: str) -> bool:
        return not self.told.intersection(keys)


def say_counted(page: Paragraph, entity: Entity) -> Phrase:
    """Word a thing for a list with its number or its looks, whichever is certain, and keep these in mind."""
    if (entity.count or 0) > 1 and is_countable(entity) and page.is_new(f"count {entity.name}"):
        page.told.add(f"count {entity.name}")
        claim = Claim("count", entity.plural, number=entity.count or 0, evidence=entity.evidence)
        return Phrase(f"{say_number(entity.count or 0)} {entity.plural}", (claim,))
    if entity.is_many:
        return Phrase(say_thing(entity))
    described = say_described(page.graph, entity, page.is_new)
    page.told.update(described.keys)
    return Phrase(say_one(described.words), described.claims)
