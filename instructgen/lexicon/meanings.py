"""Words of one caption that bear out a word of another: "surfers" that somebody surfs, "stalls" that it is a market.

A row bears out its first words, parted by slashes; it does not work the other way round: where there is a slope there
need be no snow.
"""

# ruff: noqa: E501 - a row of the table is a line

_NOUNS = """
street/road|street streets road roads roadway highway avenue traffic intersection crosswalk
sidewalk|sidewalk sidewalks pavement
grass|grass grassy lawn field pasture meadow
field|field fields pasture meadow grassland grassy
pasture|pasture field meadow
snow|snow snowy slope slopes ski skiing skis skier skiers snowboard snowboarding snowboarder
slope|slope slopes hill hillside mountain mountainside downhill
hill|hill hillside slope hilly
mountain|mountain mountains mountainside mountaintop
water|water ocean sea lake river pond pool waves wave surf
ocean|ocean sea waves wave surf surfing
wave|wave waves surf surfing
beach|beach sand sandy shore ocean seashore
sand|sand sandy beach
dirt|dirt muddy dusty
tree|tree trees wooded forest woods branch branches
forest/woods|forest woods wooded jungle trees
counter|counter countertop counters
cabinet|cabinet cabinets cupboard cupboards cabinetry
food|food foods meal meals dish dishes lunch dinner breakfast entree vegetables meat
meal|meal meals dinner lunch breakfast
fruit|fruit fruits bananas apples oranges
vegetable|vegetable vegetables veggies broccoli carrots produce
market|market markets marketplace stall stalls vendor vendors stand stands
stall|stall stalls market vendor
station/train station|station stations platform depot subway
platform|platform station
track/train track/railroad track|track tracks rail rails railroad railway
airport|airport runway tarmac terminal
runway/tarmac|runway tarmac airport airstrip
tennis court|court courts
court|court courts
baseball field|baseball ballpark umpire pitcher batter infield
baseball game|baseball batter pitcher umpire catcher inning
tennis match|tennis
soccer game|soccer
tennis|tennis
baseball|baseball batter pitcher umpire
soccer|soccer
wii|wii nintendo
video game|wii nintendo game games gaming xbox playstation controller controllers
skate park|skate skateboard skateboarding skateboarder ramp ramps
ramp|ramp ramps half pipe halfpipe
trick/skateboard trick|trick tricks stunt stunts jump jumping jumps airborne air flip
building|building buildings house church skyscraper skyscrapers tower hotel
house|house houses home
clock tower|tower steeple
fence|fence fenced fences fencing
rock/boulder|rock rocks rocky boulder boulders stone stones
flower|flower flowers bouquet floral rose roses tulips daisies blossoms
wall|wall walls
sky|sky skies air moon moonlit clouds
hat|hat hats cap
suit|suit suits tuxedo formal
uniform|uniform uniforms uniformed
crowd|crowd crowded crowds spectators audience fans onlookers
parade|parade
race|race racing races racetrack
luggage|luggage suitcase suitcases bags baggage
computer|computer computers laptop laptops desktop
monitor|monitor monitors computer screen screens
mirror|mirror mirrors reflection selfie
window|window windows
zoo|zoo enclosure exhibit
enclosure/pen|enclosure enclosed pen exhibit zoo cage
restaurant|restaurant cafe diner dining
store|store shop shops stores market supermarket
harbor/marina/dock/pier|harbor marina dock docks docked pier port
"""
# By what captions tell a doing beside the verb's own forms; a row is of one verb.
_DOINGS = """
surf|surfer surfers surfboarder
ski|skier skiers
skateboard|skateboarder skateboarders skater skaters
snowboard|snowboarder snowboarders
ride|rider riders motorcyclist motorcyclists biker bikers cyclist cyclists bicyclist bicyclists rides ride jockey jockeys horseback aboard
sit|seated
lie|asleep lays laying
play|game player players match tournament
eat|grazing
swing|batter bat
fly|flight airborne
stack|pile piled
throw|pitcher pitch pitching pitches
cook/prepare|chef chefs cook cooks
sell|vendor vendors market sale
race|race races racing jockey jockeys
jump|air airborne midair leap leaps leaping flip trick tricks stunt
perform/do|trick tricks stunt stunts
sleep|asleep nap napping sleepy
smile|smile grin grinning
talk|conversation chat chatting speaking speaks
look|view stares
shop|shopper shoppers shopping
write|writing handwriting
drive|traffic driver driving
cross|across crosswalk
"""


def _read(table: str) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for line in table.strip().splitlines():
        names, words = line.split("|")
        for name in names.split("/"):
            found.setdefault(name, set()).update(words.split())
    return {name: frozenset(words) for name, words in found.items()}


# Key: a noun in the singular; value: the words that bear it out, beside its own forms.
BORNE_OUT = _read(_NOUNS)
# Key: a verb's base form; value: words that tell it and are no form of it.
TOLD_BY = _read(_DOINGS)
