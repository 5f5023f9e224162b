"""Words that no other table has, by which it is judged whether a caption may be told whole."""

from instructgen.lexicon.words import COLOURS, NUMBER_WORDS
from instructgen.scenegraph.vocabulary import ADJECTIVES, BOUNDARIES, DETERMINERS, NOUNS, PREPOSITIONS


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Spelled as they should be: no misspelled word is told.
PLAIN_WORDS = _words("""
accessories action bunch number pile very view side line variety scene pieces lots piles row rows all adjacent
advertisement advertising airborne aged airline alone appliances arched arms arrangement arrow artwork
assortment attached audience avenue bacon baggage baking balancing bamboo barbed barrier base bay beak bedding
bedspread beef beer beers bell belly beverage beverages bins bleachers bookshelves breakfast briefcase broth
brick bricked buffet built bunny button buttons cabinetry canal cargo carpet carpeted carved cast catching
checkered chest chips chopped chopsticks circle circular cityscape classic clay closet closeup clothes
clothing coast coin collection colors commuter competition computers concrete condiments console containing
contents cords corral country crate crossing crowded curled curve customers cutting daytime decorations decor
deer den desserts design designs device devices dining direction directions dishwasher displayed displaying
dispenser distance district docked dolls downhill downtown dressed drawing driveway dugout dusk edge edges
electronics empty enclosed enclosure engine entrance equipment evening exhibit expanse eyes face
facing factory falling farmer fashion feathers feet fence fenced field fighter figures figurines filled
fingers flight floors flowered flowers foggy foil foliage food foot foreign forest formation framed freeway
friends frosted fruit fruits frying furniture gas gated gathered gathering garnish glazed goat goats goods
grapes grass grassy gravy graffiti greenery grill grinding grocery group guests hair hall halves hand hands
handle hanging hangs head healthy heels herbs herd hood horseback hug illuminated image industrial ingredients
interior item items jacket jump jungle junk ketchup kitten knees landscape lap large layer layered leash leg
legged legs lettuce lighted lighting lined liquid lit livestock loaded local lounge luggage machine machines
macaroni magazines males marina markers materials meats medium metal middle mini mixed moon moored motion
mountain mountainous mountains mounted mouth multicolored multiple mural music mustard neighborhood neon net
nose nuts numerals objects obstacle obstacles oil olives opposing oranges outdoors outdoor outfield outfits
overcast overhead overpass packed paddock paint painted paper parachute part passengers patches path pathway
paws pedestal peas pepperoni performing pillows pine plated played plaza port posed posing pot pottery
powdered produce propped puddle quilt racers raised raw ready rear red reflecting reflection roadside roadway
rocks rocky rolling roller runner rustic rusted sauce savannah scenic screens sea seat seated seating sign
section selfie shade shadow shelving shiny shirt shorts shoulder shoulders shrubbery shrubs sides sidewalk
silverware skillet skyline slanted slope snack snowy socks soup spectators spinach spoon sprinkles stacked
stadium stage stairway stairs stall standing statues steak steam steps stick sticks stocked storage storm
strawberries stripes structure stuff stunt stunts suite sugar sunglasses sunny supplies surface surrounded
suspended system tables tail team teams teeth terminal terrain themed tile tiled tin toast toasted together
tools topped topping toppings tournament toward towels towering traffic train trained transit trees tropical
trunk trunks tulips tunnel tusks twin uniform uniforms utensils valley vanity vegetables veggies vegetation
vehicle vehicles village vines walls warehouse washer waterfront watering waterway waves weeds
wheeled wildlife wilderness windowsill windy wine winter wiping wool workstation worn wrapped wooden adjusting
arriving ascending attending blowing boarding bending carving chasing checking chewing climbing coming
competing covering crouching cuddling dancing descending diving docking dragging drying enjoying entering
examining exiting extending feeding fixing floating flipping folding giving grabbing grooming growing having
helping hiding hugging interacting kissing kneeling landing leaning leaving licking lifting listening loading
lounging lunging making nursing observing opening peeking peeling petting picking pitching pointing practicing
pulling pushing racing reaching reading relaxing resting returning rubbing serving sharing shaking showing
sailing singing skating sliding smelling sniffing soaring speeding spraying squatting staring stretching
strolling sticking swimming taking tossing touching towing traveling trotting turning unloading waiting
walking washing waving working wrapping writing
served broken fallen posted stuck bent held piled connected folded positioned located draped chained strewn hung
landed cleaned home style art doll ham smoke greens leafy neatly peeled beard patch spot rainbow steeple
castle cathedral historic habitat tiles soap oval berries shredded granite parsley garlic celery cauliflower
pickles sushi burrito shrimp stew sled tripod netting evergreen cluster marsh foam planter planters dashboard
chalkboard blackboard tablecloth lighthouse dumpster banner stable trough yogurt loaf cinnamon honey cereal diced
dip pork wedge wedges toothpaste kettle llama monkey antelope longhorn parents owner clown photographer referee
bartender lifeguard class sticker stickers pattern printed marked spacious cramped massive elaborate cozy shady
dimly brightly freshly abandoned unmade unfinished flooded tilted shaded soaked crafts machinery utility tube
cupboards sport individual surrounding roman heart fur eye center bottom pitch products cafeteria diner
restroom milkshake patties banners extended numerous splash spray
""")
# What only seems so, is meant, or is not, or says nothing out of its caption.
DOUBTFUL = _words("""
nintendo lego buddha chinese english victorian asian american london sized
about ready getting gets seems seem appears appear appearing looks like trying tries attempting attempts
attempt preparing prepares prepare prepared waiting waits pretending not no without fake maybe possibly
probably what something someone somebody something's almost as if his/her be being been will can could would
going goes set sets supposed kind sort type way i you we my your our them they he she picture photo photograph
image view shot closeup scene reflection shadow caption this these those there here left right another others
one each both made shape shaped painted half part front while
""")
# Participles that follow "is" and tell how something is.
STATES = _words("""
seated dressed covered filled topped surrounded parked lined stacked perched placed curled attached tied
strapped mounted decorated located positioned gathered displayed arranged piled loaded wrapped propped docked
equipped packed crowded stuffed laid spread served hung lit built stopped hooked chained moored anchored
fenced stocked plugged wedged suspended tucked draped sprinkled drizzled garnished folded
""")
# Of these only those that somebody living is in.
OF_LIVING = _words("""
seated dressed perched curled
""")
# What ends a noun phrase and is no thing of its own.
NO_HEADS = _words("""
fish way lot lots thing things area areas it variety side sides top back end part male female pose mid upside
persons day time kinds types
""")
# What is told without an article.
BARE = _words("""
food grass snow water sand dirt graffiti luggage equipment furniture traffic sauce mustard ketchup lettuce
bacon spinach cheese bread meat fruit display ice foam foliage vegetation greenery silverware storage parsley
gravy toast hair fire smoke
""")
# What stands before or behind one of these may be in a picture, or a likeness.
IN_PICTURES = _words("""
screen screens tv television televisions monitor monitors mirror mirrors wallpaper poster posters picture pictures
photo photos photograph image painting paintings painted drawing drawn mural printed print reflection reflected
reflecting shadow shape shaped toy toys stuffed plush doll dolls statue statues figurine figurines figure figures
sculpture model fake plastic lego paper cardboard made like cartoon billboard advertisement ad magazine
""")
# Words that tell nothing by themselves.
EMPTY = frozenset((*BOUNDARIES, *DETERMINERS, *(ADJECTIVES - NOUNS.keys()), *COLOURS, *NUMBER_WORDS, *DOUBTFUL)) | {
    word for words in PREPOSITIONS for word in words.split()
}
# Kinds of nouns that may do something themselves.
DOING = frozenset(("person", "animal", "vehicle", "toy"))
