"""Does a number that an answer gives agree with boxes and captions?

A number binds where it claims a total. "Two men are talking" leaves room for a third, "there are two men" does not;
no wording leaves room for fewer than it says.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from instructgen.grounding.doubt import read_phrases
from instructgen.grounding.evidence import Evidence, say_number
from instructgen.grounding.judged import Judged
from instructgen.grounding.phrases import Phrase
from instructgen.grounding.sentences import Sentence
from instructgen.grounding.words import PICTURE_NOUNS, as_words

_TOTALS = frozenset({"total", "altogether", "all", "exactly", "only", "just"})
_SHOWS = as_words(
    """
    shows show features feature contains contain includes depicts depict displays captures has have see count
    find finds spot out identify consists
    """
)
_OTHERS = as_words(
    """
    another other others second third fourth remaining rest additional more first last each besides also
    """
)
# Boxed by the piece or by the bunch, as the annotator liked.
_LOOSE = frozenset(
    {
        "book",
        "banana",
        "carrot",
        "broccoli",
        "orange",
        "apple",
        "donut",
        "skis",
        "scissors",
        "sheep",
        "bird",
        "chair",
        "boat",
    }
    | {
        "car",
        "cow",
        "kite",
        "bottle",
        "cup",
        "umbrella",
        "bowl",
        "potted plant",
        "sandwich",
        "cake",
        "bicycle",
        "tie",
        "cell phone",
    }
    | {
        "baseball glove",
        "traffic light",
        "wine glass",
        "backpack",
        "handbag",
        "vase",
        "knife",
        "spoon",
        "fork",
        "hot dog",
        "pizza",
    }
)
_PERSON_WORDS = frozenset({"person", "people", "human", "individual"})
_FEW = 4  # so many of anything are boxed one by one
_MIN_AREA = 0.001  # a smaller box may be left out of a count


def judge_count(
    sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase, evidence: Evidence, *, is_asked: bool = False
) -> Judged | None:
    """Judge the number that goes with a thing; `is_asked` where the answer is to "how many". None without one."""
    if phrase.is_unreal or phrase.is_negated or phrase.is_supposed:
        return None
    key = phrase.category or phrase.lemma
    if phrase.number is None:
        return _judge_amount(phrase, key, evidence) if phrase.at_least else None
    is_stressed = phrase.is_only or bool(_COUNTING & set(sentence.words))
    is_total = is_asked or is_stressed or _claims_total(sentence, phrases, phrase)
    truth, said = weigh(phrase, phrase.number, evidence, is_total=is_total)
    if truth == "unverifiable" and is_stressed and phrase.number < evidence.num_boxes(phrase.category or "") > 0:
        truth = "contradicted"  # "exactly four" leaves no room, however the annotator counted
    if truth == "contradicted" and not is_total and _may_be_some(sentence, phrases, phrase, evidence):
        truth, said = "supported", f"{said}: so many at least"
    return Judged("count", truth, key, phrase.first, phrase.end, said)


def _may_be_some(sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase, evidence: Evidence) -> bool:
    """Return whether a number may be of some of those that there are: "one pizza is larger than the other two"."""
    assert phrase.number is not None
    if phrase.number >= evidence.num_boxes(phrase.category or ""):
        return False
    same = [other for other in phrases if other.category == phrase.category and other is not phrase]
    told = {
        attribute.colours for attribute in evidence.attributes.get(phrase.category or "", ()) if attribute.colours
    }
    is_picked = bool(phrase.colours) and told != {phrase.colours}
    if same or is_picked or _OTHERS & set(sentence.words):
        return True
    return phrase.number == 1 and not _stated(phrase, evidence)


def weigh(phrase: Phrase, number: int, evidence: Evidence, *, is_total: bool) -> tuple[str, str]:
    """Return the truth of a number, and what boxes and captions count."""
    stated = _stated(phrase, evidence)
    num = evidence.num_boxes(phrase.category or "")
    if number in stated and not (is_total and num != number and _is_outvoted(phrase, number, num, evidence)):
        return "supported", f"captions say {say_number(number)}"
    category = phrase.category
    if category is None or not evidence.is_boxed(category):
        if stated and (is_total or number > max(stated) or len(stated) == 1):
            return "contradicted", f"captions say {_say(stated)}"
        if number > 1 and category and evidence.mentions.get(category) and category not in evidence.plurals:
            return "contradicted", "every caption speaks of one"
        return "unverifiable", "nothing counts them"
    return _weigh_boxes(phrase, number, evidence, stated, is_total=is_total)


def _is_outvoted(phrase: Phrase, number: int, num: int, evidence: Evidence) -> bool:
    """Return whether more captions say what the boxes say than what the answer says."""
    if phrase.category is None or phrase.category in evidence.crowds or phrase.lemma == "man":
        return False
    votes = [count.number for count in evidence.counts.get(phrase.category, ())]
    return votes.count(num) > votes.count(number)


def _weigh_boxes(
    phrase: Phrase, number: int, evidence: Evidence, stated: set[int], *, is_total: bool
) -> tuple[str, str]:
    assert phrase.category is not None
    category = phrase.category
    boxes = evidence.boxes.get(category, ())
    num, num_large = len(boxes), sum(1 for box in boxes if box.area >= _MIN_AREA)
    said = f"{num} boxes of {category}" + (f", captions say {_say(stated)}" if stated else "")
    if category in evidence.crowds:
        return ("supported" if number <= num and not is_total else "unverifiable"), said + ", and a crowd"
    is_kind = category == "person" and phrase.lemma not in _PERSON_WORDS
    if num_large <= number <= num and not is_kind:
        return "supported", said
    if number > num:
        if category in evidence.plurals and num == 1 and not stated:
            return "unverifiable", said + ", and captions speak of several"
        return "contradicted", said
    if stated and (len(stated) == 1 or is_total) and _agrees(stated, num, is_kind=is_kind):
        return "contradicted", said
    if is_kind:
        return ("supported", said) if number == num else ("unverifiable", said)
    if number == 1 and category not in evidence.plurals and evidence.mentions.get(category):
        return "supported", said + ", and captions speak of one"
    if not is_total:
        return "supported", said + ": so many at least"
    is_clear = category not in _LOOSE or num <= _FEW or 2 * number <= num
    return ("contradicted" if is_clear else "unverifiable"), said


def _agrees(stated: set[int], num: int, *, is_kind: bool) -> bool:
    """Return whether the captions' number is one to go by: the boxes' own, or that of a kind of people."""
    return num in stated or (is_kind and len(stated) == 1)


def _judge_amount(phrase: Phrase, key: str, evidence: Evidence) -> Judged | None:
    """Judge "several", "many" or "a couple of" against one box, where no caption speaks of more."""
    category = phrase.category
    if category is None or phrase.is_part or category in ("skis", "scissors"):
        return None
    num = evidence.num_boxes(category)
    if num > 1 or category in evidence.crowds or category in evidence.plurals:
        return Judged("count", "supported", key, phrase.first, phrase.end, f"{num} boxes of {category}")
    if num == 1 and evidence.mentions.get(category) and not phrase.is_weak:
        said = f"one box of {category}, and every caption speaks of one"
        return Judged("count", "contradicted", key, phrase.first, phrase.end, said)
    return Judged("count", "unverifiable", key, phrase.first, phrase.end, f"{num} boxes of {category}")


def _stated(phrase: Phrase, evidence: Evidence) -> set[int]:
    """Return the numbers that captions give: of the same word, or of the category where the word names all of it."""
    category = phrase.category
    if category == "person" and phrase.lemma not in _PERSON_WORDS:
        return {count.number for count in evidence.counts.get(phrase.lemma, ()) if count.number > 1}
    counts = evidence.counts.get(category or phrase.lemma, ())
    return {count.number for count in counts}


def _claims_total(sentence: Sentence, phrases: Sequence[Phrase], phrase: Phrase) -> bool:
    """Return whether the sentence counts all there are: "there are three dogs [in the picture]"."""
    words = sentence.words
    if phrase.is_part or _OTHERS & set(words[phrase.first : phrase.start]):
        return False
    before = words[max(0, phrase.first - 4) : phrase.first]
    if _TOTALS & set(before) or _COUNTING & set(words):
        return True
    same = [other for other in phrases if other.category == phrase.category and other is not phrase]
    if phrase.category and any(_is_apart(sentence, other) for other in same):
        return False
    if not (_says_there(before) or _SHOWS & set(before)):
        return _is_shown(sentence, phrase)
    return not _is_narrowed(sentence, phrase)


def _is_shown(sentence: Sentence, phrase: Phrase) -> bool:
    """Return whether all that is said is that they are to be seen: "one person is shown"."""
    after = sentence.words[phrase.end : phrase.end + 4]
    is_verb = after[:1] and after[0] in ("is", "are", "can", "has", "have", "was", "were")
    return bool(is_verb) and phrase.first == 0 and bool(_SHOWN & set(after[1:]))


_SHOWN = frozenset(
    {"shown", "seen", "visible", "present", "pictured", "photographed", "depicted", "spotted", "captured"}
)


def _is_apart(sentence: Sentence, other: Phrase) -> bool:
    """Return whether the same kind of thing comes again as another one: "and another dog", "two more cars"."""
    return other.is_part or bool(_OTHERS & set(sentence.words[other.first : other.start])) or other.number is not None


def _says_there(before: tuple[str, ...]) -> bool:
    return (
        any(
            pair in (("there", "are"), ("there", "is"), ("there", "were"))
            for pair in zip(before, before[1:], strict=False)
        )
        or "there's" in before
    )


def _is_narrowed(sentence: Sentence, phrase: Phrase) -> bool:
    """Return whether something behind the thing picks some of many: "two dogs on the bed", "two men talking"."""
    words = sentence.words
    end = phrase.end
    if end >= len(words) or sentence.gaps[end].strip("-"):
        return False
    after = words[end : end + 5]
    if after[0] in ("in", "on", "within", "of", "throughout", "across", "at") and PICTURE_NOUNS & set(after[1:5]):
        side = {"left", "right", "top", "bottom", "background", "foreground", "center", "middle"} & set(
            words[end : end + 8]
        )
        return bool(side)
    if after[0] in ("that", "which", "who"):
        return not _SHOWN & set(after)
    return after[0] not in (
        "visible",
        "present",
        "and",
        "shown",
        "here",
        "altogether",
        "in",
        "seen",
        "can",
        "total",
        "but",
    )


def judge_bare_number(
    sentence: Sentence, phrases: Sequence[Phrase], context: Phrase | None, evidence: Evidence
) -> Judged | None:
    """Judge "the number of cats is four" and "as for cats, there are four of them"; None where nothing is counted."""
    words = set(sentence.words)
    if not (_COUNTING & words or {"them", "there"} & words):
        return None
    found = find_number(sentence)
    if found is None:
        return None
    is_there = sentence.words[max(0, found[1] - 2) : found[1]] in (("there", "are"), ("there", "is"))
    is_of_them = sentence.words[found[1] + 1 : found[1] + 3] == ("of", "them") and bool(_IN_ALL & words)
    if not is_of_them and not is_there and sentence.words[found[1] - 1 : found[1]] not in _BEFORE_TOTALS:
        return None
    counted = [phrase for phrase in phrases if phrase.category and phrase.number is None and not phrase.is_negated]
    phrase = counted[0] if counted else replace(context, adjectives=()) if context else None
    if phrase is None or phrase.category is None or phrase.colours or phrase.adjectives:
        return None
    number, index = found
    truth, said = weigh(phrase, number, evidence, is_total=True)
    return Judged("count", truth, phrase.category, index, index + 1, said)


_BEFORE_TOTALS = frozenset(
    (word,)
    for word in [
        "is",
        "are",
        "number",
        "count",
        "see",
        "spot",
        "gives",
        "give",
        "to",
        "equals",
        "makes",
        "total",
        "of",
        "only",
        "just",
        "exactly",
    ]
)
_IN_ALL = frozenset({"all", "total", "altogether", "visible", "just", "only", "exactly", "there", "here"})
_COUNTING = frozenset({"number", "count", "counting", "total", "tally"})


def find_number(sentence: Sentence) -> tuple[int, int] | None:
    """Return the number of an answer that names no thing ("Three.", "I can count 3."), and its word."""
    from instructgen.grounding.words import NUMBERS

    for index, word in enumerate(sentence.words):
        number = NUMBERS.get(word) or (int(word) if word.isdigit() and len(word) < 3 else None)
        if number is not None and not any(phrase.number == number for phrase in read_phrases(sentence)):
            return number, index
    return None


def _say(numbers: set[int]) -> str:
    return " or ".join(say_number(number) for number in sorted(numbers))
