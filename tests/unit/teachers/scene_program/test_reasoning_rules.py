"""The rules of reasoning as they ship, when they hold, and what somebody is told whose file cannot be used."""

import re
from collections import Counter
from collections.abc import Callable
from statistics import fmean

import pytest

from instructgen.errors import InstructgenError
from instructgen.lexicon.categories import CATEGORIES
from instructgen.lexicon.words import plural_of
from instructgen.records import Box, ImageRecord
from instructgen.scenegraph.read import read_graph
from instructgen.teachers.scene_program.rules import Rule, find_matches, load_rules
from tests.unit.teachers.scene_program.making import at, make, place, say, swap

RULES = load_rules()
_HEDGE = re.compile(
    r"\b(?:can|could|may|might|would|should|usually|often|tends?|likely|probably|generally|typically|normally|perhaps|"
    r"possibly|commonly|sometimes|seems?|rarely|seldom|mostly|frequently|suggests?|appears?)\b",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"\b(?:the|this) (?:picture|image|photo|photograph|scene)\b", re.IGNORECASE)
# What people are called where a question is about anybody, whoever is in the image.
_ANYBODY = {"person", "people", "human", "adult", "friend", "family", "player", "someone", "student", "worker"}


def names_of(rule: Rule) -> set[str]:
    """Return the words that would tell what is in the image."""
    said = {word for category in rule.when.named for word in CATEGORIES[category].synonyms} - _ANYBODY
    return {form for word in said for form in (word, plural_of(word))}


def sentences_of(rule: Rule) -> list[str]:
    return [form for parts in (rule.background, *rule.answers) for form in parts]


def test_there_are_many_rules_for_many_things() -> None:
    assert len(RULES) >= 120
    assert len({category for rule in RULES for category in rule.when.named}) >= 70
    assert 3 <= sum(rule.fallback for rule in RULES) <= 20
    for part in ("doing", "setting", "time", "weather", "many", "none", "words"):
        assert any(getattr(rule.when, part) for rule in RULES), part


def test_rule_has_questions_and_answers_enough() -> None:
    for rule in RULES:
        assert len(rule.questions) >= 3, rule.name
        assert min(len(rule.background), len(rule.answers)) >= 2, rule.name
        assert min(len(one) for one in rule.answers) >= 3, rule.name
        forms = Counter(form.lower() for form in (*rule.questions, *sentences_of(rule)))
        assert max(forms.values()) == 1, rule.name


def test_answer_does_not_begin_with_what_its_background_may_not_have_named() -> None:
    begun = [one[0] for rule in RULES for one in rule.answers if one[0].startswith(("Their ", "Its ", "Theirs "))]
    assert begun == []  # whose? "an elephant's trunk" is no elephants


def test_question_does_not_name_what_the_image_shows() -> None:
    told = [
        (rule.name, word, question)
        for rule in RULES
        for question in rule.questions
        for word in names_of(rule)
        if re.search(rf"\b{re.escape(word)}\b", question, re.IGNORECASE)
    ]
    assert told == []


def test_question_is_one_and_not_about_a_picture() -> None:
    for question in (question for rule in RULES for question in rule.questions):
        assert question.endswith("?"), question
        assert question[0].isupper(), question
        assert 5 <= len(question.split()) <= 30, question
        assert not _PICTURE.search(question), question
        assert not re.search(r"\d|  | ,", question), question


def test_step_is_a_sentence_of_general_knowledge() -> None:
    for sentence in (sentence for rule in RULES for sentence in sentences_of(rule)):
        assert sentence.endswith("."), sentence
        assert sentence[0].isupper(), sentence
        assert 8 <= len(sentence.split()) <= 40, sentence
        assert not re.search(r"\d|  |\.\.| ,", sentence), sentence


def test_step_is_silent_about_the_picture() -> None:
    told = [(rule.name, sentence) for rule in RULES for sentence in sentences_of(rule) if _PICTURE.search(sentence)]
    assert told == []


def test_half_of_a_rule_is_hedged() -> None:
    shares = {rule.name: fmean(bool(_HEDGE.search(one)) for one in sentences_of(rule)) for rule in RULES}
    assert {name: share for name, share in shares.items() if share < 0.5} == {}


def test_no_sentence_serves_two_rules() -> None:
    told = Counter(sentence for rule in RULES for sentence in sentences_of(rule))
    assert [sentence for sentence, num in told.items() if num > 1] == []
    assert len({rule.name for rule in RULES}) == len(RULES)


# What follows are rules of somebody's own.

Write = Callable[[str, str], None]


def rule_text(when: str, name: str = "own", extra: str = "") -> str:
    return (
        f'[[rule]]\nname = "{name}"\nwhen = {{ {when} }}\nquestions = ["Why?"]\n'
        f'background = ["So."]\nanswers = [["Thus."]]\n{extra}\n'
    )


RIDER = make(
    ("A man is riding a horse on a sunny beach.", "A man riding a horse on a beach.", "A dog on a beach at night."),
    *(at("left", "person"), at("right", "horse"), at("middle", "dog")),
)
TWO_DOGS = place(swap(RIDER, "A dog", "Dogs"), *RIDER.boxes, at("left top", "dog"))


def names_matched(record: ImageRecord) -> list[str]:
    return [match.rule.name for match in find_matches(read_graph(record))]


@pytest.mark.parametrize(
    ("when", "record", "other"),
    [
        ('things = ["horse", "dog"]', RIDER, place(RIDER, at("right", "horse"))),
        ('any = ["cat", "dog"]', RIDER, place(RIDER, at("right", "horse"))),
        ('things = ["horse"], none = ["bicycle"]', RIDER, say(RIDER, "Some bikes.")),
        ('things = ["horse"], none = ["cat"]', RIDER, place(RIDER, *RIDER.boxes, at("left", "cat"))),
        ('many = ["dog"]', TWO_DOGS, RIDER),
        ('doing = ["ride"], things = ["horse"]', RIDER, swap(RIDER, "riding", "with")),
        ('doing = ["ride", "walk"], things = ["horse"]', RIDER, place(RIDER, at("right", "horse"))),
        ('setting = ["beach", "park"]', RIDER, swap(RIDER, "beach", "road")),
        ('time = ["night"]', RIDER, swap(RIDER, "night", "home")),
        ('time = ["night"]', RIDER, say(RIDER, "All of it in the morning.")),
        ('weather = ["sun"]', RIDER, swap(RIDER, "sunny", "nice")),
        ('weather = ["sunny"]', RIDER, say(RIDER, "It is raining.")),
        ('words = ["leash", "sunny"]', RIDER, swap(RIDER, "sunny", "nice")),
        ('things = ["horse"], without = ["statue"]', RIDER, say(RIDER, "A metal statue.")),
        ('things = ["horse"], time = ["night"]', RIDER, swap(RIDER, "night", "home")),
        ('things = ["horse"], under_way = true', RIDER, swap(RIDER, "riding", "with")),
        ('things = ["horse"]', RIDER, say(RIDER, "A toy horse.")),
        ('things = ["clock"]', place(RIDER, at("left", "clock")), place(RIDER, Box("clock", 0.1, 0.1, 0.2, 0.2))),
    ],
    ids=[
        *("things", "any", "none, hinted", "none, boxed", "many", "doing", "doing, unproved", "setting", "time"),
        *(
            "time, disputed",
            "weather",
            "weather, disputed",
            "words",
            "without",
            "things and time",
            "under way",
            "unreal animal",
        ),
        "small and unnamed",
    ],
)
def test_rule_holds_where_all_that_it_asks_is_so(
    write: Write, when: str, record: ImageRecord, other: ImageRecord
) -> None:
    write("rules/own.toml", rule_text(when))
    assert names_matched(record) == ["own"]
    assert names_matched(other) == []


def test_doing_is_of_the_things_of_the_rule(write: Write) -> None:
    write("rules/own.toml", rule_text('doing = ["ride"], things = ["dog"]'))
    assert names_matched(RIDER) == [], "it is the horse that is ridden"
    write("rules/own.toml", rule_text('doing = ["ride"], things = ["horse"]'))
    load_rules.cache_clear()
    (match,) = find_matches(read_graph(RIDER))
    assert match.action is not None
    assert (match.action.verb, match.action.things) == ("ride", frozenset({"horse"}))


def test_fallback_is_used_only_where_nothing_else_holds(write: Write) -> None:
    write("rules/a.toml", rule_text('words = ["a"]', "any", "fallback = true"))
    write("rules/b.toml", rule_text('things = ["horse"]', "horse"))
    assert names_matched(RIDER) == ["horse"]
    assert names_matched(place(RIDER, at("left", "dog"))) == ["any"]
    assert names_matched(make(("Nothing.",), at("left", "dog"))) == []


def test_rules_are_read_in_the_order_of_files(write: Write) -> None:
    write("rules/b.toml", rule_text('words = ["a"]', "second"))
    write("rules/a.toml", rule_text('words = ["a"]', "first"))
    assert [rule.name for rule in load_rules()] == ["first", "second"]


def test_narrower_rule_weighs_more() -> None:
    by_name = {rule.name: rule.when.weight() for rule in RULES}
    wide = min(rule.when.weight() for rule in RULES if not rule.fallback)
    assert all(rule.when.weight() > wide for rule in RULES if rule.when.things and rule.when.doing)
    assert max(by_name.values()) > 5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (rule_text('things = ["hors"]'), ["'own'", "'hors'", "category"]),
        (rule_text('none = ["unicorn"]'), ["'own'", "'unicorn'", "category"]),
        (rule_text(""), ["'own'", "condition is empty", "say when"]),
        (rule_text('things = ["horse"], hour = ["noon"]'), ["hour"]),
        (rule_text('things = ["horse"]', extra="steps = []"), ["steps"]),
        (rule_text('things = "horse"'), ["array", "things"]),
        (rule_text('things = ["horse"]').replace('["Thus."]', "[]"), ["'own'", "answers"]),
        (rule_text('things = ["horse"]').replace('["Why?"]', "[]"), ["'own'", "questions"]),
        ("[[rule]\n", ["TOML", "line 1"]),
        ("rules = 3\n", ["rule"]),
    ],
    ids=[
        *("unknown category", "unknown category in none", "empty", "unknown key of when", "unknown key", "no list"),
        *("empty answer", "no question", "no TOML", "no rules"),
    ],
)
def test_fault_of_a_file_is_told_with_its_place(write: Write, text: str, told: list[str]) -> None:
    write("rules/mine.toml", text)
    with pytest.raises(InstructgenError) as caught:
        load_rules()
    for words in ("mine.toml", *told):
        assert words in str(caught.value)


@pytest.mark.parametrize("wrong", ['things = ["horse"], hour = ["noon"]', 'things = "horse"'])
def test_fault_that_the_reader_finds_names_the_rule(write: Write, wrong: str) -> None:
    """Of many rules in a file, a key that is not known is found by the rule's name or its number."""
    good = rule_text('things = ["horse"]', "first")
    write("rules/mine.toml", good + rule_text(wrong, "second"))
    with pytest.raises(InstructgenError, match=r"mine\.toml.*(?:second|rule\[1\])"):
        load_rules()


def test_rule_of_a_name_in_use_is_told_with_both_files(write: Write) -> None:
    write("rules/a.toml", rule_text('words = ["a"]'))
    write("rules/mine.toml", rule_text('words = ["a"]'))
    with pytest.raises(InstructgenError, match="'own'; give one another name") as caught:
        load_rules()
    assert "mine.toml" in str(caught.value)
