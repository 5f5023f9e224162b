"""Which errors are told as a user's mistake, and in which words."""

import ftplib
import socket
import sys
from pathlib import Path

import pytest

from instructgen.dataset.stores import open_store
from instructgen.dataset.stores.errors import told_store
from instructgen.dataset.versions import find_name, list_lines
from instructgen.errors import InstructgenError


@pytest.fixture
def closed_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(13, "Permission denied", "x/tags/v1"),
        NotADirectoryError(20, "Not a directory", "x"),
        TimeoutError(),
        ConnectionRefusedError("refused"),
        ftplib.error_perm("530 Login incorrect"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_error_of_a_disk_or_a_network_is_told_with_where_and_cure(error: Exception) -> None:
    wanted = r"^s3://b/x cannot be reached.*check the address"
    with pytest.raises(InstructgenError, match=wanted) as caught, told_store("s3://b/x"):
        raise error
    assert (str(error) or "TimeoutError") in str(caught.value)


def test_path_of_this_machine_has_another_cure() -> None:
    wanted = r"^a or b cannot be read or written: .*check the path, its permissions"
    with pytest.raises(InstructgenError, match=wanted), told_store("a", "b", "a"):
        raise PermissionError(13, "Permission denied", "a/x")


def test_errors_of_aws_are_known_by_their_package() -> None:
    exceptions = pytest.importorskip("botocore.exceptions", reason="botocore comes with s3fs")
    with pytest.raises(InstructgenError, match="Unable to locate credentials"), told_store("s3://b/x"):
        raise exceptions.NoCredentialsError
    with pytest.raises(InstructgenError, match="one line of it"), told_store("s3://b/x"):
        raise exceptions.ParamValidationError(report="one line\nof it")


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), AssertionError()], ids=repr)
def test_bug_stays_a_bug(error: Exception) -> None:
    with pytest.raises(type(error)), told_store("out"):
        raise error


def test_mistake_that_is_told_already_passes_as_it_is() -> None:
    with pytest.raises(InstructgenError, match=r"^as it is$"), told_store("out"):
        raise InstructgenError("as it is")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("s3:/bucket/x", r"did you mean s3://bucket/x\?"),
        ("file:/data", r"did you mean file:///data\?"),
        ("s3://", "s3:// names no bucket; an address is like s3://bucket/folder"),
        ("s3:///x", "names no bucket"),
        ("memory://", "names no place"),
        ("nosuch://x/y", "nosuch"),
    ],
)
def test_address_that_is_not_whole_is_refused(address: str, message: str) -> None:
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    with pytest.raises(InstructgenError, match=message):
        open_store(address)


def test_disk_with_a_letter_is_no_address() -> None:
    assert open_store("C:/data").address == "C:/data"


def test_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    monkeypatch.setitem(sys.modules, "paramiko", None)
    with pytest.raises(InstructgenError, match="pip install paramiko"):
        open_store("sftp://user@127.0.0.1/data")


def test_repository_without_an_owner_is_no_address() -> None:
    pytest.importorskip("requests", reason="fsspec reads GitHub through requests")
    with pytest.raises(InstructgenError, match="github://x/y is not an address"):
        open_store("github://x/y")


def test_server_that_does_not_answer_is_told_when_the_store_is_opened(closed_port: int) -> None:
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    with pytest.raises(InstructgenError, match=f"^ftp://127.0.0.1:{closed_port}/x cannot be reached"):
        open_store(f"ftp://127.0.0.1:{closed_port}/x")


def test_web_server_that_does_not_answer_is_no_empty_store(closed_port: int) -> None:
    pytest.importorskip("aiohttp", reason="fsspec reads http through aiohttp")
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    store = open_store(f"http://127.0.0.1:{closed_port}/x")
    with pytest.raises(InstructgenError, match="cannot be reached, read or written"):
        list_lines(store)
    with pytest.raises(InstructgenError, match="cannot be reached, read or written"):
        find_name(store, "latest")


def test_file_in_the_place_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = open_store(str(tmp_path / "file" / "below"))
    wanted = r"cannot be read or written: .*Not a directory"
    with pytest.raises(InstructgenError, match=wanted), told_store(store.address):
        store.move_tag("v1", None, None)
