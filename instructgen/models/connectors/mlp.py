"""Two linear layers with a GELU between (LLaVA-1.5, 2310.03744, section 3.3)."""

from torch import Tensor, nn

from instructgen.models.connectors.base import Connector, count_merged, merge_neighbours
from instructgen.models.spec import ConnectorSpec


class MlpConnector(Connector):
    def __init__(self, taken: int, given: int, merge: int) -> None:
        super().__init__()
        self.merge = merge
        self.first = nn.Linear(taken * merge, given)
        self.second = nn.Linear(given, given)

    def num_tokens(self, num_patches: int) -> int:
        return count_merged(num_patches, self.merge)

    def forward(self, patches_bpv: Tensor) -> Tensor:
        inner_btd = nn.functional.gelu(self.first(merge_neighbours(patches_bpv, self.merge)))
        tokens_btd: Tensor = self.second(inner_btd)
        return tokens_btd


def make_mlp(spec: ConnectorSpec, vision_width: int, language_width: int) -> Connector:
    return MlpConnector(vision_width, language_width, spec.merge)
