"""What licences ask, by the short names that sources give them."""

import pytest

from instructgen.dataset.cards.licences import describe_licence
from instructgen.sources.coco_credits import shorten_licence


@pytest.mark.parametrize(
    ("name", "hub_id", "is_non_commercial", "is_no_derivatives"),
    [
        ("CC-BY-2.0", "cc-by-2.0", False, False),
        ("CC-BY-NC-SA-2.0", "cc-by-nc-sa-2.0", True, False),
        ("CC-BY-NC-ND-2.0", "other", True, True),
        ("CC-BY-ND-4.0", "cc-by-nd-4.0", False, True),
        ("CC-BY-SA-2.0", "other", False, False),
        ("CC-BY-SA-3.0-DE", "other", False, False),
        ("CC0-1.0", "cc0-1.0", False, False),
        ("United States Government Work", "other", False, False),
        ("No known copyright restrictions", "other", None, None),
        ("House rules", "other", None, None),
        ("", "unknown", None, None),
    ],
)
def test_licence_is_known_by_its_short_name(
    name: str, hub_id: str, is_non_commercial: bool | None, is_no_derivatives: bool | None
) -> None:
    found = describe_licence(name)
    assert (found.hub_id, found.is_non_commercial, found.is_no_derivatives) == (
        hub_id,
        is_non_commercial,
        is_no_derivatives,
    )


@pytest.mark.parametrize("name", ["CC-BY-2.0", "CC-BY-NC-ND-2.0", "CC-BY-SA-3.0-DE", "CC0-1.0", "PDM-1.0"])
def test_address_of_a_licence_leads_back_to_its_name(name: str) -> None:
    assert shorten_licence("", describe_licence(name).url) == name
