"""Questions with their answers, of which one can be wrong and the rest worth keeping."""

from collections.abc import Callable
from typing import Literal

from instructgen.records import Fault, Message

OnFault = Literal["reject", "cut"]
"""What a filter does with an answer that it faults: reject the sample, or cut the answer and its question."""


def cut_pairs(
    turns: tuple[Message, ...], find_fault: Callable[[int, Message, Message], Fault | None]
) -> tuple[tuple[Message, ...], Fault | None, int]:
    """Return the turns without the pairs that `find_fault` faults, the first fault, and how many pairs it faults.

    It is given the place of the answer among the turns, the question and the answer. Turns that are no pairs stay.
    """
    kept: list[Message] = []
    first: Fault | None = None
    num_faulty = 0
    for index, turn in enumerate(turns):
        if turn.role != "assistant" or not kept or kept[-1].role != "user":
            kept.append(turn)
            continue
        fault = find_fault(index, kept[-1], turn)
        if fault is None:
            kept.append(turn)
            continue
        kept.pop()
        num_faulty += 1
        first = first or fault
    return tuple(kept), first, num_faulty
