"""A small Hub on this machine: what huggingface_hub calls to read, create, fill and tag a dataset repository."""

import asyncio
import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web

TOKEN = "hf_notarealtokenbutlongenough"


@dataclass
class Repo:
    """Commits are whole trees: path -> content, and the sha256 of it where it came as a large file."""

    is_private: bool = False
    commits: dict[str, dict[str, tuple[bytes, str | None]]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def commit(self, branch: str, tree: dict[str, tuple[bytes, str | None]], message: str) -> str:
        oid = hashlib.sha1(f"{len(self.commits)} {message}".encode()).hexdigest()
        self.commits[oid] = tree
        self.branches[branch] = oid
        self.messages.append(message)
        return oid

    def tree(self, revision: str) -> dict[str, tuple[bytes, str | None]]:
        return self.commits[self.branches.get(revision) or self.tags.get(revision) or revision]


@dataclass
class HubServer:
    """`uploads` lists the large files that were sent, `refuses_commits` makes the next ones fail."""

    url: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)
    uploads: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    refuses_tags: bool = False
    moves_on: bool = False

    def files(self, repo: str, revision: str = "main") -> dict[str, bytes]:
        return {path: content for path, (content, _) in self.repos[repo].tree(revision).items()}

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 28)
        api = "/api/datasets/{owner}/{name}"
        app.router.add_get(api + "/refs", self._refs)
        app.router.add_get(api + "/tree/{revision}", self._tree)
        app.router.add_post("/api/repos/create", self._create)
        app.router.add_post("/api/validate-yaml", self._validate)
        app.router.add_post(api + "/preupload/{revision}", self._preupload)
        app.router.add_post("/datasets/{owner}/{name}.git/info/lfs/objects/batch", self._batch)
        app.router.add_put("/large/{oid}", self._put)
        app.router.add_post(api + "/commit/{revision}", self._commit)
        app.router.add_post(api + "/branch/{revision}", self._branch)
        app.router.add_post(api + "/tag/{revision}", self._tag)
        return app

    def _find(self, request: web.Request, *, writes: bool = False) -> Repo:
        self.calls.append(f"{request.method} {request.path}")
        if writes and request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise web.HTTPForbidden(text=json.dumps({"error": "this token may not write"}))
        found = self.repos.get(f"{request.match_info['owner']}/{request.match_info['name']}")
        if found is None:
            raise web.HTTPNotFound(headers={"X-Error-Code": "RepoNotFound"}, text="{}")
        return found

    async def _refs(self, request: web.Request) -> web.Response:
        repo = self._find(request)
        kinds = (("branches", "heads", repo.branches), ("tags", "tags", repo.tags))
        found: dict[str, Any] = {
            kind: [{"name": name, "ref": f"refs/{word}/{name}", "targetCommit": oid} for name, oid in refs.items()]
            for kind, word, refs in kinds
        }
        return web.json_response({**found, "converts": []})

    async def _tree(self, request: web.Request) -> web.Response:
        tree = self._find(request).tree(unquote(request.match_info["revision"]))
        listed: list[dict[str, Any]] = [{"type": "directory", "path": "data", "oid": "0" * 40}]
        for path, (content, sha256) in tree.items():
            one: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": _git_oid(content)}
            if sha256 is not None:
                one |= {"oid": "1" * 40, "lfs": {"oid": sha256, "size": len(content), "pointerSize": 134}}
            listed.append(one)
        return web.json_response(listed)

    async def _create(self, request: web.Request) -> web.Response:
        self.calls.append("POST /api/repos/create")
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise web.HTTPUnauthorized(text=json.dumps({"error": "Invalid username or password."}))
        asked = await request.json()
        assert asked["type"] == "dataset"
        is_private = asked.get("private", asked.get("visibility") == "private")
        repo = self.repos[f"{asked['organization']}/{asked['name']}"] = Repo(bool(is_private))
        repo.commit("main", {".gitattributes": (b"*.parquet filter=lfs\n", None)}, "initial commit")
        return web.json_response({"url": f"{self.url}/datasets/{asked['organization']}/{asked['name']}"})

    async def _validate(self, request: web.Request) -> web.Response:
        import yaml

        text = (await request.json())["content"]
        yaml.safe_load(text.split("---\n")[1])
        return web.json_response({"errors": [], "warnings": []})

    async def _preupload(self, request: web.Request) -> web.Response:
        self._find(request, writes=True)
        files = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(".parquet") else "regular",
                "shouldIgnore": False,
            }
            for file in (await request.json())["files"]
        ]
        return web.json_response({"files": files})

    async def _batch(self, request: web.Request) -> web.Response:
        self._find(request, writes=True)
        objects = []
        for one in (await request.json())["objects"]:
            action = {"actions": {"upload": {"href": f"{self.url}/large/{one['oid']}"}}}
            objects.append({**one, **({} if one["oid"] in self.large else action)})
        return web.json_response({"transfer": "basic", "objects": objects})

    async def _put(self, request: web.Request) -> web.Response:
        content = await request.read()
        oid = request.match_info["oid"]
        assert hashlib.sha256(content).hexdigest() == oid
        self.large[oid] = content
        self.uploads.append(oid)
        return web.Response()

    async def _commit(self, request: web.Request) -> web.Response:
        repo = self._find(request, writes=True)
        branch = unquote(request.match_info["revision"])
        lines = [json.loads(line) for line in (await request.text()).splitlines()]
        header = lines[0]["value"]
        if self.moves_on:
            repo.commit(branch, dict(repo.tree(branch)), "somebody else")
        if header.get("parentCommit") != repo.branches[branch]:
            raise web.HTTPPreconditionFailed(text=json.dumps({"error": "A commit has happened since."}))
        tree = dict(repo.tree(branch))
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                tree[value["path"]] = (base64.b64decode(value["content"]), None)
            elif line["key"] == "lfsFile":
                tree[value["path"]] = (self.large[value["oid"]], value["oid"])
            else:
                assert line["key"] == "deletedFile"
                del tree[value["path"]]
        oid = repo.commit(branch, tree, header["summary"])
        name = f"{request.match_info['owner']}/{request.match_info['name']}"
        return web.json_response({"commitUrl": f"{self.url}/datasets/{name}/commit/{oid}", "commitOid": oid})

    async def _branch(self, request: web.Request) -> web.Response:
        repo = self._find(request, writes=True)
        repo.branches[unquote(request.match_info["revision"])] = repo.branches["main"]
        return web.json_response({})

    async def _tag(self, request: web.Request) -> web.Response:
        repo = self._find(request, writes=True)
        if self.refuses_tags:
            raise web.HTTPBadRequest(text=json.dumps({"error": "no tags today"}))
        asked = await request.json()
        assert asked["tag"] not in repo.tags
        repo.tags[asked["tag"]] = unquote(request.match_info["revision"])
        return web.json_response({})


def _git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def running_hub() -> Iterator[HubServer]:
    """Serve on a free port of the loopback, in a thread with a loop of its own."""
    server = HubServer()
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(server.app())

    async def start() -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, name="hub", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
