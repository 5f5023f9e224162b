"""Bespoke Curator: an LLM class with prompt and parse, its cache on as by default, the viewer and telemetry off."""

import importlib.util
import os
import time
from pathlib import Path

import peer

os.environ.update({"TELEMETRY_ENABLED": "0", "CURATOR_VIEWER": "0", "HF_HUB_OFFLINE": "1", "OPENAI_API_KEY": "none"})
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
# It counts tokens with tiktoken, which would fetch its vocabulary; litellm brings the same file.
litellm = importlib.util.find_spec("litellm")
assert litellm is not None
assert litellm.origin is not None
os.environ["TIKTOKEN_CACHE_DIR"] = str(Path(litellm.origin).parent / "litellm_core_utils" / "tokenizers")


def main() -> None:
    options = peer.read_options(__doc__)
    os.environ["CURATOR_CACHE_DIR"] = options.folder

    from bespokelabs import curator

    class Writer(curator.LLM):
        def prompt(self, input: dict) -> list:  # noqa: A002  the name that its documentation gives
            return input["messages"]

        def parse(self, input: dict, response: str) -> dict:  # noqa: A002
            return {"number": input["number"], "text": response}

    rows = [
        {"number": number, "messages": messages}
        for number, messages in enumerate(peer.make_prompts(options.requests, options.prompt_bytes))
    ]
    started_s = time.monotonic()
    writer = Writer(
        model_name=peer.MODEL,
        backend="openai",
        generation_params={"temperature": peer.TEMPERATURE, "max_tokens": peer.MAX_TOKENS},
        backend_params={
            "base_url": options.base_url,
            "max_concurrent_requests": options.in_flight,
            "max_requests_per_minute": 100_000_000,
            "max_tokens_per_minute": 1_000_000_000_000,
        },
    )
    answers = writer(rows)
    num_answered = sum(bool(text) for text in answers.dataset["text"])
    peer.report(num_answered, started_s, options.requests)


if __name__ == "__main__":
    main()
