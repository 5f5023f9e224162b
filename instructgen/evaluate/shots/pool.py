"""Where the shots of a query come from: drawn from a pool by seed, or the pool's pictures that are most like it."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import Protocol

from msgspec import Struct

from instructgen.draws import make_generator
from instructgen.errors import InstructgenError
from instructgen.evaluate.shots.features import FeatureStore, rank_alike
from instructgen.evaluate.shots.forms import NUM_TEXT_SHOTS, Shot

POOL_SIZE = 2048  # OpenFlamingo's: of the training split
ReadPicture = Callable[[str], bytes | None]


class Query(Struct, frozen=True):
    """A question that wants shots. `key` is the same for all controls of it, so that they see the same shots.

    `shown` is the encoded picture that is asked about, None for an image of zeros; `kept_out` are digests of pictures
    that no shot may show: its own.
    """

    key: str
    shown: bytes | None
    kept_out: Set[str]


class ShotSource(Protocol):
    """Chooses examples: those of fewer are a part of those of more."""

    title: str

    def prepare(self, shown: Iterable[bytes | None]) -> None:
        """Be told of all pictures that will be asked about, before `choose`."""
        ...

    def choose(self, query: Query, count: int) -> tuple[Shot, ...]:
        """Return so many examples; for 0 the few whose texts alone are shown, which must tell nothing of the picture.

        Raises InstructgenError where there are not so many.
        """
        ...

    def read_picture(self, image_id: str) -> bytes | None: ...


class DrawnShots:
    """Shots of a pool, each of another picture, by seed and query; the first of 8 are those of 4."""

    def __init__(self, shots: Sequence[Shot], seed: int, read: ReadPicture, title: str) -> None:
        self._shots = shots
        self._seed = seed
        self._read = read
        self._digests: dict[str, str] = {}
        self.title = title

    def prepare(self, shown: Iterable[bytes | None]) -> None:
        """Nothing hangs on the pictures."""

    def choose(self, query: Query, count: int) -> tuple[Shot, ...]:
        return _take(self._draw(query), query, count or NUM_TEXT_SHOTS, self._digest)

    def read_picture(self, image_id: str) -> bytes | None:
        return self._read(image_id)

    def _draw(self, query: Query) -> Iterator[Shot]:
        generator = make_generator(self._seed, "evaluate/shots", query.key)
        order = list(range(len(self._shots)))
        for left in range(len(order), 0, -1):  # a shuffle that stops when enough are taken
            at = generator.randrange(left)
            order[at], order[left - 1] = order[left - 1], order[at]
            yield self._shots[order[left - 1]]

    def _digest(self, image_id: str) -> str | None:
        return _digest_once(self._digests, image_id, self._read)


class AlikeShots:
    """RICES (2109.05014): of the pictures that are most like the query's, the most alike as the last one.

    Of several samples of a picture one is drawn by seed and query.
    """

    def __init__(self, shots: Sequence[Shot], seed: int, read: ReadPicture, store: FeatureStore, title: str) -> None:
        self._drawn = DrawnShots(shots, seed, read, title)
        self._of_image: dict[str, list[Shot]] = {}
        self._seed = seed
        self._read = read
        self._store = store
        self._digests: dict[str, str] = {}
        self.title = title
        for shot in shots:
            if self._digest(shot.image_id) is not None:
                self._of_image.setdefault(shot.image_id, []).append(shot)
        if not self._of_image:
            raise InstructgenError(f"{title} has no picture that a shot could show: take another --shots-from")
        self._images = list(self._of_image)
        store.add(map(read, self._images))
        self._features_nd = store.look_up([self._digests[image_id] for image_id in self._images])

    def prepare(self, shown: Iterable[bytes | None]) -> None:
        self._store.add(shown)

    def choose(self, query: Query, count: int) -> tuple[Shot, ...]:
        if count == 0:
            return self._drawn.choose(query, 0)
        ranked = rank_alike(self._store.find([query.shown])[0], self._features_nd)
        nearest = (self._draw(query, self._images[number]) for number in ranked)
        return _take(nearest, query, count, self._digest)[::-1]

    def read_picture(self, image_id: str) -> bytes | None:
        return self._read(image_id)

    def _draw(self, query: Query, image_id: str) -> Shot:
        return make_generator(self._seed, "evaluate/shots/alike", f"{query.key}\0{image_id}").choice(
            self._of_image[image_id]
        )

    def _digest(self, image_id: str) -> str | None:
        return _digest_once(self._digests, image_id, self._read)


def digest_picture(picture: bytes) -> str:
    return hashlib.sha256(picture).hexdigest()


def _take(shots: Iterator[Shot], query: Query, count: int, digest: Callable[[str], str | None]) -> tuple[Shot, ...]:
    """Take the first so many that show other pictures than the query's and each other's."""
    chosen: list[Shot] = []
    seen: set[str] = set()
    for shot in shots:
        if len(chosen) == count:
            break
        found = digest(shot.image_id)
        if found is None or found in seen or found in query.kept_out:
            continue
        seen.add(found)
        chosen.append(shot)
    if len(chosen) < count:
        raise InstructgenError(
            f"{count} shots are wanted, and there are {len(chosen)} for {query.key}: take a larger --shots-from"
        )
    return tuple(chosen)


def _digest_once(known: dict[str, str], image_id: str, read: ReadPicture) -> str | None:
    if image_id not in known:
        picture = read(image_id)
        if picture is None:
            return None
        known[image_id] = digest_picture(picture)
    return known[image_id]
