"""Noun phrases by the parse: known nouns among words that the rules do not understand, and other nouns."""

from msgspec import structs

from instructgen.lexicon.words import COLOURS, NUMBER_WORDS, plural_of
from instructgen.scenegraph.parsed import Parse, Word, is_slip, words_of
from instructgen.scenegraph.phrases import NounPhrase, read_phrase
from instructgen.scenegraph.reading import CaptionReading, Quality
from instructgen.scenegraph.vocabulary import ADJECTIVES, BOUNDARIES, NOUNS, UNREAL, Noun

# The kind of nouns outside our tables: parts of doings, no things of their own.
NEW = "word"
_KNOWN = frozenset(NOUNS)
_NOUN_TAGS = frozenset({"NN", "NNS"})
_BEFORE = frozenset({"det", "amod", "nummod", "compound", "punct", "cc", "conj", "advmod", "nmod", "quantmod"})
# What several are called together: the noun behind "of" is what is meant.
GROUPS = words_of(
    """
    group bunch couple pair crowd herd flock pack row line variety assortment collection number
    """
)
# Nouns that name a place within a picture, a quantity or a kind: nothing that one can do something to.
_EMPTY = words_of(
    """
    top front side area lot light board court piece living image middle day close back fire display item
    something night standing body stand traffic scene way edge photograph type case stop surface other direction
    time half color kind object distance team control pitch end thing home place one skiing event riding space
    lap bottom eye center stack set part setting spot fly stuff inside design sort serve course up position good
    outside figure system shape fun gathering lane business drive country point arrangement individual section
    formation rest unit language right vintage accent amount focus eating rear character zone circle size
    portion series motion environment bit wear process life open location feature midst speed today text nothing
    interior combination progress content angle class style world cut base plain white red green blue yellow
    brown grey black gray wait lay spread parking boarding sitting air water shirtless look stunt person people
    sky number use ground matter order
    """
)
# Nouns that may be what is done, but are no things of their own, or other words for something boxed.
_NOT_ALONE = words_of(
    """
    head hand foot leg finger neck ear nose mouth arm paw tail shoulder knee face hair trunk tooth beard view
    furniture equipment seat match jump walk shot swing male female step bite sale hole clothing structure run
    show action word stare pose competition work play smile flight pattern nap break attire stance product
    balance message turn curve opening load meeting catch mess story move symbol skill batch cross watch vehicle
    animal device appliance machine creature drink food meal beverage man woman mother father player rider
    worker driver passenger owner customer member youth adult teenager friend family parent employee trick
    opponent audience spectator onlooker conversation selfie portrait collage closeup advertisement flip spill
    ride slide toss fry chip disc disk cub home skate can roll frisbe skiis topping veggie fruit reflection
    shadow silhouette goat gear lap bat racquet racket ball tank pack decor decoration business roadway habitat
    land shop stall slice star horn subway protest festival movie haircut speech injury picnic sparkle breakfast
    circus neighborhood factory rim obstacle numeral referee marine cop clown heart weed tag award grocery
    ingredient pig llama vulture iguana lizard monkey shark seahorse moth frog deer blind wedge accident marsh
    split
    """
)
_ABSTRACT = ("er", "or", "ist", "man", "men", "woman", "ing", "ion", "ness", "ment", "ity", "ance", "ence", "ship")
_FOUND_OUT = frozenset(
    {"fake", "former", "possible", "imaginary", "invisible", "missing", "such", "same", "different"}
)


class PhraseFinder:
    """Finds the phrase of a noun in one caption: the rules' if they have it, else the parse's, else none."""

    def __init__(self, reading: CaptionReading, parse: Parse, boxed: frozenset[str]) -> None:
        self.reading = reading
        self.parse = parse
        self.boxed = boxed
        self._by_token = {at: phrase for phrase in reading.phrases for at in range(phrase.start, phrase.end)}

    def find(self, word: Word) -> NounPhrase | None:
        """Return the phrase that the word is the last of; None where it is not clear."""
        known = self._by_token.get(word.end - 1)
        if known is not None:
            fits = known.end == word.end and not known.is_likeness and not known.is_negated
            return known if fits else None
        named = word.tag == "NNP" and word.text in NOUNS
        if (word.tag not in _NOUN_TAGS and not named) or word.start == word.end or not word.text.isalpha():
            return None
        before = [self.parse.words[at] for at in word.children if at < word.at]
        if any(one.dep not in _BEFORE or one.text in _FOUND_OUT for one in before):
            return None
        first = self._left_edge(word, before)
        if first is None or any(at in self._by_token for at in range(first, word.end)):
            return None
        return self._read_known(word, first) or self._read_new(word, first, before)

    def find_all(self) -> list[NounPhrase]:
        """Return the phrases of known nouns that the rules did not find, and of new ones with "a" before them."""
        found = []
        for word in self.parse.words:
            old = word.dep in ("compound", "nmod", "amod") or word.end - 1 in self._by_token
            phrase = None if old else self.find(word)
            if phrase is not None and phrase not in self.reading.phrases:
                found.append(phrase)
        return found

    def find_qualities(self) -> tuple[Quality, ...]:
        """Return what the rules miss: "the bus on the left is red", "a white pedestal sink"."""
        found = []
        for word in self.parse.words:
            if word.dep == "acomp":
                found += self._read_predicate(word)
            elif word.dep == "amod" and word.start < word.end and not word.children:
                found += self._read_modifier(word)
        return tuple(found)

    def _read_predicate(self, word: Word) -> list[Quality]:
        verb = self.parse.head(word)
        subject = self.parse.child(verb, "nsubj")
        plain = verb.text in ("is", "are") and not word.children and verb.end == word.start
        if not plain or subject is None or self.parse.children(subject, "conj"):
            return []
        phrase = self.find(subject)
        if phrase is None or phrase.end == verb.start:  # the rules read what stands right behind
            return []
        return [Quality(phrase.start, phrase.end, word.text, phrase.start, word.end)]

    def _read_modifier(self, word: Word) -> list[Quality]:
        """Read an adjective that other words part from its noun."""
        noun = self.parse.head(word)
        phrase = self.find(noun)
        if phrase is None or word.end > phrase.start or self.parse.children(noun, "conj") or noun.dep == "conj":
            return []
        between = self.reading.tokens[word.end : phrase.start]
        if any(token in NOUNS or token in UNREAL or token in BOUNDARIES or token in COLOURS for token in between):
            return []
        return [Quality(phrase.start, phrase.end, word.text, word.start, phrase.end)]

    def _left_edge(self, word: Word, before: list[Word]) -> int | None:
        """Return the phrase's first token; None where a word within it hangs elsewhere."""
        first = min((one.start for one in before if one.start < one.end), default=word.start)
        inside = {one.at for one in before} | {word.at}
        for one in self.parse.words:
            if first <= one.start < word.start and one.at not in inside and one.head not in inside:
                return None
        return first

    def _read_known(self, word: Word, first: int) -> NounPhrase | None:
        """Read a noun of our tables, with the longest name that ends here."""
        tokens = self.reading.tokens
        for start in range(first, word.end):
            name = " ".join(tokens[start : word.end])
            if name in NOUNS:
                noun = NOUNS[name]
                if noun is None or (noun.is_plural and word.tag == "NN"):
                    return None
                phrase = read_phrase(tokens, start, word.end, noun)
                return phrase if phrase is None or _is_real(phrase) else None
        return None

    def _read_new(self, word: Word, first: int, before: list[Word]) -> NounPhrase | None:
        compounds = [one for one in before if one.dep == "compound"]
        others = [one for one in before if one.dep != "compound"]
        tokens = self.reading.tokens
        if (
            word.text in NOUNS
            or word.lemma in NOUNS
            or len(compounds) > 1
            or any(one.tag != "NN" or one.children for one in compounds)
        ):
            return None
        if any(one.start > compounds[0].start for one in others if compounds) or _is_vague(word, self.parse):
            return None
        noun = _make_noun(word, compounds, others)
        if noun is None:
            return None
        start = compounds[0].start if compounds else word.start
        phrase = read_phrase(tokens, start, word.end, noun)
        if phrase is None or phrase.start <= first:
            return phrase
        number = next((NUMBER_WORDS.get(one.text) for one in others if one.dep == "nummod"), None)
        has_color = any(token in COLOURS for token in tokens[first : phrase.start])
        return structs.replace(
            phrase,
            start=first,
            number=number if noun.is_plural else 1,
            colours=None if has_color else phrase.colours,
        )


def may_stand_alone(phrase: NounPhrase) -> bool:
    """True for a noun outside our tables that names something one can point at."""
    last = phrase.noun.lemma.split()[-1]
    return phrase.noun.kind == NEW and last not in _NOT_ALONE and not last.endswith(_ABSTRACT)


def _is_real(phrase: NounPhrase) -> bool:
    return not phrase.is_likeness and not phrase.is_negated


def _is_vague(word: Word, parse: Parse) -> bool:
    lemma = word.lemma
    abstract = lemma in _EMPTY or lemma in GROUPS or lemma in ADJECTIVES or len(lemma) < 3 or is_slip(lemma, _KNOWN)
    of = any(one.text == "of" for one in parse.children(word, "prep"))
    return abstract or of or word.text in UNREAL or word.text in COLOURS


def _make_noun(word: Word, compounds: list[Word], others: list[Word]) -> Noun | None:
    """Make a noun of "a kettle", "two kettles", "kettles"; None where it is not clear how it is counted."""
    determiner = next((one.text for one in others if one.dep == "det"), "")
    counted = any(one.dep == "nummod" for one in others)
    lemma = " ".join([*(one.text for one in compounds), word.lemma])
    if not lemma.replace(" ", "").isalpha():
        return None
    if word.tag == "NNS":
        if plural_of(word.lemma) != word.text or determiner not in ("", "some", "several", "many", "the"):
            return None
        return Noun(lemma, NEW, "a", is_plural=True)
    if counted or determiner not in ("a", "an"):
        return None
    return Noun(lemma, NEW, "a", is_plural=False)
