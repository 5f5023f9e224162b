"""What the scripts in this folder share: their options, the prompts and the figures that they print.

Standard library alone: each script runs in the virtual environment of its own tool (README.md).
"""

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Iterator

MODEL = "mock-model"
MAX_TOKENS = 1024
TEMPERATURE = 0.7
_NUM_SHOTS = 2
_NUM_QUERIES = 97
_CAPTION_TEXT = (
    "a man in a red jacket holds two wooden skis near the white van while three people wait beside the low brick "
    "wall under grey clouds and one small dog looks at an empty bench by the road"
)
_SYSTEM = (
    "You see an image only through its captions and the boxes of its objects. Write a conversation between a person "
    "who asks about the image and an assistant who sees it. Ask what the image can answer: kinds, counts, colours, "
    "places and actions. Never mention captions, boxes or coordinates. "
)


def read_options(doc: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--base-url", required=True, help="as http://127.0.0.1:8000/v1")
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--prompt-bytes", type=int, default=6000)
    parser.add_argument("--folder", required=True, help="an empty folder for the tool's cache and output")
    return parser.parse_args()


def make_prompts(num: int, num_bytes: int) -> Iterator[list[dict[str, str]]]:
    """Yield chats of about `num_bytes`: rules, two examples and a query of about 600 bytes that differs."""
    draw = random.Random(0)
    part = (num_bytes - 600 - len(_SYSTEM)) // (2 * _NUM_SHOTS + 1)
    prefix = [{"role": "system", "content": _SYSTEM + _write_words(draw, part)}]
    for _ in range(_NUM_SHOTS):
        prefix.append({"role": "user", "content": _write_words(draw, part)})
        prefix.append({"role": "assistant", "content": _write_words(draw, part)})
    queries = [_write_words(draw, 580) for _ in range(_NUM_QUERIES)]
    for number in range(num):
        # Made beforehand, for the floor is the cost of asking alone.
        yield [*prefix, {"role": "user", "content": f"Image {number:08d}\n{queries[number % _NUM_QUERIES]}"}]


def _write_words(draw: random.Random, num_chars: int) -> str:
    words = draw.choices(_CAPTION_TEXT.split(), k=num_chars // 5 + 1)
    return " ".join(words)[:num_chars]


def report(num_answered: int, first_request_s: float, num_asked: int) -> None:
    """Print this process's figures as the last line; end with code 1 where answers are missing.

    `seconds` runs from `first_request_s` (time.monotonic) or, where the tool does not show it, from the call to it.
    CPU seconds are of the whole process and the children that it waited for, imports and start-up included.
    """
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {
        "requests": num_answered,
        "seconds": round(time.monotonic() - first_request_s, 3),
        "cpu_s": round(own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, 3),
        "peak_mb": round(max(own.ru_maxrss, children.ru_maxrss) / 1024, 1),
    }
    print(json.dumps(figures), flush=True)
    if num_answered != num_asked:
        sys.exit(1)
