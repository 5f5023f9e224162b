"""Pictures that were seen lately: their pixels, and what the network makes of them."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from instructgen.student.looking import LookingNetwork
from instructgen.student.network import Network

# F frames of a slot, T tokens of one, D language width, C channels, H height, W width

_BLANK = "blank"
Slot = tuple[bytes | None, ...]
"""The pictures of one place in a prompt: one, or the frames of a clip; None is an image of zeros."""


class PictureMemory:
    """Keeps the `size` slots and pictures that were used last. `lock` is held while a picture is read."""

    def __init__(
        self, network: Network, read: Callable[[bytes | None], Tensor], size: int, lock: threading.Lock
    ) -> None:
        self._network = network
        self._read = read
        self._size = size
        self._lock = lock
        self._pixels: OrderedDict[str, Tensor] = OrderedDict()
        self._seen: OrderedDict[str, Tensor] = OrderedDict()

    def read(self, pictures: Sequence[bytes | None]) -> list[Tensor]:
        """Return the pixels of each, [C, H, W]. Raises InstructgenError for what is no picture."""
        with self._lock:
            return [self._read_one(picture) for picture in pictures]

    def see(self, slots: Sequence[Slot]) -> list[Tensor]:
        """Return each slot's tokens [T, D]; one that was seen lately is not computed again."""
        keys = [key_of_slot(slot) for slot in slots]
        new = {key: slot for key, slot in zip(keys, slots, strict=True) if key not in self._seen}
        for num_frames in sorted({len(slot) for slot in new.values()}):
            alike = {key: slot for key, slot in new.items() if len(slot) == num_frames}
            pixels = torch.stack([torch.stack(self.read(slot)) for slot in alike.values()])
            self._seen.update(zip(alike, self._embed(pixels.to(self._network.device)), strict=True))
        found = [self._seen[key] for key in keys]
        for key in keys:
            self._seen.move_to_end(key)
        while len(self._seen) > self._size:
            self._seen.popitem(last=False)
        return found

    def _embed(self, pixels_sfchw: Tensor) -> Tensor:
        if isinstance(self._network, LookingNetwork):
            return self._network.embed_clips(pixels_sfchw)
        return self._network.embed_pictures(pixels_sfchw.flatten(0, 1))

    def _read_one(self, picture: bytes | None) -> Tensor:
        key = key_of(picture)
        if key not in self._pixels:
            self._pixels[key] = self._read(picture)
        self._pixels.move_to_end(key)
        found = self._pixels[key]
        if len(self._pixels) > self._size:
            self._pixels.popitem(last=False)
        return found


def key_of(picture: bytes | None) -> str:
    return _BLANK if picture is None else hashlib.sha256(picture).hexdigest()


def key_of_slot(slot: Slot) -> str:
    return "+".join(map(key_of, slot))
