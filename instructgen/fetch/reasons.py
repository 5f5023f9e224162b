"""The fixed words for why a picture is not there, and what each means."""

from typing import Literal

from msgspec import Struct

# "gone": asking again is no use, as far as anyone knows; "failed": it may help; "rejected": the row itself is wrong.
Status = Literal["there", "gone", "failed", "rejected"]

GONE = {
    "gone_404": "the server has no such picture",
    "gone_410": "the server says that it was taken away",
    "refused_401": "the server wants a password",
    "refused_403": "the server does not give it to us",
    "refused_451": "the server must not give it, by law",
    "refused_4xx": "the server refuses the request for another reason (http_status has it)",
    "html_page": "a web page came instead of a picture",
    "not_an_image": "what came is no JPEG, PNG, WebP, GIF, BMP or TIFF",
    "empty": "nothing came",
    "truncated_picture": "the server's own file ends too early",
    "undecodable": "its pixels cannot be decoded",
    "too_large": "more bytes than allowed, packed or unpacked",
    "too_many_pixels": "more pixels than allowed",
    "checksum_differs": "it is not the picture that the table means",
    "opted_out": "its server forbids this use in X-Robots-Tag",
    "private_address": "its address is not one of the public Internet",
    "bad_redirect": "the server points to what is no http or https address",
    "too_many_redirects": "the server points on and on",
    "bad_encoding": "packed in a way that cannot be unpacked",
}
FAILED = {
    "timeout": "no answer in time",
    "dns": "the server's name was not found",
    "connection": "no connection, or a broken one",
    "tls": "the server could not prove who it is",
    "truncated": "the connection ended before the picture did",
    "server_error": "the server had an error (5xx)",
    "rate_limited": "the server asked for patience, longer than was allowed",
    "bad_response": "what came is not HTTP, or contradicts itself",
    "host_down": "not asked: its server had failed many times in a row",
}
REJECTED = {
    "no_url": "the row has no address",
    "bad_url": "its address is none",
    "bad_scheme": "its address is neither http nor https",
    "bad_id": "its id or file name cannot name a file",
    "id_taken": "another row with another address has the same id",
    "bad_checksum": "its sha256 or md5 is none",
    "bad_row": "the row cannot be read",
}
MEANINGS = {**GONE, **FAILED, **REJECTED}
# What is worth another try within the run.
TRANSIENT = frozenset({"timeout", "dns", "connection", "truncated", "server_error", "rate_limited", "bad_response"})
# What tells of the server rather than of the one picture.
UNREACHABLE = frozenset({"timeout", "dns", "connection", "tls"})


def status_of(reason: str) -> Status:
    """Return the status that a reason means; "" means that the picture is there."""
    if not reason:
        return "there"
    if reason in GONE:
        return "gone"
    return "failed" if reason in FAILED else "rejected"


class Missed(Struct, frozen=True):
    """Why a picture did not come. `http_status` is 0 where no answer came."""

    reason: str
    detail: str = ""
    http_status: int = 0
    retry_after_s: float | None = None
