"""One linear layer (LLaVA, 2304.08485, equation 1)."""

from torch import Tensor, nn

from instructgen.models.connectors.base import Connector, count_merged, merge_neighbours
from instructgen.models.spec import ConnectorSpec


class LinearConnector(Connector):
    def __init__(self, taken: int, given: int, merge: int) -> None:
        super().__init__()
        self.merge = merge
        self.linear = nn.Linear(taken * merge, given)

    def num_tokens(self, num_patches: int) -> int:
        return count_merged(num_patches, self.merge)

    def forward(self, patches_bpv: Tensor) -> Tensor:
        tokens_btd: Tensor = self.linear(merge_neighbours(patches_bpv, self.merge))
        return tokens_btd


def make_linear(spec: ConnectorSpec, vision_width: int, language_width: int) -> Connector:
    return LinearConnector(vision_width, language_width, spec.merge)
