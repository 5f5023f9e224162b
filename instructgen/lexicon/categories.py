"""COCO's 80 categories: how each is said, what else it is called, and what hints at it.

`synonyms` name the thing itself; a text that has one mentions the category. `hints` are words under which
the thing may hide ("traffic" for a car): too vague to claim it, enough to forbid claiming its absence.
"""

# ruff: noqa: E501 - a row of the table is a line

from msgspec import Struct

from instructgen.lexicon.words import plural_of


class Category(Struct, frozen=True):
    """One category. `spoken` and `plural` are natural English; the first synonym group includes `spoken`."""

    name: str
    spoken: str
    plural: str
    group: str
    synonyms: tuple[str, ...]
    hints: tuple[str, ...]


# group | name = spoken | synonyms, singular | hints, as written
_TABLE = """
person|person|man, woman, boy, girl, lady, guy, child, kid, baby, toddler, gentleman, adult, human, player, tennis player, baseball player, soccer player, surfer, skier, snowboarder, skateboarder, skater, rider, batter, pitcher, catcher, umpire, pedestrian, cyclist, bicyclist, motorcyclist, biker, someone, chef, police officer, officer, bride, groom, athlete, passenger, spectator, worker, soldier, tourist, student, teenager, friend, fireman, policeman, cowboy, boarder, driver, jockey, swimmer, hiker, vendor, waiter, waitress, couple, people, crowd, family|hand, hands, arm, arms, foot, feet, leg, legs, finger, fingers, face, head, lap, group, team, audience, doll, he, she, his, her, him, they, male, female, males, females, shoulder, mouth, teeth, hair, everyone, somebody, bystander, bystanders, mother, father, son, daughter, game, match, selfie, wedding, statue, mannequin, poster, reflection, riding, holding, wearing, carrying, eating, being, driven, surfing, skiing, busy, parade, market, mom, dad, lap, wearing, individual, individuals, performers, members, men's, women's, one, some, persons, humans, human, person
vehicle|bicycle|cycle, bicycle|bike, bikes, cyclist, cyclists, biker, bikers, biking, tricycle, pedal, bicyclist, bicyclists
vehicle|car|automobile, sedan, suv, taxi, taxi cab, cab, minivan, station wagon, convertible, hatchback, jeep|vehicle, vehicles, traffic, van, vans, parking, cars, auto, autos, wagon, driving, driver, transportation, limo, limousine, trailer
vehicle|motorcycle|motorbike, motor bike, moped, dirt bike, harley|bike, bikes, biker, bikers, scooter, scooters, motor, motorcyclist, motorcyclists, vespa, helmet, vehicle, vehicles
vehicle|airplane|plane, aeroplane, aircraft, jet, jetliner, airliner, jumbo jet, biplane|planes, airport, runway, flight, airline, airlines, tarmac, cockpit, propeller, hangar, aviation
vehicle|bus|double decker, double decker bus, minibus, school bus, tour bus, coach bus|buses, busses, shuttle, transit, coach, trolley, decker, vehicle, vehicles, tram
vehicle|train|locomotive, subway train, freight train, tram, train engine, passenger train, street car, streetcar, rail car|rail, rails, railway, railroad, subway, trolley, tracks, caboose, engine, station, streetcar, monorail, transit, platform, cars
vehicle|truck|lorry, pickup truck, pickup, fire truck, firetruck, dump truck, tow truck, semi truck, garbage truck, food truck|vehicle, vehicles, van, vans, trailer, semi, suv, jeep, wagon, tractor, traffic, trailer, camper, rv
vehicle|boat|sailboat, ship, canoe, kayak, yacht, rowboat, motorboat, speedboat, ferry, gondola, raft, barge, fishing boat, cruise ship|vessel, vessels, harbor, marina, dock, docked, sail, sails, port, sailing, pier, paddle, paddling, boating, oars, watercraft
outdoor|traffic light|traffic signal, stoplight, stop light, street light, signal light|light, lights, signal, signals, intersection, traffic, crosswalk
outdoor|fire hydrant|hydrant, water hydrant|fire, pump
outdoor|stop sign|stopsign|sign, signs, stop
outdoor|parking meter|meter|meters, parking
outdoor|bench|park bench, pew|benches, seat, seats, seating, picnic, bleachers, dugout
animal|bird|duck, seagull, goose, parrot, pigeon, swan, owl, eagle, hawk, pelican, flamingo, chicken, rooster, crow, gull, hummingbird, parakeet, ostrich, peacock, penguin, crane, heron, finch, cockatoo, sparrow, dove, robin, hen, egret, turkey, stork|birds, flock, animals, animal, feathers, feather, feeder, nest, wildlife, creature, fowl, poultry, ducklings
animal|cat|kitten, kitty, tabby cat, tabby, calico cat, siamese cat|kitties, animal, animals, pet, pets, feline, felines, siamese, calico, creature
animal|dog|puppy, poodle, bulldog, terrier, dachshund, golden retriever, labrador, pug, beagle, german shepherd, chihuahua, corgi, husky, collie, sheepdog, sheep dog|pup, pups, leash, animal, animals, pet, pets, canine, paw, paws, creature, lab, retriever, shepherd, doggy, doggie
animal|horse|pony, stallion, mare, foal, colt, donkey, mule|animal, animals, carriage, jockey, equestrian, saddle, ride, cowboy, cowboys, zebra, rodeo, polo, stable, livestock, creature, horseback, buggy
animal|sheep|lamb, ram, ewe|goat, goats, herd, flock, animal, animals, livestock, wool, cattle, cows, lambs, rams, creature
animal|cow|bull, calf, cattle, steer, ox, buffalo, bison|herd, animal, animals, livestock, horn, horns, horned, longhorn, yak, oxen, cattle, farm, bovine, heifer, creature, bulls, goat, goats, sheep, horse, horses
animal|elephant|baby elephant|animal, animals, trunk, tusk, tusks, creature
animal|bear|brown bear, black bear, polar bear, grizzly bear, grizzly, bear cub, panda, panda bear|cub, cubs, animal, animals, creature, teddy, pandas
animal|zebra|baby zebra|animal, animals, striped, stripes, creature
animal|giraffe|baby giraffe|animal, animals, creature
accessory|backpack|back pack, rucksack, knapsack|bag, bags, pack, luggage, gear, packs
accessory|umbrella|parasol|shade, canopy, umbrellas, rain, rainy, tent
accessory|handbag|purse, hand bag|bag, bags, luggage, tote
accessory|tie|necktie, neck tie, bow tie, bowtie|suit, suits, tuxedo, formal, ties, dressed, bow
accessory|suitcase|suit case|luggage, bag, bags, baggage, trunk, case, cases, briefcase, carry
sports|frisbee|flying disc|disc, disk, discs
sports|skis|ski, pair of skis|skiing, skier, skiers, snow, slope, skies, poles
sports|snowboard|snow board|board, boards, snowboarding, snowboarder, snowboarders, boarding, snow, boarder, boarders
sports|sports ball=ball|soccer ball, baseball ball, tennis ball, basketball, volleyball, football, beach ball|baseball, tennis, soccer, game, match, swing, balls
sports|kite|parasail|kites, parasailing, string, flying, kiteboarding, parachute
sports|baseball bat=baseball bat|bat|baseball, swing, swinging, batter, hitter, batting, bats, softball
sports|baseball glove=baseball glove|catchers mitt, mitt|glove, gloves, baseball, catcher, mitts
sports|skateboard|skate board, longboard|board, boards, skate, skating, skateboarding, skateboarder, skateboarders, skater, skaters, boarding, trick
sports|surfboard|surf board, boogie board, body board, paddle board|board, boards, surf, surfer, surfers, surfing, boarding, surfs, boogie
sports|tennis racket|tennis racquet, racket, racquet|rackets, racquets, tennis, paddle, badminton
kitchen|bottle|wine bottle, water bottle, beer bottle|wine, beer, drink, drinks, beverage, water, soda, ketchup, condiments
kitchen|wine glass|wineglass, glass of wine|wine, glass, glasses, drink, drinks, champagne, beverage, beverages, toast, wines, goblet
kitchen|cup|mug, coffee cup, coffee mug, teacup, tea cup|glass, glasses, coffee, drink, drinks, tea, beverage, beverages, juice, milk, smoothie, latte
kitchen|fork|salad fork|utensil, utensils, silverware, cutlery, eating, forks, flatware
kitchen|knife|butter knife|cut, cutting, cuts, slicing, utensil, utensils, silverware, cutlery, blade, knives, chopping
kitchen|spoon|ladle, teaspoon, tablespoon|utensil, utensils, silverware, cutlery, scoop, spatula, stirring
kitchen|bowl|soup bowl, salad bowl|soup, dish, dishes, bowls, container, containers, salad, cereal
food|banana|plantain|fruit, fruits, bananas, food, produce, plantains
food|apple|green apple, red apple|fruit, fruits, food, produce, apples
food|sandwich|hamburger, burger, cheeseburger, sub sandwich, sub|bread, toast, lunch, meal, food, bun, wrap, panini, sandwiches, bagel, snack, meat, snacks, breakfast
food|orange=orange|clementine, tangerine, mandarin|fruit, fruits, citrus, oranges, food, produce
food|broccoli|broccoli floret|vegetable, vegetables, veggies, veggie, greens, salad, food, meal, stir, dish, produce, cauliflower, green
food|carrot|baby carrot|vegetable, vegetables, veggies, veggie, food, salad, meal, soup, stew, carrots, dish, produce
food|hot dog|hotdog, frankfurter, chili dog, corn dog|sausage, sausages, bun, food, meal, snack, bratwurst, lunch, hot, dogs, snacks
food|pizza|pizza pie, flatbread|pie, slice, slices, food, meal, pizzas, lunch, dinner, crust
food|donut|doughnut|pastry, pastries, dessert, desserts, bagel, food, sweets, baked, glazed, snack, donuts, bakery, treats
food|cake|cupcake, birthday cake, wedding cake, cheesecake|dessert, desserts, pastry, pastries, frosting, icing, food, sweets, baked, brownie, bakery, treats, candles, birthday, pie, treat, sweet
furniture|chair|armchair, arm chair, stool, lawn chair, recliner, rocking chair, high chair, office chair|seat, seats, seating, furniture, seated, chairs, sitting, patio, room
furniture|couch|sofa, loveseat, love seat|furniture, seat, seats, chair, chairs, sits, living, futon, seating, lounge, sectional, settee, recliner
furniture|potted plant|house plant, houseplant, pot plant, plant in a pot|plant, plants, flower, flowers, pot, pots, potted, bush, tree, vase, vases, garden, greenery, fern
furniture|bed|bunk bed, hospital bed, air mattress, mattress, crib|beds, bedroom, blanket, pillow, pillows, sheet, sheets, sleeping, comforter, bedding, hotel, bunk, quilt, cot
furniture|dining table=table|kitchen table, coffee table, picnic table, table|desk, counter, plate, plates, dinner, dining, meal, restaurant, tables, tablecloth, food
furniture|toilet|toilet bowl, commode|bathroom, restroom, urinal, urinals, toilets, bidet, lavatory, stall
electronic|tv=television|tv, television set, flat screen, flatscreen, tv screen|screen, screens, monitor, monitors, computer, computers, video, game, wii, display, living, nintendo, games, projector, room
electronic|laptop|laptop computer, notebook computer, macbook|computer, computers, desk, monitor, notebook, laptops, electronics, screen
electronic|mouse=computer mouse|computer mouse|computer, computers, desk, laptop, mice, mouse, keyboard
electronic|remote=remote control|remote, wii remote, game controller, wii controller, video game controller, wii mote, controller|wii, controller, controllers, controls, control, video, game, tv, nintendo, television
electronic|keyboard|computer keyboard|computer, computers, laptop, desk, piano, typing, keys, laptops
electronic|cell phone|cellphone, phone, smartphone, smart phone, mobile phone, telephone, iphone, flip phone|phones, cell, texting, mobile, device, photo, selfie, talking, camera, electronics
appliance|microwave|microwave oven|appliance, appliances, oven, kitchen, counter
appliance|oven|stove, stove top, range, cooker|appliance, appliances, kitchen, stovetop, burner, cooking, grill, baking, kitchenette
appliance|toaster|toaster oven|appliance, appliances, kitchen, toast, oven, counter
appliance|sink|wash basin, washbasin|bathroom, kitchen, faucet, restroom, vanity, counter, basin, sinks, kitchenette, washing
appliance|refrigerator|fridge, freezer|appliance, appliances, kitchen, cooler, refrigerators, kitchenette
indoor|book|textbook, paperback|books, reading, bookshelf, bookcase, magazine, magazines, shelf, shelves, library, novel
indoor|clock|alarm clock, grandfather clock, wall clock|time, tower, steeple, watch, hour, clocks
indoor|vase|flower vase|flower, flowers, pot, pottery, vases, jar, bouquet, rose, roses, ceramic, glass
indoor|scissors|pair of scissors, shears|cut, cutting, tool, tools, scissor
indoor|teddy bear|teddy, stuffed bear, toy bear, teddybear|stuffed, toy, toys, bear, bears, doll, dolls, plush, animals
indoor|hair drier=hair dryer|hairdryer, blow dryer, blowdryer, hair drier, hair dryer|dryer, drier, hair, blow
indoor|toothbrush|tooth brush, electric toothbrush|brushing, teeth, brush, brushes, toothpaste, mouth
"""


def _parse_line(line: str) -> Category:
    group, name, synonyms, hints = line.split("|")
    name, _, spoken = name.partition("=")
    spoken = spoken or name
    known = dict.fromkeys([spoken, name, *(word.strip() for word in synonyms.split(","))])
    return Category(
        name=name,
        spoken=spoken,
        plural=plural_of(spoken),
        group=group,
        synonyms=tuple(known),
        hints=tuple(word.strip() for word in hints.split(",")),
    )


CATEGORIES: dict[str, Category] = {
    category.name: category for category in map(_parse_line, _TABLE.strip().splitlines())
}


def find_category(name: str) -> Category:
    """Return COCO's category, or one made up from the name for a source with categories of its own."""
    known = CATEGORIES.get(name)
    return known or Category(name, name, plural_of(name), "other", (name,), ())
