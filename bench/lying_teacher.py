"""A teacher that lies and knows it: the scene program's true answers, with lies put into 30% of them.

It is a server of chat completions on this machine. It tells the image by the captions that the prompt shows and the
type by the rules that it begins with, so it wants the shipped prompts, or those that --prompts names.

    python bench/lying_teacher.py --root coco --split val2017 --log lies.jsonl --port 0
    instructgen build --root coco --split val2017 --base-url http://127.0.0.1:PORT/v1 --model liar --no-alarm

The first line that it prints is its port. Which answers lie, and how, depends on the seed and the request alone. The
log has a line for each lying answer: image_id, type, clean, corrupted, and of each lie the kind, what stood there
before ("" where something was added), what stands there now, and why that is false. What is logged is not logged
again, so a log may be gone on with.
"""

import argparse
import hashlib
import json
import threading
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lies import tell_lies
from lies_draft import Draft, Lie, Pair, read_facts

from instructgen.draws import make_generator
from instructgen.prompting.prompts import load_prompt
from instructgen.records import Decoding, Fault, ImageRecord
from instructgen.sample_types import SAMPLE_TYPES
from instructgen.sources.coco import CocoSource
from instructgen.surrogate.render import surrogate_text
from instructgen.teachers.scene_program import Task, join_pairs, write_text

TYPES = ("conv", "detail", "reasoning")
# How many lies a lying answer has: one in half of them, then two, then three.
_NUM_LIES = (1, 1, 1, 2, 2, 3)


@dataclass
class Liar:
    """`records` by the captions as a prompt shows them; `types` by the rules that a prompt begins with."""

    records: dict[str, ImageRecord]
    types: dict[str, tuple[str, Decoding]]
    share: float
    seed: int
    log: Path
    logged: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, body: dict[str, Any]) -> str | None:
        """Return the answer, or None for a prompt that is about none of the images."""
        messages = body["messages"]
        asked = self.types.get(messages[0]["content"].strip())
        record = self.records.get(messages[-1]["content"].partition("\n\n")[0].strip())
        if asked is None or record is None:
            return None
        sample_type, decoding = asked
        key = hashlib.sha256(json.dumps(messages).encode()).hexdigest()
        clean = write_text(Task(sample_type, record), self.seed)
        text = self._corrupt(key, sample_type, record, clean)
        return write_in_format(sample_type, text, decoding)

    def _corrupt(self, key: str, sample_type: str, record: ImageRecord, clean: str) -> str:
        draw = make_generator(self.seed, "lies", key)
        if not clean or draw.random() >= self.share:
            return clean
        draft = Draft(read_pairs(sample_type, clean), sample_type, read_facts(record), draw)
        lies = tell_lies(draft, draw.choice(_NUM_LIES))
        told = [(pair.question, pair.answer) for pair in draft.pairs]
        text = told[0][1] if sample_type == "detail" else join_pairs(told)
        if lies:
            self._write_down(key, {"image_id": record.image_id, "type": sample_type}, clean, text, lies)
        return text

    def _write_down(self, key: str, unit: dict[str, str], clean: str, corrupted: str, lies: list[Lie]) -> None:
        line = {"key": key, **unit, "clean": clean, "corrupted": corrupted, "lies": [asdict(lie) for lie in lies]}
        with self.lock:
            if key not in self.logged:
                self.logged.add(key)
                with self.log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_pairs(sample_type: str, text: str) -> list[Pair]:
    if sample_type == "detail":
        return [Pair("", text)]
    blocks = [block.partition("\n")[2] for block in text.split("\n===\n")]
    return [Pair(question, answer) for question, answer in zip(blocks[::2], blocks[1::2], strict=True)]


def write_in_format(sample_type: str, text: str, decoding: Decoding) -> str:
    """Return the text as JSON where that was asked for."""
    if decoding.output_format == "text" or not text:
        return text
    turns = SAMPLE_TYPES[sample_type].parse(text, ("?",), make_generator(0, "lies", text))
    assert not isinstance(turns, Fault), turns
    return SAMPLE_TYPES[sample_type].write(turns, decoding)


def read_types(prompts: Path | None) -> dict[str, tuple[str, Decoding]]:
    formats = (Decoding(), Decoding(output_format="json"))
    return {
        load_prompt(prompts, name).prefix((), (), decoding)[0].content: (name, decoding)
        for name in TYPES
        for decoding in formats
    }


def read_records(root: Path, split: str | None) -> dict[str, ImageRecord]:
    records = (found for found in CocoSource(root, split).records() if isinstance(found, ImageRecord))
    return {surrogate_text(record.captions, ()).strip(): record for record in records}


class Handler(BaseHTTPRequestHandler):
    """Answers one connection. Head and body leave together, or the client waits for them by turns."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: "Server"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        text = self.server.liar.answer(body)
        if text is None:
            return self._send(400, {"error": {"message": "unknown rules or captions: see --prompts and --root"}})
        message = {"role": "assistant", "content": text}
        return self._send(
            200,
            {
                "id": "chatcmpl-liar",
                "object": "chat.completion",
                "created": 0,
                "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
            },
        )

    def do_GET(self) -> None:
        self._send(200, {"object": "list", "data": [{"id": "liar", "object": "model"}]})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's
        """Say nothing."""

    def _send(self, status: int, body: dict[str, Any]) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, port: int, liar: Liar) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.liar = liar


def read_logged(log: Path) -> set[str]:
    if not log.exists():
        return set()
    return {json.loads(line)["key"] for line in log.read_text(encoding="utf-8").splitlines()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="COCO folder")
    parser.add_argument("--split", default="val2017")
    parser.add_argument("--log", type=Path, required=True, help="the lies are written down here")
    parser.add_argument("--prompts", type=Path, help="the prompts of the build, if not the shipped ones")
    parser.add_argument("--share", type=float, default=0.3, help="of the answers that lie")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    options = parser.parse_args()
    liar = Liar(
        records=read_records(options.root, options.split),
        types=read_types(options.prompts),
        share=options.share,
        seed=options.seed,
        log=options.log,
        logged=read_logged(options.log),
    )
    with Server(options.port, liar) as server:
        print(server.server_address[1], flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("stopped")


if __name__ == "__main__":
    main()
