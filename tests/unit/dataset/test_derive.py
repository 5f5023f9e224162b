"""New versions from the rows of others."""

import json
import random
import re
import resource
import tomllib
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from instructgen.dataset.columns import Row, make_schema
from instructgen.dataset.derive import imported, order, write
from instructgen.dataset.derive.imported import ImportPlan
from instructgen.dataset.derive.order import shuffle_rows
from instructgen.dataset.derive.recipe import SHORT_ANSWER, Part, Recipe, load_recipe, open_parts
from instructgen.dataset.derive.selection import select_rows
from instructgen.dataset.exports import EXPORTS
from instructgen.dataset.exports.base import ExportSettings
from instructgen.dataset.manifest import Manifest, SourceFacts
from instructgen.dataset.shards import MIXED
from instructgen.dataset.stored import LocalVersion, read_rows
from instructgen.dataset.stores import open_store
from instructgen.dataset.verify import verify_version
from instructgen.dataset.versions import open_version
from instructgen.draws import draw_fraction
from instructgen.errors import InstructgenError
from instructgen.jobs.datasets import MadeVersion, collect_versions, derive_version, import_version
from tests.support.cli import ROOT
from tests.support.exports import make_picture
from tests.support.versions import make_row_of, write_version

NUM_IMAGES = 40


@pytest.fixture
def parts(tmp_path: Path) -> tuple[LocalVersion, LocalVersion]:
    """Return a version of conversations and descriptions, and one of short questions on some of its images."""
    first = [make_row_of(number, kind) for number in range(NUM_IMAGES) for kind in ("conv", "detail")]
    second = [make_row_of(number, "vqa", [("Which color?", "Red.")]) for number in range(10, 30)]
    return write_version(tmp_path / "first", first), write_version(tmp_path / "second", second)


def derive(
    tmp_path: Path, operation: str, parts: Sequence[Part], **settings: Any
) -> tuple[MadeVersion, list[tuple[str, Row]]]:
    """Return what was made, and its rows with their splits; the version must be whole and its counts add up."""
    made = derive_version(operation, Recipe(tuple(parts), **settings), str(tmp_path / "out"), [])
    stored = open_version(made.ref)
    assert verify_version(stored, made.manifest.version, is_deep=True) == []
    check_counts(made.manifest)
    rows = iter(read_rows(stored))
    return made, [(shard.split, next(rows)) for shard in made.manifest.shards for _ in range(shard.num_rows)]


def check_counts(manifest: Manifest) -> None:
    counts = manifest.counts
    for name, planned in counts.planned.items():
        assert counts.accepted[name] + counts.rejected[name] == planned
        assert sum(counts.reasons.get(name, {}).values()) == counts.rejected[name]
    assert sum(counts.accepted.values()) == sum(manifest.splits.values())


def test_merge_keeps_every_row_once_and_tells_where_it_is_from(
    parts: tuple[LocalVersion, LocalVersion], tmp_path: Path
) -> None:
    first, second = parts
    refs = [Part(str(one.folder)) for one in (first, second, first)]
    made, rows = derive(tmp_path, "merge", refs, shuffle=False)
    origins = {row["sample_id"]: row["origin"] for _, row in rows}
    assert len(rows) == len(origins) == NUM_IMAGES * 2 + 20
    assert {origins[f"coco/{number:012d}/conv/0"] for number in range(NUM_IMAGES)} == {first.manifest.version}
    assert origins["coco/000000000012/vqa/0"] == second.manifest.version
    assert made.manifest.counts.reasons == {name: {"duplicate_sample": NUM_IMAGES} for name in ("conv", "detail")}
    with (tmp_path / "out" / "versions" / made.manifest.version / "rejected.jsonl").open() as file:
        assert len(file.readlines()) == NUM_IMAGES * 2


def test_lineage_names_versions_digests_and_settings(
    parts: tuple[LocalVersion, LocalVersion], tmp_path: Path
) -> None:
    part = Part(str(parts[0].folder), types=("conv",), cap=5)
    made, _ = derive(tmp_path, "sample", [part], seed=3)
    lineage = made.manifest.lineage
    assert lineage is not None
    (parent,) = lineage.parents
    assert (parent.version, parent.taken) == (parts[0].manifest.version, 5)
    assert len(parent.sha256) == 64
    assert lineage.operation == "sample"
    assert lineage.settings["seed"] == 3
    assert lineage.settings["parts"][0]["version"] == parts[0].manifest.version
    assert str(tmp_path) not in str(lineage.settings)


def test_rows_that_two_parts_have_can_be_refused(parts: tuple[LocalVersion, LocalVersion], tmp_path: Path) -> None:
    part = Part(str(parts[0].folder))
    with pytest.raises(InstructgenError, match="is in a part before it"):
        derive(tmp_path, "merge", [part, part], duplicates="error")


def test_same_recipe_gives_the_same_version(parts: tuple[LocalVersion, LocalVersion], tmp_path: Path) -> None:
    refs = [Part(str(parts[0].folder), weight=0.5), Part(str(parts[1].folder), cap=7)]
    one, rows = derive(tmp_path / "a", "mix", refs, seed=1)
    two, again = derive(tmp_path / "b", "mix", refs, seed=1)
    other, _ = derive(tmp_path / "c", "mix", refs, seed=2)
    assert (one.manifest.version, rows) == (two.manifest.version, again)
    assert other.manifest.version != one.manifest.version


def test_parent_that_was_built_twice_gives_one_name(tmp_path: Path) -> None:
    """Its title and the day on which it was made are in its manifest, and not in its name."""
    rows = [make_row_of(number) for number in range(5)]
    first = write_version(tmp_path / "first", rows)
    second = write_version(
        tmp_path / "second", rows, created_at="2027-07-07", source=SourceFacts("coco", "another title", 5, {})
    )
    assert first.manifest.version == second.manifest.version
    made = [derive(tmp_path, "sample", [Part(str(one.folder), cap=3)])[0] for one in (first, second)]
    assert made[0].manifest.version == made[1].manifest.version


def test_damaged_parent_is_refused(tmp_path: Path) -> None:
    rows = [make_row_of(number, picture=bytes([number]) * 5_000) for number in range(20)]
    stored = write_version(tmp_path / "first", rows)
    (shard,) = (stored.folder / "data").iterdir()
    content = bytearray(shard.read_bytes())
    content[content.index(b"\7" * 5_000) + 100] ^= 1
    shard.write_bytes(content)
    with pytest.raises(InstructgenError, match=f"{shard.name} is not the file that its manifest names; `dataset ver"):
        derive(tmp_path, "sample", [Part(str(stored.folder), cap=3)])


def test_larger_sample_holds_the_smaller_one(parts: tuple[LocalVersion, LocalVersion], tmp_path: Path) -> None:
    found = []
    for cap in (5, 20):
        _, rows = derive(tmp_path, "sample", [Part(str(parts[0].folder), cap=cap)], shuffle=False)
        found.append({row["sample_id"] for _, row in rows})
        assert len(rows) == cap
    assert found[0] < found[1]


def test_weight_above_one_repeats_rows_under_ids_of_their_own(
    parts: tuple[LocalVersion, LocalVersion], tmp_path: Path
) -> None:
    made, rows = derive(tmp_path, "mix", [Part(str(parts[1].folder), weight=2.5)])
    ids = [row["sample_id"] for _, row in rows]
    assert len(ids) == len(set(ids)) == made.manifest.counts.accepted["vqa"]
    assert sum(one.endswith("#2") for one in ids) == 20
    assert 4 <= sum(one.endswith("#3") for one in ids) <= 16


def test_copies_of_copies_have_ids_of_their_own(tmp_path: Path) -> None:
    stored = write_version(tmp_path / "first", [make_row_of(number) for number in range(3)])
    twice, _ = derive(tmp_path, "mix", [Part(str(stored.folder), weight=2)], shuffle=False)
    _, rows = derive(tmp_path / "again", "mix", [Part(twice.ref, weight=2)], shuffle=False)
    ids = [row["sample_id"] for _, row in rows if row["image_id"].endswith("1")]
    assert sorted(ids) == [f"coco/{1:012d}/conv/0{end}" for end in ("", "#2", "#3", "#4")]
    assert len({row["sample_id"] for _, row in rows}) == len(rows) == 12


def test_copy_takes_no_id_that_another_part_has(tmp_path: Path) -> None:
    row = make_row_of(1)
    stored = write_version(tmp_path / "first", [row])
    numbered = write_version(tmp_path / "second", [{**row, "sample_id": f"{row['sample_id']}#2"}])
    _, rows = derive(tmp_path, "mix", [Part(str(stored.folder), weight=3), Part(str(numbered.folder))])
    assert {one["sample_id"][-2:] for _, one in rows} == {"/0", "#2", "#3", "#4"}


def test_row_that_an_earlier_part_left_out_is_free_for_a_later_one(
    parts: tuple[LocalVersion, LocalVersion], tmp_path: Path
) -> None:
    ref = str(parts[0].folder)
    for number, narrow in enumerate((Part(ref, cap=5), Part(ref, weight=0.5), Part(ref, cap_by_type={"conv": 3}))):
        made, rows = derive(tmp_path / str(number), "mix", [narrow, Part(ref, suffix="Again.")])
        num_first = sum("Again." not in row["messages"][0]["content"] for _, row in rows)
        assert len(rows) == len({row["sample_id"] for _, row in rows}) == NUM_IMAGES * 2
        assert 0 < num_first < NUM_IMAGES * 2
        reasons = made.manifest.counts.reasons
        assert sum(found["duplicate_sample"] for found in reasons.values()) == num_first


def test_choosing_rows_holds_no_objects_of_them(tmp_path: Path) -> None:
    num_rows = 6_000
    stored = write_version(tmp_path / "first", [make_row_of(number) for number in range(num_rows)])
    recipe = Recipe((Part(str(stored.folder), cap=num_rows // 2),))
    opened = open_parts(recipe)
    select_rows(opened, recipe)  # what is imported for it is there from now on
    tracemalloc.start()
    select_rows(opened, recipe)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most_bytes / num_rows < 180


def test_cap_by_type_and_cap_hold_together(parts: tuple[LocalVersion, LocalVersion], tmp_path: Path) -> None:
    part = Part(str(parts[0].folder), cap_by_type={"detail": 3}, cap=30)
    made, rows = derive(tmp_path, "mix", [part])
    assert len(rows) == 30
    assert made.manifest.counts.accepted["detail"] <= 3


def test_suffix_is_put_below_every_question_once(parts: tuple[LocalVersion, LocalVersion], tmp_path: Path) -> None:
    part = Part(str(parts[1].folder), suffix=SHORT_ANSWER)
    made, rows = derive(tmp_path, "mix", [part])
    texts = {tuple(message["content"] for message in row["messages"]) for _, row in rows}
    assert texts == {(f"Which color?\n{SHORT_ANSWER}", "Red.")}
    _, again = derive(tmp_path / "again", "mix", [Part(made.ref, suffix=SHORT_ANSWER)])
    assert {tuple(message["content"] for message in row["messages"]) for _, row in again} == texts


def test_splits_are_by_image(parts: tuple[LocalVersion, LocalVersion], tmp_path: Path) -> None:
    refs = [Part(str(one.folder)) for one in parts]
    made, rows = derive(tmp_path, "split", refs, splits={"val": 0.2, "test": 0.2})
    splits: dict[str, set[str]] = {}
    for split, row in rows:
        splits.setdefault(row["image_id"], set()).add(split)
    assert all(len(found) == 1 for found in splits.values())
    assert set(made.manifest.splits) == {"train", "val", "test"}


def test_image_in_two_splits_is_refused_with_the_cure(tmp_path: Path) -> None:
    one = write_version(tmp_path / "one", [make_row_of(1, "conv")], split="train")
    two = write_version(tmp_path / "two", [make_row_of(1, "detail")], split="val")
    refs = [Part(str(version.folder)) for version in (one, two)]
    with pytest.raises(InstructgenError, match="is in 'val' here and in 'train'"):
        derive(tmp_path, "merge", refs)
    _, rows = derive(tmp_path, "merge", refs, splits={"val": 0.5})
    assert len({split for split, _ in rows}) == 1


def test_shuffled_rows_are_in_another_order_and_of_all_types(
    parts: tuple[LocalVersion, LocalVersion], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("instructgen.dataset.derive.order._BUCKET_BYTES", 500)
    refs = [Part(str(one.folder)) for one in parts]
    made, rows = derive(tmp_path, "mix", refs)
    assert {shard.sample_type for shard in made.manifest.shards} == {MIXED}
    ids = [row["sample_id"] for _, row in rows]
    assert ids != sorted(ids)
    assert len(set(ids)) == NUM_IMAGES * 2 + 20
    assert len({row["sample_type"] for _, row in rows[:20]}) == 3


def shuffle(rows: Iterator[Row], folder: Path, num_bytes: int = 0) -> list[str]:
    folder.mkdir()
    schema = make_schema(["length"], embeds_images=True)
    ids = [
        row["sample_id"] for _, row in shuffle_rows((("train", row) for row in rows), schema, 0, num_bytes, folder)
    ]
    assert list(folder.iterdir()) == []
    return ids


def test_order_is_that_of_the_draws_however_rows_are_dealt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [make_row_of(number, picture=b"x" * 500) for number in range(300)]
    ids = sorted((row["sample_id"] for row in rows), key=lambda one: draw_fraction(0, "shuffle", one))
    monkeypatch.setattr(order, "_BUCKET_BYTES", 5_000)
    monkeypatch.setattr(order, "_WAITING_BYTES", 20_000)
    for num_bytes in (0, 20_000, 2_000_000):
        assert shuffle(iter(rows), tmp_path / str(num_bytes), num_bytes) == ids


def test_bucket_that_is_too_large_is_dealt_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    sort = order._sort_bucket

    def watch(path: Path, seed: int) -> Iterator[tuple[str, Row]]:
        sizes.append(path.stat().st_size)
        return sort(path, seed)

    monkeypatch.setattr(order, "_sort_bucket", watch)
    monkeypatch.setattr(order, "_BUCKET_BYTES", 50_000)
    shuffle((make_row_of(number, picture=b"x" * 2_000) for number in range(400)), tmp_path / "order")
    assert sum(sizes) > 800_000
    assert max(sizes) < 150_000


def test_shuffling_opens_fewer_files_than_a_process_may(tmp_path: Path) -> None:
    num_open = len(list(Path("/dev/fd").iterdir()))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (num_open + 220, limits[1]))
    try:
        assert len(shuffle((make_row_of(number) for number in range(10)), tmp_path / "order", 10**12)) == 10
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_rows_with_pictures_do_not_wait_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    num_written = []

    def make_rows() -> Iterator[Row]:
        for number in range(60):
            yield make_row_of(number, picture=b"x" * 10_000)
            num_written.append(sum(path.stat().st_size for path in (tmp_path / "order").iterdir()))

    monkeypatch.setattr(order, "_WAITING_BYTES", 100_000)
    shuffle(make_rows(), tmp_path / "order", 10**9)
    assert num_written[-1] > 500_000


def test_buckets_are_sized_by_what_is_taken(parts: tuple[LocalVersion, LocalVersion]) -> None:
    def measure(**settings: Any) -> int:
        recipe = Recipe((Part(str(parts[0].folder), **settings),))
        opened = open_parts(recipe)
        return write._measure(opened, select_rows(opened, recipe).parts, has_pictures=True)

    total = sum(shard.num_bytes for shard in parts[0].manifest.shards)
    assert measure() == total
    assert measure(weight=3) == total * 3
    assert measure(types=("conv",)) < total


@pytest.mark.parametrize("shuffle", [False, True])
def test_columns_of_all_parts_come_along(tmp_path: Path, shuffle: bool) -> None:
    scored, unscored = make_row_of(2, "detail"), make_row_of(3, "detail")
    scored["scores"] = {"other": 0.5}
    unscored["scores"] = {}
    refs = [
        Part(str(write_version(tmp_path / str(number), [row]).folder))
        for number, row in enumerate((make_row_of(1), scored, unscored))
    ]
    _, rows = derive(tmp_path, "merge", refs, shuffle=shuffle)
    assert {row["image_id"]: row["scores"] for _, row in rows} == {
        "coco/000000000001": {"length": 1.0, "other": None},
        "coco/000000000002": {"length": None, "other": 0.5},
        "coco/000000000003": None,
    }


def test_pictures_are_in_all_rows_or_in_none(tmp_path: Path) -> None:
    refs = [
        Part(str(write_version(tmp_path / str(number), [make_row_of(number, picture=picture)]).folder))
        for number, picture in enumerate((b"bytes", None))
    ]
    with pytest.raises(InstructgenError, match="--pictures paths"):
        derive(tmp_path, "merge", refs)
    made, rows = derive(tmp_path, "merge", refs, pictures="paths")
    assert [row["images"][0]["bytes"] for _, row in rows] == [None, None]
    assert not made.manifest.embeds_images


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"types": ("caption",)}, "has no type 'caption'; it has conv, detail"),
        ({"splits": ("test",)}, "has no split 'test'; it has train"),
        ({"cap_by_type": {"vqa": 1}}, "has no type 'vqa'"),
    ],
)
def test_unknown_type_or_split_is_an_error(
    parts: tuple[LocalVersion, LocalVersion], tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InstructgenError, match=message):
        derive(tmp_path, "mix", [Part(str(parts[0].folder), **changes)])


def test_splits_above_one_are_an_error(parts: tuple[LocalVersion, LocalVersion], tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match=r"1\.2 together"):
        derive(tmp_path, "split", [Part(str(parts[0].folder))], splits={"val": 0.6, "test": 0.6})


def import_records(folder: Path, out: Path, **settings: Any) -> Manifest:
    folder.mkdir(exist_ok=True)
    turns = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A dog."}]
    records = [{"id": str(number), "image": f"{number}.jpg", "conversations": turns} for number in range(5)]
    (folder / "records.json").write_text(json.dumps(records))
    return import_version(ImportPlan("llava", folder, pictures="paths", **settings), str(out), []).manifest


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"../../../x": 0.5}, "cannot be a split's name"),
        ({"a/b": 0.5}, "cannot be a split's name"),
        ({"": 0.5}, "cannot be a split's name"),
        ({"val": 0.6, "test": 0.6}, r"1\.2 together"),
        ({"val": -0.5}, "share of the split 'val' is -0.5"),
        ({"val": float("nan")}, "share of the split 'val' is nan"),
    ],
)
def test_splits_that_cannot_be_are_an_error_of_an_import_too(
    parts: tuple[LocalVersion, LocalVersion], tmp_path: Path, splits: dict[str, float], message: str
) -> None:
    with pytest.raises(InstructgenError, match=message):
        import_records(tmp_path / "in", tmp_path / "out", splits=splits)
    with pytest.raises(InstructgenError, match=message):
        derive(tmp_path, "split", [Part(str(parts[0].folder))], splits=splits)
    assert not (tmp_path / "out" / "versions").exists()


def test_import_into_the_folder_that_is_imported_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="name another --out"):
        import_records(tmp_path / "in", tmp_path / "in" / "out")
    one = import_records(tmp_path / "in", tmp_path / "out")
    assert import_records(tmp_path / "in", tmp_path / "again").version == one.version


def test_recipe_without_a_row_is_an_error_and_leaves_nothing(
    parts: tuple[LocalVersion, LocalVersion], tmp_path: Path
) -> None:
    with pytest.raises(InstructgenError, match="no row is left"):
        derive(tmp_path, "sample", [Part(str(parts[0].folder), weight=1e-9)])
    assert not [path for path in (tmp_path / "out").rglob("*") if path.name != ".work"]


def test_mixture_file_names_versions_beside_it(parts: tuple[LocalVersion, LocalVersion], tmp_path: Path) -> None:
    (tmp_path / "mix.toml").write_text(
        f"""
seed = 4
splits = {{val = 0.1}}
[[parts]]
version = "first"
types = ["conv"]
[[parts]]
version = "{parts[1].folder}"
weight = 0.5
"""
    )
    recipe = load_recipe(tmp_path / "mix.toml")
    assert recipe.parts[0].version == str(tmp_path / "first")
    made, _ = derive(tmp_path, "mix", recipe.parts, seed=recipe.seed, splits=recipe.splits)
    assert made.manifest.counts.accepted["conv"] == NUM_IMAGES


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[parts]]\nversion = 'x'\nweigth = 2", r"mix.toml: .*weigth"),
        ("[[parts]]\nversion = 'x'\nweight = -1", r"mix.toml: .*weight"),
        ("parts = 3", "mix.toml"),
        ("[[parts]", "not valid TOML"),
    ],
)
def test_bad_mixture_names_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mix.toml").write_text(text)
    with pytest.raises(InstructgenError, match=message):
        load_recipe(tmp_path / "mix.toml")


def test_shipped_mixture_is_llava15s() -> None:
    recipe = load_recipe(ROOT / "pipelines" / "mixtures" / "llava15.toml")
    assert sum(part.cap or 0 for part in recipe.parts) == 664_000
    assert sum(part.suffix == SHORT_ANSWER for part in recipe.parts) == 4


def test_documented_mixture_is_one() -> None:
    text = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")
    block = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert block is not None
    recipe = msgspec.convert(tomllib.loads(block[1]), Recipe)
    assert set(recipe.__struct_fields__) == set(tomllib.loads(block[1]))
    assert set(Part.__struct_fields__) == set(tomllib.loads(block[1])["parts"][0])


def draw_text(number: int) -> str:
    """Return a text that does not compress to nothing."""
    return random.Random(number).randbytes(200).hex()


def test_appended_images_add_their_own_rows_only(tmp_path: Path) -> None:
    """The old shards are shared: what an append of 1% writes is about 1%."""
    kinds = ("conv", "detail")
    rows = [make_row_of(number, kind, [("Why?", draw_text(number))]) for kind in kinds for number in range(3000)]
    more = [
        make_row_of(number, kind, [("Why?", draw_text(number))]) for kind in kinds for number in range(3000, 3300)
    ]
    first, second = write_version(tmp_path / "first", rows), write_version(tmp_path / "second", more)
    old, _ = derive(tmp_path, "merge", [Part(str(first.folder))], shuffle=False, rows_per_shard=2000)
    refs = [Part(str(one.folder)) for one in (first, second)]
    new, _ = derive(tmp_path, "merge", refs, shuffle=False, rows_per_shard=2000)
    total = sum(shard.num_bytes for shard in new.manifest.shards)
    assert new.num_bytes < 0.15 * total  # 600 rows of 6,600 are 9%
    assert {shard.sha256 for shard in old.manifest.shards} < {shard.sha256 for shard in new.manifest.shards}


def test_collecting_keeps_tagged_and_newest(parts: tuple[LocalVersion, LocalVersion], tmp_path: Path) -> None:
    made = [derive(tmp_path, "sample", [Part(str(parts[0].folder), cap=cap)])[0] for cap in (3, 4, 5)]
    store = open_store(str(tmp_path / "out"))
    looked = collect_versions(store, 1, is_done=False)
    assert len(looked.versions) == 1
    assert len(store.list_versions()) == 3
    done = collect_versions(store, 0, is_done=True)
    assert set(done.versions) == {one.manifest.version for one in made[1:]}
    assert done.num_bytes > 0
    assert store.list_versions() == [made[0].manifest.version]


ANSWER = {"from": "gpt", "value": "A dog."}
LATE_PLACES = {"late": [2], "first": None}


def import_later_picture(tmp_path: Path, form: str, messages: str, images: str) -> LocalVersion:
    """Return the version of two records in a form: one shows its picture in turn 2, one in the first."""
    folder = tmp_path / "in"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a.jpg").write_bytes(make_picture(1))
    records = [
        {"id": name, images: ["a.jpg"], messages: [{"from": "human", "value": "<image>\nWhat?"}, ANSWER]}
        for name in ("late", "first")
    ]
    records[0][messages] = [{"from": "human", "value": "Hello."}, ANSWER, *records[0][messages]]
    (folder / "data.json").write_text(json.dumps(records))
    return open_local(import_version(ImportPlan(form, folder), str(tmp_path / "one"), []).ref)


def open_local(ref: str) -> LocalVersion:
    stored = open_version(ref)
    assert isinstance(stored, LocalVersion)
    return stored


def places_of(version: LocalVersion) -> dict[str, list[int] | None]:
    return {row["sample_id"]: row["image_at"] for row in read_rows(version)}


@pytest.mark.parametrize(
    ("form", "messages", "images"), [("llava", "conversations", "image"), ("sharegpt", "conversations", "images")]
)
def test_picture_of_a_later_turn_is_imported_with_its_place_and_not_exported_to_the_first(
    form: str, messages: str, images: str, tmp_path: Path
) -> None:
    version = import_later_picture(tmp_path, form, messages, images)
    assert places_of(version) == LATE_PLACES
    exported = EXPORTS[form](version, tmp_path / "out", lambda _, __: None, ExportSettings())
    assert (exported.num_rows, exported.left_out) == (1, {"interleaved": 1})
    again = import_version(ImportPlan(form, tmp_path / "out"), str(tmp_path / "two"), [])
    assert [row["sample_id"] for row in read_rows(open_version(again.ref))] == ["first"]


@pytest.mark.parametrize("form", ["openai", "webdataset"])
def test_picture_of_a_later_turn_stays_there_through_import_export_and_import(form: str, tmp_path: Path) -> None:
    version = import_later_picture(tmp_path, "llava", "conversations", "image")
    exported = EXPORTS[form](version, tmp_path / "out", lambda _, __: None, ExportSettings())
    assert (exported.num_rows, exported.left_out) == (2, {})
    again = open_local(import_version(ImportPlan(form, tmp_path / "out"), str(tmp_path / "two"), []).ref)
    assert places_of(again) == LATE_PLACES
    assert [row["messages"] for row in read_rows(again)] == [row["messages"] for row in read_rows(version)]


def test_import_without_pictures_keeps_no_records_while_it_looks_for_one(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "x" * 4000}]
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps({"id": number, "conversations": turns}) + "\n" for number in range(3000)))
    tracemalloc.start()
    records, embeds_images = imported._open(ImportPlan("llava", path))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < path.stat().st_size / 4
    assert (sum(1 for _ in records), embeds_images) == (3000, False)
