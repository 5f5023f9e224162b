"""What excludes what: words of captions that cannot both hold of one scene, and which of them most captions tell."""

from collections.abc import Sequence
from itertools import pairwise

from instructgen.scenegraph.verbs import TOLD_VERBS, VERB_FORMS, doing_tokens
from instructgen.scenegraph.vocabulary import PREPOSITIONS

_Groups = tuple[frozenset[str], ...]


def _groups(*rows: str) -> _Groups:
    return tuple(frozenset(row.split()) for row in rows)


# Each row is a group of words; one scene is told by one group of a table.
_TABLES = (
    _groups(
        "sidewalk sidewalks pavement",
        "street streets road roads highway roadway",
        "driveway driveways",
        "alley",
        "lot",
    ),
    _groups(
        "eating eats eat biting bite bites chewing chews",
        "serving serves serve passing passes pass preparing prepares prepare cutting cuts cut making makes slicing"
        " cooking cooks posing poses",
    ),
    _groups("throwing throws throw tossing tosses toss pitching pitches", "catching catches catch"),
    _groups("throwing throws throw tossing tosses pitching pitches", "hitting hits batting swinging swings"),
    _groups("bunting bunts bunt punts punting", "swinging swings swing hitting hits hit"),
    _groups("kneeling kneels crouching crouches squatting squats crouched", "standing stands walking walks"),
    _groups("bending bends bent", "leaning leans"),
    _groups("walking walks", "snowboard snowboarding skiing skateboarding surfing riding"),
    _groups("riding rides ride surfing surfs", "falling falls fallen wiping wipes wiped"),
    _groups("desert deserts", "field fields pasture meadow", "forest woods jungle", "marsh marshes swamp"),
    _groups("river rivers", "canal canals", "lake lakes", "ocean sea", "pond", "pool", "harbor marina"),
    _groups("sitting sits sit seated", "leaning leans lean standing stands stand"),
    _groups(
        "bathroom restroom",
        "closet",
        "kitchen",
        "bedroom",
        "garage",
        "hallway corridor",
        "office",
        "basement",
        "lobby",
        "classroom",
        "library",
        "barn stable",
        "museum",
        "store shop",
        "gym",
        "restaurant",
    ),
    _groups("beach shore", "desert", "forest woods"),
    _groups("talking talks talk", "texting texts checking checks reading reads looking looks using uses"),
    _groups("riding rides ride", "pushing pushes push carrying carries walking walks"),
    _groups(
        "surfing surfs surf",
        "carrying carries walking walks holding holds paddling paddles running runs entering enters enter",
    ),
    _groups("crossing crosses cross across", "down along"),
    _groups("sleeping sleeps asleep", "looking looks watching watches staring stares awake eating playing plays"),
    _groups("landing lands landed", "taking takes takeoff"),
    _groups("riding rides ride driving drives", "parked parks stopped resting pulled"),
    _groups("skiing snowboarding riding rides ride", "standing stands stand posing poses pose"),
    _groups("playing plays play", "celebrating celebrates celebrate lifting lifts lift lifted"),
    _groups("playing plays play", "grazing grazes graze"),
    _groups("camera cameras", "phone cellphone smartphone iphone"),
    _groups("grazing grazes graze", "running runs run galloping racing"),
    _groups("skiing skis ski", "snowboarding snowboards snowboard"),
    _groups("opening opens", "closing closes"),
    _groups("opening", "open opened"),
    _groups("middle center", "side corner edge"),
    _groups("windsurfing windsurfs windsurf", "kitesurfing kiteboarding parasailing paragliding para sailboats"),
    _groups("cave", "building buildings house room rooms home"),
    _groups("putting puts placing places inserting", "pulling pulls taking takes removing removes"),
    _groups("entering enters", "leaving leaves exiting exits"),
    _groups("serving serves serve", "reaching reaches stretching stretches stretched"),
    _groups("loading loads load boarding boards", "unloading unloads unload offloading offloads exiting departing"),
)
# What loses to what goes with it, and not the other way round: who rides sits, and who sits may not ride.
_ONE_WAY = (
    _groups("riding rides ride", "sitting sits sit seated"),
    _groups(
        "riding rides ride skateboarding skating",
        "trick tricks stunt stunts jump jumps jumping leaping leaps air midair airborne grinding grinds",
    ),
)


def _index_tables() -> dict[str, tuple[_Groups, ...]]:
    """Return for each word the tables that it may lose by."""
    found: dict[str, tuple[_Groups, ...]] = {}
    losing = ((groups, frozenset().union(*groups)) for groups in _TABLES)
    for groups, words in (*losing, *((groups, groups[0]) for groups in _ONE_WAY)):
        found |= {word: (*found.get(word, ()), groups) for word in words}
    return found


_TABLES_OF = _index_tables()
# What one sits or lies on, where a caption says so. "At a table" is not on it.
_SEATS = frozenset((
    "bed", "couch", "sofa", "bench", "chair", "blanket", "grass", "floor", "table", "counter", "desk", "rug", "lap",
    "suitcase", "shelf", "toilet", "stool", "towel", "pillow", "laptop", "keyboard", "car", "motorcycle", "horse",
    "stick", "perch", "bar", "pole", "post", "branch", "wire", "railing", "rail", "pallet", "crate", "dresser",
    "boat", "steps", "stairs", "ground", "sidewalk", "rock", "log", "wall", "fence", "windowsill", "ledge", "roof",
))  # fmt: skip
_ONE_SEAT = {"sofa": "couch", "stairs": "steps", "desk": "table", "rug": "floor", "ground": "floor"}
_RESTING = frozenset(("sit", "lie", "lay", "sleep", "rest", "seat", "be", "perch", "kneel"))
_ON = frozenset(("on", "atop", "onto"))
_AFOOT = frozenset(("stand", "walk", "run"))
_WATERS = frozenset(("lake", "river", "pond", "water", "ocean", "sea", "pool", "stream"))
_MOUNTS = frozenset(("horse", "horses", "elephant", "elephants", "camels", "donkeys"))
_REACH = 6  # tokens behind "on" within which its noun stands
_TRIES = frozenset((
    "ready", "about", "trying", "tries", "attempting", "attempts", "preparing", "prepares", "going", "getting",
    "waiting", "waits", "up",
))  # fmt: skip
_CONSOLES = frozenset(("wii", "nintendo", "xbox", "playstation"))
_ON_SCREEN = frozenset(("tennis", "baseball", "golf", "bowling", "boxing", "soccer", "football", "basketball"))
_PLANES = frozenset(("airplanes", "planes", "jets", "airliners", "jetliners", "aircraft"))
_GROUNDED = frozenset(("runway", "tarmac", "parked", "ground"))
_ALOFT = frozenset(("sky", "flying", "flies", "airborne"))
_WATCHED = frozenset(("fly", "play", "surf", "ski", "ride", "skate", "skateboard", "snowboard", "perform"))
_WATCHING = frozenset(("watching", "watches", "watch", "watched", "observing", "observe"))
_SEVERAL = frozenset(("people", "crowd", "crowds", "spectators", "onlookers", "group", "men", "women", "others"))
_SHOTS = frozenset(("swing", "hit", "throw", "pitch", "serve", "catch", "toss", "kick", "strike", "return"))
_SHOT_WORDS = _SHOTS | {"ball", "bat", "swinging", "hitting", "batting", "backhand", "shot", "tennis", "baseball"}
_AHEAD = frozenset((
    "about", "ready", "prepares", "prepare", "preparing", "prepared", "waits", "waiting", "poised", "attempting",
    "attempts", "trying", "tries", "winding", "winds",
))  # fmt: skip
_FAR = 6  # tokens
_DONE = 3  # captions that say a thing is done outweigh one that says it is tried


def is_outvoted(words: Sequence[str], verb: str, captions: Sequence[tuple[str, ...]]) -> bool:
    """True where what is told by these words as many captions tell otherwise, or say that it is only tried."""
    told = frozenset(words)
    if (
        _is_only_tried(verb, captions)
        or _is_only_ahead(verb, captions)
        or _is_on_screen(told, verb, captions)
        or (not told.isdisjoint(_SEVERAL) and is_watched(verb, captions))
        or (not told.isdisjoint(_PLANES) and is_one_aloft(words, captions))
        or (verb in _AFOOT and _is_on(_WATERS, words))
        or (verb == "walk" and _is_on(_MOUNTS, words))
    ):
        return True
    tables = dict.fromkeys(groups for word in words for groups in _TABLES_OF.get(word, ()))
    said = [frozenset(doing_tokens(tokens)) for tokens in captions] if tables else []
    return any(_loses(told, groups, said) for groups in tables) or (
        verb in _RESTING and _loses_seat(tuple(words), captions)
    )


def is_watched(verb: str, captions: Sequence[tuple[str, ...]]) -> bool:
    """True for what several people are told to do where two captions at least, and no fewer, have several watch only.

    "Others watch as they play" tells that they play.
    """
    if verb not in _WATCHED:
        return False
    doing = [any(token == verb or _is_form(token, verb) for token in one) for one in captions]
    audience = [_is_audience(one) for one in captions]
    watching = sum(sees and not does for sees, does in zip(audience, doing, strict=True))
    return watching > 1 and watching >= sum(does and not sees for sees, does in zip(audience, doing, strict=True))


def _is_audience(tokens: tuple[str, ...]) -> bool:
    return any(
        token in _WATCHING and not _SEVERAL.isdisjoint(tokens[max(0, at - _REACH) : at])
        for at, token in enumerate(tokens)
    )


def is_one_aloft(words: Sequence[str], captions: Sequence[tuple[str, ...]]) -> bool:
    """True for planes told to be on the ground where a caption has one in the sky."""
    planes = any(any(token.endswith(("plane", "planes", "jets")) for token in one) for one in captions)
    return planes and not _GROUNDED.isdisjoint(words) and any(not _ALOFT.isdisjoint(one) for one in captions)


def _is_on_screen(told: frozenset[str], verb: str, captions: Sequence[tuple[str, ...]]) -> bool:
    """True for a sport that is played where captions speak of a video game: it is played on a screen."""
    is_game = any(not _CONSOLES.isdisjoint(one) or ("video" in one and "game" in one) for one in captions)
    return is_game and verb == "play" and not told.isdisjoint(_ON_SCREEN) and _CONSOLES.isdisjoint(told)


def _is_on(grounds: frozenset[str], words: Sequence[str]) -> bool:
    """True for a bird "standing on a lake", who is in it or at its shore, and for people "walking on horses"."""
    return any(word == "on" and not grounds.isdisjoint(words[at + 1 : at + 4]) for at, word in enumerate(words))


def _loses(told: frozenset[str], groups: _Groups, said: list[frozenset[str]]) -> bool:
    own = [group for group in groups if not group.isdisjoint(told)]
    if len(own) != 1:
        return False
    others = frozenset().union(*(group for group in groups if group is not own[0]))
    agreeing = sum(not own[0].isdisjoint(tokens) for tokens in said)
    against = sum(own[0].isdisjoint(tokens) and not others.isdisjoint(tokens) for tokens in said)
    return bool(against) and against >= agreeing


def _loses_seat(told: tuple[str, ...], captions: Sequence[tuple[str, ...]]) -> bool:
    own = _find_seats(told)
    if not own:
        return False
    said = [_find_seats(tokens) for tokens in captions]
    against = sum(bool(seats) and own.isdisjoint(seats) for seats in said)
    return bool(against) and against >= sum(not own.isdisjoint(seats) for seats in said)


def _find_seats(tokens: tuple[str, ...]) -> frozenset[str]:
    """Return what something is on; "at table" stands for sitting at one."""
    found: set[str] = set()
    for at, word in enumerate(tokens):
        behind = tokens[at + 1 : at + 1 + _REACH]
        if word == "at" and "table" in behind:
            found.add("at table")
        elif word in _ON:
            found.update(_ONE_SEAT.get(seat, seat) for seat in _find_first_seat(behind))
    return frozenset(found)


def _find_first_seat(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """Return the first seat before another place begins; of "a wire fence" that is the fence."""
    for token, behind in pairwise((*tokens, "")):
        if token in _SEATS:
            return (behind if behind in _SEATS else token,)
        if token in PREPOSITIONS.keys() - {"of"}:
            break
    return ()


def _is_only_tried(verb: str, captions: Sequence[tuple[str, ...]]) -> bool:
    """True where one caption says that it is done, and another that somebody gets ready or tries to do so."""
    tried = any(
        tokens[at] == verb and tokens[at - 1] == "to" and tokens[at - 2] in _TRIES
        for tokens in captions
        for at in range(2, len(tokens))
    )
    return tried and sum(any(_is_form(token, verb) for token in tokens) for tokens in captions) < _DONE


def _is_only_ahead(verb: str, captions: Sequence[tuple[str, ...]]) -> bool:
    """True for a swing or a throw where two captions, and no fewer, have somebody get ready for one, or wait."""
    if verb not in _SHOTS:
        return False
    getting_ready = [_gets_ready(tokens) for tokens in captions]
    doing = sum(
        not ready and any(_is_form(token, verb) for token in tokens)
        for tokens, ready in zip(captions, getting_ready, strict=True)
    )
    return sum(getting_ready) > 1 and sum(getting_ready) >= doing


def _gets_ready(tokens: tuple[str, ...]) -> bool:
    """True for "gets ready to swing", "waiting for the ball", "about to serve"."""
    return any(
        token in _AHEAD and not _SHOT_WORDS.isdisjoint(tokens[at + 1 : at + 1 + _FAR])
        for at, token in enumerate(tokens)
    )


def _is_form(token: str, verb: str) -> bool:
    found = VERB_FORMS.get(token) or TOLD_VERBS.get(token)
    return found is not None and found.base == verb
