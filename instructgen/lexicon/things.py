"""Concrete things that COCO does not box, each with the other words that name it.

A thing that an answer names and no caption does is not borne out by anything (docs/grounding.md). The table is a
list of what photographs of everyday life show; the first word of a group stands for all of it.
"""

# ruff: noqa: E501 - a row of the table is a line

from instructgen.lexicon.words import plural_of

# Groups are parted by commas, words of a group by slashes.
_TABLE = """
shirt/t shirt/tshirt/tee shirt/top/blouse/jersey/polo shirt/tank top, jacket/coat/parka/blazer, sweater/sweatshirt/hoodie/jumper/cardigan, pants/trousers/jeans/slacks/leggings, shorts/trunks, skirt, dress/gown, suit/tuxedo, vest/waistcoat, hat/cap/beanie/fedora/visor, helmet/hard hat, scarf/bandana, glove, shoe/sneaker/boot/sandal/heel/flip flop, sock/stocking, glasses/eyeglasses/spectacles, sunglasses/shades, goggles, necklace/bracelet/earring/jewelry, wristwatch, belt, uniform/outfit, apron, robe, wetsuit/wet suit, swimsuit/bathing suit/bikini/swim trunks, costume, mask, wig, crown/tiara, veil, pajamas, headphones/earphones/headset, bow, badge/name tag, wristband/sweatband
building/skyscraper/high rise, house/home/cottage/cabin, church/cathedral/chapel/temple, tower/steeple, bridge/overpass, barn/stable/shed, castle, garage, hotel, hospital, school, store/shop, restaurant/cafe/diner, office, kitchen, bathroom/restroom, bedroom, living room, dining room, hallway/corridor, lobby, classroom, library, museum, stadium/arena, gym, warehouse, factory, station, airport, playground, zoo, porch/patio/deck, balcony/terrace, roof/rooftop, chimney, staircase/stairs/stairway/steps, fireplace/hearth, garden, yard/backyard/lawn, fence/railing, gate, wall, window, door/doorway, ceiling, floor, column/pillar, arch/archway, awning/canopy, ramp, elevator/escalator, tent, fountain, statue/sculpture/monument, swimming pool, pool
street/road/roadway/avenue/highway, sidewalk/pavement, crosswalk, curb, alley, parking lot/parking garage, driveway, intersection, track/railroad/rail/railway, platform, runway/tarmac, tunnel, pole/post/lamppost, street light/streetlight/lamp post/street lamp, sign/street sign/signboard, billboard, traffic cone/cone, barrier/barricade, dumpster/trash can/garbage can/trash bin/recycling bin/garbage bin, mailbox, phone booth, power line/wire/cable, bike rack, flag/banner, graffiti, mural
mountain/hill/hillside, beach/shore/shoreline/coast, ocean/sea, lake, river/stream/creek, pond, wave, sand, snow, ice, grass, field/meadow/pasture, forest/wood/jungle, tree, bush/shrub/hedge, flower/blossom/rose/tulip/daisy/sunflower, leaf, branch/twig, log/stump, rock/boulder/stone, cliff, desert, island, cloud, sky, sun/sunset/sunrise, moon, rainbow, rain, fog/mist, puddle, mud, dirt, waterfall, cactus, palm tree, vine, hay/straw, fire/flame, smoke, pier/dock/jetty, lighthouse, trail/path/pathway, court/tennis court, ski lift/chairlift, slope, dugout, mound, goal, net, hoop
lamp/chandelier, light bulb/bulb, candle/candlestick, curtain/drape/blind/shade, rug/carpet/mat, pillow/cushion, blanket/quilt/comforter/bedspread/duvet, sheet/bedding, mirror, picture frame, painting/artwork/print, poster, shelf/bookshelf/bookcase/bookshelves, cabinet/cupboard, drawer/dresser/chest, wardrobe/closet, desk, nightstand/night stand, counter/countertop, stool/ottoman/footstool, fan/ceiling fan, heater/radiator, air conditioner, piano, guitar/violin/drum, fish tank/aquarium, fish, rocking horse, crib, bathtub/tub/bath, shower, shower curtain, faucet/tap, towel, soap, toilet paper, toilet brush, seat, hut, equipment/gear, crossing,  plunger, medicine cabinet, urinal, bidet, trash, broom/mop, bucket/pail, basket, box/carton/crate, bag/sack/tote, jar, can, tray, plate/platter/saucer, dish, pan/skillet, pot, kettle/teapot, pitcher, blender/mixer, coffee maker, dishwasher, washing machine/washer/dryer, stove, spatula, tongs/whisk, cutting board, napkin/paper towel, tablecloth/placemat, straw, toothpick, chopsticks, lid, rolling pin, colander, apron
food/meal, bread/loaf/toast/bun/roll, cheese, meat/steak/beef/pork/ham/bacon/sausage, egg/omelet, rice, pasta/noodle/spaghetti, soup/stew, salad/lettuce, tomato, potato/french fry/fries/chips, onion, pepper, mushroom, cucumber/pickle, corn, bean, pea, cabbage, spinach, cauliflower, garlic, lemon/lime, strawberry/berry/blueberry/raspberry, grape, pear, peach, pineapple, watermelon/melon, mango, kiwi, cherry, avocado, olive, nut/peanut/almond, cookie/biscuit, pie, muffin, pancake/waffle, pastry/croissant, bagel, ice cream, chocolate, candy, cereal, yogurt, butter, jam, honey, syrup, sauce/ketchup/mustard/dressing, icing/frosting, sprinkles, fruit, vegetable, coffee, tea, milk, juice, beer, wine, soda, water, cocktail, shrimp/lobster/crab, seafood, taco/burrito, fried chicken, snack, dessert
computer/desktop computer, monitor/computer monitor/computer screen, printer, speaker, camera, tripod, video game/game console/console, radio/stereo, headphone, tablet/ipad, charger/cord, lamp shade, telephone booth, calculator, stapler, pen/marker/crayon, pencil, notebook/notepad, paper/document, newspaper/magazine, card/postcard, envelope, map, calendar, whiteboard/chalkboard/blackboard, globe, tape, ruler, folder/binder, microphone, projector, wallet, key, coin/money
wagon/cart/trolley, stroller/carriage/baby carriage, wheelchair, scooter, tractor, trailer, van, helicopter, rowing boat, paddle/oar, sail, anchor, life jacket/life vest, rope, chain, ladder, hammer/wrench/drill/saw/tool, shovel/rake, hose, wheelbarrow, tire/wheel, windshield, license plate, saddle, bridle, leash/collar, cage, feeder, nest, tank, parachute, hot air balloon, balloon, toy, doll, ball pit, puzzle/board game, dice/playing card, trophy/medal, ski pole, snowmobile, sled, scoreboard, bleachers, bat rack, base, football helmet, golf club, hockey stick, dart board, pool table, ping pong table, swing/slide/seesaw, fishing rod, cigarette/pipe/cigar, gift/present, bouquet, wreath, christmas tree, ornament, confetti, crane, scaffold/scaffolding, construction site, brick, lumber, pile
squirrel, rabbit/bunny, deer/elk/moose/antelope, goat, pig, monkey/ape/gorilla, lion/tiger/leopard/cheetah, wolf/fox, camel, kangaroo, koala, raccoon, mouse trap, rat/hamster, snake/lizard, turtle, frog, butterfly, bee, spider, dolphin, whale, shark, seal, octopus, alligator/crocodile, rhino/rhinoceros, hippo/hippopotamus, insect, ostrich egg, dinosaur, dragon, robot, skeleton, pumpkin, snowman
"""
# Words of the table that also name a quality, a verb or the picture's own parts: said of everything, they prove
# nothing.
_VAGUE = frozenset(
    {"top", "shade", "print", "base", "can", "present", "water", "light", "pile", "tank", "stone", "wood"}
)
_EXTRA_PLURALS = {"leaf": "leaves", "loaf": "loaves", "shelf": "shelves", "scarf": "scarves", "branch": "branches"}


def _make_things() -> dict[str, tuple[str, bool]]:
    things: dict[str, tuple[str, bool]] = {}
    for line in _TABLE.strip().splitlines():
        for group in line.split(","):
            words = [word.strip() for word in group.split("/")]
            for word in words:
                if word in _VAGUE:
                    continue
                things.setdefault(word, (words[0], word.endswith("s") and not word.endswith("ss")))
                things.setdefault(_EXTRA_PLURALS.get(word) or plural_of(word), (words[0], True))
    return things


# Key: singular or plural, words parted by one space; value: (the word that stands for its group, is plural).
THINGS = _make_things()
