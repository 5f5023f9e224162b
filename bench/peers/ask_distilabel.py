"""distilabel: a pipeline of ChatGeneration with OpenAILLM, its cache on as by default, batches of --in-flight."""

import os
import time

import peer

os.environ.update({"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "DISTILABEL_LOG_LEVEL": "WARNING"})


def main() -> None:
    options = peer.read_options(__doc__)
    os.environ["DISTILABEL_CACHE_DIR"] = options.folder

    from distilabel.models import OpenAILLM
    from distilabel.pipeline import Pipeline
    from distilabel.steps import LoadDataFromDicts
    from distilabel.steps.tasks import ChatGeneration

    rows = [{"messages": messages} for messages in peer.make_prompts(options.requests, options.prompt_bytes)]
    started_s = time.monotonic()
    with Pipeline(name="bench", cache_dir=options.folder) as pipeline:
        load = LoadDataFromDicts(data=rows, batch_size=options.in_flight)
        llm = OpenAILLM(
            model=peer.MODEL,
            base_url=options.base_url,
            api_key="none",
            generation_kwargs={"temperature": peer.TEMPERATURE, "max_new_tokens": peer.MAX_TOKENS},
        )
        load >> ChatGeneration(llm=llm, input_batch_size=options.in_flight)
    answers = pipeline.run(use_cache=True)
    num_answered = sum(bool(text) for text in answers["default"]["train"]["generation"])
    peer.report(num_answered, started_s, options.requests)


if __name__ == "__main__":
    main()
