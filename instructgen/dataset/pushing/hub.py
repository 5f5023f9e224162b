"""A dataset repository on the Hugging Face Hub, through huggingface_hub, which is imported when this is used."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.secrets import read_secret, redact, register

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TOKEN_NAME = "HF_TOKEN"  # noqa: S105  the name of the variable
_KIND = "dataset"
_CLIENTS = ("huggingface_hub", "httpx", "httpx2", "httpcore", "requests", "hf_xet")  # whose errors are not ours


class RemoteFile(Struct, frozen=True):
    """`sha256` is "" for a file that the Hub keeps in git itself; then `git_oid` is of its content."""

    path: str
    git_oid: str
    sha256: str


class RemoteState(Struct, frozen=True):
    """`head` is None where the repository has no such branch; tags lead to commits."""

    head: str | None
    tags: dict[str, str]


class HubRepo:
    """One dataset repository. Every method raises InstructgenError for what the Hub or the network refuses."""

    def __init__(self, repo: str) -> None:
        """Raises InstructgenError where huggingface_hub is missing or the name is none."""
        owner, slash, name = repo.partition("/")
        if not (owner and slash and name) or "/" in name:
            raise InstructgenError(f"'{repo}' names no repository; give OWNER/NAME, as in my-group/coco-instructions")
        self.repo = repo
        self._api = _make_api()

    @property
    def url(self) -> str:
        return f"{self._api.endpoint}/datasets/{self.repo}"

    def read_state(self, branch: str) -> RemoteState | None:
        """Return where the branch and the tags stand, or None where there is no such repository."""
        from huggingface_hub.errors import RepositoryNotFoundError

        with self._told("read"):
            try:
                refs = self._api.list_repo_refs(self.repo, repo_type=_KIND)
            except RepositoryNotFoundError:
                return None
        heads = {ref.name: ref.target_commit for ref in refs.branches}
        return RemoteState(heads.get(branch), {ref.name: ref.target_commit for ref in refs.tags})

    def list_files(self, revision: str) -> dict[str, RemoteFile]:
        """Return the files of a commit by path."""
        from huggingface_hub.hf_api import RepoFile

        with self._told("read"):
            tree = list(self._api.list_repo_tree(self.repo, recursive=True, revision=revision, repo_type=_KIND))
        return {
            one.path: RemoteFile(one.path, one.blob_id, one.lfs.sha256 if one.lfs else "")
            for one in tree
            if isinstance(one, RepoFile)
        }

    def create(self, *, is_private: bool) -> None:
        with self._told("create"):
            # None leaves it to the owner's own default, which may be private too.
            self._api.create_repo(self.repo, repo_type=_KIND, private=is_private or None, exist_ok=True)

    def create_branch(self, branch: str) -> None:
        with self._told("branch"):
            self._api.create_branch(self.repo, branch=branch, repo_type=_KIND, exist_ok=True)

    def commit(
        self, branch: str, added: Mapping[str, Path], deleted: Sequence[str], message: str, head: str | None
    ) -> str:
        """Add and delete in one commit on top of `head`, and return its id; refused where the branch has moved on."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            CommitOperationDelete(path_in_repo=path) for path in deleted
        ]
        operations += [CommitOperationAdd(path_in_repo=path, path_or_fileobj=file) for path, file in added.items()]
        with self._told("write"):
            info = self._api.create_commit(
                self.repo,
                operations,
                commit_message=message,
                repo_type=_KIND,
                revision=branch,
                parent_commit=head,
            )
        return str(info.oid)

    def tag(self, name: str, commit: str, message: str) -> None:
        with self._told("tag"):
            self._api.create_tag(self.repo, tag=name, tag_message=message, revision=commit, repo_type=_KIND)

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        """Say of which repository an error of the client is; whatever else is raised is a bug."""
        try:
            yield
        except Exception as error:
            module = type(error).__module__.partition(".")[0]
            if module not in _CLIENTS and not isinstance(error, OSError | ValueError):
                raise
            said = " ".join(redact(str(error)).split())[:400]
            hint = f"; is the token in {TOKEN_NAME} one that may {doing} it?" if _is_refused(error) else ""
            raise InstructgenError(f"the Hub's dataset {self.repo}, to {doing}: {said}{hint}") from None


def find_token() -> str | None:
    """Return the token of the environment or the keyring, else the one that `hf auth login` has stored."""
    from huggingface_hub import get_token

    token = read_secret(TOKEN_NAME) or get_token()
    if token:
        register(token)
    return token


def _make_api() -> "HfApi":
    try:
        from huggingface_hub import HfApi
    except ImportError:
        raise InstructgenError(
            "huggingface_hub is not installed; the extra has it: pip install 'instructgen[hub]'"
        ) from None
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=find_token() or False, library_name="instructgen")


def _is_refused(error: Exception) -> bool:
    return getattr(getattr(error, "response", None), "status_code", None) in (401, 403)
