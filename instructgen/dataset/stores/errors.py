"""What goes wrong between this machine and a store, told as a user's mistake with its cure."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from instructgen.dataset.stores.base import Store

BUCKET_PROTOCOLS = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az")
_WEB_PROTOCOLS = ("http", "https")
# Packages whose errors come of an address, of credentials or of the network, but are no OSError. They are known by
# the module of their type: most of them are not installed, and none is imported for this.
_PACKAGES = frozenset(
    {
        *("adlfs", "aiobotocore", "aiohttp", "azure", "boto3", "botocore", "ftplib", "gcsfs", "google", "http"),
        *("huggingface_hub", "httpx", "paramiko", "requests", "s3fs", "smbprotocol", "urllib3"),
    }
)
_MAX_CHARS = 300  # of another package's error; some quote whole answers


@contextmanager
def told_store(*addresses: str) -> Iterator[None]:
    """Tell an error of reading, writing or reaching these stores as InstructgenError; a bug's error passes.

    Print nothing within: a closed pipe of the terminal would be taken for the store's.
    """
    try:
        yield
    except Exception as error:
        if not is_stores(error):
            raise
        raise InstructgenError(describe_error(error, addresses)) from None


def is_stores(error: Exception) -> bool:
    """Return whether an error comes from a disk, a network or a package that speaks with a store."""
    packages = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return isinstance(error, OSError) or not packages.isdisjoint(_PACKAGES)


def describe_error(error: Exception, addresses: tuple[str, ...]) -> str:
    is_remote = any("://" in address and not address.startswith("file://") for address in addresses)
    text = " ".join(str(error).split())[:_MAX_CHARS] or type(error).__name__
    where = " or ".join(dict.fromkeys(addresses))
    if is_remote:
        return (
            f"{where} cannot be reached, read or written: {text}; check the address, its credentials and the network"
        )
    return f"{where} cannot be read or written: {text}; check the path, its permissions and the space on the disk"


def check_there(store: "Store") -> None:
    """Raise InstructgenError where a store seems empty only because its bucket or server is not there.

    fsspec lists nothing in both. A store that is to be written may be a new folder of a bucket that is there.
    """
    from instructgen.dataset.stores.remote import RemoteStore

    if not isinstance(store, RemoteStore):
        return
    protocol = store.address.partition("://")[0]
    with told_store(store.address):
        if protocol in BUCKET_PROTOCOLS:
            bucket = store.root.strip("/").partition("/")[0]
            if not store.files.exists(bucket):
                raise InstructgenError(
                    f"{store.address}: there is no bucket '{bucket}', or these credentials may not see it; check both"
                )
        elif protocol in _WEB_PROTOCOLS:
            try:
                store.files.ls(store.root, detail=False)
            except FileNotFoundError:
                raise InstructgenError(f"{store.address}: the server has no such folder; check the address") from None
