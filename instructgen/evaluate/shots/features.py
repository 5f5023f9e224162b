"""What pictures look like to an embedder, kept on disk, and which of them are most alike."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# N pictures, D width of a feature

_Kind = TypeVar("_Kind")
_AT_ONCE = 64
_ZEROS = "zeros"


class Embedder(Protocol):
    """Maps pictures to features whose cosine says how alike they are; None is an image of zeros."""

    @property
    def digest(self) -> str:
        """What no other weights have; features are kept under it."""
        ...

    def embed(self, pictures: Sequence[bytes | None]) -> "NDArray[np.float32]":
        """Return [N, D]."""
        ...


class FeatureStore:
    """The features of pictures, by their bytes, of length 1; what was embedded once is read from the folder.

    Raises InstructgenError for a file that is no such store.
    """

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self._embedder = embedder
        self._path = folder / f"features-{embedder.digest[:16]}.npz"
        self._known: dict[str, NDArray[np.float32]] = self._read()

    def add(self, pictures: Iterable[bytes | None]) -> None:
        """Embed what is not known yet; it is on disk part by part."""
        for part in batched(pictures, _AT_ONCE):
            self.find(part)

    def find(self, pictures: Sequence[bytes | None]) -> "NDArray[np.float32]":
        """Return [N, D]; new ones are on disk when it returns."""
        import numpy as np

        keys = [_key(picture) for picture in pictures]
        new = {key: one for key, one in zip(keys, pictures, strict=True) if key not in self._known}
        for part in batched(new.items(), _AT_ONCE):
            features_nd = np.asarray(self._embedder.embed([picture for _, picture in part]), dtype=np.float32)
            lengths_n1 = np.linalg.norm(features_nd, axis=1, keepdims=True)
            # A feature of no length is like nothing.
            features_nd = features_nd / np.maximum(lengths_n1, np.finfo(np.float32).tiny)
            self._known.update(zip((key for key, _ in part), features_nd, strict=True))
        if new:
            self._write()
        return self.look_up(keys)

    def look_up(self, keys: Sequence[str]) -> "NDArray[np.float32]":
        """Return the features of pictures that were added, by the sha256 of their bytes."""
        import numpy as np

        return np.stack([self._known[key] for key in keys])

    def _read(self) -> "dict[str, NDArray[np.float32]]":
        from zipfile import BadZipFile

        import numpy as np

        if not self._path.exists():
            return {}
        try:
            with np.load(self._path, allow_pickle=False) as found:
                return dict(zip(found["keys"].tolist(), found["features"], strict=True))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise InstructgenError(f"{self._path} cannot be read ({error}); delete it") from None

    def _write(self) -> None:
        import numpy as np

        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_name(f".{self._path.name}.new")
        with new.open("wb") as file:
            np.savez(file, keys=np.array(list(self._known)), features=np.stack(list(self._known.values())))
        new.replace(self._path)


def rank_alike(feature_d: "NDArray[np.float32]", features_nd: "NDArray[np.float32]") -> list[int]:
    """Return the numbers of the features, the most alike first; equals in their order."""
    import numpy as np

    order: list[int] = np.argsort(-(features_nd @ feature_d), kind="stable").tolist()
    return order


def batched(things: Iterable[_Kind], size: int) -> Iterator[tuple[_Kind, ...]]:  # itertools has it from 3.12 on
    left = iter(things)
    while part := tuple(islice(left, size)):
        yield part


def _key(picture: bytes | None) -> str:
    return _ZEROS if picture is None else hashlib.sha256(picture).hexdigest()
