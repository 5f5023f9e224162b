"""Where versions are kept: a folder, or any address that fsspec knows."""

from pathlib import Path

from instructgen.dataset.stores.base import Store
from instructgen.dataset.stores.local import LocalStore
from instructgen.errors import InstructgenError

_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "az": "adlfs"}


def open_store(address: str) -> Store:
    """Return the store at a path, or at an address like "s3://bucket/folder"; it need not exist yet.

    Raises InstructgenError for an address whose package is not installed, or that fsspec does not know.
    """
    if "://" not in address:
        return LocalStore(Path(address))
    if address.startswith("file://"):
        return LocalStore(Path(address.removeprefix("file://")))
    protocol = address.partition("://")[0]
    package = _PACKAGES.get(protocol, "fsspec")
    try:
        import fsspec

        files, root = fsspec.core.url_to_fs(address.rstrip("/"))
    except ImportError:
        raise InstructgenError(f"{address} needs the package {package}: pip install {package}") from None
    except ValueError as error:
        raise InstructgenError(f"{address}: {error}") from None
    from instructgen.dataset.stores.remote import RemoteStore

    return RemoteStore(files, root, address.rstrip("/"))
