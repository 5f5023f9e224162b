"""What things do: each verb's forms and the phrases it may govern."""

# ruff: noqa: E501 - a row of the table is a line

from functools import lru_cache

from msgspec import Struct


class Verb(Struct, frozen=True):
    """`base` names the verb. `prepositions` may follow; a verb that `needs_object` says nothing without one."""

    base: str
    ing: str
    third: str
    takes_object: bool
    may_stand_alone: bool
    prepositions: frozenset[str]
    groups: frozenset[str]


# base ing third | object? alone? | prepositions | groups of subjects (p person, a animal, v vehicle, t thing)
_TABLE = """
ride riding rides|object|on, down, in, along, through, across|p
sit sitting sits||on, in, at, under, near, by, beside, behind, next to, in front of, on top of, inside, on the side of, in the middle of, outside|pavt
stand standing stands||on, in, at, under, near, by, beside, behind, next to, in front of, on top of, inside, around, on the side of, in the middle of, outside, against|pa
lie lying lies||on, in, under, near, by, beside, next to, on top of, inside|pat
lay laying lays||on, in, under, near, by, beside, next to, on top of, inside|pat
rest resting rests||on, in, under, near, next to, against, on top of, inside|pat
sleep sleeping sleeps|alone|on, in, under, next to, on top of, inside|pa
walk walking walks|alone object|on, in, down, along, across, through, near, past, by, around, behind, next to, with, toward, in front of, in the middle of|pa
run running runs|alone|on, in, through, along, across, down, around|pa
hold holding holds|object||p
carry carrying carries|object|down, on, across, along|p
wear wearing wears|object||p
eat eating eats|object alone|at, from, in, on, out of|pa
graze grazing grazes|alone|in, on, near|a
drink drinking drinks|object|from|pa
play playing plays|object alone|in, on, with, at|pa
swing swinging swings|object||p
hit hitting hits|object|with, on|p
throw throwing throws|object|on, in|p
catch catching catches|object|in, on|pa
kick kicking kicks|object|on, in|p
fly flying flies|object|in, on, over, above, through, at|pavt
ski skiing skis|alone|down, on, in, through, across|p
snowboard snowboarding snowboards|alone|down, on, in|p
surf surfing surfs|alone object|in, on|p
skateboard skateboarding skateboards|alone|on, down, in, at, along|p
jump jumping jumps|alone|over, in, off, on, into, through|pa
talk talking talks||on|p
look looking looks||at, out of, in, into, through|pa
watch watching watches|object||p
read reading reads|object|on, in|p
use using uses|object|on, in, at|p
cut cutting cuts|object|with, on|p
cook cooking cooks|object alone|in, on|p
prepare preparing prepares|object|in, on|p
brush brushing brushes|object|in|p
pet petting pets|object||p
feed feeding feeds|object||p
lean leaning leans||on, against, over|pa
swim swimming swims|alone|in, on, near|pa
float floating floats|alone|on, in, down|avt
drive driving drives|alone object|down, on, along, through, past, across|pv
travel traveling travels||down, on, along, through, past, across|v
park parked parks||on, in, near, by, next to, in front of, at, outside, beside, on the side of|v
pull pulling pulls|object|through, down, along|pav
cross crossing crosses|object||pav
hang hanging hangs||on, from, over, above, in|t
perch perched perches||on, on top of, in|a
pose posing poses|alone|on, in, with, for, in front of, next to, on top of|p
cross crossing crosses|object||pa
push pushing pushes|object|down, along|p
wade wading wades|alone|in, through|pa
wait waiting waits||at, for, on, near|p
work working works|alone|on, at, in|p
chase chasing chases|object||a
dock docked docks|alone|at, in, near, on, by|v
sail sailing sails|alone|on, in, through|v
move moving moves||down, along, on, through|v
kneel kneeling kneels|alone|on, in, by, next to|p
wash washing washes|object|in|p
paddle paddling paddles|alone object|in, on|p
roam roaming roams|alone|in, through|a
gather gathered gathers||around, in, at, on|p
seat seated seats||at, on, in, around|p
bathe bathing bathes|alone|in|a
serve serving serves|object|on|p
pull pulled pulls||by|v
mount mounted mounts||on|t
place placed places||on, in, next to, on top of|t
stack stacked stacks||on, in, on top of|t
top topped tops||with|t
fill filled fills||with|t
cover covered covers||in, with|t
decorate decorated decorates||with|t
do doing does|object|on, in, at|p
perform performing performs|object|on, in, at|p
take taking takes|object|in, of|p
make making makes|object|in|p
smile smiling smiles|alone|for|p
enjoy enjoying enjoys|object|in, at|p
pass passing passes|object|on|pv
approach approaching approaches|object|on|pav
go going goes||down, up, through, along, around, across|pav
stop stopped stops||at, on, in, next to, in front of|v
surround surrounded surrounds||by|pavt
attach attached attaches||to|t
arrange arranged arranges||on, in|t
display displayed displays||on, in|t
relax relaxing relaxes|alone|on, in, under|pa
write writing writes||on, in|p
sell selling sells|object|on, at, in|p
open opening opens|object||p
reach reaching reaches||for, into, out of|pa
dress dressed dresses||in, as|p
race racing races|alone|down, on, around, along|pav
climb climbing climbs|object|up, on, over|pa
"""


BE = Verb(
    base="be",
    ing="",
    third="is",
    takes_object=False,
    may_stand_alone=False,
    prepositions=frozenset({"on", "in", "under", "next to", "on top of", "in front of", "inside", "behind", "near"}),
    groups=frozenset("pavt"),
)


def _parse_line(line: str) -> Verb:
    forms, frame, prepositions, groups = line.split("|")
    base, ing, third = forms.split()
    return Verb(
        base=base,
        ing=ing,
        third=third,
        takes_object="object" in frame,
        may_stand_alone="alone" in frame,
        prepositions=frozenset(word.strip() for word in prepositions.split(",") if word.strip()),
        groups=frozenset(groups),
    )


def _make_forms() -> dict[str, Verb]:
    forms: dict[str, Verb] = {}
    for line in _TABLE.strip().splitlines():
        verb = _parse_line(line)
        for form in (verb.ing, verb.third):
            forms.setdefault(form, verb)
    return forms


# Key: "-ing" (or participle) and third person; base forms are read only after a plural subject.
VERB_FORMS = _make_forms()
BASE_FORMS = {verb.base: verb for verb in VERB_FORMS.values()}

# Verbs that statements read beside these, whose words stay as the caption has them.
_TOLD_TABLE = """
share sharing shares|object
stare staring stares|
smoke smoking smokes|object
face facing faces|object
slide sliding slides|alone
touch touching touches|object
overlook overlooking overlooks|object
type typing types|
bend bending bends|
laugh laughing laughs|alone
point pointing points|
skate skating skates|alone
land landing lands|alone
leap leaping leaps|alone
bite biting bites|object
shop shopping shops|alone
follow following follows|object
herd herding herds|object
sniff sniffing sniffs|object
chew chewing chews|
squat squatting squats|
crouch crouching crouches|
kiss kissing kisses|object
lick licking licks|object
pour pouring pours|object
dance dancing dances|alone
celebrate celebrating celebrates|alone object
cuddle cuddling cuddles|
nap napping naps|alone
examine examining examines|object
lounge lounging lounges|
board boarding boards|object
enter entering enters|object
leave leaving leaves|object
tow towing tows|object
operate operating operates|object
hike hiking hikes|alone
peer peering peers|
peek peeking peeks|
snuggle snuggling snuggles|
return returning returns|object
spray spraying sprays|object
put putting puts|object
load loading loads|object
unload unloading unloads|object
pack packing packs|object
roast roasting roasts|object
grill grilling grills|object
comb combing combs|object
shave shaving shaves|object alone
repair repairing repairs|object
clean cleaning cleans|object
groom grooming grooms|object
scratch scratching scratches|object
shake shaking shakes|object
hug hugging hugs|object
fight fighting fights|alone
wrestle wrestling wrestles|alone
yawn yawning yawns|alone
stir stirring stirs|object
slice slicing slices|object
guide guiding guides|object
lead leading leads|object
lift lifting lifts|object
photograph photographing photographs|object
inspect inspecting inspects|object
toss tossing tosses|object
parasail parasailing parasails|alone
kiteboard kiteboarding kiteboards|alone
windsurf windsurfing windsurfs|alone
kayak kayaking kayaks|alone
row rowing rows|alone object
fish fishing fishes|alone
camp camping camps|alone
shovel shoveling shovels|object
plow plowing plows|object
nurse nursing nurses|alone object
blow blowing blows|object
teach teaching teaches|object
line lined lines|
tie tied ties|
plug plugged plugs|
"""


def _make_told_verbs() -> dict[str, Verb]:
    verbs = [_parse_line(f"{line}||pavt") for line in _TOLD_TABLE.strip().splitlines()]
    return {form: verb for verb in verbs for form in (verb.ing, verb.third)}


TOLD_VERBS = _make_told_verbs()

# Before these a verb is a part of a name: "surf boards", "surfing lessons".
_NAMES = frozenset(("lesson", "lessons", "board", "boards", "class", "gear", "equipment", "school", "instructor"))
_KEPT_CAPTIONS = 64  # those of an image are asked for again and again
_AIMS = frozenset(("for", "go"))  # behind these it is what somebody means to do: "ready for surfing"


@lru_cache(maxsize=_KEPT_CAPTIONS)
def doing_tokens(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Return the tokens without the verbs that tell no doing, as they are a part of a name, or an aim."""
    return tuple(token for at, token in enumerate(tokens) if tells_doing(tokens, at))


def tells_doing(tokens: tuple[str, ...], at: int) -> bool:
    """False for a verb that is a part of a name, or an aim; true for all other words."""
    is_name = at + 1 < len(tokens) and tokens[at + 1] in _NAMES
    is_aim = at > 0 and tokens[at - 1] in _AIMS and tokens[at].endswith("ing")
    return not (is_name or is_aim) or not any(tokens[at] in table for table in (VERB_FORMS, BASE_FORMS, TOLD_VERBS))
