"""Answers from a recorded run: the same requests, no network and no cost. For tests, CI and other people's runs."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from instructgen.errors import InstructgenError
from instructgen.generate.ledger import open_for_replay
from instructgen.records import Decoding, Failed, Message, Reply, Request, Unit


class TeacherIdentity(msgspec.Struct, frozen=True):
    """What of a teacher is in its request ids; stored in a run's ledger under the key "teacher"."""

    name: str
    model: str
    decoding: Decoding


def read_identity(folder: Path) -> TeacherIdentity:
    """Return the identity of the teacher that a run was recorded from.

    Raises InstructgenError where the folder holds no run or the run has not asked anything yet.
    """
    connection = open_for_replay(folder)
    try:
        row = connection.execute("SELECT value FROM meta WHERE key = 'teacher'").fetchone()
    finally:
        connection.close()
    if row is None:
        raise InstructgenError(f"{folder} holds a run that never had a teacher; nothing can be replayed from it")
    return msgspec.json.decode(row[0], type=TeacherIdentity)


class ReplayTeacher:
    """Gives the recorded replies. A request that was not recorded fails with the reason `not_recorded`."""

    is_remote = False

    def __init__(self, folder: Path, write_messages: Callable[[Unit], tuple[Message, ...]]) -> None:
        identity = read_identity(folder)
        # The recorded teacher wrote the replies, so rows and manifest name it: the same dataset comes out.
        self.name = identity.name
        self.model = identity.model
        self.decoding = identity.decoding
        self.messages = write_messages
        self._connection = open_for_replay(folder)

    async def answer(self, request: Request) -> Reply | Failed:
        row = self._connection.execute(
            "SELECT reply FROM replies WHERE request_id = ?", (bytes.fromhex(request.request_id),)
        ).fetchone()
        if row is None:
            return Failed(request.request_id, "teacher", "not_recorded", "the recorded run never asked this")
        return msgspec.json.decode(row[0], type=Reply)

    async def close(self) -> None:
        self._connection.close()
