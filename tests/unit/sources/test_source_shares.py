"""Shares of a source: each image in one of them, in the source's order."""

from collections.abc import Iterator

import pytest

from instructgen.errors import InstructgenError
from instructgen.records import ImageRecord, Rejected, SourceIssue
from instructgen.sources.scenes import ScenesSource
from instructgen.sources.shares import Share, ShareOfSource, parse_share

Found = ImageRecord | Rejected | SourceIssue


class Images:
    """A source of given records."""

    name, title, split = "coco", "images", None

    def __init__(self, found: list[Found]) -> None:
        self.found = found
        self.num_images: int | None = None
        self.num_read = 0

    def records(self) -> Iterator[Found]:
        self.num_images = sum(not isinstance(one, SourceIssue) for one in self.found)
        for one in self.found:
            self.num_read += 1
            yield one

    def image_bytes(self, record: ImageRecord) -> bytes | None:
        return record.file_name.encode()


def make_images(num: int, issues_before: tuple[int, ...] = ()) -> list[Found]:
    """Return images 0 to num - 1, every seventh rejected; an issue before some, or behind the last."""
    found: list[Found] = []
    for number in range(num + 1):
        found += [SourceIssue(f"issue {number}", "odd", "") for place in issues_before if place == number]
        if number < num:
            image_id = f"coco/{number:012d}"
            is_bad = number % 7 == 6
            found.append(
                Rejected(image_id, "source", "bad")
                if is_bad
                else ImageRecord(image_id, f"{number}.jpg", 1, 1, (), ())
            )
    return found


@pytest.mark.parametrize("num_shares", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("num_images", [0, 1, 5, 20])
def test_shares_together_are_the_source_in_its_order(num_images: int, num_shares: int) -> None:
    found = make_images(num_images, issues_before=(0, 3, num_images))
    read: list[Found] = []
    sizes = []
    for index in range(num_shares):
        share = ShareOfSource(Images(found), Share(index, num_shares))
        of_share = list(share.records())
        sizes.append(sum(not isinstance(one, SourceIssue) for one in of_share))
        assert share.num_images == sizes[-1]
        assert share.num_all == num_images
        read += of_share
    assert read == found
    assert max(sizes) - min(sizes) <= 1


def test_share_read_twice_is_the_same() -> None:
    share = ShareOfSource(Images(make_images(20, (4, 9))), Share(1, 3))
    assert list(share.records()) == list(share.records())
    assert share.neighbours == ("coco/000000000005", "coco/000000000012")


def test_share_reads_no_further_than_its_last_image() -> None:
    source = Images(make_images(20))
    list(ShareOfSource(source, Share(0, 4)).records())
    assert source.num_read == 5


def test_images_before_a_share_come_nearest_first_however_far() -> None:
    found = make_images(3000)
    share = ShareOfSource(Images(found), Share(2, 3))
    next(share.records())
    assert list(share.records_before()) == found[:2000][::-1]


def test_share_of_scenes_draws_its_own_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ScenesSource(10, seed=3, size_px=(48, 48))
    records = list(whole.records())
    drawn: list[int] = []
    draw = ScenesSource.draw
    monkeypatch.setattr(ScenesSource, "draw", lambda self, number: drawn.append(number) or draw(self, number))
    share = ShareOfSource(ScenesSource(10, seed=3, size_px=(48, 48)), Share(1, 3))
    pictures = []
    read = []
    for record in share.records():
        assert isinstance(record, ImageRecord)
        read.append(record)
        pictures.append(share.image_bytes(record))
    assert read == records[3:6]
    assert drawn == [4, 5, 6]
    monkeypatch.undo()
    assert pictures == [whole.image_bytes(record) for record in records[3:6]]
    assert list(share.records_before()) == records[:3][::-1]


@pytest.mark.parametrize("text", ["3", "3/3", "-1/3", "0/0", "a/b", "1/2/3", ""])
def test_share_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InstructgenError, match="--shard"):
        parse_share(text)


def test_share_is_written_as_it_is_read() -> None:
    assert str(parse_share("3/8")) == "3/8"
