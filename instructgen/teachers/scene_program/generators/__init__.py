"""The table of generators: each finds what it can ask of an image, with the claims that its answers must prove."""

from instructgen.teachers.scene_program.generators.added import ADDED
from instructgen.teachers.scene_program.generators.counts import COUNTS
from instructgen.teachers.scene_program.generators.doings import DOINGS, FOLLOWING_DOINGS
from instructgen.teachers.scene_program.generators.looks import LOOKS
from instructgen.teachers.scene_program.generators.places import PLACES
from instructgen.teachers.scene_program.generators.presence import PRESENCE
from instructgen.teachers.scene_program.generators.settings import SETTINGS
from instructgen.teachers.scene_program.generators.shown import SHOWN
from instructgen.teachers.scene_program.generators.turns import FOLLOWING_TURNS, TURNS
from instructgen.teachers.scene_program.talk import Generator

GENERATORS: dict[str, Generator] = {
    one.name: one for one in (*PRESENCE, *COUNTS, *LOOKS, *DOINGS, *PLACES, *SETTINGS, *SHOWN, *TURNS)
}
# Those that take up what the turn before was about.
FOLLOWERS: dict[str, Generator] = {one.name: one for one in (*FOLLOWING_DOINGS, *FOLLOWING_TURNS)}
# Those that write a sentence behind an answer.
ADDERS: dict[str, Generator] = {one.name: one for one in ADDED}
