"""Where versions are kept: a folder, or any address that fsspec knows."""

import re
from pathlib import Path

from instructgen.dataset.stores.base import Store
from instructgen.dataset.stores.errors import BUCKET_PROTOCOLS, told_store
from instructgen.dataset.stores.local import LocalStore
from instructgen.errors import InstructgenError

_PACKAGES = {
    **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("abfs", "abfss", "az"), "adlfs"),
    **dict.fromkeys(("http", "https"), "aiohttp"),
    **dict.fromkeys(("sftp", "ssh"), "paramiko"),
    **dict.fromkeys(("github",), "requests"),
    **dict.fromkeys(("hf",), "huggingface_hub"),
    **dict.fromkeys(("smb",), "smbprotocol"),
}
_ONE_SLASH = re.compile(r"([a-z][a-z0-9]+):/(?!/)(.*)")  # two letters at least: C:/ is a disk


def open_store(address: str) -> Store:
    """Return the store at a path, or at an address like "s3://bucket/folder"; it need not exist yet.

    Raises InstructgenError for an address that is not whole, whose package is not installed, that cannot be reached,
    or that fsspec does not know.
    """
    if "://" not in address:
        if cut := _ONE_SLASH.fullmatch(address):
            raise InstructgenError(f"{address} is no address; did you mean {_mend(cut[1], cut[2])}?")
        return LocalStore(expand(address))
    if address.startswith("file://"):
        return LocalStore(Path(address.removeprefix("file://")))
    _check_whole(address)
    from instructgen.dataset.stores.remote import RemoteStore

    try:
        import fsspec

        with told_store(address):
            files, root = fsspec.core.url_to_fs(address.rstrip("/"))
    except ImportError as error:
        package = "fsspec" if error.name == "fsspec" else _PACKAGES.get(address.partition("://")[0])
        cure = f"pip install {package}" if package else str(error)
        raise InstructgenError(f"{address} needs a package that is not installed: {cure}") from None
    except (TypeError, ValueError) as error:
        raise InstructgenError(f"{address} is not an address that can be opened: {error}") from None
    return RemoteStore(files, root, address.rstrip("/"))


def expand(path: str) -> Path:
    """Return the path with a home folder for its ~, which a shell leaves as it is after `--out=`."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # nobody has this name, so it is a folder's
        return Path(path)


def _check_whole(address: str) -> None:
    """Refuse an address of nothing: fsspec would take what is left of it for a folder of this machine."""
    protocol, _, rest = address.partition("://")
    if not rest.strip("/") or (protocol in BUCKET_PROTOCOLS and rest.startswith("/")):
        what = "bucket" if protocol in BUCKET_PROTOCOLS else "place"
        raise InstructgenError(f"{address} names no {what}; an address is like {protocol}://{what}/folder")


def _mend(protocol: str, rest: str) -> str:
    return f"{protocol}:///{rest}" if protocol == "file" else f"{protocol}://{rest}"
