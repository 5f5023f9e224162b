"""`instructgen serve`: a trained model behind OpenAI's chat completions."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from instructgen.cli.students import DEVICE, DTYPE, MODEL, TEMPLATE, check_packages, open_student
from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.student.ask import Crowd
    from instructgen.student.serving.server import ServerSettings

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def add_to(app: typer.Typer) -> None:
    app.command("serve")(serve)


def serve(
    model: Path = MODEL,
    host: str = typer.Option("127.0.0.1", help="Address to listen on; beyond this machine it wants --api-key-env."),
    port: int = typer.Option(8000, min=0, max=65535, help="Port; 0 takes a free one."),
    name: str | None = typer.Option(None, help="What the model is called.  [default: its folder's name]"),
    api_key_env: str | None = typer.Option(None, help="Variable (or keyring entry) with the key that is asked for."),
    allow_files: Path | None = typer.Option(None, help="Folder whose files requests may name as pictures."),
    allow_host: list[str] = typer.Option([], help="Another name under which the server is asked; may be repeated."),
    max_batch: int = typer.Option(8, min=1, help="Requests that are answered together."),
    max_waiting: int = typer.Option(64, min=0, help="Requests that may wait; further ones are told to come again."),
    max_body_mb: int = typer.Option(32, min=1, max=1024, help="Largest request, pictures included."),
    max_tokens: int = typer.Option(512, min=1, help="Longest answer where a request names none."),
    temperature: float = typer.Option(0.0, min=0, max=2, help="Where a request names none."),
    device: str = DEVICE,
    dtype: str = DTYPE,
    template: str = TEMPLATE,
    as_json: bool = typer.Option(False, "--json", help="Print address and name as one JSON object when it listens."),
) -> None:
    """Serve a model to programs that speak OpenAI's chat completions, `instructgen build` among them.

    \b
    Examples:
      instructgen serve runs/stage2
      instructgen build --root coco --base-url http://127.0.0.1:8000/v1 --model stage2 --see-image only ...
      instructgen serve my-llava --port 9000 --allow-files photos
      instructgen serve my-llava --host 0.0.0.0 --api-key-env STUDENT_KEY --allow-host gpu7.example

    \b
    Pictures come as data: URLs; nothing is fetched from the web. Ctrl-C or SIGTERM lets running answers end.
    docs/student.md says what of OpenAI's interface there is.
    """
    check_packages()
    settings = _make_settings(host, port, api_key_env, allow_files, tuple(allow_host), max_body_mb)
    settings = _set_work(settings, max_batch, max_waiting, max_tokens, temperature)
    student = open_student(model, device, dtype, max_rows=max_batch, name=name or "", template=template)
    asyncio.run(_run(student, settings, as_json=as_json))


def _make_settings(
    host: str,
    port: int,
    api_key_env: str | None,
    allow_files: Path | None,
    allow_hosts: tuple[str, ...],
    max_body_mb: int,
) -> "ServerSettings":
    from instructgen.secrets import read_secret
    from instructgen.student.serving.pictures import PictureRules
    from instructgen.student.serving.server import ServerSettings

    key = "" if api_key_env is None else read_secret(api_key_env)
    if key is None or (api_key_env is not None and not key):
        raise InstructgenError(f"--api-key-env: there is no {api_key_env} in the environment or the keyring")
    if not key and host not in _LOOPBACK:
        raise InstructgenError(f"--host {host} lets other machines ask; give --api-key-env NAME with a key for them")
    if allow_files is not None and not allow_files.is_dir():
        raise InstructgenError(f"--allow-files: no folder {allow_files}")
    return ServerSettings(
        host=host,
        port=port,
        api_key=key,
        allow_hosts=allow_hosts,
        max_body_bytes=max_body_mb * 1_000_000,
        pictures=PictureRules(folder=allow_files),
    )


def _set_work(
    settings: "ServerSettings", max_batch: int, max_waiting: int, max_tokens: int, temperature: float
) -> "ServerSettings":
    from msgspec.structs import replace

    from instructgen.student.serving.batches import Batching

    defaults = replace(settings.defaults, max_tokens=max_tokens, temperature=temperature)
    defaults = replace(defaults, most_tokens=max(defaults.most_tokens, max_tokens))
    return replace(settings, batching=Batching(max_batch, max_waiting), defaults=defaults)


async def _run(student: "Crowd", settings: "ServerSettings", *, as_json: bool) -> None:
    from instructgen.fetch.signals import listen_to_signals
    from instructgen.student.serving.server import StudentServer

    server = StudentServer(student, settings)
    wanted = asyncio.Event()
    listen_to_signals(wanted.set)
    await server.start()
    if as_json:
        typer.echo(json.dumps({"url": server.url, "model": student.name}))
    typer.echo(f"'{student.name}' at {server.url}; Ctrl-C ends it", err=True)
    try:
        await wanted.wait()
        typer.echo("no more requests are taken; what runs is ended", err=True)
    finally:
        await server.stop()
