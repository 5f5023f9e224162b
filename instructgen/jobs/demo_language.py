"""Stage 0, language: a tokenizer and a small Llama learn to speak of other scenes, without a picture.

Where a picture's tokens will be stand true words instead, as a perfect eye would see them: at first one position a
thing, later one a patch, each the sum of its words' embeddings. What is learned is what people and the scene program
say of the scene, and a list of what is where. The list matters: in it almost every token says what a thing looks like
or where it is, while an answer is mostly wording; without it, looking things up is not learned in minutes.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from instructgen.draws import make_generator
from instructgen.jobs.demo_descent import Descent, Tell
from instructgen.jobs.demo_scenes import (
    COLOURS,
    GRID,
    NOUNS,
    OtherScene,
    SeenThing,
    write_drill,
    write_list,
    write_presence,
    write_tally,
)
from instructgen.lexicon.words import plural_of
from instructgen.models.language import make_config, make_language
from instructgen.models.quiet import quiet
from instructgen.models.seeds import seeded
from instructgen.prompting.prompts import load_questions
from instructgen.records import Message
from instructgen.teachers.scene_program import Task, Written, write
from instructgen.train.encode import Encoder, RawSample, Skipped
from instructgen.train.example import IMAGE_SLOT, Example

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# B chats, T positions of a picture's words, L positions of text, N words, D language width, S learned tokens

_WIDTH, _LAYERS, _HEAD_WIDTH = 128, 3, 32
_NUM_TOKENS = 1536
_BATCH, _POOL = 16, 8
_WARM_STEPS = 30
_MAX_THINGS = 9
_PLACE_WORDS = ("left", "right", "upper", "lower", "middle")
WORDS = (*NOUNS, *COLOURS, *_PLACE_WORDS)
_LIST_QUESTION = "What is where?"
_TALLY_QUESTION = "How many are there of each?"
# How often a chat is of each kind in each of three parts; lists are of almost nothing but what can be looked up.
_FIRST = {"list": 1.0}
_BY_THING = {"list": 0.1, "drill": 0.3, "presence": 0.05, "caption": 0.05, "conversation": 0.5}
_BY_PATCH = {
    "list": 0.06, "tally": 0.14, "drill": 0.28, "presence": 0.04, "caption": 0.06, "conversation": 0.32,
    "description": 0.08, "reasoning": 0.02,
}  # fmt: skip
# Most of an answer is wording: its words that tell what is there, and where, weigh as much as all else together.
_TELLING = (
    *NOUNS, *COLOURS, "left", "right", "top", "bottom", "middle", "upper", "lower", "center", "higher", "above",
    "below", "one", "two", "three", "four", "Yes", "No", "no",
)  # fmt: skip
_WORDING_WEIGHT = 0.1
_MAX_NOISE = 0.5  # what a connector writes in the place of words is never just these
_NUM_CONVERSATIONS, _NUM_DRILLS = 3, 2  # of a scene
_SPECIALS = ("<|pad|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>")
_CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sight:
    """What stands for a picture: weights [T, N] of words, one row a thing and one row a patch."""

    by_thing: NDArray[np.float32]
    by_patch: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Chat:
    scene: int
    example: Example


def write_chats(scene: OtherScene, seed: int) -> dict[str, list[Pairs]]:
    """Return chats about a scene by kind, each as questions with their answers."""
    draw = make_generator(seed, "demo/drill", scene.record.image_id)
    conversations = [write(Task("conv", scene.record), seed + number) for number in range(_NUM_CONVERSATIONS)]
    description, reasoning = (write(Task(name, scene.record), seed) for name in ("detail", "reasoning"))
    asks_brief, asks_detail = (load_questions(None, name) for name in ("brief", "detail"))
    return {
        "list": [((_LIST_QUESTION, write_list(scene.things)),)],
        "tally": [((_TALLY_QUESTION, write_tally(scene.things, draw)),) for _ in range(_NUM_DRILLS)],
        "drill": [write_drill(scene.things, draw) for _ in range(_NUM_DRILLS)],
        "presence": [write_presence(scene.things, draw) for _ in range(_NUM_DRILLS)],
        "caption": [((draw.choice(asks_brief), caption),) for caption in scene.record.captions],
        "conversation": [_pairs(one) for one in conversations if one.turns],
        "description": [((draw.choice(asks_detail), description.text),)] if description.text else [],
        "reasoning": [_pairs(reasoning)] if reasoning.turns else [],
    }


def _pairs(written: Written) -> Pairs:
    return tuple((told.question, told.answer) for told in written.turns)


def train_tokenizer(texts: Sequence[str], folder: Path) -> "PreTrainedTokenizerBase":
    """Train a byte-level BPE on the texts and write it with the chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_NUM_TOKENS,
        special_tokens=list(_SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    wrapped: Any = PreTrainedTokenizerFast
    tokenizer: PreTrainedTokenizerBase = wrapped(
        tokenizer_object=made,
        pad_token=_SPECIALS[0],
        eos_token=_SPECIALS[1],
        additional_special_tokens=list(_SPECIALS[2:]),
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = _CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    return tokenizer


def train_language(
    scenes: Sequence[OtherScene], folder: Path, *, steps: tuple[int, int, int], seed: int, tell: Tell
) -> None:
    """Train tokenizer and model, and write their folder, which must not be there yet.

    `steps` are those on lists of things, those on all chats with a position a thing, and those with one a patch.
    """
    written = [write_chats(scene, seed) for scene in scenes]
    texts = [
        text for by_kind in written for chats in by_kind.values() for chat in chats for pair in chat for text in pair
    ]
    tokenizer = train_tokenizer(texts, folder)
    chats = _encode(written, tokenizer)
    language = _make_language(len(tokenizer), seed)
    reader = _Reader(language, _name_words(tokenizer), [see(scene.things) for scene in scenes], weigh(tokenizer))
    draw = random.Random(seed)
    torch.manual_seed(seed)  # of the noise
    done = 0
    for is_by_patch, shares, count in zip((False, False, True), (_FIRST, _BY_THING, _BY_PATCH), steps, strict=True):
        if not done or is_by_patch:  # rates rise and fall twice
            descent = Descent([language], count if done else steps[0] + steps[1], num_warm=_WARM_STEPS)
        for batch in _draw_batches(chats, shares, count, draw):
            done += 1
            tell(done, sum(steps), descent.take_step(reader.read(batch, is_by_patch=is_by_patch, noise=_MAX_NOISE)))
    with quiet():
        language.eval().save_pretrained(folder)


def see(things: Sequence[SeenThing]) -> Sight:
    """Return the words of each thing, and of each patch; a patch with several things has the words of all."""
    by_thing = np.zeros((_MAX_THINGS, len(WORDS)), np.float32)
    by_patch = np.zeros((GRID * GRID, len(WORDS)), np.float32)
    for number, thing in enumerate(things[:_MAX_THINGS]):
        row = by_thing[number]
        row[WORDS.index(thing.noun)] = 1
        if thing.colour is not None:
            row[WORDS.index(thing.colour)] = 1
        for word in (thing.across, thing.down):
            row[WORDS.index(word)] = 1
        at = list(thing.patches)
        by_patch[at] = np.maximum(by_patch[at], row)
    return Sight(by_thing, by_patch)


def _encode(
    written: Sequence[dict[str, list[Pairs]]], tokenizer: "PreTrainedTokenizerBase"
) -> list[dict[str, list[_Chat]]]:
    """Return the chats of each scene, by kind, as tokens with one slot for the picture."""
    encoder = Encoder(tokenizer)
    samples = [
        RawSample(f"{number} {kind}", _to_messages(chat), ("picture",))
        for number, by_kind in enumerate(written)
        for kind, chats in by_kind.items()
        for chat in chats
    ]
    found: list[dict[str, list[_Chat]]] = [{} for _ in written]
    for sample, encoded in zip(samples, encoder.encode_all(samples), strict=True):
        number, _, kind = sample.sample_id.partition(" ")
        if not isinstance(encoded, Skipped):
            found[int(number)].setdefault(kind, []).append(_Chat(int(number), encoded.example))
    return found


def _to_messages(chat: Sequence[tuple[str, str]]) -> tuple[Message, ...]:
    return tuple(message for asked, told in chat for message in (Message("user", asked), Message("assistant", told)))


def _draw_batches(
    chats: Sequence[dict[str, list[_Chat]]], shares: dict[str, float], count: int, draw: random.Random
) -> list[list[_Chat]]:
    """Return batches of chats of similar length, in a drawn order."""
    batches: list[list[_Chat]] = []
    while len(batches) < count:
        kinds = draw.choices(list(shares), list(shares.values()), k=_BATCH * _POOL)
        pool = [draw.choice(of_kind) for kind in kinds if (of_kind := draw.choice(chats).get(kind))]
        pool.sort(key=lambda chat: len(chat.example.ids))
        cut = [pool[start : start + _BATCH] for start in range(0, len(pool), _BATCH)]
        draw.shuffle(cut)
        batches += cut
    return batches[:count]


def _make_language(num_tokens: int, seed: int) -> Any:
    config = {
        "model_type": "llama",
        "vocab_size": num_tokens,
        "hidden_size": _WIDTH,
        "intermediate_size": _WIDTH * 8 // 3 // 32 * 32,
        "num_hidden_layers": _LAYERS,
        "num_attention_heads": _WIDTH // _HEAD_WIDTH,
        "num_key_value_heads": _WIDTH // _HEAD_WIDTH,
        "max_position_embeddings": 1024,
        "tie_word_embeddings": True,
        "initializer_range": 0.04,
        "bos_token_id": None,
        "eos_token_id": 1,
        "pad_token_id": 0,
    }
    with seeded(seed, "demo/language"):
        language = make_language(make_config(config, "language"))
        _let_alike_attend(language)
    language.set_attn_implementation("eager")  # of so few positions a third faster than the usual kernel on a CPU
    return language.train()


@torch.no_grad()
def _let_alike_attend(language: Any) -> None:
    """Begin with queries that look for what is like themselves, and copy it (mimetic initialisation, 2305.09828)."""
    for layer in language.model.layers:
        attention = layer.self_attn
        nn.init.normal_(attention.q_proj.weight, std=1.3 * _WIDTH**-0.5)
        attention.k_proj.weight.copy_(attention.q_proj.weight)
        turned: Tensor = torch.linalg.qr(torch.randn(_WIDTH, _WIDTH))[0]
        attention.v_proj.weight.copy_(0.7 * turned)
        attention.o_proj.weight.copy_(0.7 * turned.T)


def _name_words(tokenizer: "PreTrainedTokenizerBase") -> Tensor:
    """Return [N, tokens]: for each word the mean over its tokens."""
    rows = []
    for word in WORDS:
        ids = tokenizer.encode(f" {word}", add_special_tokens=False)
        rows.append(
            torch.zeros(len(tokenizer)).index_add_(0, torch.tensor(ids), torch.full((len(ids),), 1 / len(ids)))
        )
    return torch.stack(rows)


def weigh(tokenizer: "PreTrainedTokenizerBase") -> Tensor:
    weights_v = torch.full((len(tokenizer),), _WORDING_WEIGHT)
    for word in _TELLING:
        for form in (word, f" {word}", f" {plural_of(word)}"):
            ids = tokenizer.encode(form, add_special_tokens=False)
            if len(ids) == 1:
                weights_v[ids] = 1.0
    return weights_v


class _Reader:
    """Reads batches of chats with the words of their scenes in the place of the picture."""

    def __init__(self, language: Any, words_nv: Tensor, sights: Sequence[Sight], weights_v: Tensor) -> None:
        self._language = language
        self._words_nv = words_nv
        self._weights_v = weights_v
        self._by_thing = torch.from_numpy(np.stack([sight.by_thing for sight in sights]))
        self._by_patch = torch.from_numpy(np.stack([sight.by_patch for sight in sights]))

    def read(self, batch: Sequence[_Chat], *, is_by_patch: bool, noise: float = 0.0) -> Tensor:
        """Return the mean loss of what an assistant says.

        Each picture's words have noise, up to `noise` times as large as the words are.
        """
        sights_btn = (self._by_patch if is_by_patch else self._by_thing)[[chat.scene for chat in batch]]
        slot = int(np.flatnonzero(batch[0].example.ids == IMAGE_SLOT)[0])
        ids_bl, is_trained_bl = _pad(batch)
        embed = self._language.get_input_embeddings()
        with torch.autocast("cpu", torch.bfloat16):
            words_nd = self._words_nv @ embed.weight
            text_bld = embed(ids_bl.clamp(min=0))
            seen_btd = (sights_btn @ words_nd).to(text_bld.dtype)
            if noise:
                levels_b11 = noise * words_nd.detach().std() * torch.rand(len(batch), 1, 1)
                seen_btd = seen_btd + (levels_b11 * torch.randn(seen_btd.shape)).to(seen_btd.dtype)
            inputs = torch.cat((text_bld[:, :slot], seen_btd, text_bld[:, slot + 1 :]), dim=1)
            hidden_bld = self._language.model(inputs_embeds=inputs, use_cache=False).last_hidden_state
            shift = sights_btn.shape[1] - 1  # positions that the slot takes beyond its own
            rows, places = is_trained_bl.nonzero(as_tuple=True)
            logits_sv = self._language.lm_head(hidden_bld[rows, places + shift - 1])
        told_s = ids_bl[rows, places]
        losses_s = functional.cross_entropy(logits_sv.float(), told_s, reduction="none")
        weights_s = self._weights_v[told_s]
        return (losses_s * weights_s).sum() / weights_s.sum()


def _pad(batch: Sequence[_Chat]) -> tuple[Tensor, Tensor]:
    length = max(len(chat.example.ids) for chat in batch)
    ids = np.zeros((len(batch), length), np.int64)
    is_trained = np.zeros((len(batch), length), bool)
    for row, chat in enumerate(batch):
        size = len(chat.example.ids)
        ids[row, :size], is_trained[row, :size] = chat.example.ids, chat.example.is_trained
    return torch.from_numpy(ids), torch.from_numpy(is_trained)
