"""The forms of claims in finished English, each with the check that proves it."""

# ruff: noqa: E501 - a pattern is a line

import re
from collections.abc import Callable, Iterator

from tests.provers import checks
from tests.provers.clauses import ACT, ANYWHERE, COLOR, NUMBER, PICTURE, REGION, THING
from tests.provers.evidence import Evidence, category_of, is_many

Check = Callable[[Evidence, re.Match[str]], Iterator[str]]


def _things(listed: str) -> list[str]:
    """Return the nouns of a list, each with its article."""
    return [part.strip() for part in re.split(r", | and ", listed) if part.strip()]


def strip_article(thing: str) -> tuple[str, bool]:
    """Strip the article; the second is true where the thing is said to be one."""
    bare = re.sub(r"^(?:an?|the|any) ", "", thing.strip())
    pair = bare.startswith("pair of ")
    return bare.removeprefix("pair of "), bool(re.match(r"an? ", thing)) or pair


def _exist(evidence: Evidence, listed: str) -> Iterator[str]:
    """Check a list of things, of which the first may be a number of things, and the last may have a place."""
    for thing in _things(listed):
        counted = re.fullmatch(rf"({NUMBER}) ({THING})", thing)
        if counted:
            yield checks.check_count(evidence, counted[2], checks.number_of(counted[1]))
            continue
        noun, is_one = strip_article(thing)
        yield checks.check_exists(evidence, noun, many=False if is_one or not is_many(noun) else None)


def _exist_or_do(evidence: Evidence, text: str) -> Iterator[str]:
    """Check "a dog", "a dog and cats", "a dog running on a beach" or "a dog in a kitchen"."""
    region = re.fullmatch(rf"({THING}) ({REGION})", text)
    if region:
        noun, _ = strip_article(region[1])
        yield checks.check_exists(evidence, noun, many=False)
        yield checks.check_region(evidence, noun, region[2])
        return
    acting = re.fullmatch(rf"((?:(?:an?|the|{NUMBER}) )?{THING}) (?:(?:is|are) )?({ACT}(?: .*)?)", text)
    if acting and _is_named(acting[1]):
        yield from _act(evidence, acting[1], acting[2])
        return
    placed = re.fullmatch(rf"(.+?) ((?:in|on|at|by) (?:an?|the) ({THING}))", text)
    if placed and not _is_named(text):
        yield from _exist(evidence, placed[1])
        yield checks.check_setting(evidence, placed[2])
        return
    yield from _exist(evidence, text)


def _is_named(thing: str) -> bool:
    noun = re.sub(rf"^(?:an?|the|{NUMBER}) ", "", thing)
    return category_of(noun) is not None or len(noun.split()) < 3


def _act(evidence: Evidence, subject: str, doings: str) -> Iterator[str]:
    counted = re.fullmatch(rf"({NUMBER}) ({THING})", subject)
    noun = counted[2] if counted else strip_article(subject)[0]
    if counted:
        yield checks.check_count(evidence, noun, checks.number_of(counted[1]))
    for doing in re.split(rf" and (?={ACT}\b)", doings):
        fault = checks.check_doing(evidence, noun, doing)
        # The scene's place may stand behind what is done.
        tail = re.fullmatch(r"(.+?) ((?:in|on|at|by) (?:an?|the) [a-z ]+)", doing)
        if fault and tail and not checks.check_setting(evidence, tail[2]):
            fault = checks.check_doing(evidence, noun, tail[1])
        yield fault


def _be_somewhere(evidence: Evidence, subject: str, where: str) -> Iterator[str]:
    yield checks.check_place(evidence, strip_article(subject)[0], where)


def _color(evidence: Evidence, noun: str, colors: str) -> Iterator[str]:
    yield checks.check_color(evidence, noun, set(colors.split(" and ")))


def _absent(evidence: Evidence, *things: str) -> Iterator[str]:
    for thing in things:
        yield checks.check_absent(evidence, strip_article(thing)[0])


def _suggested(evidence: Evidence, listed: str, place: str) -> Iterator[str]:
    yield from _exist(evidence, listed)
    yield checks.check_setting(evidence, place)


def _on_side(evidence: Evidence, listed: str, side: str) -> Iterator[str]:
    for thing in _things(listed):
        yield checks.check_region(evidence, strip_article(thing)[0], f"on the {side} side of the frame")


def _form(pattern: str, check: Check) -> tuple[re.Pattern[str], Check]:
    return re.compile(pattern), check


# In order: the narrower form first. Each is matched against a whole clause in lower case.
FORMS: tuple[tuple[re.Pattern[str], Check], ...] = (
    # Absence
    _form(rf"there (?:is|are) no ({THING})(?: {ANYWHERE})?", lambda e, m: _absent(e, m[1])),
    _form(rf"no ({THING}) (?:can be seen|(?:is|are) present)(?: {ANYWHERE})?", lambda e, m: _absent(e, m[1])),
    _form(rf"no second ({THING}) is to be seen", lambda e, m: iter([checks.check_count(e, m[1], 1)])),
    _form(rf"the {PICTURE} (?:does not show|has no) ({THING})", lambda e, m: _absent(e, m[1])),
    _form(rf"i cannot see ({THING}) in this {PICTURE}", lambda e, m: _absent(e, m[1])),
    _form(rf"({THING}) (?:does|do) not appear in the {PICTURE}", lambda e, m: _absent(e, m[1])),
    _form(rf"this scene does not include ({THING})", lambda e, m: _absent(e, m[1])),
    _form(rf"it is the ({THING}) that is missing|what is missing is the ({THING})", lambda e, m: _absent(e, m[1] or m[2])),
    _form(rf"the ({THING}) is the one that is missing", lambda e, m: _absent(e, m[1])),
    _form(rf"you will not find ({THING}) here", lambda e, m: _absent(e, m[1])),
    _form(rf"there is neither ({THING}) nor ({THING})(?: anywhere)? in the {PICTURE}", lambda e, m: _absent(e, m[1], m[2])),
    _form(rf"(?:the {PICTURE} shows|you will find) neither ({THING}) nor ({THING})(?: in this {PICTURE})?", lambda e, m: _absent(e, m[1], m[2])),
    _form(rf"neither ({THING}) nor ({THING}) is part of the scene", lambda e, m: _absent(e, m[1], m[2])),
    _form(rf"one will look in vain for ({THING}) or ({THING}) here", lambda e, m: _absent(e, m[1], m[2])),
    _form(r"nobody is in view", lambda e, m: _absent(e, "people")),
    # Attention
    _form(rf"(?:the attention (?:stays on|goes to|in this {PICTURE} goes to)|(?:which )?keeps the attention on) the ({THING})",
          lambda e, m: iter([checks.check_focus(e, m[1])])),
    _form(rf"the ({THING}) can have all the attention", lambda e, m: iter([checks.check_focus(e, m[1])])),
    _form(rf"the {PICTURE} is mostly about the ({THING})|the focus of the {PICTURE} is on the ({THING})",
          lambda e, m: iter([checks.check_focus(e, m[1] or m[2])])),
    _form(rf"the focus of this {PICTURE} is on (.+)", lambda e, m: _exist_or_do(e, m[1])),
    # Counts
    _form(rf"there is (?:just|exactly) one ({THING})(?: {ANYWHERE})?", lambda e, m: iter([checks.check_count(e, m[1], 1)])),
    _form(rf"there is a single ({THING})(?: {ANYWHERE})", lambda e, m: iter([checks.check_count(e, m[1], 1)])),
    _form(rf"(?:the {PICTURE} shows only|only|exactly|i can count) one ({THING})(?: can be seen| is visible)?(?: {ANYWHERE})?",
          lambda e, m: iter([checks.check_count(e, m[1], 1)])),
    _form(rf"the ({THING}) is the only one of its kind in the {PICTURE}", lambda e, m: iter([checks.check_count(e, m[1], 1)])),
    _form(rf"there (?:is )?more than one ({THING})(?: {ANYWHERE})?|there is more than one ({THING}) {ANYWHERE}",
          lambda e, m: iter([checks.check_exists(e, m[1] or m[2], many=True)])),
    _form(rf"more than one ({THING}) (?:can be seen|is to be seen)(?: {ANYWHERE})?",
          lambda e, m: iter([checks.check_exists(e, m[1], many=True)])),
    _form(rf"there are (?:exactly )?({NUMBER}) ({THING})(?: {ANYWHERE})?",
          lambda e, m: iter([checks.check_count(e, m[2], checks.number_of(m[1]))])),
    _form(rf"(?:the {PICTURE} shows|i can count|you can see|counting them gives) ({NUMBER}) ({THING})(?: {ANYWHERE})?",
          lambda e, m: iter([checks.check_count(e, m[2], checks.number_of(m[1]))])),
    _form(rf"({NUMBER}) ({THING}) (?:are present|can be seen|are visible)(?: {ANYWHERE})?",
          lambda e, m: iter([checks.check_count(e, m[2], checks.number_of(m[1]))])),
    _form(rf"the number of ({THING}) is ({NUMBER})", lambda e, m: iter([checks.check_count(e, m[1], checks.number_of(m[2]))])),
    # Colors
    _form(rf"the color of the ({THING}) is ({COLOR})", lambda e, m: _color(e, m[1], m[2])),
    _form(rf"the ({THING}) ({REGION}) is ({COLOR})",
          lambda e, m: iter([*_color(e, m[1], m[3]), checks.check_only_region(e, m[1], m[2])])),
    _form(rf"the ({THING})(?: in (?:the|this) {PICTURE}| that can be seen in the {PICTURE}| shown here)? is ({COLOR})(?: in color)?",
          lambda e, m: _color(e, m[1], m[2])),
    _form(rf"(?:it is|the {PICTURE} shows) an? ({COLOR}) (?!and )({THING})(?: that can be seen in the {PICTURE})?", lambda e, m: _color(e, m[2], m[1])),
    # Relations and sizes
    _form(rf"the ({THING}) (?:is|appears|is placed) (?:on|to)? ?(?:the )?(left|right) of the ({THING})(?: in the {PICTURE})?",
          lambda e, m: iter([checks.check_relation(e, m[1], m[3], m[2])])),
    _form(rf"the ({THING}) (?:is|appears|is placed|sits) (higher|lower)(?: up| down)?(?: in the {PICTURE})? than the ({THING})",
          lambda e, m: iter([checks.check_relation(e, m[1], m[3], m[2])])),
    _form(rf"the ({THING}) (?:takes up more(?: space)?|fills more|clearly fills more|covers a larger part|occupies more)"
          rf"(?: of| in)? the {PICTURE} than the ({THING})(?: does)?", lambda e, m: iter([checks.check_larger(e, m[1], m[2])])),
    _form(rf"the ({THING}) looks (?:considerably )?larger (?:in the {PICTURE} )?than the ({THING})",
          lambda e, m: iter([checks.check_larger(e, m[1], m[2])])),
    # Extent and halves
    _form(rf"the ({THING}) (?:stretches across most of the {PICTURE}|spans most of the width of the frame)"
          rf"|most of the width of the {PICTURE} is taken up by the ({THING})",
          lambda e, m: iter([checks.check_extent(e, m[1] or m[2], "wide")])),
    _form(rf"the ({THING}) (?:stretches over most of the {PICTURE}|spans most of the height of the frame)"
          rf"|most of the height of the {PICTURE} is taken up by the ({THING})",
          lambda e, m: iter([checks.check_extent(e, m[1] or m[2], "tall")])),
    _form(rf"the ({THING}) (?:takes up only a small part of the {PICTURE}|is rather small in the frame)"
          rf"|only a small part of the frame belongs to the ({THING})",
          lambda e, m: iter([checks.check_extent(e, m[1] or m[2], "small")])),
    _form(rf"(?:all of )?the ({THING}) are (?:all found )?in the (left|right|upper|lower) half of the {PICTURE}",
          lambda e, m: iter([checks.check_half(e, m[1], m[2])])),
    _form(rf"(?:there are ({THING}) in the left half of the frame as well as in the right half"
          rf"|both the left and the right half of the frame contain ({THING})"
          rf"|the ({THING}) can be found in the left half of the frame and in the right half too)",
          lambda e, m: iter([checks.check_half(e, m[1] or m[2] or m[3], "both")])),
    _form(rf"(?:the ({THING}) that looks largest is found|(?:one )?of the ({THING}), the largest(?: one)? in the frame,? is) ({REGION})",
          lambda e, m: iter([checks.check_largest(e, m[1] or m[2], m[3])])),
    # Sides
    _form(r"(?:toward|over on) the (left|right), there (?:is|are) (.+)", lambda e, m: _on_side(e, m[2], m[1])),
    _form(r"the (left|right) side of the frame holds (.+)", lambda e, m: _on_side(e, m[2], m[1])),
    # Regions of one thing
    _form(rf"the ({THING}) (?:is|appears|can be seen|can be found|lies|has its place|is placed|is positioned|is located) ({REGION})",
          lambda e, m: iter([checks.check_only_region(e, m[1], m[2])])),
    _form(rf"(an? {THING}) (?:is|appears|is visible|can be seen|lies|has its place|is placed|is positioned|is located) ({REGION})",
          lambda e, m: iter([checks.check_region(e, strip_article(m[1])[0], m[2])])),
    _form(rf"you can find the ({THING}) ({REGION})", lambda e, m: iter([checks.check_only_region(e, m[1], m[2])])),
    _form(rf"you can find (an? {THING}) ({REGION})", lambda e, m: iter([checks.check_region(e, strip_article(m[1])[0], m[2])])),
    # Settings
    _form(rf"(?:the scene|the whole scene|this {PICTURE}|it|everything|all of this|this|all of it|what the {PICTURE} shows) "
          r"(?:takes place|was taken|is set|happens) ((?:in|on|at|by) .+)", lambda e, m: iter([checks.check_setting(e, m[1])])),
    _form(r"(?:the setting of the scene|the place) is (.+)|the surroundings are those of (.+)",
          lambda e, m: iter([checks.check_setting(e, m[1] or m[2])])),
    _form(rf"the presence of ({THING}|.+) suggests that this is (.+)", lambda e, m: _suggested(e, m[1], m[2])),
    _form(r"the place appears to be (.+)", lambda e, m: iter([checks.check_setting(e, m[1])])),
    _form(r"with (.+) in view", lambda e, m: _exist(e, m[1])),
    _form(r"(?:it looks like|this seems to be|it is probably|the place looks like) (.+)",
          lambda e, m: iter([checks.check_setting(e, m[1])])),
    # Doings
    _form(rf"the ({THING}) (?:is|are|can be seen|can be found) (?:also )?({ACT}(?: .+)?)", lambda e, m: _act(e, m[1], m[2])),
    _form(rf"you can see the ({THING}) ({ACT}(?: .+?)?) in this {PICTURE}", lambda e, m: _act(e, m[1], m[2])),
    _form(rf"((?:(?:an?|{NUMBER}) )?{THING}) (?:is|are) ({ACT}(?: .+)?)", lambda e, m: _act(e, m[1], m[2])),
    _form(rf"the ({THING}) (?:(?:is|are)(?: also)?|can be found|can be seen) ((?:in|on|at|by|under|near|beside|behind|next to|inside"
          r"|against|around|outside|from|over|above) .+)", lambda e, m: _be_somewhere(e, m[1], m[2])),
    # Existence
    _form(rf"there (?:is|are) (?:also )?(.+?)(?: {ANYWHERE})?", lambda e, m: _exist_or_do(e, m[1])),
    _form(rf"(.+) (?:is|are) visible(?: {ANYWHERE})?", lambda e, m: _exist(e, m[1])),
    _form(rf"(.+) can be (?:seen|made out|found)(?: {ANYWHERE})?", lambda e, m: _exist(e, m[1])),
    _form(rf"(.+) appears? {ANYWHERE}", lambda e, m: _exist(e, m[1])),
    _form(rf"(?:the|this) (?:{PICTURE}) (?:also )?(?:shows|captures|features|contains|includes|presents) (.+)",
          lambda e, m: _exist_or_do(e, m[1])),
    _form(r"(?:what )?it does (?:contain|show)(?: is| are)? (.+)", lambda e, m: _exist(e, m[1])),
    _form(rf"this is an? {PICTURE} of (.+)", lambda e, m: _exist_or_do(e, m[1])),
    _form(rf"(?:you|one) can (?:see|make out|find) (.+?)(?: {ANYWHERE})?", lambda e, m: _exist(e, m[1])),
    _form(r"(?:the main things in view are|the most telling things in view are|other things in view include|further details of the scene include)"
          r" (.+)", lambda e, m: _exist(e, m[1])),
)  # fmt: skip
