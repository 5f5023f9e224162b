"""Episodes of made-up names: what only shots can tell, and what training never has."""

import json
from collections import Counter
from pathlib import Path

import pytest

from instructgen.errors import InstructgenError
from instructgen.evaluate.questions import Prediction
from instructgen.evaluate.shots.episodes import (
    ATTRIBUTES,
    Attribute,
    EpisodeRules,
    list_pairs,
    list_words,
    make_episode,
    make_look_documents,
    make_training_documents,
    write_documents,
)
from instructgen.evaluate.shots.forms import LABEL, build_prompt, write_prompt
from instructgen.evaluate.shots.pool import Query
from instructgen.evaluate.suites.new_names import NewNamesSuite
from instructgen.train.marks import PICTURE

RULES = EpisodeRules(3)


def test_words_and_pairs_that_are_asked_are_never_trained() -> None:
    assert not {*list_words("asked")} & {*list_words("training")}
    for attribute in ATTRIBUTES:
        asked, trained = list_pairs(attribute, "asked"), list_pairs(attribute, "training")
        assert asked
        assert trained
        assert not {*asked} & {*trained}


def test_every_two_shots_have_both_words_in_a_drawn_order() -> None:
    episode = make_episode(RULES, 5)
    pairs = [(episode.draw_class(place), episode.draw_class(place + 1)) for place in range(0, 40, 2)]
    assert {*pairs} == {(0, 1), (1, 0)}


def test_in_training_no_word_follows_from_the_words_before_it() -> None:
    episode = make_episode(EpisodeRules(0, "training", ("kind",)), 5)
    assert {episode.draw_class(0), episode.draw_class(1)} == {0, 1}
    pairs = [(episode.draw_class(place), episode.draw_class(place + 1)) for place in range(2, 80, 2)]
    assert {*pairs} == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_words_say_nothing_of_values() -> None:
    first: Counter[bool] = Counter()
    for number in range(400):
        episode = make_episode(RULES, number)
        first[sorted(episode.words)[0] == episode.words[0]] += 1
    assert abs(first[True] - 200) < 40


def test_pictures_of_an_episode_hang_on_its_number_and_name_alone() -> None:
    one, other = make_episode(RULES, 1), make_episode(RULES, 1)
    assert one.draw_picture(0, "shot 0") == other.draw_picture(0, "shot 0") != one.draw_picture(0, "shot 1")
    assert one.draw_picture(1, "shot 0") != one.draw_picture(0, "shot 0")
    assert make_episode(EpisodeRules(4), 1).draw_picture(0, "shot 0") != one.draw_picture(0, "shot 0")


@pytest.mark.parametrize("attribute", ATTRIBUTES)
@pytest.mark.parametrize("varies", [False, True])
def test_pictures_show_what_their_word_stands_for(attribute: str, varies: bool) -> None:
    episode = make_episode(EpisodeRules(0, "asked", (attribute,), varies), 2)  # type: ignore[arg-type]
    for of_class in (0, 1):
        for name in range(4):
            things = episode.lay_out(of_class, str(name)).things
            told = {
                "color": things[0].look.colour,
                "kind": things[0].kind,
                "count": ("one", "two", "three", "four")[len(things) - 1],
                "column": ("left", "middle", "right")[int((things[0].x / (160 / 120)) * 3)],
            }
            assert told[attribute] == episode.values[of_class]


@pytest.mark.parametrize("varies", [False, True])
def test_what_the_word_does_not_tell_differs_only_where_it_shall(varies: bool) -> None:
    episode = make_episode(EpisodeRules(0, varies=varies), 2)
    kinds = {episode.lay_out(0, str(name)).things[0].kind for name in range(8)}
    assert (len(kinds) > 1) == varies


def test_unknown_attribute_is_told_with_those_there_are() -> None:
    with pytest.raises(InstructgenError, match="no attribute 'size'; there are: color, kind, count, column"):
        make_episode(EpisodeRules(attributes=("size",)), 0)  # type: ignore[arg-type]


def test_classes_may_differ_in_several_attributes_at_once() -> None:
    rules = EpisodeRules(0, "training", ("color", "kind", "column"), num_differing=2)
    for number in range(20):
        episode = make_episode(rules, number)
        first, second = episode.lay_out(0, "x").things[0], episode.lay_out(1, "x").things[0]
        assert len(episode.also) == 1
        assert episode.attribute not in episode.also
        differing = {episode.attribute, *episode.also}
        assert (first.kind != second.kind) == ("kind" in differing)
        assert (first.look.colour != second.look.colour) == ("color" in differing)


@pytest.mark.parametrize(
    ("attributes", "num", "told"),
    [(("color",), 2, "2 of 1 attributes"), (("count", "column"), 2, "count or column")],
)
def test_attributes_that_cannot_differ_together_are_told(
    attributes: tuple[Attribute, ...], num: int, told: str
) -> None:
    with pytest.raises(InstructgenError, match=told):
        make_episode(EpisodeRules(0, "training", attributes, num_differing=num), 0)


def test_words_can_be_given() -> None:
    rules = EpisodeRules(0, words=("dax", "wug"))
    assert {make_episode(rules, number).words for number in range(20)} == {("dax", "wug"), ("wug", "dax")}
    with pytest.raises(InstructgenError, match="2 words, and there are: dax"):
        make_episode(EpisodeRules(0, words=("dax",)), 0)


def test_documents_of_looks_say_what_each_picture_shows() -> None:
    rules = EpisodeRules(0, "training", num_variants=2)
    made = list(make_look_documents(rules, 6, 4))
    texts = [text.removeprefix("Output:") for document in made for text in document.texts]
    assert len(texts) == 24
    assert all(("one" in text) == text.endswith(("left", "middle", "right")) for text in texts)
    assert {text.split()[0] for text in texts} == {"one", "two", "three", "four"}
    assert made == list(make_look_documents(rules, 6, 4))


def test_training_documents_are_prompts_with_their_answers() -> None:
    rules = EpisodeRules(0, "training", ("kind", "count"))
    (document,) = make_training_documents(rules, 1, 4)
    episode = make_episode(rules, 0)
    assert {text.removeprefix("Output:") for text in document.texts} == {*episode.words} <= {*list_words("training")}
    assert len(set(document.pictures)) == 4
    assert sum(part is PICTURE for part in document.parts) == 4
    assert write_prompt(document.parts) == "\n".join(f"<image>{text}<|endofchunk|>" for text in document.texts)


def test_training_may_share_pictures_and_is_written_as_documents(tmp_path: Path) -> None:
    rules = EpisodeRules(0, "training", ("color",), num_variants=2)
    made = list(make_training_documents(rules, 12, 4))
    path = write_documents(made, tmp_path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["id"] for line in lines] == [document.key for document in made]
    assert [list(part) for part in lines[0]["parts"]] == [["image"], ["text"]] * 4
    assert lines[0]["parts"][1]["text"] == made[0].texts[0]
    pictures = {one for document in made for one in document.pictures}
    assert {
        (tmp_path / "images" / part["image"]).read_bytes() for line in lines for part in line["parts"][::2]
    } == pictures
    assert len(pictures) < 12 * 4
    assert made == list(make_training_documents(rules, 12, 4))


def test_both_questions_of_an_episode_have_the_same_shots_and_other_truths() -> None:
    suite = NewNamesSuite(RULES, 2, "likeliest")
    first, second, *_ = suite.questions()
    shots = suite.choose(Query(first.key, b"", frozenset()), 4)
    assert shots == suite.choose(Query(second.key, b"", frozenset()), 4)
    assert {shot.answer for shot in shots} == {*first.candidates} == {*second.candidates}
    assert suite.read_picture(str(first.image_id)) != suite.read_picture(str(second.image_id))
    assert suite.choose(Query(first.key, b"", frozenset()), 2) == shots[:2]
    assert len(suite.choose(Query(first.key, b"", frozenset()), 0)) == 2
    assert write_prompt(build_prompt(LABEL, shots)).count("<image>") == 5


def test_who_does_not_see_is_half_right_exactly() -> None:
    suite = NewNamesSuite(RULES, 20, "likeliest")
    blind = {one.key: Prediction("", one.key, "", scores=(1.0, 0.0)) for one in suite.questions()}
    report = suite.measure(blind)
    assert report.scores["accuracy"].value == report.scores["chance"].value == 0.5
    assert report.scores["accuracy"].stderr == 0.0
    assert report.counts["episodes"] == 20


def test_answer_with_both_words_is_unread() -> None:
    suite = NewNamesSuite(RULES, 1)
    first, _ = suite.questions()
    words = make_episode(RULES, 0).words
    report = suite.measure({first.key: Prediction("", first.key, "", text=" or ".join(words))})
    assert (report.scores["accuracy"].value, report.counts["unread"]) == (0.0, 1)
    report = suite.measure({first.key: Prediction("", first.key, "", text=f"{words[0]}.")})
    assert (report.scores["accuracy"].value, report.counts["unread"]) == (1.0, 0)
