"""`instructgen view`: look at a version, or at two side by side, in the browser."""

import os
import sys
import webbrowser
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from instructgen.viewer.serve import ViewServer


def add_to(app: typer.Typer) -> None:
    app.command("view")(view)


def view(
    dataset: str = typer.Argument(help="A build's --out, STORE@TAG, STORE@VERSION or a version's folder."),
    other: str | None = typer.Argument(None, help="A newer version: shows what differs from DATASET."),
    port: int = typer.Option(0, min=0, max=65535, help="Of 127.0.0.1.  [default: a free one]"),
    review: bool = typer.Option(False, "--review", help="Accept, edit and reject by keys, as `review` does."),
    by: str | None = typer.Option(None, help="With --review: who decides.  [default: git's user name, or the login]"),
    root: Path | None = typer.Option(None, help="COCO folder: boxes over the pictures, and claims with evidence."),
    images: Path | None = typer.Option(None, help="Folder of pictures, where the dataset does not hold them."),
    no_open: bool = typer.Option(False, "--no-open", help="Do not start a browser."),
) -> None:
    """Search, filter and page through a version's samples in the browser; rejected ones too, with the reasons.

    \b
    Examples:
      instructgen view out/coco-sample
      instructgen view out/coco --root coco --images coco/val2017
      instructgen view out/coco@v1 out/coco@v2
      instructgen view out/coco --review --root coco

    The pages are served by this machine to itself. They load nothing from elsewhere; Ctrl-C ends them.
    """
    from instructgen.errors import InstructgenError
    from instructgen.jobs.review import Evidence
    from instructgen.viewer.index import require_packages

    require_packages()
    from instructgen.jobs.view import ViewOptions, open_view
    from instructgen.viewer.serve import ViewServer

    if by is not None and not review:
        raise InstructgenError("--by says who decides; give --review too")
    options = ViewOptions(dataset, other, Evidence(root, images), review, by)
    with open_view(options, lambda text: typer.echo(text, err=True)) as opened:
        server = ViewServer(opened.app, port, opened.token)
        typer.echo(f"open {server.address(opened.first_path)}\nonly this machine can; Ctrl-C ends it", err=True)
        _serve(server, opened.first_path, opens=not no_open and _has_screen())
    typer.echo("", err=True)


def _serve(server: "ViewServer", path: str, *, opens: bool) -> None:
    from instructgen.viewer.serve import door_file

    with ExitStack() as stack:
        if opens:
            webbrowser.open(stack.enter_context(door_file(server.address(path))).as_uri())
        try:
            server.serve()
        except KeyboardInterrupt:
            return


def _has_screen() -> bool:
    """Return whether a browser would open a window here, not in the terminal or on another machine."""
    if not sys.stderr.isatty() or os.environ.get("SSH_CONNECTION"):
        return False
    is_desktop = sys.platform in ("darwin", "win32")
    return is_desktop or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
