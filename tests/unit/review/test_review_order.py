import pytest

from instructgen.review.order import Place, find_doubt, order_places


def make_places(*doubts: float) -> list[Place]:
    return [Place(f"coco/{k}/conv/0", f"coco/{k}", "conv", 0, k, doubt) for k, doubt in enumerate(doubts)]


def test_most_doubtful_comes_first() -> None:
    assert [place.doubt for place in order_places(make_places(0.1, 0.9, 0.0, 0.5), 0)] == [0.9, 0.5, 0.1, 0.0]


def test_equally_doubtful_come_as_the_seed_draws_them() -> None:
    places = make_places(*[0.0] * 20)
    first, again, other = order_places(places, 0), order_places(places[::-1], 0), order_places(places, 1)
    assert first == again
    assert first != other
    assert first != places


def test_what_an_earlier_review_settled_comes_last() -> None:
    seen = Place("coco/9/conv/0", "coco/9", "conv", 0, 9, 1.0, "accepted")
    assert order_places([seen, *make_places(0.0, 0.2)], 0)[-1] == seen


@pytest.mark.parametrize(
    ("scores", "doubt"),
    [
        ({"grounding": 0.4, "length": 30.0, "repetition": 0.1}, 0.4),
        ({"grounding": None, "repetition": 0.1}, 0.1),
        ({"length": 30.0}, 0.0),
        (None, 0.0),
    ],
)
def test_doubt_is_the_highest_of_the_scores_that_doubt(scores: dict[str, float | None] | None, doubt: float) -> None:
    assert find_doubt(scores) == doubt
