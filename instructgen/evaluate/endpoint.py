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
from instructgen.student.ask import Answer, Ask, Sampling
from instructgen.teachers.pictures import PictureReader

_MAX_PIXELS = 100_000_000
_GREY = (122, 116, 104)  # CLIP's mean colour: zeros, once such a tower has normalised it
_GREY_SIDE_PX = 224


class EndpointStudent:
    """Asks through the request engine, so that answers are in the ledger and are not paid for twice.

    A server takes one picture an ask here, and tells no likelihoods. An image of zeros is sent as one of CLIP's mean
    colour. Use it as a context manager.
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

    def try_all(self, asks: Sequence[Ask], sampling: Sampling) -> list[Answer | Failed]:
        """Answer each, or say why not; raises RunStoppedError where the server refuses everything."""
        chats = [self._make_chat(ask) for ask in asks]
        replies = iter(self._find_asker(sampling).ask_all([chat for chat in chats if isinstance(chat, Chat)]))
        self._pictures.clear()
        return [_read_reply(next(replies)) if isinstance(chat, Chat) else chat for chat in chats]

    def answer_all(self, asks: Sequence[Ask], sampling: Sampling) -> list[Answer]:
        answers = []
        for answer in self.try_all(asks, sampling):
            if isinstance(answer, Failed):
                raise InstructgenError(f"{self.name} did not answer ({answer.reason}): {answer.detail}")
            answers.append(answer)
        return answers

    def stream(self, ask: Ask, sampling: Sampling) -> Iterator[str]:
        yield self.answer_all([ask], sampling)[0].text

    def score(self, ask: Ask, candidates: Sequence[str]) -> list[float]:  # noqa: ARG002
        raise InstructgenError(f"{self.name} is behind a server, which tells no likelihoods: take --qa-by answer")

    def _find_asker(self, sampling: Sampling) -> PaidAsker:
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

    def _make_chat(self, ask: Ask) -> Chat | Failed:
        if len(ask.pictures) > 1:
            return Failed("", "teacher", "several_pictures", f"{len(ask.pictures)} pictures in one ask")
        system = (Message("system", ask.system),) if ask.system else ()
        if not ask.pictures:
            return Chat((*system, *ask.turns))
        stored = ask.pictures[0] or _make_grey()
        sha256 = hashlib.sha256(stored).hexdigest()
        self._pictures[sha256] = stored
        first, *others = ask.turns
        shown = replace(first, picture=Picture(sha256, self._config.max_image_side_px))
        return Chat((*system, shown, *others), ImageRecord(f"evaluate/{sha256}", sha256, 0, 0, (), ()))


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
