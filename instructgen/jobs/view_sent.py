"""What was asked for a sample, word for word: made again from the run's settings, and proved by the request's id."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
from msgspec.structs import replace

from instructgen.config import BuildConfig, TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.jobs.course import Ended
from instructgen.jobs.parts import BuildParts, make_parts
from instructgen.jobs.plan import Planner
from instructgen.ledger.reading import find_recorded, open_for_replay
from instructgen.prompting.requests import make_request_id
from instructgen.records import ImageRecord, Reply, Request, Unit
from instructgen.resources import RUN_NAME
from instructgen.sample_types import PAIRED_TYPES, SHOT_TYPES
from instructgen.teachers import choose_teacher
from instructgen.teachers.replay import TeacherIdentity, list_identities
from instructgen.viewer.sent import Sent, SentRequest

_FREE = ("scene-program", "captions")


class _RunSettings(msgspec.Struct, frozen=True):
    settings: BuildConfig


class _OneImage:
    """A source of a single image, for the planner."""

    def __init__(self, record: ImageRecord, parts: BuildParts) -> None:
        self._record = record
        self._source = parts.source
        self.name, self.title, self.split = parts.source.name, parts.source.title, parts.source.split
        self.num_images: int | None = 1

    def records(self) -> Iterator[ImageRecord]:
        yield self._record

    def image_bytes(self, record: ImageRecord) -> bytes | None:
        return self._source.image_bytes(record)


@dataclass
class SentFinder:
    """`version` is a version's folder in a dataset's; the run is looked for beside it."""

    version: Path | None
    find_record: Callable[[str], ImageRecord | None]

    def find(self, image_id: str, sample_type: str, request_ids: Sequence[str]) -> Sent:
        """Return the sample's requests, as far as they can be known, and say what is missing."""
        if self._run is None:
            return Sent(why="No run folder lies beside the version, so neither prompts nor replies are at hand.")
        try:
            requests = self._walk(image_id, sample_type, request_ids)
        except InstructgenError as error:
            return Sent(self._replies_alone(request_ids), f"The prompts cannot be made again: {error}.")
        known = {request.request_id for request in requests}
        others = self._replies_alone([one for one in request_ids if one not in known])
        if not requests:
            return Sent(others, self._say_why(sample_type))
        return Sent((*requests, *others) if any(one.is_exact for one in requests) else (*others, *requests))

    @cached_property
    def _run(self) -> Path | None:
        if self.version is None or self.version.resolve().parent.name != "versions":
            return None
        run = self.version.resolve().parent.parent / "run"
        return run if run.is_dir() else None

    @cached_property
    def _parts(self) -> BuildParts:
        """The build's parts, its paid teachers replaced by what they answered: nothing is ever asked."""
        assert self._run is not None
        path = self._run / RUN_NAME
        try:
            config = msgspec.json.decode(path.read_bytes(), type=_RunSettings).settings
        except (OSError, msgspec.MsgspecError) as error:
            raise InstructgenError(f"{path.name} cannot be read ({error})") from None
        run = self._run
        refiner, judge = config.refine.teacher, config.judge.teacher
        return make_parts(
            replace(
                config,
                teacher=_replayed(config.teacher, run),
                refine=replace(config.refine, teacher=None if refiner is None else _replayed(refiner, run)),
                judge=replace(config.judge, teacher=None if judge is None else _replayed(judge, run)),
            )
        )

    def _walk(self, image_id: str, sample_type: str, request_ids: Sequence[str]) -> list[SentRequest]:
        """Go the unit's course from answer to answer; each step tells the request that it wants."""
        record = self.find_record(image_id)
        if record is None or sample_type in (*PAIRED_TYPES, *SHOT_TYPES):
            return []
        parts = self._parts
        unit = _plan(record, parts, sample_type)
        if unit is None:
            return []
        answers: dict[str, Reply] = {}
        found: list[SentRequest] = []
        while not isinstance(wanted := parts.course.walk(unit, answers.get), Ended):
            asked = wanted.asked
            request_id = self._settle_id(asked.request, request_ids)
            reply = self._find_reply(request_id)
            is_exact = request_id in request_ids
            found.append(SentRequest(request_id, asked.step, asked.request.messages, is_exact, reply))
            if reply is None:
                break
            answers[asked.request.request_id] = reply
        return found

    def _settle_id(self, request: Request, request_ids: Sequence[str]) -> str:
        """Return which of the sample's requests this is, as any model that the run asked would have been sent it.

        Of the instructgen of now the free teachers may have another name.
        """
        if request.request_id in request_ids:
            return request.request_id
        ids = (make_request_id(request.messages, one.model, one.decoding) for one in self._identities)
        return next((one for one in ids if one in request_ids), request.request_id)

    @cached_property
    def _identities(self) -> tuple[TeacherIdentity, ...]:
        assert self._run is not None
        try:
            return list_identities(self._run)
        except InstructgenError:
            return ()

    def _replies_alone(self, request_ids: Sequence[str]) -> tuple[SentRequest, ...]:
        found = ((request_id, self._find_reply(request_id)) for request_id in request_ids)
        return tuple(SentRequest(name, "reply", (), is_exact=False, reply=reply) for name, reply in found if reply)

    def _find_reply(self, request_id: str) -> Reply | None:
        assert self._run is not None
        try:
            with closing(open_for_replay(self._run)) as connection:
                return find_recorded(connection, request_id)
        except (InstructgenError, ValueError):  # no ledger, a damaged one, or an id that is none of ours
            return None

    def _say_why(self, sample_type: str) -> str:
        if sample_type in (*PAIRED_TYPES, *SHOT_TYPES):
            return "Prompts of several images are not made again."
        return "Prompts are made again from the image's captions and boxes: give --root FOLDER of the annotations."


def _plan(record: ImageRecord, parts: BuildParts, sample_type: str) -> Unit | None:
    planner = parts.planner
    one = Planner(
        _OneImage(record, parts),
        planner.surrogate,
        planner.types,
        planner.max_image_pixels if planner.shows else None,
        embeds=False,
        shows=planner.shows,
    )
    (image,) = one.images()
    unit = dict(image.units).get(sample_type)
    return unit if isinstance(unit, Unit) else None


def _replayed(config: TeacherConfig, run: Path) -> TeacherConfig:
    """Return the teacher as one that answers from the run; a free one is as it was, and asks nobody."""
    fallback = None if config.fallback is None else _replayed(config.fallback, run)
    if choose_teacher(config) in _FREE:
        return replace(config, fallback=fallback)
    return replace(config, name="replay", replay=str(run), base_url=None, servers=(), fallback=fallback)
