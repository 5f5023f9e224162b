import pytest

from instructgen.fetch.addresses import is_public, parse_url
from instructgen.fetch.reasons import Missed


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_address_of_the_public_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1%eth0", "fc00::1", "fd00:ec2::254"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "ff02::1"),
        *("not an address", ""),
    ],
)
def test_address_of_this_machine_or_a_private_network_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no_url"),
        ("   ", "no_url"),
        ("file:///etc/passwd", "bad_scheme"),
        ("data:image/png;base64,AAAA", "bad_scheme"),
        ("ftp://example.org/a.jpg", "bad_scheme"),
        ("javascript:alert(1)", "bad_scheme"),
        ("example.org/a.jpg", "bad_url"),
        ("http://", "bad_url"),
        ("http:///a.jpg", "bad_url"),
        ("http://user:word@example.org/a.jpg", "bad_url"),
        ("http://example.org:99999/a.jpg", "bad_url"),
        ("http://example.org/a\r\nHost: other", "bad_url"),
        ("http://example.org/" + "a" * 5000, "bad_url"),
        ("http://[::1/a.jpg", "bad_url"),
    ],
)
def test_what_is_no_address_has_a_reason(text: str, reason: str) -> None:
    found = parse_url(text)
    assert isinstance(found, Missed)
    assert found.reason == reason


@pytest.mark.parametrize(
    "text", ["http://example.org/a.jpg", " HTTPS://example.org:8443/a b.jpg?x=1&y=ü ", "http://bücher.example/ä.png"]
)
def test_address_with_odd_letters_is_one(text: str) -> None:
    assert not isinstance(parse_url(text), Missed)
