"""Sentences for the planted-fault benchmark: frames filled, captions made prose, context around a statement."""

import random
import re
from dataclasses import dataclass, replace

from planted_frames import OPENINGS
from planted_frames_more import ASK_DETAIL, ASK_REASON, ASK_SHORT, REASONS
from planted_words import NUMBERS

from instructgen.lexicon.mentions import find_mentions
from instructgen.lexicon.words import plural_of, with_article

_BE = re.compile(r"\b(is|are|was|were|has|have|does|do)\b")
_VERBS = (
    "sits stands walks rides plays holds lies lays eats looks wears flies runs jumps skis surfs hits swings "
    "drives rests grazes hangs shows features contains poses waits crosses catches throws reaches prepares "
    "talks uses takes makes sleeps leans moves carries drinks pulls travels performs enjoys works watches "
    "gets goes comes gives cuts leads faces serves floats swims tries sit stand walk ride play hold lie lay "
    "eat wear fly run jump ski surf pose wait watch graze rest hang sleep look gather line fill cross drive "
    "pass swim work share feed enjoy prepare take make compete travel head sat stood rode can will "
    "kick stare gaze celebrate roam relax perform wade carry pull push follow chase greet kneel crouch swing"
)
_FINITE = re.compile(rf"(?<!to )\b({'|'.join(_VERBS.split())})\b")
_RELATIVE = re.compile(r"\b(that|which|who|while|as|where|when|because|and)\b")
_DOING = re.compile(
    r"^(?P<who>(?:A|An|The|Two|Three|Four|Five|Six)(?: (?:group|bunch|couple|herd|pair|number) of)?"
    r"(?: (?!(?:of|in|on|with|and|at|that|who|to|from|by|for)\b)[a-z\-]+){1,3}?) "
    r"(?P<doing>(?!building|clothing|ceiling|living|dining|string|painting|parking|evening|morning|railing|swimming|"
    r"skiing|looking|surfing|ring|king|wedding|baking|cutting|shopping|dressing|flying|racing|landing|crossing|wing|"
    r"something|being|having|soaring|sailing|opening|boarding|skating)[a-z]+ing|parked|seated|covered|surrounded|"
    r"dressed|perched) (?P<rest>.+)$"
)
_ALSO = re.compile(
    r"\b(also|too|as well|besides|furthermore|in addition|apart from|then there|another|along with the rest|and yes|"
    r"further back|next to (?:it|that)|close by|nearby|rounds off|the main subject)\b|"
    r"^(?:Right next|A few steps|Beside it)",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r",?\s+(?:with|next to|near|on|beside|in|behind|by|under|in front of|on top of|and|while holding|along with|at)"
    r"(?: (?:a|an|the|his|her|their|two|some|several|its))?(?: [a-z\-]+){0,2} ?$"
)
_PLACE = re.compile(r"^(?P<rest>.+) (?P<place>(?:in|on|at) (?:a|an|the)(?: [a-z]+){1,3})$")
_NO_ARTICLE = {"skis", "scissors", "broccoli"}
CLOSERS = (
    "Overall, it is a clear and simple picture.", "All in all, the photo speaks for itself.", "It is a nice shot.",
    "Taken together, this makes for a pleasant image.", "The overall impression is that of an ordinary moment.",
    "Let me know if you would like to know more!", "I hope this helps.",
    "The overall mood is hard to put into words.",
)  # fmt: skip
CHAT = ("Sure! ", "Certainly. ", "Good question! ", "Of course. ", "Let me see. ", "Sure thing. ", "Happy to help! ")


@dataclass(frozen=True)
class Plant:
    """A true and a false wording of one statement; `question` is "" for one that answers no question of its own.

    `avoid` are categories and words that sentences around it must not have. `clean` may be "": nothing is said.
    `clean_question` is the twin's question where it differs.
    """

    what: str
    question: str
    clean: str
    faulty: str
    detail: str
    source: str
    avoid: frozenset[str] = frozenset()
    clean_question: str = ""


def lines_of(table: str) -> list[str]:
    return [line for line in table.strip().splitlines() if line.strip()]


def article(noun: str) -> str:
    if noun in _NO_ARTICLE:
        return f"some {noun}" if noun == "broccoli" else f"a pair of {noun}"
    return f"an {noun}" if noun.startswith("SUV") else with_article(noun)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def fill(frame: str, noun: str, **slots: str) -> str:
    """Fill a frame for a noun; the capital slots are made of the small ones."""
    known = {"x": noun, "xs": plural_of(noun), "a": article(noun), **slots}
    if "c" in known:
        known["ac"] = with_article(f"{known['c']} {noun}")
    known |= {capital(key): capital(value) for key, value in known.items()}
    return re.sub(r"\{(\w+)\}", lambda match: known[match[1]], frame)


def count_slots(noun: str, number: int, *, as_digit: bool) -> dict[str, str]:
    one = number == 1
    return {
        "n": str(number) if as_digit else NUMBERS[number],
        "d": str(number),
        "x": noun if one else plural_of(noun),
        "xs": plural_of(noun),
        "are": "is" if one else "are",
        "were": "was" if one else "were",
        "have": "has" if one else "have",
        "s": "s" if one else "",
        "them": "it" if one else "them",
    }


def caption_form(caption: str) -> str:
    """Return noun (a thing and what it does), clause (a full sentence), or mixed where that is in doubt."""
    match = _BE.search(caption) or _FINITE.search(caption)
    if not match:
        return "noun"
    return "mixed" if _RELATIVE.search(caption[: match.start()]) else "clause"


def _with_verb(caption: str, draw: random.Random) -> str | None:
    """Return "A man is riding a horse." or a variant for "A man riding a horse"; None where the form is in doubt."""
    match = _DOING.match(caption)
    if not match or _BE.search(caption) or _FINITE.search(caption):
        return None
    who, doing, rest = match["who"], match["doing"], match["rest"]
    lowered = who[0].lower() + who[1:]
    is_one = who.split()[0] in ("A", "An", "The") and " of " not in who
    verb = "is" if is_one and not re.search(r"(?:(?<!bu)(?<!s)s|people|men|children|sheep|cattle)$", who) else "are"
    if verb == "are" and is_one:
        return None
    there = "is" if " of " in who else verb
    forms = [f"{who} {verb} {doing} {rest}.", f"There {there} {lowered} {doing} {rest}."]
    forms.append(f"{who} can be seen {doing} {rest}.")
    if who[:3] != "The":
        forms.append(f"We see {lowered}, {doing} {rest}.")
    place = _PLACE.match(rest)
    if place:
        forms += [f"{capital(place['place'])}, {lowered} {verb} {doing} {place['rest']}."] * 2
    return draw.choice(forms)


def say_caption(caption: str, draw: random.Random) -> str:
    """Return a caption as a sentence: bare, with a verb put in, or behind an opening that its form allows."""
    form = caption_form(caption)
    lowered = caption[0].lower() + caption[1:]
    if form == "noun" and draw.random() < 0.45:
        full = _with_verb(caption, draw)
        if full:
            return full
    if form == "noun" and draw.random() < 0.85:
        openings = lines_of(OPENINGS)
        if lowered.split()[0] not in ("a", "an", "the"):
            openings = [line for line in openings if not re.search(r"\b(is|It's|be|that of|by) \{cap\}", line)]
        return draw.choice(openings).replace("{cap}", lowered)
    if form == "clause" and draw.random() < 0.4:
        lead = (
            "Here,",
            "In this picture,",
            "In the image,",
            "As can be seen,",
            "It seems that",
            "I'd say",
            "In the photo,",
        )
        return f"{draw.choice(lead)} {lowered}."
    return caption + "."


def _categories(text: str) -> set[str]:
    return {mention.category for mention in find_mentions(text)}


def _is_free(text: str, avoid: frozenset[str]) -> bool:
    return not set(re.findall(r"[a-z]+|\d+", text.lower())) & avoid and not _categories(text) & avoid


def without(caption: str, avoid: frozenset[str]) -> str | None:
    """Return the caption as it is, or cut before a last part that names what is to be avoided; None if that fails."""
    if _is_free(caption, avoid):
        return caption
    first = min((m.start for m in find_mentions(caption) if m.category in avoid), default=0)
    match = _TAIL.search(caption[:first])
    cut = caption[: match.start()] if match else ""
    if cut.endswith(("ing", "that is", " is", " are", "ed")):
        return None
    return cut if len(cut.split()) >= 4 and _is_free(cut, avoid) and caption_form(caption) == "noun" else None


def _facts_beside(facts: list[tuple[str, str]], told: list[str], plant: Plant) -> list[str]:
    """Return at most one fact of each kind; something that the captions named is not introduced again."""
    known = _categories(" ".join(told))
    found = {
        what: fact
        for what, fact in facts
        if _is_free(fact, plant.avoid) and not (what == "added_object" and _categories(fact) <= known)
    }
    return list(found.values())


def _around(before: list[str], after: list[str], plant: Plant, question: str) -> Plant:
    clean, faulty = (
        " ".join(part for part in (*before, middle, *after) if part) for middle in (plant.clean, plant.faulty)
    )
    return replace(plant, question=question, clean=clean, faulty=faulty)


def _context(plant: Plant, captions: list[str], facts: list[tuple[str, str]], draw: random.Random) -> list[str]:
    """Return true sentences, captions first; now and then they name what is swapped or denied, as real ones do."""
    avoid = plant.avoid
    is_said_twice = plant.what == "swapped_object" and plant.source == "frame"
    if plant.what in ("swapped_object", "negated_existence") and not is_said_twice and draw.random() < 0.25:
        avoid = avoid - _categories(" ".join(captions))
    own = plant.clean.lower()
    cut = [without(caption, avoid) for caption in draw.sample(captions, len(captions))]
    told = [
        say_caption(caption, draw) for caption in dict.fromkeys(cut) if caption and caption.lower()[8:30] not in own
    ]
    told = told[: draw.randint(1, 3)]
    return told + draw.sample(beside := _facts_beside(facts, told, plant), min(len(beside), draw.randint(1, 3)))


def compose(
    plant: Plant, captions: list[str], facts: list[tuple[str, str]], draw: random.Random
) -> tuple[str, str, Plant] | None:
    """Return (type, style, plant with whole answers); None where too little else is known for a paragraph.

    `facts` are (kind of statement, true sentence).
    """
    if plant.question:
        is_whole = plant.source == "program" and plant.question.startswith("Describe")
        return "detail" if is_whole else "conv", "answer", _alone(plant, draw)
    context = _context(plant, captions, facts, draw)
    style = draw.choices(("alone", "paragraph", "reasoning"), (3, 5, 3))[0]
    needs_more = not plant.clean or _ALSO.search(plant.clean) or _ALSO.search(plant.faulty)
    if style == "alone" and needs_more:
        style = "paragraph"
    if (style == "paragraph" and len(context) < 2) or (style == "reasoning" and not context):
        style = "alone"
    if style == "alone":
        return None if needs_more else ("conv", style, _alone(plant, draw))
    first, rest = context[0], context[1:]
    draw.shuffle(rest)
    if style == "paragraph":
        place = draw.randint(0, len(rest) - 1)
        after = [*rest[place:], draw.choice(CLOSERS)] if draw.random() < 0.25 else rest[place:]
        return "detail", style, _around([first, *rest[:place]], after, plant, draw.choice(lines_of(ASK_DETAIL)))
    reasons = draw.sample(lines_of(REASONS), draw.randint(1, 3))
    return "reasoning", style, _around([first, *rest[:1]], reasons, plant, draw.choice(lines_of(ASK_REASON)))


def _alone(plant: Plant, draw: random.Random) -> Plant:
    """Return a lone answer: now and then with a polite lead, or, if it is a word or two, in small letters."""
    question = plant.question or draw.choice(lines_of(ASK_SHORT))
    clean, faulty = plant.clean, plant.faulty
    if plant.source != "program" and len(clean.split()) <= 2 and len(faulty.split()) <= 2 and draw.random() < 0.2:
        clean, faulty = clean.lower().rstrip("."), faulty.lower().rstrip(".")
    is_plain = "!" not in clean and not clean.startswith(("Sure", "Of course", "Yes", "No", "Well", "Let me"))
    if plant.source != "program" and is_plain and len(clean.split()) > 5 and draw.random() < 0.12:
        lead = draw.choice(CHAT)
        clean, faulty = lead + clean, lead + faulty
    return replace(plant, question=question, clean=clean, faulty=faulty)
