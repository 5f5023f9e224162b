"""The language model's half: its configuration, its weights, the parts of it that are called by themselves."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from huggingface_hub.errors import StrictDataclassError
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, PretrainedConfig, PreTrainedModel

from instructgen.errors import InstructgenError
from instructgen.models import architectures
from instructgen.models.places import find_weights
from instructgen.models.quiet import quiet
from instructgen.models.spec import LanguageSpec, VisionSpec

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_TRUST = False  # said at each call: else transformers asks on the terminal whether to run a repository's own code
_SENTENCEPIECE = (
    "\na tokenizer that has only a tokenizer.model (Llama's, Vicuna's) wants a package: pip install sentencepiece"
)


@dataclass(frozen=True, slots=True)
class HeadScale:
    """What a language model does with its head's output: times `factor`, then held within `cap` by tanh."""

    factor: float = 1.0
    cap: float | None = None

    def apply(self, logits: Tensor) -> Tensor:
        if self.factor != 1.0:
            logits = logits * self.factor
        return logits if self.cap is None else torch.tanh(logits / self.cap) * self.cap


def read_head_scale(config: PretrainedConfig) -> HeadScale:
    """Read the scale from the configuration: Granite divides, Cohere multiplies, Gemma caps, T5 has 1 / sqrt(D)."""
    factor = float(getattr(config, "logit_scale", None) or 1.0)
    if getattr(config, "scale_decoder_outputs", False):
        factor *= float(config.hidden_size) ** -0.5
    if divisor := getattr(config, "logits_scaling", None):
        factor /= float(divisor)
    cap = getattr(config, "final_logit_softcapping", None)
    return HeadScale(factor, None if cap is None else float(cap))


def unwrap(language: nn.Module) -> PreTrainedModel:
    """Return the Hugging Face model inside what peft makes of it."""
    base = getattr(language, "get_base_model", None)
    model = base() if base is not None else language
    assert isinstance(model, PreTrainedModel)
    return model


def is_seq2seq(config: PretrainedConfig) -> bool:
    """Return whether an encoder reads and a decoder writes, as in T5."""
    return bool(getattr(config, "is_encoder_decoder", False))


def find_start_id(model: PreTrainedModel) -> int:
    """Return what a decoder behind an encoder is given before its first token; for T5 that is the padding."""
    config: Any = model.config
    found = (getattr(config, name, None) for name in ("decoder_start_token_id", "bos_token_id", "pad_token_id"))
    return int(next((number for number in found if number is not None), 0))


def find_decoder(model: PreTrainedModel) -> nn.Module:
    """Return the model below the head: the one that takes embeddings and gives hidden states."""
    causal_lm: Any = model
    decoder: nn.Module = causal_lm.get_decoder()
    return model.base_model if decoder is model else decoder


def find_layers(model: PreTrainedModel) -> list[nn.Module]:
    """Return the decoder's layers, first to last; none of a model that does not hold them in a list."""
    config: Any = model.config
    num_layers = getattr(config.get_text_config(), "num_hidden_layers", None)
    found = (each for each in find_decoder(model).modules() if isinstance(each, nn.ModuleList))
    return next((list(each) for each in found if len(each) == num_layers), [])


def check_gated(model: PreTrainedModel) -> None:
    """Raise for a language model that gated blocks cannot stand in."""
    kind = model.config.model_type
    if model.config.is_encoder_decoder:
        raise InstructgenError(f"gated_cross_attention wants a decoder alone, and '{kind}' has an encoder too")
    if not find_layers(model):
        raise InstructgenError(f"language models of type '{kind}' do not hold their layers in a list; choose another")
    causal_lm: Any = model
    if count_rows(causal_lm.get_input_embeddings()) != count_rows(causal_lm.get_output_embeddings()):
        raise InstructgenError(f"this '{kind}' reads and writes different numbers of tokens; choose another")


def count_rows(table: Any) -> int:
    """Return how many tokens an embedding or a head has."""
    return int(table.weight.shape[0])


def language_config(spec: LanguageSpec, *, from_table: bool) -> PretrainedConfig:
    """Return the model's configuration; `from_table` prefers our own table of shapes to a hub.

    Raises InstructgenError for a name that nothing is known of.
    """
    check_origin(spec, "language")
    if spec.config is not None:
        return make_config(spec.config, "language")
    if not spec.name:
        raise InstructgenError("[model.language] wants a name (a Hugging Face id or a folder) or a config")
    if from_table and spec.name in architectures.LANGUAGE:
        return make_config(architectures.LANGUAGE[spec.name], "language")
    return fetch_config(spec.name, "language")


def check_origin(spec: LanguageSpec | VisionSpec, part: str) -> None:
    """Raise for a part that has both weights to load and a configuration to begin from nothing."""
    if spec.name and spec.config is not None:
        raise InstructgenError(
            f"[model.{part}] has a name and a config: a name brings its weights, a config begins from nothing;"
            " leave one of them out"
        )


def make_config(table: dict[str, Any], part: str) -> PretrainedConfig:
    settings = dict(table)
    model_type = settings.pop("model_type", None)
    if not isinstance(model_type, str):
        raise InstructgenError(f"config of [model.{part}] wants a model_type, as Hugging Face's config.json has it")
    try:
        config = AutoConfig.for_model(model_type, **settings)
    except (ValueError, TypeError, KeyError, StrictDataclassError) as error:
        raise InstructgenError(f"config of [model.{part}]: {error}") from None
    assert isinstance(config, PretrainedConfig)
    return config


def fetch_config(name: str, part: str) -> PretrainedConfig:
    try:
        config = AutoConfig.from_pretrained(find_weights(name), trust_remote_code=_TRUST)
    except (OSError, ValueError, KeyError, StrictDataclassError) as error:
        raise InstructgenError(missing_words(name, part, error)) from None
    assert isinstance(config, PretrainedConfig)
    return config


def missing_words(name: str, part: str, error: Exception) -> str:
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return (
        f"the model '{name}' of [model.{part}] cannot be had: {first_line}\n"
        "name a folder or an id of the Hugging Face hub, or give a config to train from nothing"
    )


def make_language(config: PretrainedConfig) -> PreTrainedModel:
    """Return the model with random weights, from torch's generator, in float32."""
    auto = _auto_class(config)
    try:
        model = auto.from_config(config, dtype=torch.float32)
    except (ValueError, AssertionError) as error:
        raise InstructgenError(f"[model.language]: {error}") from None
    assert isinstance(model, PreTrainedModel)
    _untie_head(model)
    return model


def _untie_head(model: Any) -> None:
    """Give T5 1.1 the head of its own that its checkpoints have; transformers ties all of T5's where none says so."""
    head = model.get_output_embeddings()
    if getattr(model.config, "scale_decoder_outputs", True) or head.weight is not model.get_input_embeddings().weight:
        return
    drawn = torch.empty_like(head.weight)
    nn.init.normal_(drawn, std=float(model.config.hidden_size) ** -0.5)
    head.weight = nn.Parameter(drawn)
    model.all_tied_weights_keys.pop("lm_head.weight", None)


def _auto_class(config: PretrainedConfig) -> Any:
    return AutoModelForSeq2SeqLM if is_seq2seq(config) else AutoModelForCausalLM


def load_language(name: str, dtype: torch.dtype, **options: Any) -> PreTrainedModel:
    """Return the model with its weights. Raises InstructgenError where they are missing or incomplete."""
    source = find_weights(name)
    auto = _auto_class(fetch_config(name, "language"))
    try:
        with quiet():
            model, report = auto.from_pretrained(
                source, dtype=dtype, output_loading_info=True, trust_remote_code=_TRUST, **options
            )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, StrictDataclassError) as error:
        raise InstructgenError(missing_words(name, "language", error)) from None
    if missing := sorted(report["missing_keys"]):
        raise InstructgenError(
            f"the weights of '{name}' lack {len(missing)} of its tensors, {missing[0]} for one; fetch it again"
        )
    assert isinstance(model, PreTrainedModel)
    return model


def load_tokenizer(spec: LanguageSpec) -> "PreTrainedTokenizerBase":
    """Return the language model's tokenizer."""
    from transformers import AutoTokenizer, PreTrainedTokenizerBase

    name = spec.tokenizer or spec.name
    if not name:
        raise InstructgenError("[model.language] has neither name nor tokenizer; name one (a folder or an id)")
    try:
        tokenizer = AutoTokenizer.from_pretrained(find_weights(name), trust_remote_code=_TRUST)
    except (OSError, ValueError, KeyError, ImportError) as error:
        words = missing_words(name, "language", error).replace("model", "tokenizer", 1)
        hint = "" if find_spec("sentencepiece") else _SENTENCEPIECE
        raise InstructgenError(words + hint) from None
    assert isinstance(tokenizer, PreTrainedTokenizerBase)
    return tokenizer


@torch.no_grad()
def check_head(model: Any) -> None:
    """Compare the model's own logits with those that are made in two steps, as training makes them.

    Raises InstructgenError for a model that does something with its embeddings or its logits that is not known here:
    its loss would be another one than it was trained with.
    """
    was_training = model.training
    model.eval()
    kind = model.config.model_type
    try:
        own, ours = _compare_logits(model)
    except TypeError as error:
        raise InstructgenError(
            f"language models of type '{kind}' do not take embeddings with positions, which training needs ({error});"
            " choose another language model"
        ) from None
    except RuntimeError as error:
        raise InstructgenError(f"the config of [model.language] does not fit together: {error}") from None
    model.train(was_training)
    tolerance = 1e-3 if own.dtype == torch.float32 else 3e-2
    if not torch.allclose(own.float(), ours.float(), rtol=tolerance, atol=tolerance):
        difference = float((own.float() - ours.float()).abs().max())
        raise InstructgenError(
            f"language models of type '{kind}' make their logits in a way that is not known here"
            f" (they differ by {difference:.3g}); choose another language model"
        )


def run_seq2seq(model: Any, embeds_bld: Tensor, mask_bl: Tensor, decoder_ids_bt: Tensor) -> Tensor:
    """Return the decoder's hidden states [B, T, D] behind what the encoder read; `mask_bl` is 0 where nothing is."""
    encoded = model.get_encoder()(inputs_embeds=embeds_bld, attention_mask=mask_bl).last_hidden_state
    given = model.get_decoder()(
        input_ids=decoder_ids_bt, encoder_hidden_states=encoded, encoder_attention_mask=mask_bl, use_cache=False
    )
    hidden_btd: Tensor = given.last_hidden_state
    return hidden_btd


def _compare_logits(model: Any) -> tuple[Tensor, Tensor]:
    device = model.get_input_embeddings().weight.device
    ids_1l = torch.tensor([[1, 2, 3]], device=device) % model.get_input_embeddings().weight.shape[0]
    if is_seq2seq(model.config):
        own = model(input_ids=ids_1l, decoder_input_ids=ids_1l, use_cache=False).logits
        hidden = run_seq2seq(model, model.get_input_embeddings()(ids_1l), torch.ones_like(ids_1l), ids_1l)
        return own, read_head_scale(model.config).apply(model.get_output_embeddings()(hidden))
    places = {"position_ids": torch.arange(3, device=device)[None], "use_cache": False}
    own = model(input_ids=ids_1l, **places).logits
    embeds = model.get_input_embeddings()(ids_1l)
    hidden = find_decoder(model)(inputs_embeds=embeds, **places).last_hidden_state
    return own, read_head_scale(model.config).apply(model.get_output_embeddings()(hidden))
