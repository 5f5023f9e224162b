"""Processes that train one model together: torch's FSDP2, started by torchrun.

One process needs none of it, and takes the same path through the loop as a group of one.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from instructgen.errors import InstructgenError

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Ranks:
    """The processes of a run, seen from one of them."""

    device: torch.device
    rank: int = 0
    count: int = 1
    mesh: DeviceMesh | None = None

    @property
    def is_first(self) -> bool:
        """Return whether this process is the one that writes and speaks."""
        return self.rank == 0

    def add_up(self, values: Sequence[float]) -> list[float]:
        """Return the sums over all processes."""
        if self.mesh is None:
            return list(values)
        sums = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(sums)
        return cast(list[float], sums.tolist())

    def tell_all(self, value: _Value) -> _Value:
        """Return the first process's value, in all of them."""
        if self.mesh is None:
            return value
        held = [value]
        dist.broadcast_object_list(held, src=0, device=self.device)
        return held[0]

    def gather(self, tensor: Tensor) -> Tensor | None:
        """Return a copy of the whole tensor on the host of the first process; None in the others."""
        whole = tensor.detach()
        if isinstance(whole, DTensor):
            whole = whole.full_tensor()
        if not self.is_first:
            return None
        return whole.to("cpu", copy=True).contiguous()

    def spread(self, whole: Tensor | None, like: Tensor) -> Tensor:
        """Return this process's share of a tensor that the first one has, placed as `like` is."""
        if whole is None:
            whole = torch.empty(like.shape, dtype=like.dtype)
        whole = whole.to(self.device)
        return distribute_tensor(whole, like.device_mesh, like.placements) if isinstance(like, DTensor) else whole


def count_processes() -> int:
    """Return how many processes torchrun has started; without it one."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def join_ranks(device: str = "auto") -> Iterator[Ranks]:
    """Enter the group that torchrun has started this process for; without torchrun, a group of one."""
    count = count_processes()
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    chosen = find_device(device, local_rank)
    if count == 1:
        yield Ranks(chosen)
        return
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Ranks(chosen, dist.get_rank(), count, init_device_mesh(chosen.type, (count,)))
    finally:
        dist.destroy_process_group()


def find_device(name: str, local_rank: int = 0) -> torch.device:
    """Return the device of that name; "auto" is a GPU where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InstructgenError(f"--device {name}: give auto, cpu, cuda or cuda:N") from None
    if device.type not in ("cpu", "cuda"):
        raise InstructgenError(f"--device {name}: training runs on cpu and cuda")
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InstructgenError(f"--device {name}: this torch ({torch.__version__}) finds no GPU")
    return torch.device("cuda", local_rank) if name == "cuda" else device


def shard(module: nn.Module, blocks: Callable[[], Iterable[nn.Module]], ranks: Ranks, sharded_over: int = 0) -> None:
    """Split parameters, gradients and moments over the processes; each block is brought together when it is computed.

    With `sharded_over` so many processes that follow one another share a copy, as those of one machine, and gradients
    alone go from copy to copy; 0 is one copy over all.

    A block's forward must run equally often in every process. The rest of `module` is brought together when its own
    forward begins. Gradients are added up over the processes: the loss is divided by what all of them learn.
    """
    if ranks.mesh is None:
        return
    mesh = _make_mesh(ranks, ranks.mesh, sharded_over)
    for block in blocks():
        fully_shard(block, mesh=mesh)
    fully_shard(module, mesh=mesh)
    for part in module.modules():
        if isinstance(part, FSDPModule):
            part.set_gradient_divide_factor(1.0)
            part.set_force_sum_reduction_for_comms(True)
            # A row without a picture gives the connector no gradient, but the others wait for one.
            part.set_reduce_scatter_unused_params(True)


def _make_mesh(ranks: Ranks, whole: DeviceMesh, sharded_over: int) -> DeviceMesh:
    if sharded_over in (0, ranks.count):
        return whole
    if ranks.count % sharded_over:
        raise InstructgenError(
            f"train.sharded_over is {sharded_over}, and {ranks.count} processes are no multiple of it: start a"
            f" multiple of {sharded_over}, or set a divisor of {ranks.count}, or 0 for one copy over all"
        )
    shape = (ranks.count // sharded_over, sharded_over)
    return init_device_mesh(ranks.device.type, shape, mesh_dim_names=("copies", "shards"))
