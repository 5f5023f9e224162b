"""Flags that `build` and `plan` share, turned into a build's settings."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from instructgen.cli.pipelines import find_pipeline
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.config import BuildConfig

_Config = TypeVar("_Config")
# Flags that ask for another teacher than the one that a pipeline names.
_TEACHER_HINTS = ("model", "base_url", "endpoints", "replay")


def make_config(
    pipeline: str | None,
    *,
    top: dict[str, Any],
    source: dict[str, Any],
    teacher: dict[str, Any],
    decoding: dict[str, Any],
    dataset: dict[str, Any],
    run: dict[str, Any],
) -> "BuildConfig":
    """Return the pipeline's settings, or the defaults, with every flag that was given; None is not given.

    Each dict has the flags of one part of the settings, by the names of its fields. Raises InstructgenError
    naming the flag whose value the settings refuse.
    """
    from instructgen.config import name_teacher

    is_implied = teacher.get("name") is None and any(teacher.get(hint) for hint in _TEACHER_HINTS)
    config = read_pipeline(pipeline, forget_teacher=is_implied)
    changed = replace_given(config.teacher, {**teacher, "decoding": replace_given(config.teacher.decoding, decoding)})
    parts = {
        "source": replace_given(config.source, source),
        "teacher": changed,
        "dataset": replace_given(config.dataset, dataset),
        "run": replace_given(config.run, run),
    }
    return name_teacher(replace_given(config, {**top, **parts}))


def read_pipeline(pipeline: str | None, *, forget_teacher: bool) -> "BuildConfig":
    """Return the file's settings, without the name of its teacher where the flags imply one."""
    from msgspec.structs import replace

    from instructgen.config import BuildConfig, load_config

    config = BuildConfig() if pipeline is None else load_config(find_pipeline(pipeline))
    return replace(config, teacher=replace(config.teacher, name=None)) if forget_teacher else config


def replace_given(config: _Config, flags: dict[str, Any]) -> _Config:
    """Return the settings with the flags that are not None. Raises InstructgenError for a value that is refused."""
    import msgspec

    given = {key: value for key, value in flags.items() if value is not None}
    table = {key: getattr(config, key) for key in config.__struct_fields__} | given  # type: ignore[attr-defined]
    try:
        return msgspec.convert(table, type(config), from_attributes=True)
    except msgspec.ValidationError as error:
        key = str(error).partition("`$.")[2].rstrip("`")
        flag = f"--{key.replace('_', '-')}: " if key in given else ""
        raise InstructgenError(f"{flag}{error}") from None


def split_types(types: str | None) -> tuple[str, ...] | None:
    return None if types is None else tuple(name.strip() for name in types.split(",") if name.strip())


def to_text(path: Path | None) -> str | None:
    return None if path is None else str(path)
