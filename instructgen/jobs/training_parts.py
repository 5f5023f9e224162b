"""What a run is made of: model, tokenizer, samples, and the pictures behind them."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from msgspec.structs import replace
from torch import Tensor

from instructgen.dataset.reading.shard_cache import ShardCache, make_shard_cache
from instructgen.dataset.stores.retry import StoreFailedError
from instructgen.errors import InstructgenError
from instructgen.models.build import build_model, load_tokenizer, make_picture_reader
from instructgen.models.folder import load_model
from instructgen.models.lora import apply_lora, merge_lora
from instructgen.models.pictures import PictureReader
from instructgen.models.spec import ModelSpec
from instructgen.models.vlm import VisionLanguageModel
from instructgen.train.documents import DocumentRules
from instructgen.train.encode import Encoder
from instructgen.train.example_rows import open_source
from instructgen.train.examples import ExampleSet, encode_source
from instructgen.train.mixture import Examples, JoinedExamples
from instructgen.train.prepare import prepare
from instructgen.train.recipe import Recipe
from instructgen.train.run_facts import DataFacts, DataPart, describe_data

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Stage = Literal["pretrain", "finetune"]


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """A run, as it is asked for. `model`, an earlier run or its model, takes the place of the recipe's [model].

    Only `vision.aspect` stays the recipe's (keep_aspect).
    """

    stage: Stage
    recipe: Recipe
    data: str
    out: Path
    model: Path | None = None
    split: str = "train"
    image_folder: Path | None = None
    device: str = "auto"
    feature_folder: Path | None = None
    """Where features of a frozen tower are cached; None computes them every time."""
    recipe_notes: dict[str, str] = field(default_factory=dict)
    """Where the recipe's values come from (read_notes), for the report."""
    also: dict[str, str] = field(default_factory=dict)
    """Where the datasets of the recipe's [[mixture]] are, by their names."""
    shard_cache: ShardCache = field(default_factory=make_shard_cache)
    """Where shards of an object store are kept."""


@dataclass(frozen=True, slots=True)
class StartingModel:
    """`recipe` has the model's own [model] table; `trained` are parts whose weights no other place has."""

    model: VisionLanguageModel
    recipe: Recipe
    tokenizer: "PreTrainedTokenizerBase"
    reader: PictureReader
    trained: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Data:
    """`identity` changes with the rows, `examples_sha256` also with how they are encoded."""

    place: str
    identity: str
    examples: Examples
    examples_sha256: str
    facts: DataFacts


def check_stage(options: TrainingOptions) -> None:
    """Raise where a stage's recipe trains what the stage must leave alone."""
    recipe = options.recipe
    if options.stage == "pretrain" and ("language" in recipe.train.trains or recipe.train.lora is not None):
        raise InstructgenError(
            "pretrain aligns the connector and leaves the language model alone, but this recipe trains it: use"
            " `instructgen finetune`, or --set 'train.trains=[\"connector\"]'"
        )
    if recipe.train.lora is not None and "language" not in recipe.train.trains:
        raise InstructgenError('[train.lora] adapts the language model: train.trains wants "language" too')
    if not recipe.train.trains:
        raise InstructgenError("train.trains is empty: name what trains, as connector")
    if options.model is None:
        _check_trained_parts(recipe)


def _check_trained_parts(recipe: Recipe) -> None:
    if "qformer" in recipe.train.trains and recipe.model.connector.kind != "qformer":
        raise InstructgenError('train.trains names qformer, but the connector is not of the kind "qformer"')


def start_model(options: TrainingOptions, device: torch.device) -> StartingModel:
    """Return the model with the weights that it begins with, ready to train."""
    recipe = options.recipe
    lora = recipe.train.lora
    is_frozen = set(recipe.train.trains) <= {"connector", "qformer"} or lora is not None
    dtype = torch.bfloat16 if recipe.train.dtype == "bfloat16" and is_frozen else torch.float32
    trained = set(recipe.train.trains)
    if options.model is not None:
        if lora is not None and lora.quantised:
            raise InstructgenError(
                "train.lora.quantised loads the language model by name, and --model has it from a folder: name both"
                " in the recipe (model.language.name, model.connector.name), or leave quantised out"
            )
        loaded = load_model(options.model.resolve(), device=str(device), dtype=dtype)
        model, tokenizer = loaded.model, loaded.tokenizer
        recipe = replace(recipe, model=keep_aspect(loaded.spec, recipe.model))
        _check_trained_parts(recipe)
        if loaded.card.has_adapter:
            merge_lora(model)
            trained.add("language")
    else:
        quantised = lora is not None and lora.quantised
        model = build_model(recipe.model, device=str(device), dtype=dtype, quantised=quantised)
        tokenizer = load_tokenizer(recipe.model.language)
    reader = make_picture_reader(recipe.model, model)
    adapt(model, recipe)
    model.to(device)
    prepare(model, recipe)
    return StartingModel(model, recipe, tokenizer, reader, tuple(sorted(trained)))


def keep_aspect(earlier: ModelSpec, recipe: ModelSpec) -> ModelSpec:
    """Return the earlier stage's parts, with the recipe's way to make a picture square.

    LLaVA-1.5 cuts out the middle in stage 1 and pads in stage 2.
    """
    return replace(earlier, vision=replace(earlier.vision, aspect=recipe.vision.aspect))


def adapt(model: VisionLanguageModel, recipe: Recipe) -> None:
    """Freeze what the recipe does not train, with adapters beside the language model where it asks for them.

    Raises InstructgenError where the rows are not ones for the language model.
    """
    if model.is_seq2seq and recipe.rows.packing:
        raise InstructgenError(
            "the language model has an encoder and a decoder, whose rows cannot be packed: set rows.packing = false"
        )
    if recipe.rows.prefix_lm and not model.is_seq2seq:
        raise InstructgenError("rows.prefix_lm wants a language model with an encoder, as T5; leave it out")
    if recipe.documents.p_next and model.gated is None:
        raise InstructgenError("documents.p_next wants a connector of the kind gated_cross_attention; leave it out")
    lora = recipe.train.lora
    model.freeze_all_but(set(recipe.train.trains) - ({"language"} if lora is not None else set()))
    if lora is not None:
        apply_lora(model, rank=lora.rank, alpha=lora.alpha, dropout=lora.dropout, seed=recipe.train.seed)


def load_data(
    options: TrainingOptions,
    tokenizer: "PreTrainedTokenizerBase",
    model: VisionLanguageModel,
    *,
    cache: Path | None = None,
) -> Data:
    """Return the samples as tokens, with what identifies them; `cache` keeps them for the next time."""
    encoder = make_encoder(tokenizer, options.recipe, model)
    check_mixture(options)
    places = [options.data, *(options.also[each.name] for each in options.recipe.mixture)]
    found = [_load_set(options, place, encoder, cache) for place in places]
    for each in found:
        assert isinstance(each.examples, ExampleSet)
        check_ids(each.examples, model)
    return found[0] if len(found) == 1 else _join(found, options.recipe)


def check_mixture(options: TrainingOptions) -> None:
    """Raise where a dataset of the recipe's mixture is nowhere, or one is given that it does not name."""
    wanted = [each.name for each in options.recipe.mixture]
    for name in wanted:
        if name not in options.also:
            raise InstructgenError(
                f"the recipe mixes in '{name}': --also {name}=DATASET says where it is, and --set mixture=[] leaves"
                " all sets out"
            )
    for name in options.also:
        if name not in wanted:
            known = ", ".join(wanted) or "none"
            raise InstructgenError(f"--also {name}: the recipe's [[mixture]] has no such set; there are: {known}")


def _load_set(options: TrainingOptions, place: str, encoder: Encoder, cache: Path | None) -> Data:
    source = open_source(place, options.split, options.shard_cache)
    examples = encode_source(source, encoder, image_folder=options.image_folder, cache=cache)
    facts = describe_data(source, options.split)
    return Data(source.place, source.identity, examples, hash_examples(examples), facts)


def _join(found: Sequence[Data], recipe: Recipe) -> Data:
    """Return the sets of a mixture as one; its facts are those of the first, with the others as parts."""
    sets = [each.examples for each in found if isinstance(each.examples, ExampleSet)]
    identities = [each.identity for each in found]
    hashes = [each.examples_sha256 for each in found]
    others = list(zip(found[1:], recipe.mixture, strict=True))
    parts = [
        DataPart(each.facts.version, f"{mixed.name}, weight {mixed.weight:g}", len(each.examples))
        for each, mixed in others
    ]
    return Data(
        place=" + ".join([found[0].place, *(f"{mixed.weight:g} x {each.place}" for each, mixed in others)]),
        identity=hashlib.sha256(" ".join(identities).encode()).hexdigest(),
        examples=JoinedExamples(sets),
        examples_sha256=hashlib.sha256(" ".join(hashes).encode()).hexdigest(),
        facts=replace(found[0].facts, parts=(*found[0].facts.parts, *parts)),
    )


def make_encoder(tokenizer: "PreTrainedTokenizerBase", recipe: Recipe, model: VisionLanguageModel) -> Encoder:
    """Return what writes samples as the model takes them."""
    documents = DocumentRules(model.end_of_chunk_id, model.gated is not None, recipe.documents)
    return Encoder(tokenizer, recipe.template, model.tokens_per_image, recipe.rows.max_tokens, documents=documents)


def check_ids(examples: ExampleSet, model: VisionLanguageModel) -> None:
    """Raise for a token that the language model has no embedding of, which would end the run in its middle."""
    num_ids = model.num_ids
    largest = int(examples.ids.max(initial=0))
    if largest >= num_ids:
        raise InstructgenError(
            f"the tokenizer makes token {largest}, but the language model knows {num_ids} tokens, from 0 on:"
            " model.language.tokenizer is another model's"
        )


def hash_examples(examples: ExampleSet) -> str:
    """Return the sha256 (hex) of what is learned: ids, what of them is trained, the pictures' names."""
    digest = hashlib.sha256()
    for column in (
        examples.ids,
        examples.is_trained,
        examples.offsets,
        examples.picture_numbers,
        examples.picture_offsets,
    ):
        digest.update(column.tobytes())
    if len(examples.frames) or examples.sees_next.any():
        digest.update(examples.frame_offsets.tobytes() + examples.frames.tobytes() + examples.sees_next.tobytes())
    for text in (*examples.sample_ids, *examples.pictures.keys):
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def make_picture_loader(examples: Examples, reader: PictureReader) -> Callable[[tuple[str, ...]], Tensor]:
    """Return what reads pixels [N, 3, H, W] of pictures by their keys."""

    def read(key: str) -> Tensor:
        try:
            return reader(examples.picture_bytes(key))
        except StoreFailedError:
            raise
        except InstructgenError as error:
            raise InstructgenError(f"picture {key}: {error}") from None

    def load(keys: tuple[str, ...]) -> Tensor:
        if not keys:
            return torch.zeros(0, 3, reader.image_px, reader.image_px)
        return torch.stack([read(key) for key in keys])

    return load
