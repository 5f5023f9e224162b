"""A student: an eye that is trained first and then stays as it is, a connector and a small Llama.

From nothing and in minutes no language model learns to see from sentences alone: 500 steps left it as good as blind.
So the eye learns from the truth of other scenes which kinds and colours are where, and what it names comes to the
language model as the embeddings of those words. Neither teacher has a part in that, and all students share it, as
those of LLaVA share CLIP and a first stage that aligns it. What to say of it, to which question, is the dataset's.

Shapes: B batch, C channels, S side of a picture in pixels, G side of the eye's grid of cells, P tokens of a picture,
F features of one, T positions, D language width, H heads, K width of one head, W words. The picture's tokens come
first; a text position t predicts the text token t + 1.
"""

import math
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from student_data import PAD, Tokens, plan_batches, squeeze
from torch import Tensor, nn
from torch.nn import functional

from instructgen.scenes.layout import lay_out
from instructgen.scenes.palette import COLOUR_NAMES
from instructgen.scenes.phrases import NOUNS
from instructgen.scenes.render import draw_scene

SIDE_PX = 64
_GRID = 8
_MERGED = 2  # cells per direction that one token stands for
_NUM_TOKENS = (_GRID // _MERGED) ** 2
_EYE_WIDTH = 128
_EYE_SIZE_PX = (160, 120)  # of its scenes: drawn small, which is quick
_EYE_BATCH = 64
_MIN_SHARE = 0.1  # of a cell that a kind covers, to be called there
_KINDS = (*NOUNS, "person")
SIGNS = (*(NOUNS[kind][0][0] if kind in NOUNS else kind for kind in _KINDS), *COLOUR_NAMES)  # what the eye names
_NUM_TOLD = len(SIGNS) + len(_KINDS)  # and the middles
_NUM_FEATURES = len(SIGNS) + _MERGED**2 * _NUM_TOLD
_LANGUAGE_WIDTH, _LANGUAGE_BLOCKS = 128, 3
_HEAD_WIDTH = 32
_WORD_SCALE = 0.02
_PEAK_RATE, _LAST_SHARE, _WARM_SHARE = 3e-3, 0.05, 0.06
_SCORED_AT_ONCE = 128


class Recipe(NamedTuple):
    num_steps: int
    batch: int
    seed: int


class Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x_bcgg: Tensor) -> Tensor:
        return functional.relu(x_bcgg + self.body(x_bcgg))


class Eye(nn.Module):
    """Tells of each cell which kinds and colours are in it, and which kinds have the middle of a thing there."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width_in, width in ((3, 32), (32, 64), (64, _EYE_WIDTH)):
            layers += [
                nn.Conv2d(width_in, width, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
            layers += [Residual(width)] if width > 32 else []
        self.body = nn.Sequential(*layers, Residual(_EYE_WIDTH))
        self.head = nn.Conv2d(_EYE_WIDTH, _NUM_TOLD, 1)

    def forward(self, pictures_bcss: Tensor) -> Tensor:
        maps: Tensor = self.body(pictures_bcss.float() / 127.5 - 1)
        return maps

    @torch.no_grad()
    def look(self, pictures: NDArray[np.uint8]) -> Tensor:
        """Return [images, P, F]: the signs in a block of cells, and all that is told of each cell.

        No more than that: beside features without a meaning the words are drowned, and nothing is learned in minutes.
        """
        found = []
        for chunk in torch.split(torch.from_numpy(pictures), _SCORED_AT_ONCE):
            told = self.head(self(chunk)).sigmoid()
            signs = functional.max_pool2d(told[:, : len(SIGNS)], _MERGED)
            parts = torch.cat((signs, functional.pixel_unshuffle(told, _MERGED)), dim=1)
            found.append(parts.flatten(2).transpose(1, 2))
        return torch.cat(found)


def draw_lessons(seed: int, num_scenes: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return pictures [N, 3, S, S] and truths [N, signs, G, G]: kinds, colours, middles."""
    pictures = np.empty((num_scenes, 3, SIDE_PX, SIDE_PX), np.uint8)
    truths = np.zeros((num_scenes, _NUM_TOLD, _GRID, _GRID), bool)
    width, height = _EYE_SIZE_PX
    for number in range(num_scenes):
        drawing = draw_scene(lay_out(seed, number + 1, width / height), _EYE_SIZE_PX)
        pictures[number] = squeeze(drawing.picture, SIDE_PX)
        for position, sighting in enumerate(drawing.sightings):
            mask = Image.fromarray((drawing.mask == position + 1).astype(np.uint8) * 255)
            is_there = np.asarray(mask.resize((_GRID, _GRID), Image.Resampling.BOX)) > 255 * _MIN_SHARE
            kind = _KINDS.index(sighting.thing.kind)
            truths[number, kind] |= is_there
            if sighting.colour is not None:
                truths[number, len(_KINDS) + COLOUR_NAMES.index(sighting.colour)] |= is_there
            x0, y0, x1, y1 = sighting.box_px
            middle = (y0 + y1) * _GRID // (2 * height), (x0 + x1) * _GRID // (2 * width)
            truths[number, len(SIGNS) + kind, *middle] = True
    return pictures, truths


def train_eye(seed: int, num_scenes: int, num_steps: int) -> tuple[Eye, float]:
    """Return an eye, and its loss over the last twentieth of the steps."""
    pictures, truths = draw_lessons(seed, num_scenes)
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    eye = Eye()
    optimizer = torch.optim.AdamW(eye.parameters(), lr=_PEAK_RATE, weight_decay=0.05)
    losses = []
    for step in range(num_steps):
        chosen = draw.integers(num_scenes, size=_EYE_BATCH)
        seen, truth = torch.from_numpy(pictures[chosen]), torch.from_numpy(truths[chosen]).float()
        if step % 2:
            seen, truth = seen.flip(3), truth.flip(3)
        _set_rate(optimizer, step / num_steps)
        with torch.autocast("cpu", torch.bfloat16):
            told = eye.head(eye(seen)).float()
        loss = functional.binary_cross_entropy_with_logits(told, truth) * truth.shape[1]
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    return eye.eval().requires_grad_(requires_grad=False), _mean_tail(losses)


def _set_rate(optimizer: torch.optim.Optimizer, progress: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = _PEAK_RATE * _rate_share(progress)


def _mean_tail(losses: list[float]) -> float:
    tail = losses[-max(1, len(losses) // 20) :]
    return sum(tail) / len(tail)


class Block(nn.Module):
    """Attention that looks back only, turned by position (RoPE), and SwiGLU; RMSNorm stands before both."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = width * 8 // 3 // 32 * 32
        self.num_heads = width // _HEAD_WIDTH
        self.norm_in, self.norm_mid = nn.RMSNorm(width), nn.RMSNorm(width)
        self.to_qkv = nn.Linear(width, 3 * width, bias=False)
        self.from_heads = nn.Linear(width, width, bias=False)
        self.to_hidden = nn.Linear(width, 2 * hidden, bias=False)
        self.from_hidden = nn.Linear(hidden, width, bias=False)

    def forward(self, x_btd: Tensor) -> Tensor:
        batch, length, width = x_btd.shape
        qkv = self.to_qkv(self.norm_in(x_btd)).view(batch, length, 3, self.num_heads, _HEAD_WIDTH)
        q_bhtk, k_bhtk, v_bhtk = qkv.permute(2, 0, 3, 1, 4)
        cos_tk, sin_tk = _angles(length, q_bhtk.dtype)
        q_bhtk, k_bhtk = _turn(q_bhtk, cos_tk, sin_tk), _turn(k_bhtk, cos_tk, sin_tk)
        # Written out: on a CPU the backward pass of scaled_dot_product_attention costs as much as all the rest.
        weights = (q_bhtk * _HEAD_WIDTH**-0.5) @ k_bhtk.transpose(-1, -2)
        weights = weights + torch.full((length, length), -1e4, dtype=weights.dtype).triu(1)
        seen_bhtk = torch.softmax(weights, -1, dtype=weights.dtype) @ v_bhtk
        x_btd = x_btd + self.from_heads(seen_bhtk.transpose(1, 2).reshape(batch, length, width))
        gate, value = self.to_hidden(self.norm_mid(x_btd)).chunk(2, dim=-1)
        grown_btd: Tensor = x_btd + self.from_hidden(functional.silu(gate) * value)
        return grown_btd


def _angles(length: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    rates = 10_000.0 ** -(torch.arange(0, _HEAD_WIDTH, 2) / _HEAD_WIDTH)
    angles = torch.outer(torch.arange(length), rates).repeat(1, 2)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def _turn(x_bhtk: Tensor, cos_tk: Tensor, sin_tk: Tensor) -> Tensor:
    first, second = x_bhtk.chunk(2, dim=-1)
    return x_bhtk * cos_tk + torch.cat((-second, first), dim=-1) * sin_tk


class Student(nn.Module):
    """`words_of_signs` holds for each of SIGNS the numbers of its words."""

    def __init__(self, num_words: int, words_of_signs: list[list[int]]) -> None:
        super().__init__()
        self.words = nn.Embedding(num_words, _LANGUAGE_WIDTH)
        self.places_pd = nn.Parameter(torch.randn(_NUM_TOKENS, _LANGUAGE_WIDTH) * _WORD_SCALE)
        self.connector = nn.Linear(_NUM_FEATURES, _LANGUAGE_WIDTH)
        self.language = nn.Sequential(*(Block(_LANGUAGE_WIDTH) for _ in range(_LANGUAGE_BLOCKS)))
        self.norm = nn.RMSNorm(_LANGUAGE_WIDTH)
        nn.init.normal_(self.words.weight, std=_WORD_SCALE)
        nn.init.zeros_(self.connector.weight)
        self.naming_sw: Tensor
        self.register_buffer("naming_sw", torch.zeros(len(words_of_signs), num_words))
        for row, words in zip(self.naming_sw, words_of_signs, strict=True):
            row[words] = 1 / max(1, len(words))

    def read(self, seen_bpf: Tensor, ids_bt: Tensor) -> Tensor:
        """Return [B, T, D] of the text; padding is at the end, where nobody looks back from."""
        named_bpd = seen_bpf[:, :, : len(self.naming_sw)] @ (self.naming_sw @ self.words.weight)
        seen_bpd = named_bpd + self.connector(seen_bpf) + self.places_pd
        x_btd = torch.cat((seen_bpd, self.words(ids_bt)), dim=1) / _WORD_SCALE
        hidden_btd: Tensor = self.norm(self.language(x_btd))
        return hidden_btd[:, _NUM_TOKENS:]

    def tell(self, hidden_nd: Tensor) -> Tensor:
        return functional.linear(hidden_nd, self.words.weight).float()


def pad_rows(rows: Sequence[Sequence[int]], filler: int) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows])


def train(student: Student, samples: list[Tokens], seen_ipf: Tensor, recipe: Recipe) -> dict[str, float]:
    """Train in place on what the eye made of the pictures; return what it took, and the last twentieth's loss."""
    start, cpu = time.perf_counter(), time.process_time()
    optimizer = torch.optim.AdamW(student.parameters(), lr=_PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.05)
    losses, num_told, num_read = [], 0, 0
    plan = plan_batches([len(sample.ids) for sample in samples], recipe.batch, recipe.num_steps, recipe.seed)
    for step, positions in enumerate(plan):
        batch = [samples[position] for position in positions]
        ids_bt = pad_rows([sample.ids for sample in batch], PAD)
        is_told_bt = pad_rows([sample.is_told for sample in batch], filler=False).bool()
        _set_rate(optimizer, step / recipe.num_steps)
        with torch.autocast("cpu", torch.bfloat16):
            hidden_btd = student.read(seen_ipf[[sample.image for sample in batch]], ids_bt[:, :-1])
            logits = student.tell(hidden_btd[is_told_bt[:, 1:]])
        loss = functional.cross_entropy(logits, ids_bt[:, 1:][is_told_bt[:, 1:]])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        num_told += int(is_told_bt.sum())
        num_read += sum(len(sample.ids) for sample in batch)
    return {
        "loss": _mean_tail(losses),
        "epochs": recipe.num_steps * recipe.batch / len(samples),
        "answer_tokens": num_told,
        "text_tokens": num_read,
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - start,
    }


def _rate_share(progress: float) -> float:
    """Rise linearly, then fall along a cosine to _LAST_SHARE."""
    if progress < _WARM_SHARE:
        return (progress + 1e-3) / (_WARM_SHARE + 1e-3)
    fallen = (1 - math.cos(math.pi * (progress - _WARM_SHARE) / (1 - _WARM_SHARE))) / 2
    return 1 - (1 - _LAST_SHARE) * fallen


class Saying(NamedTuple):
    """An answer to be weighed: the tokens of `prompt` are given, those of `answer` are scored."""

    image: int
    prompt: list[int]
    answer: list[int]


@torch.no_grad()
def score_sayings(student: Student, sayings: list[Saying], seen_ipf: Tensor) -> NDArray[np.float64]:
    """Return the mean log-probability per token of each answer, its end not counted."""
    scores = np.zeros(len(sayings))
    order = sorted(range(len(sayings)), key=lambda position: len(sayings[position].prompt))
    with torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(order), _SCORED_AT_ONCE):
            part = order[start : start + _SCORED_AT_ONCE]
            chosen = [sayings[position] for position in part]
            ids_bt = pad_rows([saying.prompt + saying.answer for saying in chosen], PAD)
            marks = [[0] * len(saying.prompt) + [1] * len(saying.answer) for saying in chosen]
            is_answer_bt = pad_rows(marks, 0)[:, 1:].bool()
            hidden_btd = student.read(seen_ipf[[saying.image for saying in chosen]], ids_bt[:, :-1])
            logs = student.tell(hidden_btd[is_answer_bt]).log_softmax(-1)
            found = logs.gather(1, ids_bt[:, 1:][is_answer_bt][:, None])[:, 0].double()
            rows = is_answer_bt.nonzero()[:, 0]
            sums = torch.zeros(len(part), dtype=torch.float64).index_add_(0, rows, found)
            scores[part] = (sums / is_answer_bt.sum(1)).numpy()
    return scores
