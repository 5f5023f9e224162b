"""Captions are true of the pixels and good English."""

import re
from collections import Counter

import inflect
import pytest
from reading import read_mentions

from instructgen.scenes.phrases import NOUNS
from instructgen.sources.scenes import SceneImage


def test_every_image_has_five_different_captions_of_8_to_14_words(images: list[SceneImage]) -> None:
    for image in images:
        assert len(set(image.captions)) == 5
        assert all(8 <= len(caption.split()) <= 14 for caption in image.captions)


def test_counts_in_captions_are_the_total_numbers_of_boxes(images: list[SceneImage]) -> None:
    num_mentions = 0
    for image in images:
        boxes = Counter(sighting.thing.kind for sighting in image.drawing.sightings)
        for caption in image.captions:
            told: Counter[str] = Counter()
            for mention in read_mentions(caption):
                told[mention.kind] += mention.count
            assert all(boxes[kind] == count for kind, count in told.items()), (caption, boxes)
            assert told, caption
            num_mentions += len(told)
    assert num_mentions > 5 * len(images)


def test_colours_in_captions_are_the_measured_colours(images: list[SceneImage]) -> None:
    num_colours = 0
    for image in images:
        seen = Counter((sighting.thing.kind, sighting.colour) for sighting in image.drawing.sightings)
        for caption in image.captions:
            for mention in read_mentions(caption):
                if mention.colour is not None:
                    assert seen[mention.kind, mention.colour] >= mention.count, (caption, seen)
                    num_colours += 1
    assert num_colours > 2 * len(images)


def test_left_and_right_hold_with_a_margin(images: list[SceneImage]) -> None:
    num_sides = 0
    for image in images:
        boxes = {sighting.thing.kind: sighting.box_px for sighting in image.drawing.sightings}
        for caption in image.captions:
            found = re.search(r" is to the (left|right) of ", caption)
            if found:
                first, second = (mention.kind for mention in read_mentions(caption)[:2])
                left, right = (first, second) if found[1] == "left" else (second, first)
                assert boxes[left][2] < boxes[right][0]
                num_sides += 1
    assert num_sides > 30


@pytest.mark.parametrize("verb", ["riding", "holding", "sitting on", "lying on"])
def test_who_touches_something_meets_its_box(images: list[SceneImage], verb: str) -> None:
    for image in images:
        boxes = {sighting.thing.kind: sighting.box_px for sighting in image.drawing.sightings}
        for caption in image.captions:
            if f" {verb} " not in caption:
                continue
            start = caption.index(f" {verb} ")
            targets = [mention.kind for mention in read_mentions(caption) if mention.start > start]
            if targets and targets[0] != "dining table":
                actor, target = boxes[read_mentions(caption)[0].kind], boxes[targets[0]]
                assert actor[0] < target[2]
                assert target[0] < actor[2]
                assert actor[1] < target[3]
                assert target[1] < actor[3]


def test_weather_is_said_only_where_it_is_drawn(images: list[SceneImage]) -> None:
    words = {"sunny": "day", "blue sky": "day", "rain": "rain", "rainy": "rain", "sunset": "evening"}
    words |= {"evening": "evening", "snow is falling": "snowfall"}
    for image in images:
        for caption in image.captions:
            for word, light in words.items():
                if re.search(rf"\b{word}\b", caption, re.IGNORECASE):
                    assert image.drawing.scene.light == light


def test_plurals_are_those_of_the_dictionary() -> None:
    engine = inflect.engine()
    for pairs in NOUNS.values():
        for singular, plural in pairs:
            assert engine.plural(singular.lower()) == plural.lower()


def test_articles_and_agreement_are_right(images: list[SceneImage]) -> None:
    engine = inflect.engine()
    for image in images:
        for caption in image.captions:
            assert caption[0].isupper()
            assert caption.endswith(".")
            assert "  " not in caption
            for article, word in re.findall(r"\b(an?) (\w+)", caption, re.IGNORECASE):
                assert engine.a(word).split()[0] == article.lower(), caption
            subject = re.match(r"(?:A|An|One) \S[^,]*? (is|are) ", caption)
            if subject and " and " not in subject[0]:
                assert subject[1] == "is", caption
            if re.match(r"(?:Two|Three|Four|Five) ", caption):
                assert " is " not in caption.replace("while snow is falling", ""), caption


def test_captions_of_one_image_are_different_kinds_of_sentence(images: list[SceneImage]) -> None:
    shapes = [
        len({re.sub(r"\b(?:and|a|an)\b", "", caption.lower()).split()[0] for caption in image.captions})
        for image in images
    ]
    assert sum(shapes) / len(shapes) > 2.2
