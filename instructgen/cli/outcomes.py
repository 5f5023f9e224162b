"""What became of the units of a type, in words."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from instructgen.dataset.manifest import Counts


def describe_outcomes(counts: "Counts", name: str) -> str:
    """Return "7 accepted + 1 rejected + 0 failed (leaked_source 1)"."""
    reasons = ", ".join(f"{reason} {count}" for reason, count in counts.reasons[name].items())
    told = f"{counts.accepted[name]} accepted + {counts.rejected[name]} rejected + {counts.failed[name]} failed"
    return f"{told} ({reasons})" if reasons else told
