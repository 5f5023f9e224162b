"""The versions that a new one is made of: that they are what they say, and how it names them."""

from instructgen.dataset.derive.recipe import OpenedPart
from instructgen.dataset.derive.selection import PartSelection
from instructgen.dataset.manifest import MANIFEST_NAME, Parent
from instructgen.dataset.stored import told
from instructgen.dataset.sums import hash_stream
from instructgen.errors import InstructgenError


def check_shards(opened: list[OpenedPart]) -> None:
    """Read every shard of the parts once, and raise InstructgenError for one that is not what was published."""
    versions = {part.stored.place: part.stored for part in opened}
    for place, stored in versions.items():
        for shard in stored.manifest.shards:
            with told(f"{place}: {shard.path}"), stored.open(shard.path) as file:
                sha256 = hash_stream(file)
            if sha256 != shard.sha256:
                raise InstructgenError(
                    f"{place}: {shard.path} is not the file that its manifest names; `dataset verify` it"
                )


def make_parents(opened: list[OpenedPart], selections: list[PartSelection]) -> tuple[Parent, ...]:
    """Return the parents, in the order of the parts, with how many of their rows were taken."""
    parents = []
    for part, selection in zip(opened, selections, strict=True):
        manifest = part.stored.manifest
        with part.stored.open(MANIFEST_NAME) as file:
            sha256 = hash_stream(file)
        parents.append(Parent(manifest.version, manifest.source.title, sha256, selection.taken.total()))
    return tuple(parents)
