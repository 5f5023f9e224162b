"""The small words by which an answer is read: what bounds a noun phrase, what doubts, denies, counts and colours.

English only. A word that is in none of these tables, nor among the known nouns, is taken for an adjective where
it stands before a noun, and for nothing elsewhere.
"""

from instructgen.lexicon.words import COLOURS, NUMBER_WORDS


def as_words(text: str) -> frozenset[str]:
    """Return the words of a table."""
    return frozenset(text.split())


NUMBERS: dict[str, int] = {
    "zero": 0, **NUMBER_WORDS,
    "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
}  # fmt: skip
# At least two, where no number is told.
AMOUNTS = as_words("several multiple many numerous various few both dozen dozens countless")
SINGLE = as_words("single lone solitary sole")
ONLY = as_words("only just exactly precisely")

DETERMINERS = as_words("a an the this that these those his her its their our your my some any each every another no")
DEFINITE = as_words("the this that these those his her its their both")
PREPOSITIONS = as_words("""
    of in on at by with from into onto to for near behind beside besides between among above below under over around
    through across along against towards toward inside outside off up down beneath underneath atop upon about without
    within past next during after before like as than per via amid amidst alongside opposite beyond despite except
    including
    """)
CONJUNCTIONS = as_words("""
    and or but nor yet so while because although though if when where whereas since unless which who whom whose that
    """)
AUXILIARIES = as_words("""
    is are was were be been being am has have had having do does did can could may might must shall should will would
    isn't aren't wasn't weren't doesn't don't didn't can't cannot couldn't won't wouldn't hasn't haven't there's it's
    that's
    """)
PRONOUNS = as_words("""
    i you he she it we they me him us them himself herself itself themselves someone somebody something anything
    nothing everyone everything there here what how why whose others one's who's they're he's she's
    """)
ADVERBS = as_words("""
    not also very quite rather too just only even still already often usually sometimes always never perhaps possibly
    probably likely maybe together apart away nearby here there now then slightly somewhat partially mostly mainly
    clearly prominently currently actively closely directly neatly slowly carefully peacefully happily comfortably
    seemingly apparently alone again anywhere everywhere somewhere nowhere outdoors indoors overhead ahead later twice
    once today tonight altogether total else aside instead halfway midair upright upside sideways forward backward
    backwards forwards downhill uphill downstairs upstairs either neither visible present seen located positioned
    situated parked placed shown pictured featured displayed available ready able relative compared
    """)
# Verbs that captions and answers use with things; their -ing forms are known by the ending.
VERBS = as_words("""
    sits stands lies lays rests walks runs rides drives flies plays holds looks stares eats grazes hangs waits moves
    travels goes sit stand lie lay rest walk run ride drive fly play hold look stare eat graze hang wait move travel
    go shows show features feature contains contain includes include depicts depict displays display captures capture
    has have wears wear carries carry watches watch uses use makes make takes take gives give gets get poses pose
    leans lean jumps jump swings swing throws throw catches catch hits hit cuts cut pulls pull pushes push sleeps
    sleep drinks drink reads read talks talk enjoys enjoy appears appear seems seem consists consist surrounds
    surround fills fill covers cover occupies occupy adds add sat stood ran rode drove flew held wore ate hung went
    made took gave got filled surrounded covered decorated topped attached tied dressed equipped lined taken laid set
    left used seen crosses cross passes pass approaches approach performs perform serves serve lead leads feeds feed
    reaches reach perches perch slept swam fell bent lit grew drew threw began saw swung spun prepares prepare
    suggests suggest indicates indicate creates create provides provide
    """)
STOPS = PREPOSITIONS | CONJUNCTIONS | AUXILIARIES | PRONOUNS | ADVERBS | VERBS

MODALS = as_words("could may might would should must will shall might've would've")
DOUBTS = as_words("""
    possibly perhaps maybe probably potentially presumably likely hypothetically imagine suppose if unless whether
    unclear uncertain unsure potential either suggesting suggests implying implies
    """)
HABITS = as_words("""
    often usually typically generally commonly sometimes frequently always tend tends normally naturally known
    considered essential important crucial necessary
    """)
# A thing after one of these is not said to be there.
UNREAL_BEFORE = (
    "instead of", "rather than", "as if", "similar to", "reminiscent of", "shaped like", "looks like", "look like",
    "looking like", "resembling", "resembles", "resemble", "shape of", "mistaken for", "associated with", "unlike",
    "made for", "designed for", "intended for", "used for", "suitable for", "ideal for", "perfect for", "meant for",
    "such as", "painting of", "drawing of", "poster of", "statue of", "sculpture of", "logo of", "instance of",
    "waiting for", "looking for", "searching for", "search of", "away from a", "out of a", "compared to", "than a",
    "than an", "dressed as", "dressed up as", "costume of", "illusion of", "made from", "on their way to",
    "heading to", "on the way to", "name of", "word", "letters", "print of", "pattern of", " like",
)  # fmt: skip
# What is so is not the thing itself, whatever it is; what is made of these may be.
UNREAL_ADJECTIVES = as_words("toy stuffed fake inflatable plush miniature model cartoon lego origami gingerbread")
UNREAL_MATERIALS = as_words("plastic ceramic painted carved paper wooden metal stone bronze rubber chocolate")
SHAPED = as_words("""
    shaped themed like style styled patterned print printed drawn shape logo sticker figurine figurines statue statues
    sculpture sculptures toy toys emoji costume decoration mural decal painting drawing
    """)

PICTURE_NOUNS = as_words("""
    image picture photo photograph scene frame shot view snapshot photography pic foreground background setting
    composition
    """)

_EXTRA_COLOURS = {
    "blond": "gold", "blonde": "gold", "cream": "beige", "navy": "blue", "violet": "purple", "lavender": "purple",
    "magenta": "pink", "burgundy": "red", "crimson": "red", "scarlet": "red", "bronze": "brown", "khaki": "tan",
    "aqua": "turquoise", "cyan": "turquoise", "golden": "gold", "peach": "orange", "rust": "orange", "lime": "green",
    "olive": "green", "ivory": "white", "charcoal": "black", "reddish": "red", "greenish": "green", "bluish": "blue",
    "yellowish": "yellow", "brownish": "brown", "silvery": "silver", "grayish": "gray", "greyish": "gray",
    "whitish": "white", "chestnut": "brown", "indigo": "purple",
}  # fmt: skip
ALL_COLOURS: dict[str, str] = {**COLOURS, **_EXTRA_COLOURS}
# Colours that two people may give to one thing.
NEAR_COLOURS = (
    {"gray", "silver"}, {"brown", "tan", "beige"}, {"brown", "gold"}, {"gold", "yellow"}, {"gold", "tan", "beige"},
    {"teal", "turquoise", "green"}, {"teal", "turquoise", "blue"}, {"maroon", "red"}, {"maroon", "brown"},
)  # fmt: skip
SHADES = as_words("""
    dark light bright pale deep vivid vibrant dull soft faded rich solid all mostly mainly primarily predominantly
    partly entirely
    """)


def number_of(word: str) -> int | None:
    """Return what a number word or one or two digits count."""
    if word.isdigit():
        return int(word) if len(word) < 3 else None
    return NUMBERS.get(word)


def is_number(word: str) -> bool:
    """Return whether a word counts: "two", "several", "single", "12"."""
    return word in NUMBERS or word in AMOUNTS or word in SINGLE or (word.isdigit() and len(word) < 4)
