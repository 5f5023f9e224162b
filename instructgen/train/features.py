"""What frozen parts make of pictures, kept on disk: worth it where a small language model sees pictures often.

One file a picture, under the digest of its bytes, in a folder for the parts and the preprocessing that made it. A
file appears whole or not at all, so any number of processes may fill a folder at once and be killed while they do.
"""

import hashlib
import os
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from instructgen.errors import InstructgenError
from instructgen.models.vlm import VisionLanguageModel
from instructgen.train.packed import PackedRow
from instructgen.train.packing import PaddedBatch
from instructgen.train.seq2seq import PairBatch

# N pictures, C channels, H height, W width, P tokens of a picture, V their width, T language tokens, D their width

CachedPart = Literal["vision", "qformer"]
CHECKSUM_BYTES = 4


def find_cached_part(model: VisionLanguageModel) -> CachedPart:
    """Return the last part whose output stays the same for a picture: the tower, or the frozen Q-Former behind it.

    Raises InstructgenError where the tower itself trains.
    """
    if model.is_trained(model.vision):
        raise InstructgenError("the vision tower trains, so its features change with every step and cannot be cached")
    qformer = getattr(model.connector, "qformer", None)
    return "qformer" if isinstance(qformer, nn.Module) and not model.is_trained(qformer) else "vision"


def make_features(model: VisionLanguageModel, part: CachedPart, pixels_nchw: Tensor) -> Tensor:
    """Return [N, P, V] as the part gives it."""
    with torch.no_grad():
        features_npv = model.see(pixels_nchw)
        if part == "qformer":
            qformer = model.connector.get_submodule("qformer")
            features_npv = qformer(features_npv.to(next(qformer.parameters()).dtype))
    return features_npv


def embedder_of(model: VisionLanguageModel, part: CachedPart) -> Callable[[Tensor], Tensor]:
    """Return what makes [N, T, D] of the part's features: `embed` of an Objective."""
    if part == "vision":
        return model.connect
    linear = model.connector.get_submodule("linear")

    def embed(features_npv: Tensor) -> Tensor:
        tokens_ntd: Tensor = linear(features_npv.to(next(linear.parameters()).dtype))
        return tokens_ntd

    return embed


def identify(model: VisionLanguageModel, part: CachedPart, preprocessing: str) -> str:
    """Return the sha256 (hex) of the part's weights and of the words that tell how pictures become pixels."""
    digest = hashlib.sha256(f"{part}\0{preprocessing}\0".encode())
    parts = [model.vision] + ([model.connector.get_submodule("qformer")] if part == "qformer" else [])
    for module in parts:
        for name, tensor in sorted(module.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\0".encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class FeatureStore:
    """Features of one shape and type under `folder`; `max_bytes` bounds what `fill` may add to it."""

    folder: Path
    shape: tuple[int, ...]
    dtype: torch.dtype
    max_bytes: int

    @property
    def num_bytes(self) -> int:
        """Of one picture."""
        return torch.Size(self.shape).numel() * self.dtype.itemsize

    def has(self, digest: str) -> bool:
        try:
            return self._file(digest).stat().st_size == self.num_bytes + CHECKSUM_BYTES
        except OSError:
            return False

    def read(self, digest: str) -> Tensor | None:
        """Return a picture's features, mapped from the file; None where they are missing or damaged."""
        file = self._file(digest)
        if not self.has(digest):
            return None
        stored = torch.from_file(str(file), shared=False, size=self.num_bytes + CHECKSUM_BYTES, dtype=torch.uint8)
        values, checksum = stored[: self.num_bytes], stored[self.num_bytes :]
        if zlib.crc32(values.numpy().data).to_bytes(CHECKSUM_BYTES, "big") != bytes(checksum.tolist()):
            return None
        return values.view(self.dtype).view(self.shape)

    def write(self, digest: str, features: Tensor) -> None:
        """Put a picture's features in their place, at once for whoever reads."""
        if tuple(features.shape) != self.shape or features.dtype != self.dtype:
            raise ValueError(f"features of {tuple(features.shape)} {features.dtype}, not {self.shape} {self.dtype}")
        data = features.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
        file = self._file(digest)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f"{file.name}.{os.getpid()}.{time.monotonic_ns()}.part")
        try:
            part.write_bytes(data + zlib.crc32(data).to_bytes(CHECKSUM_BYTES, "big"))
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)

    def used_bytes(self) -> int:
        """Return the bytes of all files, those that a killed process left included."""
        return sum(file.stat().st_size for file in self.folder.glob("*/*") if file.is_file())

    def remove_leavings(self) -> None:
        """Remove what killed processes left half written an hour ago or earlier."""
        for part in self.folder.glob("*/*.part"):
            if time.time() - part.stat().st_mtime > 3600:
                part.unlink(missing_ok=True)

    def _file(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest


@dataclass(frozen=True, slots=True)
class FeatureMaker:
    """What fills a store: `read_bytes` gives a picture by its key, `read_pixels` [C, H, W] of its bytes.

    `in_bfloat16` computes as a run with train.dtype = "bfloat16" does.
    """

    model: VisionLanguageModel
    part: CachedPart
    read_bytes: Callable[[str], bytes]
    read_pixels: Callable[[bytes], Tensor]
    device: torch.device
    in_bfloat16: bool = True
    batch: int = 16

    def make(self, pixels_nchw: Tensor) -> Tensor:
        """Return [N, P, V] as training without a cache would see it."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.in_bfloat16):
            return make_features(self.model, self.part, pixels_nchw.to(self.device))

    def open_store(self, folder: Path, preprocessing: str, image_px: int, max_bytes: int) -> FeatureStore:
        """Return the store of these weights and this preprocessing in `folder`; others lie beside it."""
        one = self.make(torch.zeros(1, 3, image_px, image_px))
        identity = identify(self.model, self.part, f"{preprocessing} {one.dtype}")
        return FeatureStore(folder / identity[:32], tuple(one.shape[1:]), one.dtype, max_bytes)

    def fill(self, store: FeatureStore, keys: Iterable[str], *, rank: int = 0, num_ranks: int = 1) -> dict[str, str]:
        """Make what the store lacks, this process its share; return the digest of each key's bytes.

        Raises InstructgenError, before anything is made, where the features would not fit.
        """
        digests = {key: hashlib.sha256(self.read_bytes(key)).hexdigest() for key in keys}
        key_of = {digest: key for key, digest in digests.items()}
        missing = [digest for digest in sorted(key_of) if not store.has(digest)]
        needed = store.used_bytes() + len(missing) * store.num_bytes
        if needed > store.max_bytes:
            raise InstructgenError(
                f"features of {len(missing)} pictures bring {store.folder} to {needed / 1e9:.1f} GB, more than the"
                f" {store.max_bytes / 1e9:.1f} GB allowed; raise the limit or train without cached features"
            )
        store.remove_leavings()
        mine = iter(missing[rank::num_ranks])
        for some in iter(lambda: list(islice(mine, self.batch)), []):
            pixels = torch.stack([self.read_pixels(self.read_bytes(key_of[digest])) for digest in some])
            for digest, one in zip(some, self.make(pixels), strict=True):
                store.write(digest, one)
        return digests

    def loader(self, store: FeatureStore, digests: Mapping[str, str]) -> Callable[[tuple[str, ...]], Tensor]:
        """Return what gives [N, P, V] of pictures by their keys; a damaged file is told, not computed again."""

        def load(keys: tuple[str, ...]) -> Tensor:
            found = [store.read(digests[key]) for key in keys]
            for key, features in zip(keys, found, strict=True):
                if features is None:
                    raise InstructgenError(
                        f"the cached features of picture {key} are gone or damaged; the same command makes them again"
                    )
            whole = [features for features in found if features is not None]
            return torch.stack(whole) if whole else torch.zeros(0, *store.shape, dtype=store.dtype)

        return load


@dataclass(frozen=True, slots=True)
class Gain:
    """What caching would change. `ratio` above 1: so many times faster, making the missing features included."""

    ratio: float
    seconds_per_picture: float
    seconds_per_row: float
    num_bytes: int

    def __str__(self) -> str:
        verb = "saves" if self.ratio > 1 else "costs"
        share = abs(1 - 1 / self.ratio)
        return (
            f"cached features: {self.ratio:.2f}x (predicted), {verb} {share:.0%} of the time; the frozen part takes"
            f" {self.seconds_per_picture * 1e3:.1f} ms a picture, a row {self.seconds_per_row:.2f} s;"
            f" {self.num_bytes / 1e9:.2f} GB on disk"
        )


@dataclass(frozen=True, slots=True)
class Visits:
    """How often a run looks at pictures: its rows, the pictures in them, those whose features are missing."""

    num_rows: int
    num_seen: int
    num_missing: int
    bytes_per_picture: int


def predict_gain(
    objective: Callable[[PackedRow | PaddedBatch | PairBatch, Tensor], Tensor],
    maker: FeatureMaker,
    row: PackedRow | PaddedBatch | PairBatch,
    pixels_nchw: Tensor,
    visits: Visits,
) -> Gain:
    """Take one row's time with its pictures and the frozen part's alone, and set one against the other.

    The row must show a picture. Gradients that the measurement leaves are taken away again.
    """
    if not len(pixels_nchw):
        raise ValueError("a row without a picture tells nothing about cached features")
    pixels_nchw = pixels_nchw.to(maker.device)

    def run_row() -> None:
        with torch.autocast(maker.device.type, torch.bfloat16, enabled=maker.in_bfloat16):
            loss = objective(row, pixels_nchw)
        torch.autograd.backward(loss)

    def run_part() -> None:
        maker.make(pixels_nchw)

    row_s = min(_measure(run_row, maker.device))
    picture_s = min(_measure(run_part, maker.device)) / len(pixels_nchw)
    for parameter in maker.model.parameters():
        parameter.grad = None
    plain = max(visits.num_rows * row_s, visits.num_seen * picture_s)
    cached = plain - visits.num_seen * picture_s + visits.num_missing * picture_s
    return Gain(plain / max(cached, 1e-9), picture_s, row_s, visits.num_missing * visits.bytes_per_picture)


def _measure(run: Callable[[], None], device: torch.device) -> Iterator[float]:
    """Yield the seconds of three runs, after one that warms up."""
    for attempt in range(4):
        started = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if attempt:
            yield time.perf_counter() - started
