"""The reader of a caption that is told in its own words, word by word."""

from instructgen.lexicon.words import COLOURS, NUMBER_WORDS
from instructgen.scenegraph.agreement import Sources, is_disputed
from instructgen.scenegraph.graph import Statement, StatementPart
from instructgen.scenegraph.hearsay import is_form, lists_food
from instructgen.scenegraph.own_mends import Mends, share_owners
from instructgen.scenegraph.own_phrases import PhraseReader
from instructgen.scenegraph.own_spelling import (
    ARTICLES,
    JOINED,
    WRITTEN,
    is_slip,
    joins_two,
    lack_comma,
    put_articles,
)
from instructgen.scenegraph.own_tables import (
    ALWAYS_DONE,
    BE,
    BOUND,
    GROUPS,
    KEPT,
    LARGE,
    LINKS,
    LOOKS,
    LYING,
    NEVER,
    NO_ENDS,
    OF_ALL,
    ONLY_ONE,
    OWNERS,
    POINTING,
    SAYING_LITTLE,
    SEVERAL,
    SHOWN,
    SIZES,
)
from instructgen.scenegraph.phrases import NounPhrase
from instructgen.scenegraph.pieces import safe_lemma
from instructgen.scenegraph.plain_words import BARE, DOING, EMPTY
from instructgen.scenegraph.postures import POSTURES
from instructgen.scenegraph.reading import CaptionReading
from instructgen.scenegraph.sharing import FUNCTION_WORDS
from instructgen.scenegraph.subjects import says_twice, skip_opener
from instructgen.scenegraph.verbs import BASE_FORMS, TOLD_VERBS, VERB_FORMS, Verb
from instructgen.scenegraph.vocabulary import (
    ADJECTIVES,
    BOUNDARIES,
    DETERMINERS,
    GENDERS,
    NOUNS,
    PREPOSITIONS,
    looks_plural,
)
from instructgen.scenegraph.whole import KNOWN_WORDS
from instructgen.scenegraph.whole_nouns import name_key

_FEWEST_WORDS, _MOST_TOKENS = 4, 18
_FEWEST_TELLING = 2  # words that tell something
_SHORT = 4  # words of a subject from which its verb has to stay near
_REACH = 3  # tokens before the first noun that a table has


class OwnWordsReader(PhraseReader):
    """`words` are what is told, `split` where its predicate begins, `alone` the words that no other caption has."""

    def __init__(self, reading: CaptionReading, sources: Sources, most_alone: int) -> None:
        end = len(reading.tokens) - (reading.tokens[-1:] == (".",))
        super().__init__(reading, sources, skip_opener(reading.tokens), end)
        self.most_alone = most_alone
        self.words: list[str] = []
        self.alone: set[str] = set()
        self.mends: Mends = {}
        self.split = 0
        self.verb = ""
        self.is_finite = self.is_cut = False

    def read(self) -> Statement | None:
        """Read it to its end, or up to where something is told that no other caption has."""
        while self.end - self.start >= _FEWEST_WORDS:
            self.words, self.alone, self.split, self.verb, self.is_finite = [], set(), 0, "", False
            self.phrases = [one for one in self.reading.phrases if self.start <= one.start and one.end <= self.end]
            fault = self._find_fault()
            if fault is None:
                return self._state()
            self.end, self.is_cut = self._cut_before(fault), True
        return None

    def _find_fault(self) -> int | None:
        """Return the token from which on it cannot be told, None where all can."""
        tokens = self.reading.tokens
        if self.end - self.start > _MOST_TOKENS or lists_food(tokens[self.start : self.end]):
            return self.start
        for at in range(self.start, self.end):
            word = tokens[at]
            if (
                is_slip(tokens, at)
                or word in NEVER
                or not (word.isalpha() or word == ",")
                or at in self.reading.names
            ):
                return at
        self.mends = {}
        for phrase in self.phrases:
            mends = self.mend(phrase)
            if mends is None:
                return phrase.start
            self.mends |= mends
        return self._take_words()

    def _cut_before(self, fault: int) -> int:
        """Return the last token before the fault at which a place, or a thing it is with, begins."""
        tokens = self.reading.tokens
        for at in range(min(fault, self.end - 1), self.start + _FEWEST_WORDS - 1, -1):
            begins = tokens[at] in PREPOSITIONS or tokens[at] == "while" or tokens[at : at + 2] == ("next", "to")
            before = tokens[at - 1]
            if begins and tokens[at] not in BOUND and before not in FUNCTION_WORDS and before not in LOOKS:
                return at
        return self.start

    def _take_words(self) -> int | None:
        """Take the words over, with doings as participles, and without looks that no other caption has."""
        at = self.start
        while at < self.end:
            taken = self._take(at)
            if not taken:
                return at
            at += taken
        telling = [word for word in self.words if word not in EMPTY and word not in FUNCTION_WORDS and word != ","]
        is_enough = len(self.words) >= _FEWEST_WORDS and len(telling) >= _FEWEST_TELLING
        return None if is_enough and self._ends_whole() and not self._breaks_list() else self.end - 1

    def _breaks_list(self) -> bool:
        """True for a list that lost its end: "a table with cups, a vase", "walking on a beach and people"."""
        last = max((at for at, word in enumerate(self.words) if word == ","), default=-1)
        is_open = last >= 0 and "and" not in self.words[last:]
        return is_open or (self.is_cut and "and" in self.words[self.split :])

    def _take(self, at: int) -> int:
        """Take the word at a place, or leave it out; return how many tokens that are, 0 where it cannot be told."""
        if at in self.mends:
            self.words += self.mends[at].split()
            return 1
        word, behind = self.token(at), self.token(at + 1)
        if (word, behind) in JOINED:
            self.words += JOINED[word, behind].split()
            return 2
        if word in ("each", "one", "another"):
            is_both = (word, behind) in (("each", "other"), ("one", "another"))
            return 2 * self._add("each other") if is_both else 0
        if word in LINKS:
            return self._take_link(at)
        if word in DETERMINERS or word in NUMBER_WORDS:
            return self._take_determiner(at)
        verb = self._verb_at(at)
        if verb is not None:
            return int(self._take_verb(verb, at))
        if word in SAYING_LITTLE and behind in SAYING_LITTLE[word]:
            return self._add(word)
        if word in FUNCTION_WORDS or word == ",":
            is_fault = (at + 1 not in self.mends and self.lacks_article(at)) or (
                word == "and" and self._names_another(at + 1)
            )
            return 0 if is_fault else self._add(word)
        return self._take_telling(at)

    def _names_another(self, at: int) -> bool:
        """True behind a doing for what may not be done to it: the bench of "wearing a shirt and a red bench"."""
        phrase = self.phrase_at(at)
        return bool(self.verb) and phrase is not None and phrase.noun.kind in LARGE

    def _take_telling(self, at: int) -> int:
        word, behind, before = self.token(at), self.token(at + 1), self.token(at - 1)
        if self.is_denied(at) or (word in COLOURS and behind in COLOURS):
            return 0
        noun = NOUNS.get(word)
        if noun is not None and noun.is_plural and behind in NOUNS and behind not in BASE_FORMS:
            return 0  # "baseballs players"
        if lack_comma(before, word):
            return 0
        is_look = word in LOOKS and word not in NOUNS
        if is_look and self.sharing.is_look_shared(word, self.reading.number):
            return self._add(word)
        if not is_look and self._may_say(word) and not self.is_odd(at):
            return self._add(word)
        # "woven" of "a woven basket"
        is_bare = before in DETERMINERS or (before in LOOKS and before not in NOUNS)
        is_free = word not in KEPT and word not in GROUPS and not is_form(word) and f"{word} {behind}" not in NOUNS
        is_thing = behind in NOUNS or (word in SIZES and behind not in BOUNDARIES and self.is_shared(behind))
        return int(is_bare and is_free and is_thing and behind not in OF_ALL)

    def _may_say(self, word: str) -> bool:
        """True for another caption's word too, or for one of the few that may be this one's alone."""
        is_spelled = word in KNOWN_WORDS or self.sources.num_captions[word] > 1
        if is_spelled and self.is_shared(word):
            return True
        if word in KNOWN_WORDS and word not in SHOWN and len(self.alone | {word}) <= self.most_alone:
            self.alone.add(word)
            return True
        return False

    def _add(self, word: str) -> int:
        self.words.append(WRITTEN.get(word, word))
        return 1

    def _take_link(self, at: int) -> int:
        """Pass over "is" and "that is" before a doing or a place; "has" is told as "with"."""
        word, behind = self.token(at), self.token(at + 1)
        is_odd = word == "are" and "and" not in self.words and self.token(at - 1) in GENDERS  # "the woman are eating"
        if not self.words or self.words[-1] in FUNCTION_WORDS or self.split or is_odd:
            return 0
        if word in ("has", "have"):
            return self._add("with") if behind in DETERMINERS or behind in LOOKS else 0
        num = 1 + (word not in BE)
        if num > 1 and behind not in BE:
            return 0
        behind = self.token(at + num)
        if not (is_form(behind) or behind in PREPOSITIONS or behind in VERB_FORMS or behind in TOLD_VERBS):
            return 0
        self.split, self.is_finite = len(self.words), True
        return num

    def _take_determiner(self, at: int) -> int:
        word, behind, before = self.token(at), self.token(at + 1), self.token(at - 1)
        is_article = word in ARTICLES and before in LOOKS and before not in NOUNS  # "a blue a white plane"
        if is_article or (
            before in NOUNS and before not in VERB_FORMS and word not in ("her", "his", "its", "their")
        ):
            return 0  # "a bottle a glass and utensils" lacks a comma
        is_stump = is_form(behind) and self.token(at + 2) in BOUNDARIES  # "eating a talking on the phone"
        if word in POINTING or is_stump or (word in ARTICLES and self._are_several(at)):
            return 0
        phrase = self.phrase_at(at)
        if word in NUMBER_WORDS and phrase is None:
            return 0  # whether boxes have as many is not known
        return self._add("a" if word == "the" and phrase is not None and _is_new(phrase) else word)

    def _are_several(self, at: int) -> bool:
        """True for "a street signs"."""
        behind = self.token(at + 1)
        noun = NOUNS.get(behind)
        phrase = self.phrase_at(at)
        is_many = phrase is not None and phrase.is_plural and phrase.noun.kind != "animal"
        return is_many or behind in NUMBER_WORDS or (noun is not None and noun.is_plural and behind != "sheep")

    def _verb_at(self, at: int) -> Verb | None:
        """Return the verb of a doing that is told as such: "sits", "riding", "ride" of several."""
        word, before, behind = self.token(at), self.token(at - 1), self.token(at + 1)
        if not before or before in DETERMINERS or before in LOOKS or before == "of":
            return None
        verb = VERB_FORMS.get(word) or TOLD_VERBS.get(word)
        goes_on = behind in DETERMINERS or behind in PREPOSITIONS
        if verb is not None and word == verb.ing:
            return verb
        if verb is not None and word == verb.third and before not in PREPOSITIONS:
            is_posture = not behind and verb.base in POSTURES and word not in NOUNS
            return verb if goes_on or is_posture else None
        is_many = looks_plural(before) or "and" in (before, *self.words)
        if word in BASE_FORMS and is_many and goes_on and f"{before} {word}" not in NOUNS and word not in ADJECTIVES:
            is_verb = word not in NOUNS or behind in DETERMINERS or word in POSTURES
            return BASE_FORMS[word] if is_verb else None
        return None

    def _take_verb(self, verb: Verb, at: int) -> bool:
        word, behind = self.token(at), self.token(at + 1)
        is_base = word != verb.ing
        is_second = bool(self.verb) and not (self.is_finite and self.words[-1] == "and")
        if is_base and (not verb.ing.endswith("ing") or is_second):
            return False
        if verb.base not in ALWAYS_DONE and not self._may_say(word):
            return False
        if not self.verb:
            if verb.base not in POSTURES and not self.sources.voices.is_done(verb.base):
                return False
            self.verb = verb.base
            self.is_finite = self.is_finite or is_base
            is_parts = "with" in self.words and self.words[-2:-1] in (["its"], ["his"], ["her"], ["their"])
            self.split = self.split or (0 if is_parts else len(self.words))  # "a dog with its face resting on a boat"
        elif not is_base and self._is_done_beside(at):
            self.words.append("and")
        is_lying = word in LYING and behind not in DETERMINERS
        return bool(self._add("lying" if is_lying else verb.ing))

    def _is_done_beside(self, at: int) -> bool:
        """True behind a thing that something is done to: it does not do what comes next, "holding a cup smiling"."""
        thing = next((one for one in self.phrases if one.end == at and one.start > self.start), None)
        before = self.token(thing.start - 1) if thing is not None else ""
        is_target = before in VERB_FORMS or before in TOLD_VERBS
        return thing is not None and thing.noun.kind not in DOING and is_target

    def _ends_whole(self) -> bool:
        last = self.words[-1]
        if last in BASE_FORMS and (last not in NOUNS or last in ("race", "ride")) and last not in ADJECTIVES:
            return False
        if "seated" in self.words and not (self.phrases and self.phrases[0].noun.kind in DOING):
            return False
        verb = VERB_FORMS.get(last) or TOLD_VERBS.get(last)
        if verb is not None and last not in NOUNS:
            return verb.may_stand_alone
        return last not in NO_ENDS and not is_form(last)

    def _state(self) -> Statement | None:
        first = self.phrases[0] if self.phrases else None
        if first is None or first.start > self.start + _REACH:
            return None
        if first.start > self.start and not self._begins_well():
            return None
        words = put_articles(self.words, first, is_first=first.start == self.start)
        split = (self.split or len(self.words)) + len(words) - len(self.words)
        kind = first.noun.kind
        lemma = first.noun.lemma if first.noun.category != "person" else safe_lemma(first, self.sources)
        owned = share_owners(lemma, words) if kind == "person" else words
        sexes = {"", GENDERS.get(lemma, "")}
        if owned is None or any(OWNERS.get(word, "") not in sexes for word in owned):
            return None
        words = owned
        subject, predicate = (" ".join(part).replace(" ,", ",") for part in (words[:split], words[split:]))
        parts = (StatementPart(subject, None), StatementPart(f" {predicate}" if predicate else "", None))
        keys = frozenset(name_key(word) for word in words if word not in EMPTY and word not in FUNCTION_WORDS)
        verb = (self.verb or "be") if predicate else ""
        is_false = is_disputed(keys, tuple(words), verb, self.sources, is_vehicle=kind == "vehicle")
        if is_false or says_twice(parts) or (predicate and words[split - 1] in FUNCTION_WORDS):
            return None
        is_group = "of" in words[:_SHORT] and words[0] in ARTICLES
        return Statement(
            span=self.reading.span(self.start, self.end),
            # A long subject has two parts: its verb has to stay near.
            subject=parts[:1] if len(subject.split()) <= _SHORT else (*parts[:1], StatementPart("", None)),
            predicate=parts[1:] if predicate else (),
            verb=verb,
            is_plural=joins_two(words[:split]) or ((first.is_plural or words[0] in SEVERAL) and not is_group),
            lemma=lemma,
            category=first.noun.category or "",
            kind=kind,
            keys=keys - {","},
            looks=self.find_looks(words),
        )

    def _begins_well(self) -> bool:
        """True where an article or a number stands before what no table has, or it is a plural or a mass."""
        word = self.words[0]
        return word in DETERMINERS or word in NUMBER_WORDS or looks_plural(word) or word in BARE


def _is_new(phrase: NounPhrase) -> bool:
    """True for one thing that comes up for the first time: "the ball" is a ball."""
    noun = phrase.noun
    is_thing = noun.category not in (None, "person") or (noun.kind == "thing" and noun.lemma not in ONLY_ONE)
    return not phrase.is_plural and noun.article == "a" and is_thing
