"""A causal language model as generation uses it: embeddings in, logits out, keys and values kept."""

import copy
import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from instructgen.errors import InstructgenError

# B rows, L positions of them, K positions whose logits are wanted, V vocabulary, D width, N pictures, T tokens of one


class Network(Protocol):
    """What answers are made with; this module's CausalNetwork is the half of it that every model shares."""

    @property
    def device(self) -> torch.device: ...

    @property
    def max_positions(self) -> int | None:
        """The longest that a prompt and its answer may be together; None is not known."""
        ...

    @property
    def max_gapped(self) -> int | None:
        """How long a row with unseen positions inside may be and give what it gives without them; None is any."""
        ...

    @property
    def tokens_per_image(self) -> int: ...

    @property
    def reads_whole(self) -> bool:
        """Whether all of a prompt must come in the first step, as an encoder wants it."""
        ...

    def embed_ids(self, ids: Tensor) -> Tensor:
        """Map ids of any shape [...] to [..., D]."""
        ...

    def embed_pictures(self, pixels_nchw: Tensor) -> Tensor:
        """Map [N, C, H, W] to [N, T, D]."""
        ...

    def step(self, embeds_bld: Tensor, mask_bl: Tensor, positions_bl: Tensor, memory: "Memory") -> Tensor:
        """Return the logits [B, V] of the last position; `memory` holds the positions before and takes these in.

        `mask_bl` covers what is in the memory too; 0 marks positions that nobody sees.
        """
        ...

    def step_all(self, embeds_bld: Tensor, mask_bl: Tensor, positions_bl: Tensor, memory: "Memory") -> Tensor:
        """Return the logits [B, L, V] of every new position."""
        ...


class Memory:
    """Keys and values of what a batch has seen; empty until the first step.

    Raises InstructgenError for those of a model, such as Mamba, whose rows cannot be told apart.
    """

    def __init__(self, cache: Any = None) -> None:
        self.cache = cache
        self.looks: tuple[Any, ...] = ()
        """Of each row what its positions look at, where pictures are seen from between the layers."""
        self.sight: Any = None

    def show(self, looks: Sequence[Any]) -> None:
        """Let the rows look at this from now on."""
        self.looks, self.sight = tuple(looks), None

    def keep(self, rows: list[int], device: torch.device) -> None:
        """Let the rows be these of the present ones; one may be taken several times."""
        self.show([self.looks[row] for row in rows] if self.looks else ())
        with _told_where_rows_are_one():
            self.cache.batch_select_indices(torch.tensor(rows, device=device))

    def repeat(self, num_rows: int) -> None:
        """Make so many equal rows of one."""
        self.show(self.looks * num_rows)
        if self.cache is not None and num_rows > 1:
            with _told_where_rows_are_one():
                self.cache.batch_repeat_interleave(num_rows)

    def copy(self) -> "Memory":
        copied = Memory(copy.deepcopy(self.cache))
        copied.show(self.looks)
        return copied


@contextmanager
def _told_where_rows_are_one() -> Iterator[None]:
    try:
        yield
    except AttributeError:
        raise InstructgenError(
            "this language model remembers in a way that rows cannot be chosen from; ask one thing at a time"
        ) from None


class CausalNetwork:
    """Steps through any Hugging Face causal language model."""

    reads_whole = False

    def __init__(self, language: nn.Module) -> None:
        taken = inspect.signature(language.forward).parameters
        self.language = language
        # transformers 5 renamed it; the old name goes on until 5.40.
        self._cache_name = "cache" if "cache" in taken else "past_key_values"
        self._takes_positions = "position_ids" in taken
        self._takes_keep = "logits_to_keep" in taken

    @property
    def device(self) -> torch.device:
        return next(self.language.parameters()).device

    @property
    def max_positions(self) -> int | None:
        config: Any = self.language.config
        found = getattr(config.get_text_config(), "max_position_embeddings", None)
        return found if isinstance(found, int) and found > 0 else None

    @property
    def max_gapped(self) -> int | None:
        """Windows count unseen positions too, and so do distances where no positions are taken (ALiBi)."""
        if not self._takes_positions:
            return 0
        config: Any = self.language.config
        found = [getattr(config.get_text_config(), name, None) for name in ("sliding_window", "attention_chunk_size")]
        windows = [one for one in found if isinstance(one, int) and one > 0]
        return min(windows, default=None)

    def embed_ids(self, ids: Tensor) -> Tensor:
        table: Any = self.language.get_input_embeddings()  # type: ignore[operator]
        embeds: Tensor = table(ids)
        return embeds

    def step(self, embeds_bld: Tensor, mask_bl: Tensor, positions_bl: Tensor, memory: Memory) -> Tensor:
        return self._run(embeds_bld, mask_bl, positions_bl, memory, num_kept=1)[:, -1]

    def step_all(self, embeds_bld: Tensor, mask_bl: Tensor, positions_bl: Tensor, memory: Memory) -> Tensor:
        return self._run(embeds_bld, mask_bl, positions_bl, memory, num_kept=0)

    def _run(
        self, embeds_bld: Tensor, mask_bl: Tensor, positions_bl: Tensor, memory: Memory, *, num_kept: int
    ) -> Tensor:
        asked: dict[str, Any] = {"use_cache": True, self._cache_name: memory.cache}
        if self._takes_positions:
            asked["position_ids"] = positions_bl
        if self._takes_keep:
            asked["logits_to_keep"] = num_kept
        found = self.language(inputs_embeds=embeds_bld, attention_mask=mask_bl, **asked)
        memory.cache = getattr(found, self._cache_name)
        logits: Tensor = found.logits
        return logits
