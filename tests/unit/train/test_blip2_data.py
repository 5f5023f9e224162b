"""Pairs of BLIP-2's first stage: which rows are captions, which of them an epoch takes, what a step holds."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.draws import make_generator  # noqa: E402
from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.jobs.representation import load_pairs, make_view_loader  # noqa: E402
from instructgen.models.blip2.bert import load_text_tokenizer  # noqa: E402
from instructgen.models.blip2.spec import TextSpec  # noqa: E402
from instructgen.models.pictures import PictureReader  # noqa: E402
from instructgen.records import Message  # noqa: E402
from instructgen.resources import shared_folder  # noqa: E402
from instructgen.train.augment import draw_box  # noqa: E402
from instructgen.train.encode import Encoded, RawSample, Skipped  # noqa: E402
from instructgen.train.example import IMAGE_SLOT  # noqa: E402
from instructgen.train.recipe import read_table  # noqa: E402
from instructgen.train.representation_data import CaptionEncoder, PairCourse, PairSet  # noqa: E402
from instructgen.train.representation_recipe import (  # noqa: E402
    is_representation,
    load_representation_recipe,
    make_representation_recipe,
)
from tests.support.tiny_blip2 import COLOURS, make_options, make_table, save_text_tokenizer  # noqa: E402


def make_encoder(folder: Path, max_tokens: int = 32) -> CaptionEncoder:
    tokenizer = load_text_tokenizer(TextSpec(tokenizer=str(save_text_tokenizer(folder / "tokenizer"))))
    return CaptionEncoder(tokenizer, 5, max_tokens)


def make_row(*texts: tuple[str, str], pictures: tuple[str, ...] = ("p",)) -> RawSample:
    return RawSample("row", tuple(Message(role, text) for role, text in texts), pictures)  # type: ignore[arg-type]


def test_caption_is_the_answer_between_first_and_last_token(tmp_path: Path) -> None:
    encoder = make_encoder(tmp_path)
    (found,) = encoder.encode_all([make_row(("user", "What?"), ("assistant", " A red cup. \n"))])
    assert isinstance(found, Encoded)
    ids = found.example.ids.tolist()
    assert ids[:2] == [IMAGE_SLOT, encoder.first]
    assert ids[-1] == encoder.last
    assert ids[1:] == encoder.spell("A red cup.")
    assert found.example.is_trained.tolist() == [False, False, *[True] * (len(ids) - 2)]
    assert not found.is_cut


def test_caption_without_a_question_is_one_too(tmp_path: Path) -> None:
    (found,) = make_encoder(tmp_path).encode_all([make_row(("assistant", "A cup."))])
    assert isinstance(found, Encoded)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (make_row(("user", "a"), ("assistant", "b"), pictures=()), "no_picture"),
        (make_row(("user", "a"), ("assistant", "b"), pictures=("p", "q")), "several_pictures"),
        (make_row(("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")), "several_answers"),
        (make_row(("user", "a")), "no_caption"),
        (make_row(("user", "a"), ("assistant", " \n")), "no_caption"),
        (make_row(("user", "a"), ("assistant", "\ud800")), "not_unicode"),
    ],
)
def test_row_that_is_no_caption_is_skipped_with_its_reason(tmp_path: Path, row: RawSample, reason: str) -> None:
    good = make_row(("assistant", "A cup."))
    found = make_encoder(tmp_path).encode_all([good, row, good])
    assert found[1] == Skipped("row", reason)
    assert isinstance(found[0], Encoded)
    assert isinstance(found[2], Encoded)


def test_long_caption_loses_its_end_and_is_counted_and_its_last_token_stays(tmp_path: Path) -> None:
    encoder = make_encoder(tmp_path, max_tokens=6)
    (found,) = encoder.encode_all([make_row(("assistant", "A red cup is on the table. " * 3))])
    assert isinstance(found, Encoded)
    assert found.is_cut
    assert len(found.example.ids) == 1 + 6
    assert found.example.ids[-1] == encoder.last


def test_control_tokens_in_a_caption_are_plain_text(tmp_path: Path) -> None:
    encoder = make_encoder(tmp_path)
    ids = encoder.spell("A cup [SEP] [DEC] </s> cup.")
    assert ids.count(encoder.last) == 1
    assert encoder.decode not in ids


def test_padding_is_no_token(tmp_path: Path) -> None:
    encoder = make_encoder(tmp_path)
    ids, is_token = encoder.pad_texts([[7, 8, 9], [7]], 5)
    assert ids.tolist() == [[7, 8, 9, encoder.pad, encoder.pad], [7, *[encoder.pad] * 4]]
    assert is_token.sum(1).tolist() == [3, 1]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> tuple[PairSet, Any, Path]:
    """Ten pictures with two captions each."""
    folder = tmp_path_factory.mktemp("pairs")
    options = make_options(folder, "run")
    tokenizer = load_text_tokenizer(options.recipe.model.text)
    return load_pairs(options, tokenizer).pairs, options, folder


def test_rows_of_one_picture_are_its_captions(work: tuple[PairSet, Any, Path]) -> None:
    pairs, _, _ = work
    assert len(pairs) == 10
    for number in range(10):
        texts = {tuple(pairs.examples[row].ids[1:].tolist()) for row in pairs.rows_of(number)}
        colour = COLOURS[number]
        wanted = (f"A {colour} picture.", f"All of it is {colour}.")
        assert texts == {tuple(pairs.encoder.spell(text)) for text in wanted}


def test_each_epoch_draws_one_of_a_pictures_captions_evenly(work: tuple[PairSet, Any, Path]) -> None:
    pairs, _, _ = work
    drawn = Counter(pairs.pick_row(number, epoch) % 2 for number in range(10) for epoch in range(400))
    assert drawn.total() == 4000
    assert abs(drawn[0] / 4000 - 0.5) < 0.03
    assert len({tuple(pairs.pick_row(number, epoch) for number in range(10)) for epoch in range(5)}) > 1
    again = [pairs.pick_row(3, epoch) for epoch in range(20)]
    assert again == [pairs.pick_row(3, epoch) for epoch in range(20)]
    other = PairSet(pairs.examples, pairs.encoder, pairs.seed + 1)
    assert again != [other.pick_row(3, epoch) for epoch in range(20)]


def test_batch_has_each_picture_with_its_drawn_caption(work: tuple[PairSet, Any, Path]) -> None:
    pairs, _, _ = work
    batch = pairs.make_batch(2, ((4, 1, 7),))
    assert batch.pictures == ("2/4", "2/1", "2/7")
    for place, number in enumerate((4, 1, 7)):
        ids = batch.ids_bl[place][batch.is_token_bl[place]].tolist()
        assert ids == pairs.examples[pairs.pick_row(number, 2)].ids[1:].tolist()
    assert len(batch) == 3 * 5 + int(batch.is_token_bl.sum())


def test_processes_pad_to_one_length(work: tuple[PairSet, Any, Path]) -> None:
    pairs, _, _ = work
    shared = PairSet(pairs.examples, pairs.encoder, 0, num_ranks=2)
    assert shared.make_batch(0, ((1,),)).ids_bl.shape == (1, pairs.encoder.max_tokens)


def make_recipe(folder: Path, **changes: Any) -> Any:
    return make_representation_recipe(make_table(folder, **changes), "a test")


def test_every_step_is_full_and_no_picture_comes_twice_in_an_epoch(tmp_path: Path) -> None:
    course = PairCourse(10, make_recipe(tmp_path, train={"steps": 7}))
    assert (course.steps_per_epoch, len(course)) == (2, 7)
    for epoch in range(3):
        steps = [course[2 * epoch + place] for place in range(2)]
        numbers = [number for step in steps for number in step.numbers]
        assert len(set(numbers)) == len(numbers) == 8
        assert {step.epoch for step in steps} == {epoch}
    assert course[0].numbers != course[2].numbers
    assert [course[5].rows for _ in range(2)] == [PairCourse(10, make_recipe(tmp_path))[5].rows] * 2


def test_step_holds_the_same_pictures_however_many_processes_share_it(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path)
    one, two = PairCourse(10, recipe)[3], PairCourse(10, recipe, 2)[3]
    assert [len(row[0][0]) for row in two.rows] == [2, 2]
    assert one.rows[0][0][0] == two.rows[0][0][0] + two.rows[1][0][0]
    with pytest.raises(InstructgenError, match="4 pictures a step cannot be shared by 3"):
        PairCourse(10, recipe, 3)


def test_few_pictures_are_one_small_step_and_epochs_count_steps(tmp_path: Path) -> None:
    table = make_table(tmp_path)
    table["train"] = {"epochs": 2.5, "loggers": []}
    recipe = make_representation_recipe(table, "a test")
    assert (PairCourse(3, recipe).batch, len(PairCourse(3, recipe))) == (3, 2)
    assert len(PairCourse(16, recipe)) == 10


def test_crops_lie_inside_and_have_the_drawn_area_and_ratio() -> None:
    shares = []
    for number in range(300):
        x0, y0, x1, y1 = draw_box((200, 150), (0.5, 1.0), (3 / 4, 4 / 3), make_generator(0, "test", str(number)))
        assert 0 <= x0 < x1 <= 200
        assert 0 <= y0 < y1 <= 150
        shares.append((x1 - x0) * (y1 - y0) / (200 * 150))
        assert 0.74 < (x1 - x0) / (y1 - y0) < 1.35
    assert 0.49 < min(shares) < 0.55
    assert max(shares) > 0.9


def test_crop_of_a_narrow_picture_is_the_largest_middle_that_fits() -> None:
    box = draw_box((1000, 10), (0.9, 1.0), (3 / 4, 4 / 3), make_generator(0, "test", "x"))
    assert box == (493, 0, 506, 10)


def test_augmented_view_follows_from_seed_epoch_and_picture(work: tuple[PairSet, Any, Path]) -> None:
    pairs, options, folder = work
    reader = PictureReader(28, "squash", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    (folder / "pairs" / "0.png").write_bytes(make_gradient())
    recipe = make_recipe(folder, augment={"area": [0.5, 1.0], "flip": True})
    load = make_view_loader(pairs, reader, recipe)
    epochs = [load((f"{epoch}/0",)) for epoch in range(6)]
    assert torch.equal(epochs[3], load(("3/0",)))
    assert len({epoch.numpy().tobytes() for epoch in epochs}) == 6
    plain = make_view_loader(pairs, reader, options.recipe)
    assert torch.equal(plain(("0/0",)), plain(("5/0",)))


def test_half_of_the_pictures_are_mirrored(work: tuple[PairSet, Any, Path]) -> None:
    pairs, _, folder = work
    (folder / "pairs" / "0.png").write_bytes(make_gradient())
    reader = PictureReader(28, "squash", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    load = make_view_loader(pairs, reader, make_recipe(folder, augment={"flip": True}))
    is_mirrored = [bool(load((f"{epoch}/0",))[0, 0, 0, 0] > 0) for epoch in range(200)]
    assert 70 < sum(is_mirrored) < 130


def make_gradient() -> bytes:
    """Return a picture that is dark on the left and bright on the right."""
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.linear_gradient("L").rotate(90).convert("RGB").save(file, "PNG")
    return file.getvalue()


def test_shipped_recipe_has_the_papers_values() -> None:
    path = shared_folder("pipelines") / "blip2-stage1.toml"
    recipe = load_representation_recipe(path)
    assert is_representation(read_table(path))
    assert (recipe.train.steps, recipe.rows.batch, recipe.rows.text_tokens) == (250_000, 1680, 32)
    assert (recipe.optim.learning_rate, recipe.optim.betas, recipe.optim.weight_decay) == (1e-4, (0.9, 0.98), 0.05)
    assert (recipe.optim.warmup, recipe.optim.schedule) == (2000, "cosine")
    losses = recipe.losses
    assert (losses.contrastive, losses.matching, losses.generation, losses.label_smoothing) == (1, 1, 1, 0.1)
    assert (recipe.augment.area, recipe.augment.flip) == ((0.5, 1.0), True)
    assert not is_representation(read_table(shared_folder("pipelines") / "llava-stage1.toml"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"train": {"trains": ["connector"]}}, "trains the whole Q-Former"),
        ({"train": {"epochs": 1.0}}, "either epochs or steps"),
        ({"losses": {"contrastive": 0.0, "matching": 0.0, "generation": 0.0}}, "leaves all three out"),
        ({"losses": {"itc": 1.0}}, "itc"),
        ({"augment": {"area": [0.9, 0.5]}}, "augment.area"),
        ({"augment": {"ratio": [0.0, 1.0]}}, "augment.ratio"),
        ({"rows": {"batch": 1}}, "batch"),
        ({"optim": {"learning_rate": float("inf")}}, "optim.learning_rate is inf"),
    ],
)
def test_wrong_recipe_is_refused_with_its_key(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InstructgenError, match=told):
        make_recipe(tmp_path, **changes)
