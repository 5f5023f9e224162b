"""The whole Q-Former behind a frozen tower: what of a picture and a text goes into each of the three losses."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, linear, normalize

from instructgen.models.blip2.layers import Input, KeysValues, run_layers
from instructgen.models.blip2.masks import both_mask, causal_mask, text_mask
from instructgen.models.blip2.spec import RepresentationSpec
from instructgen.models.spec import Part
from instructgen.models.vision import VisionTower

# B samples, C channels, P patches, V vision width, Q queries, L positions of text, H width, E width in which
# both are compared, W tokens of the vocabulary

FIRST_TEMPERATURE = 0.07  # LAVIS' code
_STD, _BERT_WIDTH = 0.02, 768  # as BERT's weights begin
_TEXT_LAYER = (".intermediate.", ".output.")
_WRAPPERS = ("module.", "_orig_mod.")


@dataclass(frozen=True, slots=True)
class Sight:
    """What queries made of pictures: their states [B, Q, H], and each layer's keys and values for a text to come."""

    states_bqh: Tensor
    kept: list[KeysValues]


class LanguageHead(nn.Module):
    """BERT's head, without the matrix that it shares with the word embeddings."""

    def __init__(self, width: int, num_tokens: int, eps: float) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=eps)
        self.bias = nn.Parameter(torch.zeros(num_tokens))

    def forward(self, hidden: Tensor, words_wh: Tensor) -> Tensor:
        return linear(self.norm(gelu(self.dense(hidden))), words_wh, self.bias)


class Representation(nn.Module):
    """Names are those of transformers' Blip2ForImageTextRetrieval, where it has the part; `temperature` divides."""

    def __init__(self, vision: VisionTower, spec: RepresentationSpec, num_tokens: int) -> None:
        super().__init__()
        from transformers import Blip2QFormerConfig, Blip2QFormerModel
        from transformers.models.blip_2.modeling_blip_2 import Blip2TextEmbeddings

        shape = spec.qformer
        # A narrow model with the deviation of a wide one would pass on next to nothing of what it sees.
        std = _STD * (_BERT_WIDTH / shape.hidden_size) ** 0.5
        config = Blip2QFormerConfig(
            vocab_size=num_tokens,
            hidden_size=shape.hidden_size,
            num_hidden_layers=shape.num_layers,
            num_attention_heads=shape.num_heads,
            intermediate_size=shape.intermediate_size,
            max_position_embeddings=spec.text.max_positions,
            cross_attention_frequency=shape.cross_attention_every,
            encoder_hidden_size=vision.width,
            use_qformer_text_input=True,
            initializer_range=std,
        )
        self.vision = vision
        self.ln_vision = nn.LayerNorm(vision.width, eps=vision.norm_eps)
        self.query_tokens = nn.Parameter(torch.empty(1, shape.num_queries, shape.hidden_size))
        nn.init.normal_(self.query_tokens, std=_STD)
        make_embeddings: Any = Blip2TextEmbeddings
        self.embeddings: Any = make_embeddings(config)
        for table in (self.embeddings.word_embeddings, self.embeddings.position_embeddings):
            nn.init.normal_(table.weight, std=_STD)
        self.qformer = Blip2QFormerModel(config)
        self.language_head = LanguageHead(shape.hidden_size, num_tokens, config.layer_norm_eps)
        self.vision_projection = nn.Linear(shape.hidden_size, spec.projection_size)
        self.text_projection = nn.Linear(shape.hidden_size, spec.projection_size)
        self.itm_head = nn.Linear(shape.hidden_size, 2)
        self.temperature = nn.Parameter(torch.tensor([FIRST_TEMPERATURE]))  # FSDP2 takes no scalar
        self.recomputes = False

    @property
    def num_queries(self) -> int:
        return int(self.query_tokens.shape[1])

    @property
    def device(self) -> torch.device:
        return self.query_tokens.device

    def freeze_tower(self) -> None:
        """Let all ask for gradients but the tower, which stays as it is used."""
        for name, parameter in self.named_parameters():
            parameter.requires_grad_(not name.startswith("vision."))
        self.train(self.training)

    def train(self, mode: bool = True) -> "Representation":  # as torch has it
        super().train(mode)
        self.vision.eval()
        return self

    def see(self, pixels_bchw: Tensor) -> Tensor:
        """Map pixels to the tower's normalised tokens [B, P, V]; no graph is kept of the tower."""
        dtype = next(self.vision.parameters()).dtype
        with torch.no_grad():
            patches_bpv: Tensor = self.vision(pixels_bchw.to(dtype))
        normal_bpv: Tensor = self.ln_vision(patches_bpv.to(self.ln_vision.weight.dtype))
        return normal_bpv

    def look(self, patches_bpv: Tensor) -> Sight:
        """Let the queries see the pictures, and no text."""
        queries_bqh = self.query_tokens.expand(len(patches_bpv), -1, -1)
        states, kept = self._run(Input(queries_bqh, self.num_queries, patches_bpv))
        return Sight(states, kept)

    def compare_pictures(self, sight: Sight) -> Tensor:
        """Return what a picture is compared by, of length 1: [B, Q, E]."""
        return normalize(self.vision_projection(sight.states_bqh).float(), dim=-1)

    def compare_texts(self, ids_bl: Tensor, is_token_bl: Tensor) -> Tensor:
        """Return what a text is compared by, of length 1: [B, E]; it sees no picture."""
        states, _ = self._run(Input(self._embed(ids_bl), 0, None, text_mask(is_token_bl)))
        return normalize(self.text_projection(states[:, 0]).float(), dim=-1)

    def match(self, patches_bpv: Tensor, ids_bl: Tensor, is_token_bl: Tensor) -> Tensor:
        """Return logits [B, 2], no and yes: does the text fit the picture? The mean over the queries."""
        queries_bqh = self.query_tokens.expand(len(patches_bpv), -1, -1)
        embeds = torch.cat((queries_bqh, self._embed(ids_bl)), 1)
        mask = both_mask(is_token_bl, self.num_queries)
        states, _ = self._run(Input(embeds, self.num_queries, patches_bpv, mask))
        logits_bq2: Tensor = self.itm_head(states[:, : self.num_queries])
        return logits_bq2.float().mean(1)

    def continue_text(self, sight: Sight, ids_bl: Tensor, is_token_bl: Tensor) -> Tensor:
        """Return hidden states [B, L, H] of text that sees the queries and itself up to each position."""
        mask = causal_mask(is_token_bl, self.num_queries)
        states, _ = self._run(Input(self._embed(ids_bl), 0, None, mask, sight.kept))
        return states

    def predict(self, states: Tensor) -> Tensor:
        """Map hidden states [..., H] to logits over the vocabulary [..., W]."""
        logits: Tensor = self.language_head(states, self.embeddings.word_embeddings.weight)
        return logits

    def _embed(self, ids_bl: Tensor) -> Tensor:
        embeds: Tensor = self.embeddings(input_ids=ids_bl)
        return embeds

    def _run(self, given: Input) -> tuple[Tensor, list[KeysValues]]:
        return run_layers(self.qformer, given, recompute=self.recomputes)


def representation_part_of(parameter_name: str) -> Part:
    """Return which part a parameter of a Representation is of, in the words that recipes have for parts.

    "qformer" is the image half, which stage 2 goes on with; "language" the text half with its head; "connector" what
    compares and matches; "vision" the tower and the norm behind it.
    """
    for wrapper in _WRAPPERS:
        parameter_name = parameter_name.replace(wrapper, "")
    first = parameter_name.partition(".")[0]
    if first in ("vision", "ln_vision"):
        return "vision"
    if first in ("embeddings", "language_head"):
        return "language"
    if first == "query_tokens" or first == "qformer":
        return "language" if is_of_text(parameter_name) else "qformer"
    assert first in ("vision_projection", "text_projection", "itm_head", "temperature"), parameter_name
    return "connector"


def is_of_text(name: str) -> bool:
    """Return whether a tensor of a Q-Former is of the layers' feed-forward for text, by its name."""
    behind = name.partition("encoder.layer.")[2].partition(".")[2]
    return f".{behind}".startswith(_TEXT_LAYER)
