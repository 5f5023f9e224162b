"""The words that the scene program reads in captions: nouns, adjectives, prepositions and boundaries.

What is not in these tables is not understood, and what is not understood is not said.
"""

# ruff: noqa: E501 - a row of the table is a line

from typing import Literal

from msgspec import Struct

from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.mentions import CATEGORY_PHRASES, lengths_by_first_word
from instructgen.lexicon.words import plural_of

Article = Literal["a", "mass", "the", "plural"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class Noun(Struct, frozen=True):
    """A noun's reading. `lemma` is the singular we say; `article` how it is said after a preposition."""

    lemma: str
    kind: str
    article: Article
    is_plural: bool
    category: str | None = None


# kind/article | nouns, singular
_NOUN_TABLE = """
place a|field, street, road, sidewalk, beach, park, parking lot, hill, slope, mountain, bridge, lake, river, pond, pool, stream, tennis court, baseball field, soccer field, skate park, station, train station, airport, harbor, kitchen, bathroom, bedroom, living room, dining room, office, restaurant, room, store, hotel room, classroom, museum, zoo, pen, enclosure, pasture, forest, desert, yard, garden, city, town, intersection, crosswalk, driveway, alley, market, bar, cafe, bakery, library, hospital, highway, railway, farm, meadow, island, trail, path, street corner, city street, dirt road, ski slope, stadium, gym, garage, barn, restroom, lobby, hallway, backyard, lawn, marina, dock, pier, runway, platform, bus stop, baseball game, tennis match, soccer game, party, wedding, parade, race, construction site, patio, deck, porch, hillside, ranch, campsite, courtyard, plaza, town square, clearing, subway station, walkway, doorway, staircase
surface a|desk, counter, plate, tray, wall, fence, ramp, rail, rock, log, blanket, rug, towel, shelf, cutting board, window, window sill, mirror, door, cabinet, branch, tree branch, tree, napkin, cushion, pillow, roof, ledge, pole, stove top, countertop, mat, railing, curb, stage, building, house, tower, hotel, church, box, basket, bag, pot, pan, jar, bucket, suit case, stroller, cart, carriage, wagon, cage, hammock, desk top, body of water, wave, night stand, dresser, trash can, tent, fireplace, computer, computer desk, statue, skateboard ramp, pickup bed, clock tower, wire fence, display case, container, post, wire, tub, ceiling, post, rack, vanity, bookshelf, bookcase, balcony, chain link fence, cliff, bank, tombstone, billboard, wooden deck, kitchen counter, skyscraper, apartment building, fountain, platter, pier, playground, pavilion
mass mass|toilet paper, grass, snow, sand, dirt, mud, hay, food, meat, cheese, bread, rice, soup, salad, fruit, coffee, wine, beer, milk, juice, ice cream, paper, straw, gravel, concrete, pavement, chocolate, pasta, lettuce, sauce, fabric, icing, frosting, luggage, rain, shade
unique the|tarmac, ocean, sky, air, ground, floor, sea, water, woods, background, wild, shore, sun, sunset, carpet, corner, foreground, dark, sidelines, shoreline, countryside
wear a|hat, shirt, t shirt, jacket, helmet, suit, dress, wetsuit, sweater, uniform, coat, cap, vest, scarf, hoodie, skirt, robe, costume, apron, mask, bathing suit, swimsuit, bikini, tank top, sweatshirt, blouse, baseball cap, bow, wig, backpack strap, blazer, raincoat, tuxedo, jersey, outfit, necktie, hard hat, cowboy hat, safety vest, life jacket, life vest, ski suit, snow suit, business suit, leather jacket, dress shirt, bandana, headband, apron, visor, mask
pair plural|glasses, sunglasses, goggles, shorts, pants, jeans, gloves, boots, headphones, pajamas, shoes, sneakers, sandals
thing a|bike, sign, street sign, flag, camera, magazine, newspaper, guitar, leash, stick, rope, candle, lamp, curtain, toy, card, pen, pencil, microphone, game, net, goal, mound, tongue, collar, crown, trophy, poster, drum, paper bag, plastic bag, shopping cart, scooter, wheelchair, van, tractor, trailer, helicopter, hammer, drill, cigarette, pipe, straw hat, cell, flower pot, ladder, hose, hoop, glass, glass of water, slice of pizza, piece of cake, slice of cake, piece of pizza, plate of food, video game controller, meal, snack, sausage, cracker, cookie, flower, leaf, bush, plant, vegetable, potato, tomato, pepper, onion, cucumber, egg, pancake, waffle, muffin, croissant, bagel, pretzel, pineapple, lemon, lime, strawberry, pear, peach, pumpkin, watermelon, grape, bouquet, bean, mushroom, french fry, urinal, bathtub, shower, shower curtain, towel rack, bath mat, medicine cabinet, faucet, microscope, telescope, instrument, tool, wheel, tire, kitchen island, chandelier, ceiling fan, painting, picture, picture frame, map, train track, railroad track, track, telephone pole, street lamp, lamp post, boulder, cloud, palm tree, billboard, awning, balcony, porch, staircase, gate, speaker, printer, calculator, stapler, wallet, mouse pad, trick, skateboard trick, snow board trick, photo, dish, computer monitor, monitor, desktop computer, computer screen, blender, pie, bun, sheet, chain, lid, sculpture, cloth, ring, cone, fan, noodle, palm tree, christmas tree, road sign, traffic sign, toilet seat, balloon, pastry, dessert, soda, lunch, stuffed animal, painting, picture frame, light fixture, ceiling fan, coffee maker, faucet, bath tub, bedspread, comforter, canopy, fence post, lantern, chandelier, paddle, oar, saddle, harness, bridle, mane, antenna, propeller, engine, windshield, headlight, basketball hoop, fire escape, street lamp, lamp post, light pole, telephone, receiver, printer, speaker, radio, camera bag, wallet, necklace, bracelet, belt, ribbon
game game|tennis, baseball, soccer, frisbee, basketball, volleyball, football, golf, cricket, polo, wii, video games, a video game, a game, a game of tennis, a game of frisbee, a game of baseball, a game of soccer, a game of basketball, a game of football, a game of volleyball, a game of polo, a game of cricket, a game of rugby, a game of golf, a wii game
"""
# Other spellings; value: the noun as the table has it.
_SPELLINGS = {"tee shirt": "t shirt", "tshirt": "t shirt", "wet suit": "wetsuit"}
_PLURAL_ALWAYS = {"video games"}
# What holds a noun and means something else.
_IDIOMS = (
    "pigs in a blanket",
    "pig in a blanket",
    "pigs in blankets",
    "horse around",
    "hands on",
    "jack o lantern",
    "mash potatoes",
    "hot dog bar",
    "salad bar",
    "candy bar",
    "house boat",
    "water suit",
    "sleeping bag",
    "sleeping bags",
    "house cat",
    "house fly",
)
# How the category's word is said when a caption's word is a person's.
_PEOPLE = {
    "man": "man, gentleman, guy",
    "woman": "woman, lady",
    "boy": "boy",
    "girl": "girl",
    "child": "child, kid, toddler",
    "baby": "baby",
    "surfer": "surfer",
    "skier": "skier",
    "snowboarder": "snowboarder",
    "skateboarder": "skateboarder, skater",
    "tennis player": "tennis player",
    "baseball player": "baseball player",
    "batter": "batter",
    "pitcher": "pitcher",
    "catcher": "catcher",
    "chef": "chef",
    "bride": "bride",
    "groom": "groom",
    "police officer": "police officer, policeman",
    "soccer player": "soccer player",
    "football player": "football player",
    "jockey": "jockey",
    "vendor": "vendor",
    "soldier": "soldier",
    "student": "student",
    "worker": "worker",
    "waiter": "waiter",
    "umpire": "umpire",
    "cyclist": "cyclist, bicyclist",
    "motorcyclist": "motorcyclist",
    "swimmer": "swimmer",
    "rider": "rider",
}
GENDERS = {
    "man": "male", "boy": "male", "groom": "male", "woman": "female", "girl": "female", "bride": "female",
}  # fmt: skip
AGES = {"man": "adult", "woman": "adult", "boy": "young", "girl": "young", "child": "young", "baby": "young"}
# Said in place of a category's COCO name in phrases taken from captions.
_KEPT_SYNONYMS = {
    "donkey", "mule", "duck", "seagull", "goose", "parrot", "pigeon", "swan", "owl", "puppy", "kitten", "sailboat",
    "kayak", "canoe", "armchair", "stool", "coffee table", "picnic table", "kitchen table", "desk", "mug",
    "hamburger", "burger", "cupcake", "wedding cake", "birthday cake", "taxi", "jeep", "fire truck", "calf", "bull",
    "lamb", "panda", "polar bear", "jet", "stove", "bow tie", "soccer ball", "tennis ball", "basketball",
    "volleyball", "football", "wii remote", "game controller", "wii controller", "video game controller", "pony",
    "ship", "raft", "mattress", "crib", "ferry", "chicken", "rooster", "ostrich", "peacock",
    "pelican", "flamingo", "eagle", "hawk", "penguin", "crane", "turkey", "buffalo", "bison", "pickup truck",
    "dirt bike", "black bear", "brown bear", "grizzly bear", "school bus", "double decker bus",
}  # fmt: skip


def _add(nouns: dict[str, Noun], phrase: str, noun: Noun) -> None:
    nouns.setdefault(phrase, noun)


def _category_nouns(nouns: dict[str, Noun]) -> None:
    for lemma, words in _PEOPLE.items():
        for word in words.split(", "):
            _add(nouns, word, Noun(lemma, "person", "a", is_plural=False, category="person"))
            _add(nouns, plural_of(word), Noun(lemma, "person", "a", is_plural=True, category="person"))
    kept_by_phrase = {form: word for word in _KEPT_SYNONYMS for form in (word, plural_of(word))}
    for phrase, known in CATEGORY_PHRASES.items():
        if known is None:
            continue
        category, is_plural = known
        group = CATEGORIES[category].group
        spoken = CATEGORIES[category].spoken
        kept = kept_by_phrase.get(phrase)
        article: Article = "plural" if category in ("scissors", "skis") else "a"
        if category == "broccoli":
            article = "mass"
        _add(nouns, phrase, Noun(kept or spoken, group, article, is_plural=is_plural, category=category))


def _make_nouns() -> dict[str, Noun | None]:
    nouns: dict[str, Noun] = {}
    _category_nouns(nouns)
    for line in _NOUN_TABLE.strip().splitlines():
        head, words = line.split("|")
        kind, article = head.split()
        for lemma in words.split(", "):
            styled: Article = "the" if article == "the" else "mass" if article in ("mass", "game") else "a"
            if article == "plural":
                _add(nouns, lemma, Noun(lemma, kind, "plural", is_plural=True))
                continue
            _add(nouns, lemma, Noun(lemma, kind, styled, is_plural=lemma in _PLURAL_ALWAYS))
            if article == "a":
                _add(nouns, plural_of(lemma), Noun(lemma, kind, "a", is_plural=True))
    for said, lemma in _SPELLINGS.items():
        _add(nouns, said, nouns[lemma])
        _add(nouns, plural_of(said), nouns[plural_of(lemma)])
    decoys: dict[str, Noun | None] = dict.fromkeys(key for key, known in CATEGORY_PHRASES.items() if known is None)
    return {**decoys, **nouns, **dict.fromkeys(_IDIOMS)}


# Key: phrase in lower case; None marks a phrase that only looks as if it held a known noun.
NOUNS = _make_nouns()
NOUN_LENGTHS = lengths_by_first_word(NOUNS)

DETERMINERS = _words("a an the this that his her their its some several many few both another one each any")
# Adjectives that may stand between article and noun and be left out without making the phrase untrue.
ADJECTIVES = _words("""big large huge giant small little tiny tall short long young old older elderly adult new modern antique vintage
    open closed empty full busy quiet sunny cloudy bright dark light clear clean dirty wet dry dusty dirt muddy sandy grassy snowy
    rocky hilly lush wide narrow flat steep round square wooden wood metal metallic steel stainless glass plastic paper brick stone
    concrete cement leather marble tile tiled porcelain ceramic iron plaid striped spotted patterned floral colorful colored
    beautiful pretty nice cute lovely pet domestic
    tabby fluffy furry hairy long-haired public commercial passenger double single large-sized electric
    city urban rural suburban residential outdoor indoor outside inside professional male female asian
    smiling happy bearded blonde blond shirtless barefoot happy lone single other different various
    two-story parked decorated ornate fancy plain regular typical cluttered messy neat tidy fenced crowded
    fresh ripe delicious tasty homemade cooked baked grilled frozen sliced half hot cold warm
    ocean water kitchen bathroom bedroom office park beach computer tennis baseball soccer lush grassy
    wild gray-haired hardwood cobblestone paved asphalt wooded forested calm choppy blue-sky nearby
    middle-aged baby mother adult-sized shallow deep dressed uniformed rusty bare thick thin heavy
    lush snow covered snow-covered grass-covered tree-lined cardboard wicker fashioned
    american military decorative electronic assorted high low adorable gourmet elegant sleek curved elevated
    pregnant elderly
    newly married newlywed
    opened sleeping running speeding moving parked sitting standing flying""")
# Adjectives after which an animal, person or vehicle is not a real one.
UNREAL = _words(
    "toy stuffed fake mechanical plush rocking inflatable wooden metal plastic ceramic glass stone paper lego cardboard wicker iron steel"
)
BOUNDARIES = _words(""". , ; ! ? : ( ) " and or but with without while as in on at near by next beside behind under over above below
    through across along around into onto inside outside off down up from to toward towards against between among
    past of is are was were has have who that which for during after before where when his her their some two the a
    an it being about out together looking wearing together""")
PREPOSITIONS = {
    "on": "on", "in": "in", "at": "at", "near": "near", "by": "by", "beside": "beside", "behind": "behind",
    "under": "under", "through": "through", "across": "across", "along": "along", "down": "down", "over": "over",
    "above": "above", "inside": "inside", "into": "into", "around": "around", "past": "past", "against": "against",
    "with": "with", "from": "from", "up": "up", "onto": "onto", "toward": "toward", "towards": "toward",
    "next to": "next to", "in front of": "in front of", "on top of": "on top of", "out of": "out of",
    "underneath": "under", "beneath": "under", "atop": "on top of", "close to": "near", "along side": "beside",
    "alongside": "beside", "off": "off", "to": "to", "for": "for", "inside of": "inside", "on the side of": "on the side of",
    "in the middle of": "in the middle of", "outside": "outside", "amongst": "among", "among": "among",
}  # fmt: skip
# Words that make what they hold a likeness of the thing.
LIKENESS = _words(
    "statue statues painting drawing sculpture toy toys poster mural figurine doll dolls reflection cartoon sign cutout logo"
    " graffiti carving costume dressed painted shape shaped model"
)
AIRLINERS = _words("jetliner jetliners airliner airliners")  # airplanes by words that are no category's


def looks_plural(word: str) -> bool:
    noun = NOUNS.get(word)
    return noun.is_plural if noun is not None else word.endswith("s") and not word.endswith(("ss", "us", "is"))
