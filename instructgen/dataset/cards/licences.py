"""What a picture's licence asks of those who use it: facts by the short names that sources give them."""

import re

from msgspec import Struct

UNKNOWN = ""
"""The name of a licence that nobody told."""

_CC = re.compile(r"CC-BY(-NC)?(-SA|-ND)?-(\d\.\d)(?:-([A-Z]{2,3}))?")
_PUBLIC_DOMAIN = {
    "CC0-1.0": ("https://creativecommons.org/publicdomain/zero/1.0/", "cc0-1.0"),
    "PDM-1.0": ("https://creativecommons.org/publicdomain/mark/1.0/", "other"),
}
_NO_KNOWN = "No known copyright restrictions"  # says that nobody knows of a right, which is not a licence
_OTHERS = {
    "United States Government Work": "https://www.usa.gov/government-copyright",
}
# The Hub has identifiers for these alone (its documentation's list of licences); a country's own version has none.
_HUB_IDS = frozenset(
    (
        *(f"cc-by-{version}" for version in ("2.0", "2.5", "3.0", "4.0")),
        *(f"cc-by-sa-{version}" for version in ("3.0", "4.0")),
        *(f"cc-by-nc-{version}" for version in ("2.0", "3.0", "4.0")),
        *(f"cc-by-nc-sa-{version}" for version in ("2.0", "3.0", "4.0")),
        *("cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0"),
    )
)
OTHER_ID, UNKNOWN_ID = "other", "unknown"


class Licence(Struct, frozen=True):
    """`url` is "" and both bools are None where nothing is known of it."""

    name: str
    url: str = ""
    hub_id: str = OTHER_ID
    is_non_commercial: bool | None = None
    is_no_derivatives: bool | None = None


def describe_licence(name: str) -> Licence:
    """Return what is known of the licence of that short name, such as "CC-BY-NC-SA-2.0"."""
    if name == UNKNOWN:
        return Licence(name, hub_id=UNKNOWN_ID)
    if name in _PUBLIC_DOMAIN:
        return Licence(name, *_PUBLIC_DOMAIN[name], is_non_commercial=False, is_no_derivatives=False)
    if name in _OTHERS:
        return Licence(name, _OTHERS[name], is_non_commercial=False, is_no_derivatives=False)
    if name == _NO_KNOWN:
        return Licence(name, "https://www.flickr.com/commons/usage/")
    found = _CC.fullmatch(name)
    if found is None:
        return Licence(name)
    non_commercial, terms, version, country = found.groups(default="")
    kind = f"by{non_commercial}{terms}".lower()
    place = f"{country.lower()}/" if country else ""
    hub_id = f"cc-{kind}-{version}"
    return Licence(
        name,
        f"https://creativecommons.org/licenses/{kind}/{version}/{place}",
        hub_id if hub_id in _HUB_IDS and not country else OTHER_ID,
        bool(non_commercial),
        terms == "-ND",
    )
