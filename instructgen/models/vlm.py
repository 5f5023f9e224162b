"""A vision-language model: pictures become tokens among those of the text, and a causal language model reads all."""

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import PreTrainedModel

from instructgen.models.connectors.base import Connector
from instructgen.models.connectors.gated_cross_attention import GatedConnector
from instructgen.models.language import (
    HeadScale,
    check_gated,
    count_rows,
    find_decoder,
    find_layers,
    is_seq2seq,
    read_head_scale,
    run_seq2seq,
    unwrap,
)
from instructgen.models.sight import Sight
from instructgen.models.spec import Part
from instructgen.models.vision import VisionTower

# L positions of a row, S of them asked for, N pictures, T tokens of one, P patches, V vision width, D language width,
# C channels, H height, W width

_ADAPTER = ".lora_"
_WRAPPERS = ("module.", "_orig_mod.")  # what DDP and torch.compile put before a parameter's name


class VisionLanguageModel(nn.Module):
    """Vision tower, connector, language model; each is reached by its name.

    There is no forward of the whole: whoever knows what a row means puts it together from the pieces below
    (instructgen.train.objective).
    """

    def __init__(self, vision: VisionTower, connector: Connector, language: PreTrainedModel) -> None:
        super().__init__()
        self.vision = vision
        self.connector = connector
        self.language: nn.Module = language
        self._head_scale: HeadScale = read_head_scale(language.config)
        if isinstance(connector, GatedConnector):
            check_gated(language)
            connector.attach(find_layers(language))

    @property
    def tokens_per_image(self) -> int:
        return self.connector.num_tokens(self.vision.num_tokens)

    @property
    def causal_lm(self) -> PreTrainedModel:
        """The Hugging Face model, without the wrapping that adapters bring."""
        return unwrap(self.language)

    @property
    def has_adapters(self) -> bool:
        return self.language is not self.causal_lm

    @property
    def is_seq2seq(self) -> bool:
        """Whether an encoder reads pictures and prompt, and a decoder writes the answer."""
        return is_seq2seq(self.causal_lm.config)

    @property
    def device(self) -> torch.device:
        return next(self.connector.parameters()).device

    @property
    def gated(self) -> GatedConnector | None:
        """Flamingo's connector, whose pictures are seen from between the language model's layers."""
        return self.connector if isinstance(self.connector, GatedConnector) else None

    @property
    def num_ids(self) -> int:
        """Tokens that have an embedding, counted from 0."""
        return count_rows(self.causal_lm.get_input_embeddings()) + (self.gated is not None)

    @property
    def end_of_chunk_id(self) -> int | None:
        """The token that ends what is said of a picture; None where the connector brings none."""
        return None if self.gated is None else self.num_ids - 1

    def embed_text(self, ids: Tensor) -> Tensor:
        """Map ids of any shape to embeddings, [..., D]."""
        table: Any = self.causal_lm.get_input_embeddings()
        if self.gated is None:
            embeds: Tensor = table(ids)
            return embeds
        is_end = ids.eq(self.num_ids - 1)
        embeds = table(ids.masked_fill(is_end, 0))
        return torch.where(is_end[..., None], self.gated.chunk_row.to(embeds.dtype), embeds)

    def embed_pictures(self, pixels_nchw: Tensor) -> Tensor:
        """Map [N, 3, H, W] to [N, T, D]; no graph is kept of parts that are frozen."""
        return self.connect(self.see(pixels_nchw))

    def see(self, pixels_nchw: Tensor) -> Tensor:
        """Map [N, 3, H, W] to [N, P, V]."""
        dtype = next(self.vision.parameters()).dtype
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.is_trained(self.vision)):
            patches_npv: Tensor = self.vision(pixels_nchw.to(dtype))
        return patches_npv

    def connect(self, patches_npv: Tensor) -> Tensor:
        """Map [N, P, V] to [N, T, D]."""
        tokens_ntd: Tensor = self.connector(patches_npv.to(next(self.connector.parameters()).dtype))
        return tokens_ntd

    def hidden(
        self, embeds_1ld: Tensor, positions_1l: Tensor, *, sight: Sight | None = None, **attention: Any
    ) -> Tensor:
        """Run the language model without its head; `attention` goes to its attention function as it is.

        `sight` is what a gated connector's blocks show; None leaves them out.
        """
        decoder = find_decoder(self.causal_lm)
        with nullcontext() if self.gated is None or sight is None else self.gated.showing(sight):
            given = decoder(inputs_embeds=embeds_1ld, position_ids=positions_1l, use_cache=False, **attention)
        hidden_1ld: Tensor = given.last_hidden_state
        return hidden_1ld

    def hidden_seq2seq(self, embeds_bld: Tensor, mask_bl: Tensor, decoder_ids_bt: Tensor) -> Tensor:
        """Run an encoder-decoder model without its head: [B, T, D], what the decoder makes of its ids."""
        return run_seq2seq(self.causal_lm, embeds_bld, mask_bl, decoder_ids_bt)

    def head(self, hidden_sd: Tensor) -> Tensor:
        """Map hidden states [..., D] to logits over the vocabulary, as the language model itself scales them."""
        causal_lm: Any = self.causal_lm
        logits: Tensor = causal_lm.get_output_embeddings()(hidden_sd)
        if self.gated is not None:
            ending = linear(hidden_sd, self.gated.chunk_head[None].to(hidden_sd.dtype))
            logits = torch.cat([logits, ending.to(logits.dtype)], dim=-1)
        return self._head_scale.apply(logits)

    def freeze_all_but(self, parts: Iterable[str]) -> None:
        """Let the parameters of these parts ask for gradients, and no others; then set who is in training mode.

        Of a language model with adapters only those train.
        """
        wanted = set(parts)
        for name, parameter in self.named_parameters():
            part = part_of(name)
            trains = part in wanted and (part != "language" or not self.has_adapters or _ADAPTER in name)
            parameter.requires_grad_(trains and parameter.is_floating_point())
        self.train(self.training)

    def train(self, mode: bool = True) -> "VisionLanguageModel":  # as torch has it
        """Set the mode of what is trained; a frozen part stays as it is used, without dropout."""
        super().train(mode)
        qformer = getattr(self.connector, "qformer", None)
        for part in (self.vision, qformer, self.language):
            if part is not None and not self.is_trained(part):
                part.eval()
        return self

    @staticmethod
    def is_trained(part: nn.Module) -> bool:
        return any(parameter.requires_grad for parameter in part.parameters())

    def cast_frozen(self, dtype: torch.dtype) -> None:
        """Hold the weights that are not trained in `dtype`; those that are stay as they are, as BatchNorm's do.

        BatchNorm's running means stay float32, and a CPU wants its weights to be like them.
        """
        for module in self.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):  # noqa: SLF001  torch has no public name for all
                continue
            for parameter in module.parameters(recurse=False):
                if not parameter.requires_grad and parameter.is_floating_point():
                    parameter.data = parameter.data.to(dtype)


def part_of(parameter_name: str) -> Part:
    """Return which part a parameter of a VisionLanguageModel is of, by its name."""
    for wrapper in _WRAPPERS:
        parameter_name = parameter_name.replace(wrapper, "")
    first, _, rest = parameter_name.partition(".")
    if first == "connector":
        return "qformer" if rest.startswith("qformer.") else "connector"
    if first == "vision":
        return "vision"
    assert first == "language", parameter_name
    return "language"
