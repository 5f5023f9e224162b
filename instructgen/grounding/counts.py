"""Does a number that an answer gives agree with boxes and captions?

No wording leaves room for fewer than it says; instructgen.grounding.totals tells whether it does for more.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from instructgen.grounding.claims import Truth
from instructgen.grounding.evidence import Evidence, say_number
from instructgen.grounding.judged import Judged
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.totals import claims_total, find_total, is_stressed, names_others

# Boxed by the piece or by the bunch, as the annotator liked.
_LOOSE = frozenset({
    "book", "banana", "carrot", "broccoli", "orange", "apple", "donut", "skis", "scissors", "sheep", "bird", "chair",
    "boat", "car", "cow", "kite", "bottle", "cup", "umbrella", "bowl", "potted plant", "sandwich", "cake", "bicycle",
    "tie", "cell phone", "baseball glove", "traffic light", "wine glass", "backpack", "handbag", "vase", "knife",
    "spoon", "fork", "hot dog", "pizza",
})  # fmt: skip
_PAIRED = frozenset({"skis", "scissors"})  # several of them may be one
_PERSON_WORDS = frozenset({"person", "people", "human", "individual"})
_KINDS_OF_PEOPLE = ("man", "woman", "boy", "girl", "child", "kid", "lady", "baby")
_FEW = 4  # so many of anything are boxed one by one
_MIN_AREA = 0.001  # a smaller box may be left out of a count


def judge_count(
    sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase, evidence: Evidence, *, is_asked: bool = False
) -> Judged | None:
    """Judge the number that goes with a thing; `is_asked` where the answer is to "how many". None without one."""
    if not phrase.is_asserted:
        return None
    if phrase.number is None:
        return _judge_amount(phrase, evidence) if phrase.at_least else None
    number = phrase.number
    if phrase.category is None and not _stated(phrase, evidence):
        return None  # nobody counts leaves
    leaves_none = is_stressed(sentence, phrase)
    is_total = is_asked or leaves_none or claims_total(sentence, phrases, phrase)
    truth, said = weigh(phrase, number, evidence, is_total=is_total)
    if truth == "unverifiable" and leaves_none and number < evidence.num_boxes(phrase.category or ""):
        truth = "contradicted"  # "exactly four" leaves no room, however the annotator counted
    if truth == "contradicted" and not is_total and _may_be_some(sentence, phrases, phrase, evidence):
        truth, said = "supported", f"{said}: so many at least"
    return Judged("count", truth, phrase.category or phrase.lemma, phrase.first, phrase.end, said)


def judge_bare_number(
    sentence: Sentence, phrases: Sequence[Phrase], context: Phrase | None, evidence: Evidence
) -> Judged | None:
    """Judge "the number of cats is four" and "as for cats, there are four of them"; None where nothing is counted."""
    found = find_total(sentence)
    if found is None:
        return None
    counted = [phrase for phrase in phrases if phrase.category and phrase.number is None and not phrase.is_negated]
    phrase = counted[0] if counted else replace(context, adjectives=()) if context else None
    if phrase is None or phrase.category is None or phrase.colours or phrase.adjectives:
        return None
    number, index = found
    truth, said = weigh(phrase, number, evidence, is_total=True)
    return Judged("count", truth, phrase.category, index, index + 1, said)


def weigh(phrase: Phrase, number: int, evidence: Evidence, *, is_total: bool) -> tuple[Truth, str]:
    """Return the truth of a number, and what boxes and captions count."""
    stated = _stated(phrase, evidence)
    num = evidence.num_boxes(phrase.category or "")
    if number in stated and not (is_total and num != number and _is_outvoted(phrase, number, num, evidence)):
        return "supported", f"captions say {say_number(number)}"
    category = phrase.category
    if category is not None and evidence.is_boxed(category):
        return _weigh_boxes(phrase, number, evidence, stated, is_total=is_total)
    if stated and (is_total or number > max(stated) or len(stated) == 1):
        return "contradicted", f"captions say {_say(stated)}"
    if number == 0 and category and not evidence.mentions.get(category):
        return "supported", "no box, and no caption names one"
    if number > 1 and category and evidence.mentions.get(category) and category not in evidence.plurals:
        return "contradicted", "every caption speaks of one"
    return "unverifiable", "nothing counts them"


def _may_be_some(sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase, evidence: Evidence) -> bool:
    """Return whether a number may be of some of those that there are: "one pizza is larger than the other two"."""
    if phrase.number is None or phrase.number >= evidence.num_boxes(phrase.category or ""):
        return False
    is_again = any(other.category == phrase.category and other is not phrase for other in phrases)
    told = {one.colours for one in evidence.attributes.get(phrase.category or "", ()) if one.colours}
    is_picked = bool(phrase.colours) and told != {phrase.colours}
    if is_again or is_picked or names_others(sentence):
        return True
    return phrase.number == 1 and not _stated(phrase, evidence)


def _stated(phrase: Phrase, evidence: Evidence) -> set[int]:
    """Return the numbers that captions give: of the same word, or of the category where the word names all of it."""
    if _is_kind_of_people(phrase):
        return {number for number in evidence.counts.get(phrase.lemma, ()) if number > 1}
    return set(evidence.counts.get(phrase.category or phrase.lemma, ()))


def _is_kind_of_people(phrase: Phrase) -> bool:
    """Return whether the word is for some of the people: boxes do not tell men from women."""
    return phrase.category == "person" and phrase.lemma not in _PERSON_WORDS


def _is_outvoted(phrase: Phrase, number: int, num: int, evidence: Evidence) -> bool:
    """Return whether more captions say what the boxes say than what the answer says."""
    if phrase.category is None or phrase.category in evidence.crowds or phrase.lemma == "man":
        return False
    votes = evidence.counts.get(phrase.category, ())
    return votes.count(num) > votes.count(number)


def _weigh_boxes(
    phrase: Phrase, number: int, evidence: Evidence, stated: set[int], *, is_total: bool
) -> tuple[Truth, str]:
    category = phrase.category or ""
    boxes = evidence.boxes.get(category, ())
    num, num_large = len(boxes), sum(1 for box in boxes if box.area >= _MIN_AREA)
    said = f"{num} boxes of {category}" + (f", captions say {_say(stated)}" if stated else "")
    if category in evidence.crowds:
        return ("supported" if number <= num and not is_total else "unverifiable"), said + ", and a crowd"
    is_kind = _is_kind_of_people(phrase)
    if num_large <= number <= num and not is_kind:
        return "supported", said
    if number > num:
        if category in evidence.plurals and num == 1 and not stated:
            return "unverifiable", said + ", and captions speak of several"
        return "contradicted", said
    if is_kind and number == num and not _may_be_others(phrase, evidence):
        return "supported", said  # "two men in orange and another man"
    if stated and (len(stated) == 1 or is_total) and _is_reliable(stated, num, is_kind=is_kind):
        return "contradicted", said
    if is_kind:
        return ("supported" if number == num else "unverifiable"), said
    if number == 1 and category not in evidence.plurals and evidence.mentions.get(category):
        return "supported", said + ", and captions speak of one"
    if not is_total:
        return "supported", said + ": so many at least"
    is_clear = category not in _LOOSE or num <= _FEW or 2 * number <= num
    return ("contradicted" if is_clear else "unverifiable"), said


def _may_be_others(phrase: Phrase, evidence: Evidence) -> bool:
    """Return whether captions speak of people whom the word leaves out: women and children, where men are counted."""
    return any(other in evidence.mentions for other in _KINDS_OF_PEOPLE if other != phrase.lemma)


def _is_reliable(stated: set[int], num: int, *, is_kind: bool) -> bool:
    """Return whether the captions' number is one to go by: the boxes' own, or the only one of a kind of people."""
    return num in stated or (is_kind and len(stated) == 1)


def _judge_amount(phrase: Phrase, evidence: Evidence) -> Judged | None:
    """Judge "several", "many" or "a couple of" against one box, where no caption speaks of more."""
    category = phrase.category
    if category is None or phrase.is_part or category in _PAIRED:
        return None
    num = evidence.num_boxes(category)
    truth: Truth = "unverifiable"
    said = f"{num} boxes of {category}"
    if num > 1 or category in evidence.crowds | evidence.plurals:
        truth = "supported"
    elif num == 1 and evidence.mentions.get(category) and not phrase.is_weak:
        truth, said = "contradicted", f"one box of {category}, and every caption speaks of one"
    return Judged("count", truth, category, phrase.first, phrase.end, said)


def _say(numbers: set[int]) -> str:
    return " or ".join(say_number(number) for number in sorted(numbers))
