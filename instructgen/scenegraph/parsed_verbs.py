"""Verbs of a parse: those of our table, and others made from the parse's lemma and form."""

import re

from msgspec import structs

from instructgen.scenegraph.parsed import Parse, Word, lacks_letter, words_of
from instructgen.scenegraph.verbs import BASE_FORMS, VERB_FORMS, Verb

# Where anything may be done that is done in a place.
WHERE = frozenset(
    (
        *("on", "in", "at", "near", "by", "beside", "behind", "under", "through", "across", "along", "down", "over"),
        *("above", "inside", "into", "around", "past", "against", "next to", "in front of", "on top of", "onto"),
        *("toward", "out of", "outside", "in the middle of", "among"),
    )
)
# What these say is not seen, is not going on, or depends on more than one noun behind them.
_LEFT_OUT = words_of(
    """
    be have get try attempt want need seem appear look show feature contain include see say read let help learn
    teach practice begin start finish continue keep miss offer compete star live bear own like love know belong
    consist make-believe pretend plan wish hope think decide cause become remain stay give put set place depict
    picture display view oppose control power mean use-to stuff face overlook line fence shape tile light color
    title name call fill top cover frost ice glaze oven bicycle train suit shin tower round state match board
    crash fall come leave stick advertise await experience demonstrate type head land strip rail spam deck
    shelve forest woode broccoli bound share celebrate discuss represent indicate resemble involve end engage
    accompany surround join separate provide allow enable create produce form cast reflect point mark measure
    skateboarde snowboarde wait prepare laugh going getting age war rid purse blue hole can possess package
    consider choose bent explain negotiate steam commune visit sunny multicolore opposite enclose lock total
    equal
    """
)
# These take no object: where the parse gives them one it is wrong.
_NO_OBJECT = words_of(
    """
    sit stand lie lay rest sleep lean kneel perch graze swim smile pose look wait go talk skateboard snowboard
    surf ski float travel roam relax bathe wade hang seat gather dock park crouch squat bend run jump skate walk
    move lounge peek stare gaze peer speak listen
    """
)
_OBJECTS_OF = {
    "walk": frozenset({"dog", "horse", "cow", "elephant", "bicycle", "motorcycle", "sheep", "bike", "goat"})
}
_PARTICLES = frozenset({"up", "out", "off"})
# Participles that tell how a thing lies somewhere, and the prepositions that go with them.
_STATES = {
    "tie": "to",
    "chain": "to",
    "strap": "to",
    "post": "on",
    "prop": "against, on",
    "pile": "on, in",
    "wrap": "in",
    "lay": "on",
    "store": "in, on",
    "scatter": "on",
    "load": "on, in, with",
    "suspend": "from",
    "serve": "on, in",
    "spread": "on",
    "hook": "to",
    "paint": "on",
    "carve": "into",
    "stick": "in, on",
}
_DOUBLED = re.compile(r"^(?:[b-df-hj-np-tv-z]+|qu)?[aeiou][bdgklmnprt]$")
_KNOWN = frozenset(VERB_FORMS)
_GROUPS = frozenset("pav")
_OF_THINGS = frozenset({"grow", "burn", "hang", "glow"})


def read_verb(word: Word, parse: Parse) -> Verb | None:
    """Return the verb of a form that tells what goes on now; None for all others."""
    if word.tag == "VBN":
        return _read_state(word)
    if word.tag not in ("VBG", "VBZ", "VBP") or word.lemma in _LEFT_OUT or not word.text.isalpha():
        return None
    known = VERB_FORMS.get(word.text) or BASE_FORMS.get(word.text)
    known = structs.replace(known, groups=_widen(known)) if known and known.ing.endswith("ing") else None
    particle = parse.child(word, "prt")
    if particle is None:
        return known or _make(word, "")
    if known is not None and known.base in _NO_OBJECT:
        return known  # "sitting down" is sitting
    if particle.text not in _PARTICLES or (word.lemma == "take" and parse.children(word, "dobj")):
        return None
    return _make(word, particle.text, known.base if known is not None else "")


def _widen(verb: Verb) -> frozenset[str]:
    """Return the groups of subjects where the parse says whose verb it is: animals do most of what people do."""
    return verb.groups | frozenset("a" if "p" in verb.groups else "")


def may_do(verb: Verb, thing: str) -> bool:
    """True unless the verb takes no object, or not this one."""
    return thing in _OBJECTS_OF[verb.base] if verb.base in _OBJECTS_OF else verb.base not in _NO_OBJECT


def active(word: Word) -> Verb | None:
    """Return the verb of a passive's agent: "flown" is what one does who is flying it."""
    known = BASE_FORMS.get(word.lemma)
    if word.lemma in _LEFT_OUT or word.lemma in ("take", "make", "paint", "draw", "write", "design", "photograph"):
        return None
    return known if known is not None and known.ing.endswith("ing") else _make(word, "")


def make_ing(base: str) -> str:
    """Return the "-ing" form of a verb."""
    if base.endswith("ie"):
        return f"{base[:-2]}ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")):
        return f"{base[:-1]}ing"
    return f"{base}{base[-1]}ing" if _DOUBLED.match(base) else f"{base}ing"


def _make(word: Word, particle: str, base: str = "") -> Verb | None:
    base = base or word.lemma
    ing = word.text if word.tag == "VBG" else make_ing(base)
    if not ing.endswith("ing") or len(base) < 3 or base.endswith("ing") or lacks_letter(ing, _KNOWN):
        return None
    return Verb(
        base=f"{base} {particle}".strip(),
        ing=f"{ing} {particle}".strip(),
        third="",
        takes_object=True,
        may_stand_alone=True,
        prepositions=WHERE,
        groups=_GROUPS | frozenset("t" if base in _OF_THINGS else ""),
    )


def _read_state(word: Word) -> Verb | None:
    known = VERB_FORMS.get(word.text)
    if known is not None and not known.ing.endswith("ing"):
        return known
    prepositions = _STATES.get(word.lemma)
    if prepositions is None:
        return None
    return Verb(
        base=word.lemma,
        ing=word.text,
        third="",
        takes_object=False,
        may_stand_alone=False,
        prepositions=frozenset(prepositions.split(", ")),
        groups=frozenset("pavt") if word.lemma in ("tie", "chain", "wrap") else frozenset("vt"),
    )
