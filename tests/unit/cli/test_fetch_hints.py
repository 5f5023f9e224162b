import pytest

from instructgen.cli.fetch import describe
from instructgen.fetch.index import Report


@pytest.mark.parametrize(("reason", "is_told"), [("private_address", True), ("gone_404", False)])
def test_how_private_addresses_are_asked_is_told_where_there_are_any(reason: str, is_told: bool) -> None:
    report = Report(1, 0, there=0, gone=1, failed=0, rejected=0, num_bytes=0, reasons={reason: 1}, seconds=1.0)
    assert any("--allow-private --retry gone" in line for line in describe(report)) == is_told
