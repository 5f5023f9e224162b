"""What a ledger's events mean: replies, marks and failures, and the running totals of what was spent."""

import struct
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from instructgen.ledger.journal import ADOPTED, BOUGHT, FAILED, HEAD, META, SENT, SWEPT, UNSENT, Event
from instructgen.records import NOTHING, Cost, Failed, Reply

FORMAT = "2"
KEY_BYTES = 32
_SENT = struct.Struct("<32sdqq")  # request id, time, the most that it may cost: nano-dollars, tokens
# request id, time, what lost attempts may have cost (nano-dollars, tokens), prompt and completion tokens,
# nano-dollars or -1 where no price is known; then the reply's own blob.
_REPLY = struct.Struct("<32sdqqqqq")
_FAILED = struct.Struct("<32sdqq")  # as the first four of a reply; then the failure's own blob
_CRC = struct.Struct("<I")

_encode = msgspec.json.Encoder().encode
_decode_reply = msgspec.json.Decoder(Reply).decode
_decode_failure = msgspec.json.Decoder(Failed).decode


class DamagedBlobError(Exception):
    """A stored reply or failure whose bytes are not what was written."""


class Spent(msgspec.Struct, frozen=True):
    """What a run directory has cost so far. `nano_usd` counts replies with a known price alone."""

    num_replies: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    nano_usd: int = 0
    num_unpriced: int = 0
    maybe: Cost = NOTHING
    """Attempts whose answer never came and that may be billed all the same."""
    in_doubt: Cost = NOTHING
    """The most that requests under way may still cost."""
    num_in_doubt: int = 0


class Totals(msgspec.Struct):
    """Running totals of what was bought and of what lost attempts may have cost; they only ever grow."""

    num_replies: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    nano_usd: int = 0
    num_unpriced: int = 0
    maybe_nano_usd: int = 0
    maybe_tokens: int = 0

    def at_least(self, other: "Totals") -> "Totals":
        """Return the larger of each: of two damaged copies neither may hide what was spent."""
        return Totals(*map(max, msgspec.structs.astuple(self), msgspec.structs.astuple(other)))


class Head(msgspec.Struct):
    """The first event of a journal: the totals on which the following events build."""

    format: str
    journal_id: str
    totals: Totals


@dataclass(slots=True)
class Effect:
    """What events change in the stored tables; None removes.

    `is_reset` empties the tables of marks and failures first; replies and meta only ever come. A mark that came and
    went again leaves no trace; `opened` has those that came.
    """

    replies: dict[bytes, tuple[bytes, float]] = field(default_factory=dict)
    marks: dict[bytes, tuple[int, int, float] | None] = field(default_factory=dict)
    opened: set[bytes] = field(default_factory=set)
    failures: dict[bytes, tuple[bytes, float] | None] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    dropped: list[bytes] = field(default_factory=list)  # replies that gc takes out
    is_reset: bool = False


@dataclass(slots=True)
class Books:
    """Totals and open marks. There are as many marks as requests in flight, and those of killed runs."""

    totals: Totals = field(default_factory=Totals)
    marks: dict[bytes, tuple[int, int, float]] = field(default_factory=dict)
    in_doubt_nano_usd: int = 0
    in_doubt_tokens: int = 0
    journal_id: str = ""

    def spent(self) -> Spent:
        totals = self.totals
        return Spent(
            num_replies=totals.num_replies,
            prompt_tokens=totals.prompt_tokens,
            completion_tokens=totals.completion_tokens,
            nano_usd=totals.nano_usd,
            num_unpriced=totals.num_unpriced,
            maybe=Cost(totals.maybe_nano_usd, totals.maybe_tokens),
            in_doubt=Cost(self.in_doubt_nano_usd, self.in_doubt_tokens),
            num_in_doubt=len(self.marks),
        )

    def load_marks(self, rows: Iterable[tuple[bytes, int, int, float]]) -> None:
        """Take the open marks as they are stored."""
        for key, nano_usd, tokens, sent_at in rows:
            self.marks[key] = (nano_usd, tokens, sent_at)
            self.in_doubt_nano_usd += nano_usd
            self.in_doubt_tokens += tokens

    def apply(self, events: Iterable[Event], effect: Effect | None = None) -> Effect:
        """Count the events and return what they change, after and with what `effect` does."""
        effect = Effect() if effect is None else effect
        for kind, payload in events:
            if kind == SENT:
                self._mark(effect, payload)
            elif kind in (BOUGHT, ADOPTED):
                self._keep(effect, payload, is_bought=kind == BOUGHT)
            elif kind == FAILED:
                self._fail(effect, payload)
            elif kind == UNSENT:
                self._give_up(effect, payload)
            elif kind == META:
                key, value = read_meta(payload)
                effect.meta[key] = value
            elif kind == SWEPT:
                self._sweep(effect)
            elif kind == HEAD:
                effect = self._begin(effect, payload)
        return effect

    def _begin(self, effect: Effect, payload: bytes) -> Effect:
        head = read_head(payload)
        self.totals, self.journal_id = head.totals, head.journal_id
        self.marks.clear()
        self.in_doubt_nano_usd = self.in_doubt_tokens = 0
        return Effect(replies=effect.replies, meta=effect.meta, is_reset=True)

    def _mark(self, effect: Effect, payload: bytes) -> None:
        key, sent_at, nano_usd, tokens = _SENT.unpack(payload)
        before = self.marks.get(key)
        if before is None:
            before = (0, 0, 0.0)
            if key not in effect.marks:
                effect.opened.add(key)
        self.marks[key] = effect.marks[key] = (before[0] + nano_usd, before[1] + tokens, sent_at)
        self.in_doubt_nano_usd += nano_usd
        self.in_doubt_tokens += tokens

    def _unmark(self, effect: Effect, key: bytes) -> None:
        mark = self.marks.pop(key, None)
        if mark is not None:
            if key in effect.opened:
                effect.opened.remove(key)
                del effect.marks[key]
            else:
                effect.marks[key] = None
            self.in_doubt_nano_usd -= mark[0]
            self.in_doubt_tokens -= mark[1]

    def _keep(self, effect: Effect, payload: bytes, *, is_bought: bool) -> None:
        key, stored_at, maybe_nano_usd, maybe_tokens, prompt, completion, nano_usd = _REPLY.unpack_from(payload)
        self._unmark(effect, key)
        effect.replies.setdefault(key, (payload[_REPLY.size :], stored_at))
        effect.failures[key] = None
        if not is_bought:
            return
        totals = self.totals
        totals.num_replies += 1
        totals.prompt_tokens += prompt
        totals.completion_tokens += completion
        totals.nano_usd += max(nano_usd, 0)
        totals.num_unpriced += nano_usd < 0
        totals.maybe_nano_usd += maybe_nano_usd
        totals.maybe_tokens += maybe_tokens

    def _fail(self, effect: Effect, payload: bytes) -> None:
        key, failed_at, maybe_nano_usd, maybe_tokens = _FAILED.unpack_from(payload)
        self._unmark(effect, key)
        effect.failures[key] = (payload[_FAILED.size :], failed_at)
        self.totals.maybe_nano_usd += maybe_nano_usd
        self.totals.maybe_tokens += maybe_tokens

    def _give_up(self, effect: Effect, payload: bytes) -> None:
        key, _, maybe_nano_usd, maybe_tokens = _FAILED.unpack(payload)
        self._unmark(effect, key)
        self.totals.maybe_nano_usd += maybe_nano_usd
        self.totals.maybe_tokens += maybe_tokens

    def _sweep(self, effect: Effect) -> None:
        self.totals.maybe_nano_usd += self.in_doubt_nano_usd
        self.totals.maybe_tokens += self.in_doubt_tokens
        self.in_doubt_nano_usd = self.in_doubt_tokens = 0
        for key, (_, _, sent_at) in self.marks.items():
            self.marks[key] = effect.marks[key] = (0, 0, sent_at)


def to_key(request_id: str) -> bytes:
    """Return the 32 bytes of a request id. Raises ValueError for what is no sha256 in hexadecimal digits."""
    try:
        key = bytes.fromhex(request_id)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a request id is 64 hexadecimal digits, not {request_id!r}")
    return key


def make_sent(request_id: str, most: Cost) -> Event:
    return Event(SENT, _SENT.pack(to_key(request_id), time.time(), most.nano_usd, most.tokens))


def make_mark(key: bytes, mark: tuple[int, int, float]) -> Event:
    """Return the event that restates an open mark."""
    return Event(SENT, _SENT.pack(key, mark[2], mark[0], mark[1]))


def read_head(payload: bytes) -> Head:
    return msgspec.json.decode(payload, type=Head)


def make_bought(reply: Reply, maybe: Cost = NOTHING, stored_at: float | None = None) -> Event:
    at = time.time() if stored_at is None else stored_at
    nano_usd = -1 if reply.cost_usd is None else max(round(reply.cost_usd * 1e9), 0)
    key = to_key(reply.request_id)
    fixed = _REPLY.pack(key, at, maybe.nano_usd, maybe.tokens, reply.prompt_tokens, reply.completion_tokens, nano_usd)
    return Event(BOUGHT, fixed + encode_blob(key, reply))


def make_adopted(reply: Reply, stored_at: float | None = None) -> Event:
    key = to_key(reply.request_id)
    return restate_reply(key, encode_blob(key, reply), time.time() if stored_at is None else stored_at)


def restate_reply(key: bytes, blob: bytes, stored_at: float) -> Event:
    """Return the event that gives a stored reply again, without buying it again."""
    return Event(ADOPTED, _REPLY.pack(key, stored_at, 0, 0, 0, 0, 0) + blob)


def make_failed(request_id: str, failure: Failed, maybe: Cost = NOTHING) -> Event:
    key = to_key(request_id)
    return Event(FAILED, _FAILED.pack(key, time.time(), maybe.nano_usd, maybe.tokens) + encode_blob(key, failure))


def make_unsent(request_id: str, maybe: Cost) -> Event:
    return Event(UNSENT, _FAILED.pack(to_key(request_id), time.time(), maybe.nano_usd, maybe.tokens))


def restate_failure(key: bytes, blob: bytes, failed_at: float) -> Event:
    return Event(FAILED, _FAILED.pack(key, failed_at, 0, 0) + blob)


def make_meta(key: str, value: str) -> Event:
    return Event(META, _encode((key, value)))


def read_meta(payload: bytes) -> tuple[str, str]:
    return msgspec.json.decode(payload, type=tuple[str, str])


def make_head(journal_id: str, totals: Totals) -> Event:
    return Event(HEAD, _encode(Head(FORMAT, journal_id, totals)))


def split_reply(event: Event) -> tuple[bytes, bytes, float]:
    """Return request id, blob and time of a BOUGHT or ADOPTED event."""
    key, stored_at, *_ = _REPLY.unpack_from(event.payload)
    return key, event.payload[_REPLY.size :], stored_at


def encode_blob(key: bytes, value: Reply | Failed) -> bytes:
    """Return the value's JSON behind a crc32 of it and of the request that it belongs to."""
    text = _encode(value)
    return _CRC.pack(zlib.crc32(text, zlib.crc32(key))) + text


def is_whole_blob(key: bytes, blob: bytes) -> bool:
    return len(blob) > _CRC.size and zlib.crc32(memoryview(blob)[4:], zlib.crc32(key)) == _CRC.unpack_from(blob)[0]


def read_reply(key: bytes, blob: bytes) -> Reply:
    """Return a stored reply, of format 1 (bare JSON) too. Raises DamagedBlobError."""
    try:
        if is_whole_blob(key, blob):
            return _decode_reply(memoryview(blob)[_CRC.size :])
        reply = _decode_reply(blob)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedBlobError(str(error)) from None
    if reply.request_id != key.hex():
        raise DamagedBlobError("it answers another request")
    return reply


def read_failure(key: bytes, blob: bytes) -> Failed:
    """Return a stored failure, of format 1 too. Raises DamagedBlobError."""
    try:
        return _decode_failure(memoryview(blob)[_CRC.size :] if is_whole_blob(key, blob) else blob)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedBlobError(str(error)) from None
