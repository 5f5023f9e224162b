"""A caption's dependency parse in plain values, tied to our own tokens, and which parses are clear enough to use."""

from functools import cache

from msgspec import Struct

from instructgen.scenegraph.vocabulary import LIKENESS


def words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MAX_WORDS = 40
# Words after which a caption may tell what is not there, not yet, or not real.
_DOUBTFUL = words_of(
    """
    ? or no not without never nothing none neither nor like if maybe perhaps possibly probably apparently
    supposedly would could should might may will imaginary pretend pretending fake tattoo television screen doll
    replica about ready pretends shadow silhouette magnet puppet mannequin mannequins
    """
)
# Of the words for likenesses these are mostly said of what is real: "a stop sign", "an image of a man".
_REAL = frozenset({"sign", "image", "dressed", "painted", "costume", "model", "shaped", "graffiti"})
_ROOTS = frozenset({"NN", "NNS", "VBG", "VBZ", "VBP", "VBN"})


class Word(Struct, frozen=True):
    """A word of the parse. `start` and `end` are token indexes; both are the same where no token is its own.

    `tag` and `dep` are Penn Treebank's and ClearNLP's labels; `head` and `children` are numbers of words.
    """

    at: int
    text: str
    lemma: str
    tag: str
    dep: str
    head: int
    children: tuple[int, ...]
    start: int
    end: int


class Parse(Struct, frozen=True):
    """The words of one caption and the numbers of those that start a sentence."""

    words: tuple[Word, ...]
    starts: tuple[int, ...]

    def children(self, word: Word, *deps: str) -> list[Word]:
        return [self.words[at] for at in word.children if self.words[at].dep in deps]

    def child(self, word: Word, *deps: str) -> Word | None:
        """Return the only child of these kinds; None where there is none, or several."""
        found = self.children(word, *deps)
        return found[0] if len(found) == 1 else None

    def head(self, word: Word) -> Word:
        return self.words[word.head]


def is_clear(parse: Parse) -> bool:
    """True for a caption of whole sentences or noun phrases that says plainly what is there."""
    words = parse.words
    if not 3 <= len(words) <= _MAX_WORDS:
        return False
    said = {word.text for word in words} | {word.lemma for word in words}
    if said & _DOUBTFUL or said & (LIKENESS - _REAL):
        return False
    if any(word.tag in ("MD", "FW", "UH") or word.dep in ("neg", "dep", "intj") for word in words):
        return False
    roots = [word for word in words if word.head == word.at]
    if any(word.tag not in _ROOTS for word in roots):
        return False
    return all(at == 0 or words[at - 1].text in (".", "!", ";") for at in parse.starts)


def is_slip(word: str, known: frozenset[str]) -> bool:
    """True for a word that is a known one but for a letter too many or too few: "frisbe", "hate" for "hat"."""
    return lacks_letter(word, known) or (len(word) > 3 and word not in known and not known.isdisjoint(_shorten(word)))


def lacks_letter(word: str, known: frozenset[str]) -> bool:
    """True for a word that is a known one but for a letter left out: "waring"."""
    return len(word) > 3 and word not in known and word in _one_short(known)


@cache
def _one_short(known: frozenset[str]) -> frozenset[str]:
    return frozenset(short for word in known if " " not in word and len(word) > 4 for short in _shorten(word))


def _shorten(word: str) -> set[str]:
    return {word[:at] + word[at + 1 :] for at in range(len(word))}
