"""The table of reasoning rules, the narrower ones first."""

from instructgen.teachers.scene_program.rules.animals import ANIMAL_RULES
from instructgen.teachers.scene_program.rules.food import FOOD_RULES
from instructgen.teachers.scene_program.rules.general import GENERAL_RULES
from instructgen.teachers.scene_program.rules.home import HOME_RULES
from instructgen.teachers.scene_program.rules.rule import Rule
from instructgen.teachers.scene_program.rules.sports import SPORT_RULES
from instructgen.teachers.scene_program.rules.streets import STREET_RULES

RULES: tuple[Rule, ...] = (*SPORT_RULES, *ANIMAL_RULES, *STREET_RULES, *FOOD_RULES, *HOME_RULES)
FALLBACKS: tuple[Rule, ...] = GENERAL_RULES
