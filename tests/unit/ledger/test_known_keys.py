"""The filter before SQLite: it may look in vain, but never miss."""

import hashlib

from instructgen.ledger.known_keys import KnownKeys


def make_key(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def test_every_key_that_was_added_is_known_while_the_filter_grows() -> None:
    known = KnownKeys()
    for number in range(150_000):  # more than the first part holds
        known.add(make_key(number))
    assert all(known.may_have(make_key(number)) for number in range(150_000))


def test_nearly_no_other_key_is_looked_up() -> None:
    known = KnownKeys()
    assert not known.may_have(make_key(0))
    for number in range(60_000):
        known.add(make_key(number))
    assert sum(known.may_have(make_key(number)) for number in range(60_000, 80_000)) < 200
