"""Parts in an object store that fails now and then: merge asks again, and publishes nothing but the whole."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from instructgen.config import BuildConfig, SourceConfig
from instructgen.dataset.versions import open_version
from instructgen.engine.partitions import QuietWatch
from instructgen.errors import InstructgenError
from instructgen.jobs.build import Build
from instructgen.jobs.datasets import copy_version
from instructgen.jobs.merge import merge_parts
from instructgen.jobs.parts import make_parts
from instructgen.sources.shares import Share
from tests.support.coco_folder import make_coco
from tests.support.s3 import serve_s3

NUM_PARTS = 2
Broken = Callable[[int, str, str], bool]
"""Of a request's number, method and path: whether it is refused."""


class Proxy(ThreadingHTTPServer):
    """Passes requests on to S3, but for those that it refuses as a store does that is too busy."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.broken: Broken = lambda _number, _method, _path: False
        self.num_requests = self.num_refused = 0
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.server.lock:
            self.server.num_requests += 1
            is_refused = self.server.broken(self.server.num_requests, self.command, self.path)
            self.server.num_refused += is_refused
        if is_refused:
            text = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
            self._answer(503, [("Content-Type", "application/xml")], text)
            return
        target = urlsplit(self.server.target)
        connection = http.client.HTTPConnection(target.hostname or "", target.port)
        connection.request(self.command, self.path, body or None, dict(self.headers.items()))
        found = connection.getresponse()
        content = found.read()
        kept = [(name, value) for name, value in found.getheaders() if name.lower() not in _HOP_BY_HOP]
        self._answer(found.status, kept, content, length=found.getheader("Content-Length"))
        connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, length: str | None = None) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815  names of the base class


_HOP_BY_HOP = ("transfer-encoding", "content-length", "connection", "date", "server")


@contextmanager
def failing_s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Proxy]]:
    """Give the address of a bucket, and what stands between it and who asks."""
    import os

    with serve_s3() as bucket:
        import s3fs

        proxy = Proxy(os.environ["AWS_ENDPOINT_URL"])
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.server_address[1]}")
        s3fs.S3FileSystem.clear_instance_cache()
        try:
            yield bucket, proxy
        finally:
            proxy.shutdown()
            proxy.server_close()


def make_part_stores(folder: Path, bucket: str) -> tuple[list[str], str]:
    """Build the parts and send them to the bucket; return their addresses, and the version of the whole."""
    config = BuildConfig(source=SourceConfig(root=str(make_coco(folder / "coco", 20))))
    watch = QuietWatch(lambda _: None)
    addresses = []
    for index in range(NUM_PARTS):
        out = folder / f"part-{index}"
        Build(make_parts(config, Share(index, NUM_PARTS)), out, watch).run()
        addresses.append(f"{bucket}/part-{index}")
        copy_version(open_version(f"{out}@part"), addresses[-1], ["part"])
    return addresses, Build(make_parts(config), folder / "whole", watch).run().manifest.version


def test_parts_in_a_store_that_refuses_now_and_then_merge_to_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with failing_s3(monkeypatch) as (bucket, proxy):
        addresses, version = make_part_stores(tmp_path, bucket)
        proxy.broken = lambda number, _method, _path: number % 3 == 0
        said: list[str] = []
        result = merge_parts(addresses, tmp_path / "all", say=said.append)
        assert proxy.num_refused > 3
        assert result.manifest.version == version
        assert result.answers.without == tuple(addresses)
        assert "came without their run/" in said[0]


def test_store_that_fails_for_good_is_told_and_nothing_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with failing_s3(monkeypatch) as (bucket, proxy):
        addresses, version = make_part_stores(tmp_path, bucket)
        monkeypatch.setattr("s3fs.S3FileSystem.retries", 2)
        proxy.broken = lambda _number, method, path: method == "GET" and "/objects/" in path
        with pytest.raises(InstructgenError, match="part-0"):
            merge_parts(addresses, tmp_path / "all")
        assert proxy.num_refused > 0
        assert not (tmp_path / "all" / "versions").exists()
        proxy.broken = lambda _number, _method, _path: False
        assert merge_parts(addresses, tmp_path / "all").manifest.version == version
