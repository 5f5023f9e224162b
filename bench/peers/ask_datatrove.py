"""datatrove's InferenceRunner on an endpoint, with checkpoints and a JSON Lines writer, run by its local executor."""

import gzip
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import peer

os.environ.update({"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"})


def main() -> None:
    options = peer.read_options(__doc__)
    folder = Path(options.folder)

    from datatrove.data import Document
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
    from datatrove.pipeline.writers import JsonlWriter

    def read(data: object = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:  # noqa: ARG001
        for number, messages in enumerate(peer.make_prompts(options.requests, options.prompt_bytes)):
            yield Document(text=messages[-1]["content"], id=f"{number:08d}", metadata={"messages": messages})

    async def ask(document: Document, generate: object) -> dict[str, str]:
        result = await generate({"messages": document.metadata["messages"]})
        return {"text": result.text, "finish_reason": result.finish_reason}

    config = InferenceConfig(
        server_type="endpoint",
        endpoint_url=options.base_url.removesuffix("/v1"),
        model_name_or_path=peer.MODEL,
        max_concurrent_generations=options.in_flight,
        default_generation_params={"temperature": peer.TEMPERATURE, "max_tokens": peer.MAX_TOKENS},
    )
    runner = InferenceRunner(
        rollout_fn=ask,
        config=config,
        output_writer=JsonlWriter(str(folder / "out"), output_filename="${rank}_chunk_${chunk_index}.jsonl"),
        checkpoints_local_dir=str(folder / "checkpoints"),
    )
    started_s = time.monotonic()
    LocalPipelineExecutor(pipeline=[read, runner], tasks=1, logging_dir=str(folder / "logs")).run()
    num_answered = 0
    for path in (folder / "out").glob("*.jsonl.gz"):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            num_answered += sum(bool(json.loads(line)["metadata"]["rollout_results"][0]["text"]) for line in lines)
    peer.report(num_answered, started_s, options.requests)


if __name__ == "__main__":
    main()
