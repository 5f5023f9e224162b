"""Captions told in their own words: what of them is told, how it is written, and what is not told."""

import pytest

from instructgen.scenegraph.graph import Statement
from instructgen.scenegraph.own_spelling import joins_two
from instructgen.scenegraph.own_words import find_own_words, read_own_words
from instructgen.scenegraph.vocabulary import looks_plural
from tests.unit.scenegraph.pictures import read

ZORB = "A man washing a zorb. | A zorb in a field."  # no table has a zorb
PARK = "A dog on a bench in a field. | A dog on a bench. | A field."


def read_first(captions: str, boxes: str, most_alone: int = 0) -> Statement | None:
    """Return the first caption as far as it is told in its own words."""
    sources = read(captions, boxes).sources
    assert sources is not None
    return next((one for one in read_own_words(sources, most_alone) if one.span.caption == 0), None)


def tell(captions: str, boxes: str = "", most_alone: int = 0) -> str:
    one = read_first(captions, boxes, most_alone)
    return one.text if one is not None else ""


@pytest.mark.parametrize(
    ("first", "told"),
    [
        ("A man washing a zorb in a field.", "a man washing a zorb in a field"),
        ("There is a man washing a zorb in a field.", "a man washing a zorb in a field"),
        ("A man washing a zorb with a stall.", "a man washing a zorb"),
        ("A man washing a zorb by a blorp in a field.", "a man washing a zorb"),
        ("A man with a stall in a field.", ""),
        ("A man polishing a zorb in a field.", ""),
        ("A man washing a zorb, a stall and a field.", ""),
    ],
    ids=["all shared", "an opener", "a word at the end", "a word amid", "a word early", "a doing", "a list"],
)
def test_word_of_one_caption_ends_what_is_told(first: str, told: str) -> None:
    assert tell(f"{first} | {ZORB}", "person") == told


@pytest.mark.parametrize(
    ("first", "told"),
    [
        ("A man with a stall in a field.", "a man with a stall in a field"),
        ("A man with a stal in a field.", ""),
        ("A man with a stall in a castle.", "a man with a stall"),
        ("A man with a statue in a field.", ""),
        ("A man with a stall by a stall.", "a man with a stall by a stall"),
    ],
    ids=["spelled", "misspelled", "two of them", "a likeness", "the same twice"],
)
def test_one_spelled_word_may_be_its_authors_own(first: str, told: str) -> None:
    assert tell(f"{first} | {ZORB}", "person", most_alone=1) == told


@pytest.mark.parametrize(
    ("captions", "boxes", "told"),
    [
        ("A man sits on a bench. | A man on a bench. | A bench.", "person, bench", "a man sitting on a bench"),
        ("A man is sitting on a bench. | A man on a bench. | A bench.", "person, bench", "a man sitting on a bench"),
        ("A dog laying on a bench. | A dog on a bench. | A bench.", "dog, bench", "a dog lying on a bench"),
        ("A dog lays on a bench. | A dog on a bench. | A bench.", "dog, bench", "a dog lying on a bench"),
        ("Men ride on horses. | Men riding horses. | Men.", "2 person, 2 horse", "men riding on horses"),
        ("A man that is riding a horse. | A man rides a horse. | A horse.", "person, horse", "a man riding a horse"),
    ],
    ids=["finite", "is and a doing", "laying", "lays", "of several", "that is"],
)  # fmt: skip
def test_doing_is_told_as_a_participle(captions: str, boxes: str, told: str) -> None:
    assert tell(captions, boxes) == told


def test_predicate_begins_at_the_doing() -> None:
    one = read_first("A man sits on a bench. | A man on a bench. | A bench.", "person, bench")
    assert one is not None
    assert [part.text for part in (*one.subject, *one.predicate)] == ["a man", " sitting on a bench"]
    assert (one.verb, one.lemma, one.category, one.is_plural) == ("sit", "man", "person", False)
    assert {"bench", "person"} <= one.keys


@pytest.mark.parametrize(
    ("captions", "boxes", "told"),
    [
        ("A man holding a cup smiling. | A man smiles. | A man holding a cup.", "person, cup",
         "a man holding a cup and smiling"),
        ("A man guiding a dog running. | A man guiding a dog. | A dog runs.", "person, dog",
         "a man guiding a dog running"),
    ],
    ids=["of a man", "of the dog"],
)  # fmt: skip
def test_second_doing_is_joined_where_it_is_not_the_things_own(captions: str, boxes: str, told: str) -> None:
    assert tell(captions, boxes) == told


@pytest.mark.parametrize(
    ("captions", "boxes", "told"),
    [
        ("A dog with the ball on a field. | A dog and a ball. | A field.", "dog, sports ball",
         "a dog with a ball on a field"),
        ("The dog on a field. | A dog. | A field.", "dog", "a dog on a field"),
        ("Dog on a big field. | A dog. | A big field.", "dog", "a dog on a big field"),
        ("A dog with the basket on a field. | A dog and a basket. | A field.", "dog",
         "a dog with the basket on a field"),
        ("A tasty apple on a field. | An apple. | A field.", "apple", "an apple on a field"),
        ("A ugly house on a field. | An ugly house. | A field.", "", "an ugly house on a field"),
        ("The group of dogs on a field. | A group. | A field. | Dogs.", "3 dog", "a group of dogs on a field"),
    ],
    ids=["boxed", "first", "none", "not boxed", "behind a look", "before a vowel", "a group"],
)  # fmt: skip
def test_articles_are_those_of_what_comes_up_for_the_first_time(captions: str, boxes: str, told: str) -> None:
    assert tell(captions, boxes) == told


@pytest.mark.parametrize(
    ("captions", "boxes", "told"),
    [
        ("A house has big windows and a door. | A house with big windows. | A door of a house.", "",
         "a house with big windows and a door"),
        ("Two dogs next to one another in a field. | Two dogs. | A field.", "2 dog",
         "two dogs next to each other in a field"),
        ("Two dogs next to each other in a field. | Two dogs. | A field.", "2 dog",
         "two dogs next to each other in a field"),
        ("A man on a skate board in a field. | A man on a skateboard. | A skate board in a field.",
         "person, skateboard", "a man on a skateboard in a field"),
        ("A guy and a lady in a field. | A guy and a lady. | A field.", "2 person", "a man and a woman in a field"),
    ],
    ids=["has", "one another", "each other", "skate board", "guy"],
)  # fmt: skip
def test_words_are_written_as_others_write_them(captions: str, boxes: str, told: str) -> None:
    assert tell(captions, boxes) == told


@pytest.mark.parametrize(
    ("look", "told"),
    [
        ("woven", "a basket on a street"),
        ("tasty", "a basket on a street"),
        ("big", "a big basket on a street"),
        ("green", "a basket on a street"),
        ("fallen", ""),
        ("half", ""),
        ("different", ""),
        ("empty", ""),
        ("toy", ""),
    ],
)
def test_look_that_no_other_caption_has_is_left_out_where_it_may(look: str, told: str) -> None:
    assert tell(f"A {look} basket on a street. | A basket on a street. | A big house.") == told


@pytest.mark.parametrize(
    ("other", "told"), [("a green shirt", "a man in a green shirt on a street"), ("a shirt", "")]
)
def test_shirt_is_not_told_without_its_look(other: str, told: str) -> None:
    assert tell(f"A man in a green shirt on a street. | A man in {other}. | A street.", "person") == told


@pytest.mark.parametrize(
    ("first", "rest", "boxes", "told"),
    [
        ("Two dogs on a bench.", "Dogs on a bench. | A bench.", "2 dog, bench", "two dogs on a bench"),
        ("Three dogs on a bench.", "Dogs on a bench. | A bench.", "2 dog, bench", "dogs on a bench"),
        ("Two dogs on a bench.", "Three dogs on a bench. | A bench.", "2 dog, bench", "dogs on a bench"),
        ("Dogs lying on a bench.", "Dogs on a bench. | A bench.", "dog, bench", ""),
        ("Two baskets on a bench.", "Two baskets. | A bench.", "bench", "two baskets on a bench"),
        ("Two baskets on a bench.", "Baskets. | A bench.", "bench", "baskets on a bench"),
        ("A dog on a bench.", "Dogs on a bench. | Dogs on a bench.", "2 dog, bench", ""),
    ],
    ids=["as boxed", "not as boxed", "another's", "one box", "without a box", "one's alone", "one of several"],
)
def test_number_that_is_not_that_of_boxes_or_of_others_is_left_out(
    first: str, rest: str, boxes: str, told: str
) -> None:
    assert tell(f"{first} | {rest}", boxes) == told


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ("A red basket", "a red basket on a bench"),
        ("A blue basket", "a basket on a bench"),
        ("A red and blue basket", "a basket on a bench"),
        ("A red basket and a blue house", "a red basket on a bench"),
    ],
)
def test_color_that_others_dispute_is_left_out(other: str, told: str) -> None:
    assert tell(f"A red basket on a bench. | {other} on a bench. | A red basket.", "bench") == told


@pytest.mark.parametrize(
    ("captions", "boxes", "told"),
    [
        ("A man sitting in a chair. | A man sits in a chair. | A chair.", "person, chair",
         "a man sitting in a chair"),
        ("A man sitting in chair. | A man sits in a chair. | A chair.", "person, chair",
         "a man sitting in a chair"),
        ("A man holding cup on a street. | A man holding a cup. | A street.", "person, cup",
         "a man holding a cup on a street"),
        ("A dog in red chair. | A dog in a red chair. | A chair.", "dog, chair", "a dog in a red chair"),
        ("A man up to bat on a street. | A man up to bat. | A street.", "person, baseball bat", ""),
        ("A dog on an upside down bench. | A dog. | An upside down bench.", "dog, bench", ""),
        ("A dog lying in bed. | A dog lying in a bed. | A bed.", "dog, bed", "a dog lying in bed"),
        ("A dog and a man at market. | A dog and a man. | A market.", "person, dog", "a dog and a man at a market"),
        ("A dog on a street signs. | A dog. | Street signs. | Street signs.", "dog", ""),
        ("A bottle a glass and a dog. | A bottle. | A glass and a dog.", "bottle, dog, wine glass", ""),
        ("A dog in a field on blorp. | A dog. | A field. | A blorp.", "dog", "a dog in a field"),
    ],
    ids=["all there", "no article", "held", "a look alone", "at bat", "a look with an article", "in bed", "at market",
         "an article too many",
         "no comma", "on blorp"],
)  # fmt: skip
def test_small_word_that_a_caption_lacks_is_put_in_where_it_is_known(captions: str, boxes: str, told: str) -> None:
    assert tell(captions, boxes) == told


_BOXES = "3 cup, vase, dining table"


@pytest.mark.parametrize(
    ("first", "told"),
    [
        ("A table with cups, a basket and a vase.", "a table with cups, a basket and a vase"),
        ("A table with cups, a vase in a stall.", ""),
        ("A table with cups, a vase.", ""),
        ("A table with cups and a vase.", "a table with cups and a vase"),
        ("A table with cups and a vase in a stall.", ""),
    ],
    ids=["whole", "cut behind a comma", "no end", "two", "cut behind and"],
)
def test_list_that_lost_its_end_is_not_told(first: str, told: str) -> None:
    assert tell(f"{first} | A table with a vase and cups. | A table with cups and a basket. | Cups.", _BOXES) == told


@pytest.mark.parametrize(("name", "is_told"), [("honda", True), ("Honda", False)])
def test_name_with_a_capital_is_not_told(name: str, *, is_told: bool) -> None:
    told = tell(f"A man on a {name} bike in a field. | A man on a honda bike. | A field.", "person, bicycle")
    assert ("honda" in told) is is_told


@pytest.mark.parametrize(
    "thing",
    ["this ball", "any ball", "no ball", "few balls", "a ball or two", "his lap", "a ball without it", "her ball"],
)
def test_what_points_elsewhere_or_is_denied_is_not_told(thing: str) -> None:
    """Though another caption has the very words."""
    captions = f"A man with {thing} on a field. | A man with {thing}. | A field."
    assert tell(captions, "person, 2 sports ball") == ""
    assert tell(captions.replace(thing, "his cup"), "person, cup") == "a man with his cup on a field"


@pytest.mark.parametrize(
    ("first", "rest", "boxes", "is_told"),
    [
        ("A dog in front of a bench.", "A dog behind a bench. | A dog.", "dog, bench", False),
        ("A dog in front of a bench.", "A dog by a bench. | A dog.", "dog, bench", True),
        ("Ducks on a street.", "Swans on a street. | Birds.", "3 bird", False),
        ("Ducks on a street.", "Birds on a street. | Ducks.", "3 bird", True),
        ("A woman on a street.", "A man on a street. | A man.", "person", True),  # as a person
        ("A woman on a street.", "A person on a street. | A woman.", "person", True),
        ("A dog and a house in a lake.", "A dog in a river. | A house in a lake. | A river.", "dog", False),
    ],
    ids=["behind it", "by it", "swans", "birds", "a man", "a person", "a river"],
)
def test_what_others_call_or_place_otherwise_is_not_told(first: str, rest: str, boxes: str, *, is_told: bool) -> None:
    assert bool(tell(f"{first} | {rest}", boxes)) is is_told


@pytest.mark.parametrize(
    ("other", "told"),
    [("A dog sits on a bench.", "a dog sitting on a bench"), ("A dog lying on a bench.", "")],
)
def test_disputed_posture_is_not_told(other: str, told: str) -> None:
    assert tell(f"A dog sits on a bench. | {other} | A bench.", "dog, bench") == told


@pytest.mark.parametrize(
    ("first", "told"),
    [
        ("A man is riding a horse in a field.", True),
        ("A man is riding a horse in a field with a dog on a street by a house under a tree near a bench.", False),
        ("A dog.", False),
    ],
    ids=["fit", "long", "short"],
)
def test_caption_is_neither_long_nor_short(first: str, *, told: bool) -> None:
    rest = "A man rides a horse. | A horse in a field. | A dog on a street by a house under a tree. | A bench."
    assert bool(tell(f"{first} | {rest}", "person, horse, dog, bench")) is told


@pytest.mark.parametrize(
    ("first", "told"),
    [("A tasty man jumping.", ""), ("A tasty man jumping in a field.", "a man jumping in a field")],
)
def test_caption_is_not_short_without_a_look_that_was_left_out(first: str, told: str) -> None:
    assert tell(f"{first} | A man jumps. | A field.", "person") == told


def find(captions: str, said: str, margin: int, most_alone: int = 0) -> str:
    sources = read(captions, "person").sources
    assert sources is not None
    one = find_own_words(sources, said, margin, most_alone)
    return one.text if one is not None else ""


def test_caption_is_found_that_tells_most_of_what_several_tell() -> None:
    captions = f"A man with a zorb. | A man washing a zorb in a field. | {ZORB}"
    assert find(captions, "", 1) == "a man washing a zorb in a field"
    assert find(captions, "A man washing a zorb in a field.", 1) == ""


def test_what_most_captions_tell_weighs_more_than_what_two_do() -> None:
    assert (
        find("A man with a basket. | A man in a field. | A basket in a field. | A field.", "", 1)
        == "a man in a field"
    )


@pytest.mark.parametrize(("margin", "told"), [(1, "a man washing a zorb"), (2, "")])
def test_caption_has_to_tell_more_by_the_margin(margin: int, told: str) -> None:
    assert find("A man washing a zorb. | A man washes a zorb. | A man.", "A man with a zorb.", margin) == told


@pytest.mark.parametrize(("most_alone", "told"), [(0, ""), (1, "a man with a stall in a field")])
def test_word_of_ones_own_is_found_only_where_it_may_be(most_alone: int, told: str) -> None:
    assert find("A man with a stall in a field. | A man. | A field.", "A man.", 1, most_alone) == told


@pytest.mark.parametrize(
    ("words", "is_two"),
    [
        ("a man and a woman", True),
        ("men and women", True),
        ("a man in a shirt and a tie", False),
        ("a skier crouched and gliding", False),
        ("a man and", False),
    ],
)
def test_two_are_joined_only_by_and(words: str, *, is_two: bool) -> None:
    assert joins_two(words.split()) is is_two


@pytest.mark.parametrize(
    ("word", "is_many"), [("dogs", True), ("zorbs", True), ("glass", False), ("bus", False), ("blorpus", False)]
)
def test_plural_is_known_by_its_noun_or_its_end(word: str, *, is_many: bool) -> None:
    assert looks_plural(word) is is_many


@pytest.mark.parametrize(
    ("captions", "boxes", "told"),
    [
        ("A man in his hat on a street. | A child in his hat. | A street.", "person",
         "a person in their hat on a street"),
        ("Two dog on a bench. | Two dogs. | A bench.", "2 dog, bench", "two dogs on a bench"),
        ("A red, blue and green bus on a street. | A white bus. | A street.", "bus", "a bus on a street"),
        ("A blue a white bus on a street. | A bus. | A street. | Blue and white.", "bus", ""),
        ("A group of dogs on a street. | Dogs. | A street.", "3 dog", "a group of dogs on a street"),
        ("A man by a box full of dogs. | A man. | A box. | Dogs.", "person, 3 dog", "a man by a box full of dogs"),
        ("A man and women on a street. | A woman and women on a street. | A street.", "3 person", ""),
        ("A man playing frisbee. | A man playing frisbee. | A frisbee.", "person, frisbee", "a man playing frisbee"),
        ("A dog by the flag. | A dog. | A flag.", "dog", "a dog by a flag"),
        ("A dog on on a street. | A dog. | A street.", "dog", ""),
        ("A dog sitting top of a bench. | A dog sits. | A bench.", "dog, bench", ""),
        ("A dog lying a on a bench. | A dog lies. | A bench.", "dog, bench", ""),
        ("A dog looking a bench. | A dog looks. | A bench.", "dog, bench", ""),
        ("A dog looking at a bench. | A dog looks. | A bench.", "dog, bench", "a dog looking at a bench"),
        ("A dog on a street in background. | A dog. | A street.", "dog", "a dog on a street in the background"),
        ("The woman are on a street. | A woman. | A street.", "person", ""),
        ("A dog with its face resting on a bench. | A dog, its face. | A bench.", "dog, bench",
         "a dog with its face resting on a bench"),
    ],
    ids=["an owner", "a singular", "colors", "two articles", "a group", "full of", "two people", "a game", "a flag",
         "a word twice", "top of", "an article too many", "no at", "an at",
         "background", "woman are", "its face"],
)  # fmt: skip
def test_what_is_in_dispute_or_misspelled_is_put_otherwise(captions: str, boxes: str, told: str) -> None:
    assert tell(captions, boxes) == told


def test_doing_of_a_part_makes_no_predicate() -> None:
    one = read_first("A dog with its face resting on a bench. | A dog, its face. | A bench.", "dog, bench")
    assert one is not None
    assert one.predicate == ()
