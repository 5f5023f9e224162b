"""The filters with which a merge looks at all parts."""

from instructgen.filters.diversity import DiversitySelection
from instructgen.filters.near_duplicate import NearDuplicate
from instructgen.filters.near_duplicate_disk import OnDisk
from instructgen.jobs.merge_compare import make_filters


def test_merge_has_the_build_s_filters_and_finds_near_duplicates_on_disk() -> None:
    settings = {"diversity": {"max_samples": 3}, "near_duplicate": {"threshold": 0.7}, "length": {"max_chars": 9}}
    found = make_filters(settings)
    assert found["near_duplicate"] == OnDisk(NearDuplicate(threshold=0.7))
    assert found["diversity"] == DiversitySelection(max_samples=3)
    assert list(found) == ["near_duplicate", "diversity"]
