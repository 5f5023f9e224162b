"""Which of a caption's clauses may be told: those each of whose words another caption has too, or a box."""

from collections.abc import Set
from itertools import pairwise

from instructgen.lexicon.words import COLOURS, plural_of
from instructgen.scenegraph.collages import is_collage
from instructgen.scenegraph.corroboration import FEW
from instructgen.scenegraph.graph import SceneGraph, Statement
from instructgen.scenegraph.own_tables import ALWAYS_DONE
from instructgen.scenegraph.plain_words import EMPTY
from instructgen.scenegraph.sharing import share
from instructgen.scenegraph.verbs import VERB_FORMS
from instructgen.scenegraph.vocabulary import AIRLINERS, NOUNS

# What a thing is made of, and its pattern, is seen otherwise by others. Value: the words by which they bear it out.
_MATERIALS = {
    **dict.fromkeys(("wood", "wooden"), frozenset(("wood", "wooden", "hardwood", "oak"))),
    **dict.fromkeys(("metal", "steel", "iron"), frozenset(("metal", "metallic", "steel", "iron", "chrome"))),
    **dict.fromkeys(("stone", "concrete", "cement"), frozenset(("stone", "rock", "concrete", "cement"))),
    **dict.fromkeys(("striped", "plaid", "checkered", "spotted"), frozenset(("stripes", "spots"))),
    **{word: frozenset((word,)) for word in ("brick", "glass", "plastic", "leather", "marble", "cardboard")},
}
_MOST = 3  # captions
# What one viewer calls so and another by one of the other words, which tells something else; a row is a group.
_ONE_THING = (
    ("counter", "table", "shelf", "desk", "sink", "stove", "basket", "bench"),
    ("plate", "bowl", "tray", "pan", "basket", "box", "board"),
    ("cracker", "bread", "toast", "cookie", "cake", "bagel", "muffin", "pastry"),
    ("lemon", "lime", "orange", "apple", "peach", "pear", "mango", "papaya"),
    ("donkey", "mule", "horse", "camel", "pony", "llama"),
    ("goat", "sheep", "cow", "deer"),
    ("tub", "shower", "sink"),
    ("tent", "canopy", "umbrella"),
    ("train", "bus", "trolley"),
    ("kite", "parachute", "parasail", "balloon"),
    ("bucket", "stool", "toilet", "chair", "bench"),
    ("stroller", "cart", "wagon", "luggage", "suitcase"),
)
_RIVALS = {
    word: frozenset(form for row in _ONE_THING if word in row for one in row for form in (one, plural_of(one)))
    - {word, plural_of(word)}
    for row in _ONE_THING
    for word in row
}
# By what somebody stands on it is known who it is: first what is theirs, then what the others have.
_GEAR = {"skier": ("skis", "snowboard"), "snowboarder": ("snowboard", "skis")}
_SCREENS, _SCREENED = frozenset(("screen", "screens")), ("tv", "laptop", "cell phone")
_PLAYING = frozenset(("play", "plays", "playing", "playful", "wrestling"))
_FIGHTING = frozenset(("fight", "fights", "fighting", "battling"))
_AIRBORNE = frozenset(("taking", "takes", "landing", "lands", "ascending", "descending", "flying", "flies", "midair"))
_OLDER = {"boy": frozenset(("man", "guy")), "girl": frozenset(("woman", "lady"))}
_SEVERAL = 2  # captions
_LISTING = frozenset(("with", "and", ",", "containing", "featuring"))


def is_sure_statement(one: Statement, graph: SceneGraph) -> bool:
    """True for what one tells in words each of which another has too, or a box."""
    if graph.sources is None or graph.num_captions < FEW or is_collage(one):
        return True
    if _joins_nouns(one, graph.sources.readings[one.span.caption].tokens):
        return False
    boxed = {word for thing in graph.boxed_entities() for word in (thing.name, thing.word, thing.plural)}
    if is_called_otherwise(one, graph):
        return False
    if not all(_is_material_told(word, graph, one.span.caption) for word in one.text.split()):
        return False
    words = [word for word in one.text.replace(",", " ,").split() if word not in boxed and not _is_posture(word)]
    return share(graph.sources).are_shared(_without_listed(words, one), one.span.caption)


def is_called_otherwise(one: Statement, graph: SceneGraph) -> bool:
    """True where as many captions call one of its things something else, or only its own caption has seen one."""
    if _is_done_otherwise(one, graph) or _is_young_man(one, graph):
        return True
    return any(_is_rivalled(word, graph) for word in one.text.split()) or _has_missed(one, graph)


def _is_done_otherwise(one: Statement, graph: SceneGraph) -> bool:
    """True for a plane on a runway that two have taking off or landing, and for a fight that others call a play."""
    if one.verb == "fight":
        return _count_naming(_PLAYING, graph) >= _count_naming(_FIGHTING, graph)
    is_plane = one.category == "airplane" or not AIRLINERS.isdisjoint(one.text.split())
    is_down = is_plane and one.verb in ("sit", "park", "stand", "rest")
    return is_down and not _AIRBORNE.isdisjoint(graph.words) and _count_naming(_AIRBORNE, graph) >= _SEVERAL


def _is_young_man(one: Statement, graph: SceneGraph) -> bool:
    """True for the boy of one caption who is a man to three others."""
    rivals = _OLDER.get(one.lemma, frozenset[str]())
    own = {one.lemma, plural_of(one.lemma)}
    return bool(rivals) and _count_naming(own, graph) == 1 and _count_naming(rivals, graph, but=own) >= _MOST


def _is_rivalled(word: str, graph: SceneGraph) -> bool:
    """True for a counter that as many other captions call a table, and for crackers that they call bread."""
    noun = NOUNS.get(word)
    if noun is not None and noun.lemma in _GEAR:
        own_gear, other_gear = _GEAR[noun.lemma]
        return other_gear in graph.boxed and own_gear not in graph.boxed
    rivals = _RIVALS.get(noun.lemma) if noun is not None else None
    if noun is None or rivals is None or noun.category in graph.boxed:
        return False
    own = {noun.lemma, plural_of(noun.lemma)}
    return _count_naming(rivals, graph, but=own) >= _count_naming(own, graph)


def _has_missed(one: Statement, graph: SceneGraph) -> bool:
    """True for the bed of "a bed of flowers": no box holds one, and most captions do not name any."""
    words = one.text.replace(",", " ,").split()
    # No dogs of "hot dogs".
    named = {word for pair in pairwise(words) if NOUNS.get(" ".join(pair)) is not None for word in pair}
    return any(_is_missed(word, graph) for word in words if word not in named)


def _is_missed(word: str, graph: SceneGraph) -> bool:
    if word in _SCREENS and graph.boxed.isdisjoint(_SCREENED):
        return True
    noun = NOUNS.get(word)
    if noun is None or not noun.category or noun.category == "person" or word in COLOURS:
        return False
    forms = {noun.lemma, plural_of(noun.lemma)}
    return noun.category not in graph.boxed and _count_naming(forms, graph) < _MOST


def _count_naming(forms: Set[str], graph: SceneGraph, but: Set[str] = frozenset()) -> int:
    """Count the captions that have one of the words, and none of others."""
    return sum(but.isdisjoint(words) and not forms.isdisjoint(words) for words in graph.words_by_caption)


def _is_material_told(word: str, graph: SceneGraph, own: int) -> bool:
    """True for all but a material that no other caption has."""
    forms = _MATERIALS.get(word)
    return forms is None or any(forms & words for number, words in enumerate(graph.words_by_caption) if number != own)


def _without_listed(words: list[str], one: Statement) -> list[str]:
    """Leave out what a thing has beside others: the tomatoes of "a plate with eggs and tomatoes"."""
    if one.kind in ("person", "animal"):
        return words
    kept: list[str] = []
    is_listed = False
    for word in words:
        if not is_listed:
            kept.append(word)
        # Up to the noun: "a", "big" and "tomato" of "with a big tomato".
        is_listed = word in _LISTING or (is_listed and word in EMPTY)
    return kept


def _joins_nouns(one: Statement, tokens: tuple[str, ...]) -> bool:
    """True for two nouns that stand apart in the caption: a leaf tree of "a leaf free tree"."""
    words = one.text.split()
    apart = (
        (word, behind)
        for word, behind in pairwise(words)
        if word in NOUNS and behind in NOUNS and f"{word} {behind}" not in NOUNS
    )
    pairs = set(pairwise(tokens))
    return any((word, behind) not in pairs and {word, behind} <= set(tokens) for word, behind in apart)


def _is_posture(word: str) -> bool:
    verb = VERB_FORMS.get(word)
    return verb is not None and verb.base in ALWAYS_DONE
