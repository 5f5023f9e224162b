"""The practical floor: aiohttp with uvloop and orjson, no cookies, no limit of connections, and nothing stored."""

import asyncio
import time
from collections.abc import Iterator

import aiohttp
import orjson
import peer
import uvloop


async def ask_all(base_url: str, prompts: Iterator[list[dict[str, str]]], num_in_flight: int) -> int:
    """Return how many answers had text."""
    num_answered = 0

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal num_answered
        for messages in prompts:
            body = {
                "model": peer.MODEL,
                "messages": messages,
                "temperature": peer.TEMPERATURE,
                "max_tokens": peer.MAX_TOKENS,
            }
            async with session.post(
                f"{base_url}/chat/completions", data=orjson.dumps(body), headers=headers
            ) as answer:
                completion = orjson.loads(await answer.read())
            num_answered += bool(completion["choices"][0]["message"]["content"])

    headers = {"content-type": "application/json"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        await asyncio.gather(*(work(session) for _ in range(num_in_flight)))
    return num_answered


def main() -> None:
    options = peer.read_options(__doc__)
    prompts = peer.make_prompts(options.requests, options.prompt_bytes)
    started_s = time.monotonic()
    num_answered = uvloop.run(ask_all(options.base_url, prompts, options.in_flight))
    peer.report(num_answered, started_s, options.requests)


if __name__ == "__main__":
    main()
