"""A student behind an OpenAI-compatible server with image input: any vision model can be evaluated."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from msgspec.structs import replace

from instructgen.config import TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.evaluate.paid import Chat, PaidAsker, Say
from instructgen.ledger.ledger import Ledger
from instructgen.records import Decoding, Failed, ImageRecord, Message, Picture, Reply
from instructgen.student.ask import Answer, AnyAsk, BeamSampling, Document, Sampling, spread_clips
from instructgen.teachers.pictures import PictureReader
from instructgen.train.marks import PICTURE

_MAX_PIXELS = 100_000_000
_GREY = (122, 116, 104)  # CLIP's mean colour: zeros, once such a tower has normalised it
_GREY_SIDE_PX = 224


class EndpointStudent:
    """Asks through the request engine, so that answers are in the ledger and are not paid for twice.

    A server takes one picture a chat here, and tells no likelihoods. A document is sent as one turn of the user whose
    texts and pictures stand in order; ends of chunks have no sign there. An image of zeros is sent as one of CLIP's
    mean colour. Use it as a context manager.
    """

    def __init__(
        self, config: TeacherConfig, ledger: Ledger, budget_usd: float | None = None, say: Say = lambda _: None
    ) -> None:
        self._config = config
        self._ledger = ledger
        self._budget_usd = budget_usd
        self._say = say
        self._pictures: dict[str, bytes] = {}
        self._askers: dict[Decoding, PaidAsker] = {}
        self._stack = ExitStack()
        self.name = config.model or ""

    def __enter__(self) -> "EndpointStudent":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def try_all(self, asks: Sequence[AnyAsk], sampling: Sampling) -> list[Answer | Failed]:
        """Answer each, or say why not; raises RunStoppedError where the server refuses everything."""
        chats = [self._make_chat(ask) for ask in asks]
        replies = iter(self._find_asker(sampling).ask_all([chat for chat in chats if isinstance(chat, Chat)]))
        self._pictures.clear()
        return [_read_reply(next(replies)) if isinstance(chat, Chat) else chat for chat in chats]

    def answer_all(self, asks: Sequence[AnyAsk], sampling: Sampling) -> list[Answer]:
        answers = []
        for answer in self.try_all(asks, sampling):
            if isinstance(answer, Failed):
                raise InstructgenError(f"{self.name} did not answer ({answer.reason}): {answer.detail}")
            answers.append(answer)
        return answers

    def stream(self, ask: AnyAsk, sampling: Sampling) -> Iterator[str]:
        yield self.answer_all([ask], sampling)[0].text

    def score(self, ask: AnyAsk, candidates: Sequence[str]) -> list[float]:  # noqa: ARG002
        raise InstructgenError(f"{self.name} is behind a server, which tells no likelihoods: take --qa-by answer")

    def _find_asker(self, sampling: Sampling) -> PaidAsker:
        if isinstance(sampling, BeamSampling):
            raise InstructgenError(f"{self.name} is behind a server, which follows no beams: leave --beams out")
        decoding = Decoding(sampling.temperature, sampling.top_p, sampling.max_tokens, sampling.seed)
        if decoding not in self._askers:
            self._askers[decoding] = self._stack.enter_context(
                PaidAsker(
                    replace(self._config, decoding=decoding),
                    self._ledger,
                    pictures=PictureReader(lambda record: self._pictures.get(record.file_name), _MAX_PIXELS),
                    budget_usd=self._budget_usd,
                    say=self._say,
                )
            )
        return self._askers[decoding]

    def _make_chat(self, ask: AnyAsk) -> Chat | Failed:
        if isinstance(ask, Document):
            return self._make_document(spread_clips(ask))
        if len(ask.pictures) > 1:
            return Failed("", "teacher", "several_pictures", f"{len(ask.pictures)} pictures in one ask")
        system = (Message("system", ask.system),) if ask.system else ()
        if not ask.pictures:
            return Chat((*system, *ask.turns))
        picture = self._keep(ask.pictures[0])
        first, *others = ask.turns
        return Chat((*system, replace(first, picture=picture), *others), _make_record(picture))

    def _make_document(self, document: Document) -> Chat | Failed:
        if document.num_places != len(document.pictures):
            told = f"{document.num_places} places for {len(document.pictures)} pictures"
            return Failed("", "teacher", "pictures_without_place", told)
        pictures = iter([self._keep(picture) for picture in document.pictures])
        parts: list[str | Picture] = []
        for part in document.parts:
            if part is PICTURE:
                parts.append(next(pictures))
            elif isinstance(part, str) and part:
                text = parts.pop() if parts and isinstance(parts[-1], str) else ""
                parts.append(f"{text}{part}")
        shown = [part for part in parts if isinstance(part, Picture)]
        if not shown:
            return Chat((Message("user", "".join(map(str, parts))),))
        return Chat((Message("user", "", parts=tuple(parts)),), _make_record(shown[0]))

    def _keep(self, picture: bytes | None) -> Picture:
        stored = picture or _make_grey()
        sha256 = hashlib.sha256(stored).hexdigest()
        self._pictures[sha256] = stored
        return Picture(sha256, self._config.max_image_side_px)


def _make_record(picture: Picture) -> ImageRecord:
    return ImageRecord(f"evaluate/{picture.sha256}", picture.sha256, 0, 0, (), ())


def _read_reply(reply: Reply | Failed) -> Answer | Failed:
    if isinstance(reply, Failed):
        return reply
    if reply.finish_reason == "content_filter":
        return Failed("", "teacher", "content_filtered", reply.text[:80])
    how = "length" if reply.finish_reason == "length" else "stop"
    return Answer(reply.text, how, reply.prompt_tokens, reply.completion_tokens)


def _make_grey() -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (_GREY_SIDE_PX, _GREY_SIDE_PX), _GREY).save(buffer, "PNG")
    return buffer.getvalue()
