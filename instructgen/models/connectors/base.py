"""What every connector is."""

from torch import Tensor, nn

from instructgen.errors import InstructgenError

# B pictures, P patches, V vision width, T tokens of the language model, D its width


class Connector(nn.Module):
    """Maps [B, P, V] to [B, num_tokens(P), D]."""

    def num_tokens(self, num_patches: int) -> int:
        raise NotImplementedError

    def forward(self, patches_bpv: Tensor) -> Tensor:
        raise NotImplementedError


def count_merged(num_patches: int, merge: int) -> int:
    """Return how many tokens are left of so many patches when each `merge` neighbours become one."""
    if num_patches % merge:
        raise InstructgenError(
            f"the vision tower gives {num_patches} tokens, which merge = {merge} of [model.connector] does not divide"
        )
    return num_patches // merge


def merge_neighbours(patches_bpv: Tensor, merge: int) -> Tensor:
    """Join each `merge` neighbours of a row of the picture side by side: [B, P, V] to [B, P / merge, merge * V]."""
    if merge == 1:
        return patches_bpv
    num_pictures, num_patches, width = patches_bpv.shape
    return patches_bpv.reshape(num_pictures, count_merged(num_patches, merge), merge * width)
