"""Rows for training loops: each once, in an order that nothing but its settings decides, as they are stored."""

import io
import itertools
import os
import pickle
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from PIL import Image

from instructgen.dataset.loader import Rows, open_rows
from instructgen.dataset.manifest import Manifest
from instructgen.dataset.reading.decoding import load_picture, open_picture
from instructgen.dataset.stored import LocalVersion
from instructgen.errors import InstructgenError
from tests.support.rows import read_rows
from tests.support.versions import make_row_of, write_version

TYPES = ("conv", "detail", "reasoning")
NUM_ROWS = 3 * 417


def encode(red: int, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (6, 4), (red % 256, 0, 0)).save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> LocalVersion:
    rows = [
        make_row_of(number, name, (("What?", f"A dog, no {number}."), ("Où?", "Là.")), encode(number))
        for name in TYPES
        for number in range(417)
    ]
    return write_version(tmp_path_factory.mktemp("loader") / "version", rows)


def ids(rows: Rows) -> list[str]:
    return [row["sample_id"] for row in rows]


def open_ids(version: LocalVersion, **settings: Any) -> Rows:
    return open_rows(version, columns=["sample_id"], **settings).in_windows(2)


def as_bytes(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "images": [image["bytes"] for image in row["images"]]}


def test_rows_are_those_that_were_written(version: LocalVersion) -> None:
    written = {row["sample_id"]: as_bytes(row) for row in read_rows(version.folder)}
    rows = list(open_rows(version, decode="bytes"))
    assert len(rows) == NUM_ROWS
    assert {row["sample_id"]: row for row in rows} == written


def test_folder_of_a_dataset_opens_its_latest_version(version: LocalVersion, tmp_path: Path) -> None:
    name = version.manifest.version
    shutil.copytree(version.folder, tmp_path / "ds" / "versions" / name)
    (tmp_path / "ds" / "tags").mkdir()
    (tmp_path / "ds" / "tags" / "latest").write_text(f"{name}\n", encoding="utf-8")
    assert ids(open_rows(tmp_path / "ds", columns=["sample_id"])) == ids(open_rows(version, columns=["sample_id"]))


@dataclass(frozen=True)
class StreamedVersion:
    """A version whose files are streams, as those of an object store are."""

    local: LocalVersion
    place: str = "store://version"

    @property
    def manifest(self) -> Manifest:
        return self.local.manifest

    def open(self, path: str) -> BinaryIO:
        return io.BytesIO((self.local.folder / path).read_bytes())


def test_version_that_is_not_on_this_machine_gives_the_same_rows_in_the_same_order(version: LocalVersion) -> None:
    assert list(open_rows(StreamedVersion(version), decode="bytes")) == list(open_rows(version, decode="bytes"))


def test_without_a_seed_rows_come_in_the_order_of_the_shards(version: LocalVersion) -> None:
    assert ids(open_ids(version, seed=None)) == [row["sample_id"] for row in read_rows(version.folder)]


def test_epochs_and_seeds_shuffle_the_same_rows_otherwise(version: LocalVersion) -> None:
    orders = [ids(open_ids(version, seed=seed).in_epoch(epoch)) for seed in (0, 1) for epoch in (0, 1)]
    assert all(one != other for one, other in itertools.combinations(orders, 2))
    assert all(sorted(order) == sorted(orders[0]) for order in orders)
    assert orders[0] == ids(open_ids(version, seed=0))


@pytest.mark.parametrize("num_rows", [0, 1, 199, 200, 201, 1250, NUM_ROWS, NUM_ROWS + 5])
def test_resumed_at_any_row_the_rest_is_the_same(version: LocalVersion, num_rows: int) -> None:
    rows = open_ids(version, seed=4).in_epoch(3)
    assert ids(rows.skip(num_rows)) == ids(rows)[num_rows:]
    assert len(rows.skip(num_rows)) == max(0, NUM_ROWS - num_rows)


@pytest.mark.parametrize("num_ranks", [1, 2, 7, 64, NUM_ROWS + 3])
def test_ranks_have_each_row_once_and_lengths_that_differ_by_one_at_most(
    version: LocalVersion, num_ranks: int
) -> None:
    rows = open_ids(version)
    shares = [rows.share(rank, num_ranks) for rank in range(num_ranks)]
    assert [name for share in shares for name in ids(share)] == ids(rows)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_ranks_rest_is_shared_among_its_workers_without_loss(version: LocalVersion) -> None:
    mine = open_ids(version).share(2, 3).skip(11)
    workers = [mine.share(worker, 4) for worker in range(4)]
    assert [name for worker in workers for name in ids(worker)] == ids(mine)


def test_rows_by_index_and_by_batch_are_those_of_the_loop(version: LocalVersion) -> None:
    rows = open_rows(version, decode="bytes").share(1, 2)
    looped = list(rows)
    assert [rows[index] for index in (5, 0, 417, -1)] == [looped[index] for index in (5, 0, 417, -1)]
    assert rows.__getitems__([3, 500, 2]) == [looped[3], looped[500], looped[2]]
    for outside in (len(rows), -len(rows) - 1):
        with pytest.raises(IndexError):
            rows[outside]


def test_rank_that_is_not_there_is_refused(version: LocalVersion) -> None:
    with pytest.raises(InstructgenError, match="no rank 2 of 2"):
        open_ids(version).share(2, 2)


def test_memory_is_that_of_one_window_of_groups(version: LocalVersion) -> None:
    rows = open_ids(version)
    for index in [*range(0, NUM_ROWS, 7), *range(NUM_ROWS - 1, 0, -50)]:
        rows[index]
        assert len(rows._reader._groups._values) <= 2


def test_pictures_are_pil_images_as_stored(version: LocalVersion) -> None:
    rows = open_rows(version).skip(NUM_ROWS - 40)
    for row, raw in zip(rows, open_rows(version, decode="bytes").skip(NUM_ROWS - 40), strict=True):
        (image,) = row["images"]
        assert image.mode == "RGB"
        assert image.tobytes() == Image.open(io.BytesIO(raw["images"][0])).tobytes()


def test_function_makes_what_it_likes_of_the_stored_bytes(version: LocalVersion) -> None:
    rows = open_rows(version, decode=len)
    raw = open_rows(version, decode="bytes")
    assert rows.__getitems__([0, 9])[1]["images"] == [len(raw[9]["images"][0])]


@pytest.mark.parametrize("num_threads", [0, 1, 3])
def test_threads_change_neither_rows_nor_their_order(version: LocalVersion, num_threads: int) -> None:
    rows = open_rows(version, decode=lambda picture: (len(picture), threading.current_thread().name))
    plain = open_rows(version, decode="bytes").share(0, 5)
    threaded = list(rows.in_threads(num_threads).share(0, 5))
    assert [row["sample_id"] for row in threaded] == [row["sample_id"] for row in plain]
    assert {name.startswith("decode") for row in threaded for _, name in row["images"]} == {num_threads > 0}


def test_only_pictures_that_are_asked_for_are_decoded(version: LocalVersion) -> None:
    decoded: list[int] = []
    rows = open_rows(version, decode=lambda picture: decoded.append(len(picture))).in_threads(0)
    rows[17]
    assert len(decoded) == 1
    list(open_rows(version, columns=["messages"], decode=lambda picture: decoded.append(len(picture))))
    assert len(decoded) == 1


def test_pickled_rows_go_on_in_the_same_order(version: LocalVersion) -> None:
    rows = open_rows(version, decode="bytes").in_epoch(5).share(1, 3)
    first = list(rows)
    assert list(pickle.loads(pickle.dumps(rows))) == first


def test_two_pictures_of_a_row_stay_in_their_order(tmp_path: Path) -> None:
    row = make_row_of(1, "pair", picture=encode(1))
    row["images"] = [{"bytes": encode(7), "path": "7.png"}, {"bytes": encode(8), "path": "8.png"}]
    for name in ("image_licences", "image_urls"):
        row[name] = [None, None]
    version = write_version(tmp_path / "v", [make_row_of(2, "pair", picture=encode(2)), row])
    rows = {one["sample_id"]: one for one in open_rows(version)}
    assert [image.getpixel((0, 0))[0] for image in rows[row["sample_id"]]["images"]] == [7, 8]


def test_row_that_has_lost_its_picture_is_told_apart_from_its_neighbours(tmp_path: Path) -> None:
    rows = [make_row_of(number, picture=encode(number)) for number in range(3)]
    rows[1]["images"][0]["bytes"] = None
    version = write_version(tmp_path / "v", rows)
    read = open_rows(version, seed=None, decode="bytes")
    assert [read[0]["images"], read[2]["images"]] == [[encode(0)], [encode(2)]]
    with pytest.raises(InstructgenError, match=r"row 1 of group 0: picture 000000000001.jpg is not in the row"):
        read[1]


def test_pictures_by_path_come_from_the_image_folder_and_from_nowhere_else(tmp_path: Path) -> None:
    rows = [make_row_of(1), make_row_of(2), make_row_of(3)]
    rows[1]["images"][0]["path"] = "../secret.jpg"
    version = write_version(tmp_path / "v", rows)
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "000000000001.jpg").write_bytes(encode(9))
    (tmp_path / "secret.jpg").write_bytes(encode(10))
    with pytest.raises(InstructgenError, match="image_folder"):
        open_rows(version)
    assert len(list(open_rows(version, columns=["messages"]))) == 3
    read = open_rows(version, seed=None, image_folder=folder)
    assert read[0]["images"][0].getpixel((0, 0)) == (9, 0, 0)
    with pytest.raises(InstructgenError, match="outside of the image folder"):
        read[1]
    with pytest.raises(InstructgenError, match=r"000000000003.jpg cannot be read"):
        read[2]


def test_split_and_column_that_are_not_there_are_named_with_those_that_are(version: LocalVersion) -> None:
    with pytest.raises(InstructgenError, match="no split 'test'; there are: train"):
        open_rows(version, "test")
    with pytest.raises(InstructgenError, match="no column 'text' in 'train'; there are: sample_id, image_id"):
        open_rows(version, columns=["text"])


def test_shard_that_is_cut_off_or_another_is_an_error_that_names_it(version: LocalVersion, tmp_path: Path) -> None:
    shards = version.manifest.shards
    shutil.copytree(version.folder, tmp_path / "cut")
    (tmp_path / "cut" / shards[1].path).write_bytes((version.folder / shards[1].path).read_bytes()[:-100])
    with pytest.raises(InstructgenError, match=rf"{shards[1].path} cannot be read"):
        open_rows(tmp_path / "cut")
    (tmp_path / "cut" / shards[1].path).write_bytes(b"")
    with pytest.raises(InstructgenError, match=rf"{shards[1].path} cannot be read"):
        open_rows(tmp_path / "cut")
    other = write_version(tmp_path / "other", [make_row_of(1, picture=encode(1))])
    shutil.copy(other.folder / "data" / "train-00000-of-00001.parquet", tmp_path / "cut" / shards[1].path)
    with pytest.raises(InstructgenError, match="has 1 rows, the manifest says"):
        open_rows(tmp_path / "cut")


def test_picture_that_cannot_be_decoded_is_an_error_that_names_the_row(tmp_path: Path) -> None:
    rows = [make_row_of(1, picture=encode(1)), make_row_of(2, picture=encode(2)[:-30])]
    read = open_rows(write_version(tmp_path / "v", rows), seed=None)
    assert read[0]["images"][0].size == (6, 4)
    with pytest.raises(InstructgenError, match=r"train-00000-of-00001.parquet, row 1 of group 0: picture .* decoded"):
        list(read)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_bomb_is_refused_by_its_header() -> None:
    file = io.BytesIO()
    Image.new("1", (20_000, 6_000)).save(file, "PNG")
    with pytest.raises(ValueError, match="20000 x 6000 pixels"):
        load_picture(file.getvalue())


def test_opened_picture_is_not_yet_decoded_and_may_still_be_drafted() -> None:
    file = io.BytesIO()
    Image.new("RGB", (640, 480)).save(file, "JPEG")
    image = open_picture(file.getvalue())
    image.draft("RGB", (160, 120))
    image.load()
    assert image.size == (160, 120)


def test_picture_is_turned_as_its_exif_says_and_as_datasets_turns_it() -> None:
    datasets = pytest.importorskip("datasets", reason="datasets decodes the same picture beside ours")
    exif = Image.Exif()
    exif[0x0112] = 6
    for picture in (encode(5, "JPEG", exif=exif), encode(5, "JPEG"), encode(5)):
        theirs = datasets.Image().decode_example({"bytes": picture, "path": None})
        ours = load_picture(picture)
        assert (ours.size, ours.mode, ours.tobytes()) == (theirs.size, theirs.mode, theirs.tobytes())
    assert load_picture(encode(5, "JPEG", exif=exif)).size == (4, 6)


def test_views_are_read_side_by_side_from_threads_of_their_own(version: LocalVersion) -> None:
    shares = [open_rows(version, decode="bytes").share(rank, 4) for rank in range(4)]
    alone = [list(share) for share in shares]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(list, shares)) == alone


@pytest.mark.parametrize(("told", "kept"), [(None, "32"), ("5", "5"), ("0", "0")])
def test_memory_is_kept_for_pictures_unless_somebody_said_how_much(
    version: LocalVersion, told: str | None, kept: str
) -> None:
    script = (
        "import sys; from PIL import Image; from instructgen.dataset.loader import open_rows;"
        "open_rows(sys.argv[1]).__getitems__([0]); print(Image.core.get_blocks_max())"
    )
    others = {name: value for name, value in os.environ.items() if name != "PILLOW_BLOCKS_MAX"}
    environment = others if told is None else {**others, "PILLOW_BLOCKS_MAX": told}
    command = [sys.executable, "-c", script, str(version.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == kept


def test_training_loop_needs_no_torch() -> None:
    script = (
        "import sys, instructgen.dataset.loader; print([n for n in ('torch','pyarrow','PIL') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
