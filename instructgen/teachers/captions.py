"""The captions themselves as answers: nobody is asked, and nothing is paid (the pairs of LLaVA's first stage)."""

from collections.abc import Callable, Mapping

from instructgen.draws import make_generator
from instructgen.errors import InstructgenError
from instructgen.limits.bounds import ServerLimits
from instructgen.records import NOTHING, Cost, Decoding, Message, Reply, Request, Unit
from instructgen.sample_types.description import Description
from instructgen.teachers.base import Server, make_free_reply

TYPES = ("brief",)
_AS_JSON = Decoding(output_format="json")
_TYPE = Description("brief")


class CaptionsTeacher:
    """Answers with a caption of the image, drawn where there are several; equal captions are one request."""

    name = "captions"
    model = "captions-1"
    is_remote = False
    is_replay = False
    weight = 1.0
    limits: ServerLimits | None = None
    has_price = True
    has_bound = True
    on_headers: Callable[[Mapping[str, str]], None] | None = None

    def __init__(self, seed: int) -> None:
        self.decoding = Decoding(seed=seed)
        self.servers: tuple[Server, ...] = (self,)
        self._seed = seed

    def messages(self, unit: Unit) -> tuple[Message, ...]:
        """Return one message that holds the caption."""
        captions = unit.record.captions
        if len(captions) == 1:
            return (Message("user", captions[0]),)
        return (Message("user", make_generator(self._seed, self.name, unit.unit_id).choice(captions)),)

    async def send(self, request: Request) -> Reply:
        """Return the caption as JSON, so that one which begins with a brace or a fence is taken as it stands.

        Raises InstructgenError where it is asked for anything else, as to rewrite a text.
        """
        if len(request.messages) != 1:
            raise InstructgenError(
                "the teacher captions only hands captions on; name a language model in [refine.teacher] or "
                "[judge.teacher], or leave out what needs one"
            )
        return make_free_reply(request, _TYPE.write(request.messages, _AS_JSON), self)

    def most(self, request: Request) -> Cost:  # noqa: ARG002
        return NOTHING

    async def open(self) -> None:
        """Nothing is to be made ready."""

    async def close(self) -> None:
        """Nothing is held open."""
