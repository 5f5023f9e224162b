"""NeMo Data Designer: a text column over a seed file, as by default; it takes no chat examples, so they are text."""

import os
import time
from pathlib import Path

import peer

os.environ.update({"NEMO_TELEMETRY_ENABLED": "false", "HF_HUB_OFFLINE": "1"})


def main() -> None:
    options = peer.read_options(__doc__)
    folder = Path(options.folder)
    os.environ["DATA_DESIGNER_HOME"] = str(folder / "home")

    import data_designer.config as dd
    import pandas as pd
    from data_designer.interface import DataDesigner

    chats = peer.make_prompts(options.requests, options.prompt_bytes)
    rows = [{"rules": chat[0]["content"], "query": "\n".join(part["content"] for part in chat[1:])} for chat in chats]
    pd.DataFrame(rows).to_parquet(folder / "seed.parquet")
    started_s = time.monotonic()
    model = dd.ModelConfig(
        alias="writer",
        model=peer.MODEL,
        provider="bench",
        skip_health_check=True,
        inference_parameters=dd.ChatCompletionInferenceParams(
            temperature=peer.TEMPERATURE, max_tokens=peer.MAX_TOKENS, max_parallel_requests=options.in_flight
        ),
    )
    provider = dd.ModelProvider(name="bench", endpoint=options.base_url, api_key="none")
    builder = dd.DataDesignerConfigBuilder(model_configs=[model])
    builder.with_seed_dataset(dd.LocalFileSeedSource(path=str(folder / "seed.parquet")))
    builder.add_column(
        dd.LLMTextColumnConfig(name="text", model_alias="writer", system_prompt="{{ rules }}", prompt="{{ query }}")
    )
    designer = DataDesigner(artifact_path=folder / "out", model_providers=[provider])
    answers = designer.create(builder, num_records=options.requests).load_dataset()
    peer.report(int(answers["text"].astype(bool).sum()), started_s, options.requests)


if __name__ == "__main__":
    main()
