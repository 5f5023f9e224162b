"""Cached features: the same training, safe against kills and other processes, bounded, for these weights alone."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the trainer is an extra: pip install instructgen[train]")
pytest.importorskip("transformers", reason="the trainer is an extra: pip install instructgen[train]")

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.models.build import build_model  # noqa: E402
from instructgen.models.spec import (  # noqa: E402
    ConnectorSpec,
    LanguageSpec,
    ModelSpec,
    QFormerSpec,
    VisionSpec,
)
from instructgen.models.vlm import VisionLanguageModel  # noqa: E402
from instructgen.train.features import (  # noqa: E402
    CHECKSUM_BYTES,
    FeatureMaker,
    FeatureStore,
    Gain,
    Visits,
    embedder_of,
    find_cached_part,
    identify,
    predict_gain,
)
from instructgen.train.objective import Objective  # noqa: E402
from instructgen.train.packing import pack  # noqa: E402
from tests.support.tiny_vlm import IMAGE_PX, LLAMA, VISION, make_chats, make_model, pixels_of  # noqa: E402

KEYS = ("0-0", "1-0", "2-0")


def make_maker(model: VisionLanguageModel) -> FeatureMaker:
    """The bytes of a picture are its key, and its pixels depend on it alone."""
    return FeatureMaker(
        model=model,
        part=find_cached_part(model),
        read_bytes=str.encode,
        read_pixels=lambda data: pixels_of([data.decode()])[0],
        device=torch.device("cpu"),
        in_bfloat16=False,
    )


def qformer_model() -> VisionLanguageModel:
    qformer = QFormerSpec(
        num_queries=4, hidden_size=16, num_layers=2, num_heads=2, intermediate_size=16, cross_attention_every=1
    )
    return build_model(
        ModelSpec(
            vision=VisionSpec(config=VISION),
            connector=ConnectorSpec(kind="qformer", qformer=qformer),
            language=LanguageSpec(config=LLAMA),
        )
    )


def open_store(maker: FeatureMaker, folder: Path, max_bytes: int = 10**9) -> FeatureStore:
    return maker.open_store(folder, "crop", IMAGE_PX, max_bytes)


@pytest.mark.parametrize("kind", ["vision", "qformer"])
def test_training_on_cached_features_is_the_same(kind: str, tmp_path: Path) -> None:
    model = make_model(LLAMA) if kind == "vision" else qformer_model()
    if kind == "qformer":
        from instructgen.models.attention import use_tree_attention

        use_tree_attention(model.causal_lm)
    model.freeze_all_but(("connector",))
    maker = make_maker(model)
    assert maker.part == kind
    store = open_store(maker, tmp_path)
    digests = maker.fill(store, KEYS)
    chats = make_chats(0, (1, 1, 1))
    row = pack(chats, [[0], [1], [2]], model.tokens_per_image)
    plain = Objective(model)(row, pixels_of(row.pictures))
    plain.backward()
    wanted = {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}
    model.zero_grad()
    cached = Objective(model, embedder_of(model, maker.part))(row, maker.loader(store, digests)(row.pictures))
    cached.backward()
    assert float(cached.detach()) == pytest.approx(float(plain.detach()), rel=1e-6)
    for name, weight in model.named_parameters():
        if weight.grad is not None:
            torch.testing.assert_close(weight.grad, wanted[name], rtol=1e-4, atol=1e-5)


def test_tower_that_trains_is_not_cached() -> None:
    with pytest.raises(InstructgenError, match="the vision tower trains"):
        find_cached_part(make_model(LLAMA))


def test_other_weights_or_preprocessing_have_a_folder_of_their_own(tmp_path: Path) -> None:
    model = make_model(LLAMA)
    model.freeze_all_but(("connector",))
    maker = make_maker(model)
    first = open_store(maker, tmp_path).folder
    assert first == open_store(maker, tmp_path).folder
    assert first != maker.open_store(tmp_path, "pad", IMAGE_PX, 10**9).folder
    with torch.no_grad():
        next(iter(model.vision.parameters())).view(-1)[0] += 1e-3
    assert first != open_store(maker, tmp_path).folder
    assert identify(model, "vision", "crop") != identify(model, "vision", "pad")


def test_features_that_would_not_fit_are_refused_before_any_is_made(tmp_path: Path) -> None:
    model = make_model(LLAMA)
    model.freeze_all_but(("connector",))
    maker = make_maker(model)
    store = open_store(maker, tmp_path, max_bytes=500)
    with pytest.raises(InstructgenError, match=r"features of 3 pictures bring .* more than the 0\.0 GB allowed"):
        maker.fill(store, KEYS)
    assert store.used_bytes() == 0


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    model = make_model(LLAMA)
    model.freeze_all_but(("connector",))
    maker = make_maker(model)
    store = open_store(maker, tmp_path)
    maker.fill(store, KEYS)
    before = {file: file.stat().st_mtime_ns for file in store.folder.glob("*/*")}
    assert len(before) == 3
    maker.fill(store, KEYS)
    assert {file: file.stat().st_mtime_ns for file in store.folder.glob("*/*")} == before


def test_processes_share_the_work(tmp_path: Path) -> None:
    model = make_model(LLAMA)
    model.freeze_all_but(("connector",))
    maker = make_maker(model)
    store = open_store(maker, tmp_path)
    first = maker.fill(store, KEYS, rank=0, num_ranks=2)
    assert len(list(store.folder.glob("*/*"))) == 2
    assert maker.fill(store, KEYS, rank=0, num_ranks=1) == first
    assert len(list(store.folder.glob("*/*"))) == 3


def store_of(folder: Path) -> FeatureStore:
    return FeatureStore(folder, (2, 3), torch.bfloat16, 10**6)


def test_damaged_file_counts_as_missing(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    store.write("ab12", torch.ones(2, 3, dtype=torch.bfloat16))
    (file,) = tmp_path.glob("*/*")
    whole = file.read_bytes()
    assert len(whole) == 2 * 3 * 2 + CHECKSUM_BYTES
    file.write_bytes(whole[:-1])
    assert not store.has("ab12")
    file.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    assert store.read("ab12") is None
    store.write("ab12", torch.ones(2, 3, dtype=torch.bfloat16))
    assert torch.equal(store.read("ab12"), torch.ones(2, 3, dtype=torch.bfloat16))


def test_leavings_of_a_killed_process_are_never_read_and_go_later(tmp_path: Path) -> None:
    import os

    store = store_of(tmp_path)
    part = tmp_path / "ab" / "ab12.1.2.part"
    part.parent.mkdir()
    part.write_bytes(b"half")
    assert not store.has("ab12")
    store.remove_leavings()
    assert part.exists(), "another process may be writing it"
    os.utime(part, (0, 0))
    store.remove_leavings()
    assert not part.exists()


def test_writers_of_one_picture_do_not_disturb_each_other(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    values = torch.ones(2, 3, dtype=torch.bfloat16)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: store.write("cd34", values), range(64)))
        read = list(pool.map(lambda _: store.read("cd34"), range(64)))
    assert all(torch.equal(one, values) for one in read)
    assert len(list(tmp_path.glob("*/*"))) == 1


def test_wrong_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not \\(2, 3\\)"):
        store_of(tmp_path).write("ab12", torch.ones(3, 2, dtype=torch.bfloat16))


def test_gain_counts_what_must_be_made_first() -> None:
    model = make_model(LLAMA)
    model.freeze_all_but(("connector",))
    maker = make_maker(model)
    chats = make_chats(0, (1, 1, 1))
    row = pack(chats, [[0], [1], [2]], model.tokens_per_image)
    pixels = pixels_of(row.pictures)
    once = predict_gain(Objective(model), maker, row, pixels, Visits(10, 30, 30, 1000))
    often = predict_gain(Objective(model), maker, row, pixels, Visits(10, 30, 3, 1000))
    assert once.ratio == pytest.approx(1.0)
    assert often.ratio > 1.0
    assert often.num_bytes == 3000
    assert all(weight.grad is None for weight in model.parameters())


def test_gain_is_told_in_words() -> None:
    assert str(Gain(1.25, 0.01, 2.0, 3 * 10**9)) == (
        "cached features: 1.25x (predicted), saves 20% of the time; the frozen part takes 10.0 ms a picture,"
        " a row 2.00 s; 3.00 GB on disk"
    )
