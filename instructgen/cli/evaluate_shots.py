"""The options of `instructgen evaluate` that are of its examples."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from instructgen.cli.build_options import to_text
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.config import SourceConfig
    from instructgen.evaluate.shots.features import Embedder
    from instructgen.jobs.evaluate_shots import ShotOptions
    from instructgen.student.ask import Student

_DRAWN = ("scenes", "simple-scenes")


def read_shots(numbers: str | None, source: str | None, root: Path | None, **settings: Any) -> "ShotOptions":
    """Return what the command line says; `settings` go into the options as they are.

    Raises InstructgenError for numbers that are none, or a source that there is not.
    """
    from instructgen.jobs.evaluate_shots import ShotOptions

    told = [one.strip() for one in (numbers or "").split(",") if one.strip()]
    if not all(one.isdecimal() for one in told):
        raise InstructgenError(f"--shots {numbers}: wants numbers with commas, as 0,4,8")
    found, seed = (None, 0) if source is None else _read_source(source, root, settings["pool_size"])
    return ShotOptions(tuple(sorted({int(one) for one in told})), found, seed, **settings)


def open_embedder(folder: Path | None, student: "Student | None", digest: str, device: str) -> "Embedder":
    """Return what looks for pictures: of a folder, or the student's own tower.

    Raises InstructgenError for a student that is behind a server, where no folder is given.
    """
    from instructgen.student.embedding import StudentEmbedder, load_embedder
    from instructgen.student.local import LocalStudent

    if folder is not None:
        return load_embedder(folder, device)
    if not isinstance(student, LocalStudent):
        raise InstructgenError("--rices: a model behind a server shows no features; give --rices-by FOLDER")
    return StudentEmbedder(student, digest)


def _read_source(source: str, root: Path | None, pool_size: int) -> "tuple[SourceConfig, int]":
    from instructgen.config import SourceConfig
    from instructgen.jobs.evaluate_shots import limit_pool

    name, _, rest = source.partition(":")
    if name == "coco":
        return SourceConfig(name=name, root=to_text(root), split=rest or None), 0
    if name not in _DRAWN or not rest.isdecimal():
        raise InstructgenError(
            f"--shots-from {source}: examples come from coco, coco:SPLIT, scenes:SEED or simple-scenes:SEED"
        )
    return SourceConfig(name=name, limit=limit_pool(pool_size)), int(rest)
