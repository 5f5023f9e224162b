"""Names as captions write them: "a Honda motorcycle", though captions are read in lower case."""

import re
from collections.abc import Callable
from functools import lru_cache

from instructgen.scenegraph.whole import KNOWN_WORDS

_WORD = re.compile(r"[A-Za-z]+")
_FEWEST_LETTERS = 2


@lru_cache(maxsize=64)
def find_names(captions: tuple[str, ...]) -> Callable[[str], str]:
    """Return what writes a text's words with the capitals that captions give them within a sentence.

    A word that a caption has in lower case too, or that is known as a common one, is no name; nor are the words of a
    caption that is mostly written in capitals.
    """
    written: dict[str, str] = {}
    plain: set[str] = set()
    for caption in captions:
        words = _WORD.findall(caption)
        capital = [word for word in words[1:] if not word.islower()]
        plain |= {word for word in words if word.islower()}
        if 2 * len(capital) < len(words):
            written |= {word.lower(): word for word in capital if len(word) >= _FEWEST_LETTERS}
    names = {word: name for word, name in written.items() if word not in plain and word not in KNOWN_WORDS}
    if not names:
        return str
    found = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names)))})\b")
    return lambda text: found.sub(lambda match: names[match[0]], text)
