"""Few-shot prompts, word for word, and where their examples come from."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from instructgen.errors import InstructgenError
from instructgen.evaluate.shots.features import FeatureStore
from instructgen.evaluate.shots.forms import CAPTION, HATEFUL, LABEL, VQA, Shot, build_prompt, write_prompt
from instructgen.evaluate.shots.pool import AlikeShots, DrawnShots, Query

CAPTIONS = [Shot(str(n), str(n), "", text) for n, text in enumerate(("a dog ", "two cats", "a bus", "a red cup"))]
QUESTIONS = [Shot("0", "0", "Is there a dog?", "yes"), Shot("1", "1", "How many cats?", "two")]
QUERY = Query("q", b"query", frozenset())


def picture(name: str) -> bytes:
    return f"picture {name}".encode()


def digest(stored: bytes) -> str:
    return hashlib.sha256(stored).hexdigest()


def make_pool(size: int, seed: int = 0) -> DrawnShots:
    shots = [Shot(f"{n}", f"image {n}", "", f"answer {n}") for n in range(size)]
    return DrawnShots(shots, seed, picture, "a pool")


class Numbered:
    """Features are given by name; what was embedded is counted."""

    digest = "d" * 64

    def __init__(self, features: dict[bytes | None, Sequence[float]]) -> None:
        self.features = features
        self.embedded: list[bytes | None] = []

    def embed(self, pictures: Sequence[bytes | None]) -> NDArray[np.float32]:
        self.embedded += pictures
        return np.array([self.features[one] for one in pictures], np.float32)


def test_four_captions_are_written_as_open_flamingo_writes_them() -> None:
    assert write_prompt(build_prompt(CAPTION, CAPTIONS)) == (
        "<image>Output:a dog<|endofchunk|>\n"
        "<image>Output:two cats<|endofchunk|>\n"
        "<image>Output:a bus<|endofchunk|>\n"
        "<image>Output:a red cup<|endofchunk|>\n"
        "<image>Output:"
    )


def test_questions_come_with_short_answers_and_the_query_without() -> None:
    assert write_prompt(build_prompt(VQA, QUESTIONS, "What color is the cup?")) == (
        "<image>Question:Is there a dog? Short answer:yes<|endofchunk|>\n"
        "<image>Question:How many cats? Short answer:two<|endofchunk|>\n"
        "<image>Question:What color is the cup? Short answer:"
    )


def test_memes_are_asked_by_the_text_on_them() -> None:
    shot = Shot("0", "0", "look how {many}", "no")
    assert write_prompt(build_prompt(HATEFUL, [shot], "hello")) == (
        "<image>is an image with: 'look how {many}' written on it. Is it hateful? Answer:no<|endofchunk|>\n"
        "<image>is an image with: 'hello' written on it. Is it hateful? Answer:"
    )


def test_labels_stand_behind_output() -> None:
    shots = [Shot("0", "0", "", "tabby"), Shot("1", "1", "", "tank")]
    assert write_prompt(build_prompt(LABEL, shots)) == (
        "<image>Output:tabby<|endofchunk|>\n<image>Output:tank<|endofchunk|>\n<image>Output:"
    )


def test_zero_shots_are_two_texts_and_one_picture() -> None:
    written = write_prompt(build_prompt(CAPTION, CAPTIONS[:2], shows=False))
    assert written == "Output:a dog<|endofchunk|>\nOutput:two cats<|endofchunk|>\n<image>Output:"
    assert written.count("<image>") == 1


def test_text_that_looks_like_a_mark_is_no_mark() -> None:
    parts = build_prompt(CAPTION, [Shot("0", "0", "", "an <image><|endofchunk|> on a screen")])
    assert [part for part in parts if isinstance(part, str)] == [
        "Output:an <image><|endofchunk|> on a screen",
        "\n",
        "Output:",
    ]


@pytest.mark.parametrize(
    ("form", "said", "kept"),
    [
        (CAPTION, " a dog\nOutput:a cat", "a dog"),
        (CAPTION, "a Question of taste", "a Question of taste"),
        (VQA, "two Question:Is", "two"),
        (VQA, "two\nShort answer:", "two"),
        (VQA, "two Answer", "two"),
        (HATEFUL, "yes. Output", "yes. Output"),
    ],
)
def test_answers_end_where_a_model_begins_an_example_of_its_own(form: object, said: str, kept: str) -> None:
    assert form.cut(said) == kept  # type: ignore[attr-defined]


@given(st.integers(0, 50), st.integers(2, 40), st.data())
def test_fewer_shots_are_the_first_of_more(seed: int, size: int, data: st.DataObject) -> None:
    more = data.draw(st.integers(1, size))
    fewer = data.draw(st.integers(1, more))
    pool = make_pool(size, seed)
    chosen = pool.choose(QUERY, more)
    assert pool.choose(QUERY, fewer) == chosen[:fewer]
    assert len({shot.image_id for shot in chosen}) == more


@given(st.integers(0, 1000))
def test_query_is_never_among_its_shots(seed: int) -> None:
    pool = make_pool(3, seed)
    query = Query("q", b"", frozenset({digest(picture("image 1"))}))
    assert {shot.image_id for shot in pool.choose(query, 2)} == {"image 0", "image 2"}


def test_shots_hang_on_seed_and_query() -> None:
    drawn = {make_pool(50, seed).choose(Query(key, b"", frozenset()), 4) for seed in (0, 1) for key in ("a", "b")}
    assert len(drawn) == 4
    assert make_pool(50).choose(QUERY, 4) == make_pool(50).choose(QUERY, 4)


def test_every_sample_of_the_pool_is_drawn_alike() -> None:
    pool = make_pool(8)
    counts = dict.fromkeys((f"image {n}" for n in range(8)), 0)
    for number in range(800):
        for shot in pool.choose(Query(str(number), b"", frozenset()), 2):
            counts[shot.image_id] += 1
    assert min(counts.values()) > 160  # of 200
    assert max(counts.values()) < 240


def test_too_small_a_pool_is_told_with_numbers() -> None:
    with pytest.raises(InstructgenError, match="5 shots are wanted, and there are 3"):
        make_pool(3).choose(QUERY, 5)


def test_pictures_that_are_one_are_shown_once() -> None:
    shots = [Shot(str(n), f"copy {n}", "", "a") for n in range(4)]
    pool = DrawnShots(shots, 0, lambda _: b"the same", "a pool")
    assert len(pool.choose(QUERY, 1)) == 1
    with pytest.raises(InstructgenError, match="there are 1"):
        pool.choose(QUERY, 2)


def make_alike(tmp_path: Path, query: Sequence[float] = (1.0, 0.0)) -> tuple[AlikeShots, Numbered]:
    """Return a pool on a quarter of a circle: picture 0 lies at 0 degrees, picture 9 at 90, of other lengths."""
    angles = {f"image {n}": np.deg2rad(10 * n) for n in range(10)}
    features: dict[bytes | None, Sequence[float]] = {
        picture(name): (n * np.cos(a), n * np.sin(a)) for n, (name, a) in enumerate(angles.items(), 1)
    }
    embedder = Numbered({**features, b"query": query, None: (0.0, 0.0)})
    shots = [Shot(f"{name}/{n}", name, "", f"{name}, {n}") for name in reversed(angles) for n in range(2)]
    return AlikeShots(shots, 0, picture, FeatureStore(tmp_path, embedder), "a pool"), embedder


def test_most_similar_picture_is_the_last_shot(tmp_path: Path) -> None:
    pool, _ = make_alike(tmp_path)
    assert [shot.image_id for shot in pool.choose(QUERY, 4)] == ["image 3", "image 2", "image 1", "image 0"]


def test_likeness_leaves_the_query_itself_out(tmp_path: Path) -> None:
    pool, _ = make_alike(tmp_path)
    query = Query("q", b"query", frozenset({digest(picture("image 0"))}))
    assert [shot.image_id for shot in pool.choose(query, 2)] == ["image 2", "image 1"]


def test_texts_of_zero_shots_tell_nothing_of_the_picture(tmp_path: Path) -> None:
    pool, _ = make_alike(tmp_path)
    other, _ = make_alike(tmp_path / "other", (0.0, 1.0))
    assert pool.choose(QUERY, 2) != other.choose(QUERY, 2)
    assert pool.choose(QUERY, 0) == other.choose(QUERY, 0)
    assert len(pool.choose(QUERY, 0)) == 2


def test_features_are_kept_on_disk_and_embedded_once(tmp_path: Path) -> None:
    pool, first = make_alike(tmp_path)
    pool.prepare([b"query", None])
    pool.choose(QUERY, 4)
    assert len(first.embedded) == len(set(first.embedded)) == 12
    again, second = make_alike(tmp_path)
    assert again.choose(QUERY, 4) == pool.choose(QUERY, 4)
    assert second.embedded == []


def test_broken_feature_file_is_told(tmp_path: Path) -> None:
    make_alike(tmp_path)
    (path,) = tmp_path.glob("features-*.npz")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InstructgenError, match="delete it"):
        make_alike(tmp_path)
