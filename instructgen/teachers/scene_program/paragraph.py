"""A detailed description in the making."""

import random

from instructgen.lexicon.words import with_article
from instructgen.teachers.scene_program import forms
from instructgen.teachers.scene_program.scene import Scene, Thing
from instructgen.teachers.scene_program.wording import capitalise, say_one

MIN_SENTENCES = 4
MAX_SENTENCES = 7


class Paragraph:
    """A paragraph in the making; `named` are the categories it has introduced."""

    def __init__(self, scene: Scene, draw: random.Random) -> None:
        self.scene = scene
        self.draw = draw
        self.sentences: list[str] = []
        self.named: set[str] = set()
        self.placed: set[str] = set()

    def add(self, tells: tuple[str, ...], **slots: str) -> None:
        pic = self.draw.choice(forms.PICTURE_WORDS)
        told = self.draw.choice(tells).format(pic=pic, apic=with_article(pic), **slots)
        self.sentences.append(capitalise(told))

    def name(self, thing: Thing) -> str:
        """Say "the" of what was named before, "a" of what is new."""
        return f"the {thing.word}" if thing.name in self.named else say_one(thing.word)

    def room(self) -> int:
        return MAX_SENTENCES - 1 - len(self.sentences)
