"""Answers from a recorded run: the same requests, no network and no cost. For tests, CI and other people's runs."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from instructgen.attempts import AttemptError
from instructgen.errors import InstructgenError
from instructgen.ledger.reading import find_recorded, open_for_replay
from instructgen.limits.bounds import ServerLimits
from instructgen.records import NOTHING, Cost, Decoding, Message, Reply, Request, Unit
from instructgen.teachers.base import Server


class TeacherIdentity(msgspec.Struct, frozen=True):
    """What of a teacher is in its request ids; a run's ledger lists all that it asked under the key "teachers"."""

    name: str
    model: str
    decoding: Decoding


def add_identity(listed: str | None, identity: TeacherIdentity) -> str:
    """Return the list of identities (JSON, or None for none yet) with one more, if it is new."""
    known = msgspec.json.decode(listed, type=list[TeacherIdentity]) if listed else []
    return msgspec.json.encode(known if identity in known else [*known, identity]).decode()


def list_identities(folder: Path) -> tuple[TeacherIdentity, ...]:
    """Return every teacher that a run has asked. Raises InstructgenError where it has asked none."""
    connection = open_for_replay(folder)
    try:
        row = connection.execute("SELECT value FROM meta WHERE key = 'teachers'").fetchone()
    finally:
        connection.close()
    if row is None:
        raise InstructgenError(f"{folder} holds a run that never had a teacher; nothing can be replayed from it")
    return msgspec.json.decode(row[0], type=tuple[TeacherIdentity, ...])


def read_identity(folder: Path, model: str | None) -> TeacherIdentity:
    """Return the identity of the teacher that a run was recorded from; `model` chooses where there are several.

    Raises InstructgenError where the folder holds no run, the run has not asked anything yet, or the choice is open.
    """
    recorded = list_identities(folder)
    chosen = [identity for identity in recorded if model in (None, identity.model)]
    if len(chosen) == 1:
        return chosen[0]
    models = ", ".join(f"{identity.model} ({identity.decoding})" for identity in recorded)
    raise InstructgenError(f"{folder} was recorded from these models: {models}; --model chooses one of them")


class ReplayTeacher:
    """Gives the recorded replies, as its own only server."""

    is_remote = False
    is_replay = True
    weight = 1.0
    limits: ServerLimits | None = None
    has_price = True
    has_bound = True
    on_headers: Callable[[Mapping[str, str]], None] | None = None

    def __init__(
        self, folder: Path, identity: TeacherIdentity, write_messages: Callable[[Unit], tuple[Message, ...]]
    ) -> None:
        # The recorded teacher wrote the replies, so rows and manifest name it: the same dataset comes out.
        self.name = identity.name
        self.model = identity.model
        self.decoding = identity.decoding
        self.messages = write_messages
        self.servers: tuple[Server, ...] = (self,)
        self._connection = open_for_replay(folder)

    async def send(self, request: Request) -> Reply:
        """Return the recorded reply. Raises AttemptError ("not_recorded") where the run never asked this."""
        reply = find_recorded(self._connection, request.request_id)
        if reply is None:
            raise AttemptError("not_recorded", "the recorded run never asked this")
        return reply

    def most(self, request: Request) -> Cost:  # noqa: ARG002
        return NOTHING

    async def open(self) -> None:
        """Nothing is to be made ready."""

    async def close(self) -> None:
        self._connection.close()
