"""The pictures that are asked about, and those of a benchmark's folder."""

from collections.abc import Iterator
from pathlib import Path

from instructgen.evaluate.bench_files import read_bench_picture
from instructgen.evaluate.pictures import Gallery
from instructgen.records import ImageRecord, Rejected, SourceIssue


class ListedSource:
    """Images 0 to 39; every fifth has no picture, and one more was rejected."""

    name, title, split = "listed", "forty images", None
    num_images: int | None = 41

    def __init__(self) -> None:
        self.num_read = 0

    def records(self) -> Iterator[ImageRecord | Rejected | SourceIssue]:
        for number in range(40):
            yield ImageRecord(f"listed/{number:02}", f"{number}.jpg", 4, 4, ("A dog.",), ())
        yield SourceIssue("listed/03", "box_outside", "")
        yield Rejected("listed/40", "source", "no_size")

    def image_bytes(self, record: ImageRecord) -> bytes | None:
        self.num_read += 1
        number = int(record.image_id.removeprefix("listed/"))
        return record.image_id.encode() if number % 5 else None


def draw(gallery: Gallery, limit: int | None, *, stage: str = "pope", seed: int = 0) -> list[str]:
    return [one.image_id for one in gallery.draw(stage, seed, limit, lambda one: one.image_id != "listed/01")]


def test_smaller_limit_draws_a_part_of_what_a_larger_one_draws() -> None:
    gallery = Gallery(ListedSource())
    few, many = draw(gallery, 6), draw(gallery, 20)
    assert len(few) == 6
    assert set(few) < set(many)
    assert many == sorted(many)
    assert draw(Gallery(ListedSource()), 6) == few != draw(gallery, 6, seed=1)


def test_images_without_a_picture_or_unfit_are_not_drawn_and_the_former_are_counted() -> None:
    gallery = Gallery(ListedSource())
    assert len(draw(gallery, None)) == 31
    assert gallery.left_out("pope") == {"image_missing": 8, "no_size": 1}
    assert gallery.left_out("chair") == {"no_size": 1}


def test_picture_is_read_once() -> None:
    source = ListedSource()
    gallery = Gallery(source)
    assert [gallery.read("listed/01") for _ in range(3)] == [b"listed/01"] * 3
    assert source.num_read == 1


def test_picture_of_a_bench_is_found_in_its_folder_alone(tmp_path: Path) -> None:
    folder = tmp_path / "bench"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a.png").write_bytes(b"inside")
    (tmp_path / "b.png").write_bytes(b"outside")
    assert read_bench_picture(folder, "a.png") == b"inside"
    assert read_bench_picture(folder, "../../b.png") is None
    assert read_bench_picture(folder, "../b.png") is None
    assert read_bench_picture(folder, "c.png") is None
