"""Tells most request ids that were never stored without asking SQLite (a Bloom filter: Bloom, 1970)."""

import struct

# 16 bits and 4 places a key: of each full part, one in 400 keys of no reply is looked up in vain.
_BYTES_PER_KEY = 2
_PLACES = struct.Struct("<4I")  # of a request id, which is a sha256 and so needs no hashing
_FIRST_SIZE = 1 << 17
_MAX_SIZE = 1 << 29  # bytes: the bits that a place of 32 bits can name


class KnownKeys:
    """Grows with what is added, by 2 bytes a key; each part is twice as large as the one before."""

    __slots__ = ("_num_free", "_parts")

    def __init__(self) -> None:
        self._parts: list[bytearray] = []
        self._num_free = 0

    def add(self, key: bytes) -> None:
        if not self._num_free:
            size = min(_FIRST_SIZE << len(self._parts), _MAX_SIZE)
            self._parts.append(bytearray(size))
            self._num_free = size // _BYTES_PER_KEY
        self._num_free -= 1
        part = self._parts[-1]
        mask = 8 * len(part) - 1
        for place in _PLACES.unpack_from(key):
            part[(place & mask) >> 3] |= 1 << (place & 7)

    def may_have(self, key: bytes) -> bool:
        """Return False for a key that was never added, nearly always; True for each that was, always."""
        places = _PLACES.unpack_from(key)
        for part in self._parts:
            mask = 8 * len(part) - 1
            for place in places:
                if not part[(place & mask) >> 3] >> (place & 7) & 1:
                    break
            else:
                return True
        return False
