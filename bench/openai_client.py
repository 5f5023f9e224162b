"""What a chat completion costs in CPU time: our client against a bare aiohttp loop and openai's own calls.

    python bench/openai_client.py --requests 5000 --in-flight 256

The server (bench/mock_server.py) runs on one core, each client in a process of its own on another, in turns. Prompts
are of 6 KB in 8 messages, answers of 1.2 KB. Counted is the CPU time of the client's process while it sends, without
imports; openai's default transport is so slow that it gets a tenth of the requests.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

SERVER = Path(__file__).with_name("mock_server.py")
SLOW = ("openai post", "openai create")
_FILLER = "A man in a red jacket holds the reins of a brown horse near a wooden fence. "

Send = Callable[[Any], Awaitable[object]]


def make_requests(count: int) -> list[Any]:
    """Return requests of 6 KB that share all messages but the last, as a build's do."""
    from instructgen.records import Message, Request

    rules = Message("system", "Write questions about an image and answer them. " + _FILLER * 9)
    shots = [Message("assistant" if place % 2 else "user", f"Example {place}. " + _FILLER * 10) for place in range(6)]
    return [
        Request(
            f"{number:064x}", "conv", f"coco/{number}", (rules, *shots, Message("user", f"{number}. {_FILLER * 8}"))
        )
        for number in range(count)
    ]


def make_bodies(count: int) -> list[bytes]:
    from instructgen.config import TeacherConfig
    from instructgen.teachers.openai_chat import Bodies

    bodies = Bodies("m", TeacherConfig().decoding, {})
    return [bodies.write(request) for request in make_requests(count)]


async def send_all(send: Send, prepared: Iterable[Any], in_flight: int) -> float:
    """Return the CPU seconds of all requests but the first, which loads what is loaded late."""
    waiting = iter(prepared)
    await send(next(waiting))

    async def work() -> None:
        for one in waiting:
            await send(one)

    began_s = time.process_time()
    await asyncio.gather(*[work() for _ in range(in_flight)])
    return time.process_time() - began_s


async def run_aiohttp(url: str, count: int, in_flight: int) -> float:
    import aiohttp
    from yarl import URL

    try:
        from orjson import loads
    except ImportError:
        from json import loads

    address = URL(f"{url}/chat/completions")
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Authorization": "Bearer none", "Content-Type": "application/json"},
    ) as session:

        async def send(body: bytes) -> object:
            async with session.post(address, data=body) as response:
                return loads(await response.read())["choices"][0]["message"]["content"]

        return await send_all(send, make_bodies(count + 1), in_flight)


async def run_our_client(url: str, count: int, in_flight: int) -> float:
    from openai.types.chat import ChatCompletion

    from instructgen.teachers.openai_client import AiohttpOpenAI, Timeouts

    client = AiohttpOpenAI(api_key="none", base_url=url, timeouts=Timeouts(10, 300, 300), max_answer_bytes=8_000_000)

    async def send(body: bytes) -> object:
        return await client.post("/chat/completions", content=body, cast_to=ChatCompletion)

    try:
        return await send_all(send, make_bodies(count + 1), in_flight)
    finally:
        await client.close()


async def run_our_server(url: str, count: int, in_flight: int) -> float:
    from instructgen.config import ServerConfig, TeacherConfig
    from instructgen.teachers.openai_chat import OpenAIServer

    server = OpenAIServer(TeacherConfig(model="m", base_url=url), ServerConfig(), {})
    try:
        return await send_all(server.send, make_requests(count + 1), in_flight)
    finally:
        await server.close()


async def run_openai_post(url: str, count: int, in_flight: int) -> float:
    import openai
    from openai.types.chat import ChatCompletion

    async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0) as client:

        async def send(body: Any) -> object:
            return await client.post("/chat/completions", body=body, cast_to=ChatCompletion)

        return await send_all(send, [json.loads(body) for body in make_bodies(count + 1)], in_flight)


async def run_openai_create(url: str, count: int, in_flight: int) -> float:
    import openai

    async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0) as client:

        async def send(body: Any) -> object:
            return await client.chat.completions.create(**body)

        return await send_all(send, [json.loads(body) for body in make_bodies(count + 1)], in_flight)


# The floor first: it is what the ratios are relative to. The sign + is for uvloop.
CLIENTS: dict[str, Callable[[str, int, int], Any]] = {
    "aiohttp+": run_aiohttp,
    "our client+": run_our_client,
    "our server+": run_our_server,
    "our server": run_our_server,
    "openai post": run_openai_post,
    "openai create": run_openai_create,
}


def run_client(name: str, url: str, count: int, in_flight: int) -> None:
    runner: Any = asyncio.run
    if name.endswith("+"):
        import uvloop

        runner = uvloop.run
    cpu_s = runner(CLIENTS[name](url, count, in_flight))
    print(json.dumps(cpu_s * 1000 / count))


def measure(name: str, url: str, options: argparse.Namespace, cores: list[int]) -> float:
    count = max(1, options.requests // 10) if name in SLOW else options.requests
    command = [sys.executable, __file__, "--client", name, "--url", url]
    command += ["--requests", str(count), "--in-flight", str(options.in_flight)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, preexec_fn=lambda: pin(cores[0]))
    return float(json.loads(done.stdout))


def pin(core: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--in-flight", type=int, default=256)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=list(CLIENTS), default=list(CLIENTS))
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        run_client(options.client, options.url, options.requests, options.in_flight)
        return
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    with subprocess.Popen(
        [sys.executable, str(SERVER)],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: pin(cores[-1]),  # noqa: PLW1509
    ) as server:
        try:
            assert server.stdout is not None
            url = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1"
            figures: dict[str, list[float]] = {name: [] for name in options.only}
            for _ in range(options.repeat):
                for name in options.only:
                    figures[name].append(measure(name, url, options, cores))
        finally:
            server.terminate()
    floor = statistics.median(figures[options.only[0]])
    print(f"CPU s per 1,000 requests, {options.in_flight} in flight, {options.repeat} runs; + is on uvloop")
    for name, values in figures.items():
        middle = statistics.median(values)
        print(f"{name:14} {middle:6.3f}  ({min(values):.3f} to {max(values):.3f})  x{middle / floor:.2f}")


if __name__ == "__main__":
    main()
