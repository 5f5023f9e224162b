"""What a packed row holds: positions, trees, what is learned from where."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainer is an extra: pip install instructgen[train]")

from instructgen.train.example import IMAGE_SLOT, Example  # noqa: E402
from instructgen.train.packed import Branch, Tree, count_learned  # noqa: E402
from instructgen.train.packing import pack, pad, shared_beginning  # noqa: E402

TOKENS = 3


def chat(ids: list[int], first_trained: int, *pictures: str, until: int | None = None) -> Example:
    is_trained = np.zeros(len(ids), np.bool_)
    is_trained[first_trained:until] = True
    return Example("chat", np.array(ids, np.int32), is_trained, pictures)


CAT = chat([1, IMAGE_SLOT, 7, 8, 20, 2], 4, "a")
DOG = chat([1, IMAGE_SLOT, 7, 9, 21, 22, 2], 4, "a")
TEXT = chat([1, 30, 31], 2)


def test_samples_of_one_image_become_one_tree() -> None:
    row = pack([CAT, DOG, TEXT], [[0, 1], [2]], TOKENS)
    # 1 i i i 7 | 8 20 2 | 9 21 22 2 | 1 30 31
    assert row.ids_l.tolist() == [1, 0, 0, 0, 7, 8, 20, 2, 9, 21, 22, 2, 1, 30, 31]
    assert row.positions_l.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 5, 6, 7, 8, 0, 1, 2]
    assert row.image_at_k.tolist() == [1, 2, 3]
    assert row.trees == (
        Tree(Branch(0, 5), (Branch(5, 8), Branch(8, 12))),
        Tree(Branch(12, 12), (Branch(12, 15),)),
    )
    assert list(zip(row.source_s.tolist(), row.target_s.tolist(), strict=True)) == [
        (5, 20),
        (6, 2),
        (8, 21),
        (9, 22),
        (10, 2),
        (13, 31),
    ]
    assert row.pictures == ("a",)
    assert row.num_samples == 3


def test_last_position_of_a_trunk_predicts_the_first_token_of_each_branch() -> None:
    one, other = chat([1, IMAGE_SLOT, 7, 20, 2], 3, "a"), chat([1, IMAGE_SLOT, 7, 21, 2], 3, "a")
    row = pack([one, other], [[0, 1]], TOKENS)
    assert len(row.trees[0].trunk) == 5
    assert list(zip(row.source_s.tolist(), row.target_s.tolist(), strict=True)) == [(4, 20), (5, 2), (4, 21), (7, 2)]


def test_trained_token_is_never_in_the_trunk() -> None:
    same = chat([1, IMAGE_SLOT, 7, 8, 2], 2, "a", until=3)
    assert shared_beginning([same, same]) == 2
    row = pack([same, same], [[0, 1]], TOKENS)
    assert count_learned([row]) == 2


@pytest.mark.parametrize(
    "other",
    [
        chat([1, IMAGE_SLOT, 7, 9, 2], 3, "b"),
        chat([3, IMAGE_SLOT, 7, 9, 2], 3, "a"),
        chat([1, IMAGE_SLOT, 7, IMAGE_SLOT, 9, 2], 4, "a", "a"),
        chat([1, 7, 9, 2], 2),
    ],
    ids=["another image", "other words before it", "an image more", "none"],
)
def test_samples_without_a_common_beginning_stay_apart(other: Example) -> None:
    row = pack([CAT, other], [[0, 1]], TOKENS)
    assert shared_beginning([CAT, other]) == 0
    assert [len(tree.branches) for tree in row.trees] == [1, 1]
    assert row.pictures == CAT.pictures + other.pictures


def test_words_that_differ_right_before_the_image_keep_samples_apart() -> None:
    chats = [chat([1, 4, IMAGE_SLOT, 7, 8], 4, "a"), chat([1, 5, IMAGE_SLOT, 7, 8], 4, "a")]
    row = pack(chats, [[0, 1]], TOKENS)
    assert [len(tree.branches) for tree in row.trees] == [1, 1]
    assert row.pictures == ("a", "a")


def test_every_branch_keeps_a_token_of_its_own() -> None:
    asked = chat([1, IMAGE_SLOT, 7], 3, "a")
    row = pack([asked, asked], [[0, 1]], TOKENS)
    assert [len(branch) for branch in row.trees[0].branches] == [1, 1]
    assert count_learned([row]) == 0


def test_first_token_of_a_sample_is_not_learned() -> None:
    chats = [chat([5, 6], 0)]
    assert pack(chats, [[0]], TOKENS).target_s.tolist() == [6]
    assert pad(chats, [[0]], TOKENS).target_s.tolist() == [6]


def test_padded_batch_counts_through_all_rows() -> None:
    batch = pad([CAT, TEXT], [[0], [1]], TOKENS)
    assert batch.ids_bl.tolist() == [[1, 0, 0, 0, 7, 8, 20, 2], [1, 30, 31, 0, 0, 0, 0, 0]]
    assert batch.is_token_bl.sum(1).tolist() == [8, 3]
    assert batch.image_at_k.tolist() == [1, 2, 3]
    assert list(zip(batch.source_s.tolist(), batch.target_s.tolist(), strict=True)) == [(5, 20), (6, 2), (9, 31)]


@pytest.mark.parametrize("seed", range(5))
def test_random_rows_are_covered_by_their_trees_without_a_gap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chats = []
    for image in range(6):
        for _ in range(int(rng.integers(1, 5))):
            text = rng.integers(2, 5, int(rng.integers(2, 6))).tolist()
            begin = [1, *[IMAGE_SLOT] * (image % 3)]
            first = len(begin) + int(rng.integers(0, len(text)))
            chats.append(chat([*begin, *text], first, *[f"{image}"] * (image % 3)))
    groups: dict[tuple[str, ...], list[int]] = {}
    for number, one in enumerate(chats):
        groups.setdefault(one.pictures, []).append(number)
    row = pack(chats, groups.values(), TOKENS)
    at = 0
    for tree in row.trees:
        for span in (tree.trunk, *tree.branches):
            assert span.start == at
            at = span.end
    assert at == len(row)
    assert row.num_samples == len(chats)
    assert count_learned([row]) == sum(int(one.is_trained[1:].sum()) for one in chats)
    assert len(row.image_at_k) == TOKENS * len(row.pictures)
