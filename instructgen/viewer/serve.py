"""Serves the pages on this machine's own address, until it is told to stop."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from instructgen.errors import InstructgenError
from instructgen.viewer.guard import TOKEN, App

if TYPE_CHECKING:
    pass

HOST = "127.0.0.1"
_MAX_HEADER_BYTES = 1 << 16
_WAITING = 64
_STOP_S = 3  # for answers that are under way when it is told to stop


class ViewServer:
    """Takes its port at once, so that the address is known before anything is answered."""

    def __init__(self, app: App, port: int, token: str) -> None:
        """Raises InstructgenError where the port is taken; 0 finds a free one."""
        import uvicorn

        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
            self._socket.listen(_WAITING)  # who is quicker than the server waits a moment
        except (OSError, OverflowError) as error:
            self._socket.close()
            raise InstructgenError(f"port {port} of {HOST} cannot be had: {error}; give another --port") from None
        self.port: int = self._socket.getsockname()[1]
        self.base = f"http://{HOST}:{self.port}"
        self._token = token
        config = uvicorn.Config(
            app,
            access_log=False,  # the first address holds the word that opens the pages
            log_level="warning",
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=_STOP_S,
            h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
            http="h11",
            ws="none",
        )
        self.server: uvicorn.Server = uvicorn.Server(config)

    def address(self, path: str = "/") -> str:
        """Return an address that opens the pages in a browser for the first time."""
        return f"{self.base}{path}{'&' if '?' in path else '?'}{TOKEN}={self._token}"

    def serve(self) -> None:
        """Return when Ctrl-C or `server.should_exit` says so."""
        self.server.run(sockets=[self._socket])


@contextmanager
def door_file(address: str) -> Iterator[Path]:
    """Write a page that leads to an address; what a browser is started with is seen by everybody on the machine."""
    with tempfile.TemporaryDirectory(prefix="instructgen-view-") as folder:
        path = Path(folder) / "open.html"
        target = escape(address, quote=True)
        path.write_text(
            '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
            f'<meta http-equiv="refresh" content="0;url={target}"><title>instructgen view</title>'
            f'<p><a href="{target}">instructgen view</a></p>',
            encoding="utf-8",
        )
        path.chmod(0o600)
        yield path
