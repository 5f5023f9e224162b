"""The scene program: the teacher that needs no model and says what captions and boxes prove, nothing else."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import overload

import msgspec
from msgspec import Struct, structs

from instructgen.config import Style
from instructgen.draws import make_generator
from instructgen.limits.bounds import ServerLimits
from instructgen.records import NOTHING, Cost, Decoding, ImageRecord, Message, Reply, Request, Unit
from instructgen.sample_types import SHOT_TYPES
from instructgen.scenegraph.claims import Claim
from instructgen.scenegraph.graph import SceneGraph
from instructgen.scenegraph.parsing import CaptionParser, load_parser, require_parser
from instructgen.scenegraph.read import read_graph
from instructgen.teachers.base import Server, make_free_reply
from instructgen.teachers.scene_program.compare import MOST_RATE, make_compare, rate_pair
from instructgen.teachers.scene_program.conversation import make_conversation
from instructgen.teachers.scene_program.detail import make_detail
from instructgen.teachers.scene_program.multi import make_multi
from instructgen.teachers.scene_program.names import find_names
from instructgen.teachers.scene_program.negative import make_negative
from instructgen.teachers.scene_program.reasoning import make_reasoning
from instructgen.teachers.scene_program.referring import make_referring
from instructgen.teachers.scene_program.shots import choose_shots, make_shots, write_document
from instructgen.teachers.scene_program.talk import Told
from instructgen.teachers.scene_program.wordings import hash_wordings

_KEPT_GRAPHS = 64  # the types of an image are asked for one after the other, and share its graph


class Task(Struct, frozen=True, omit_defaults=True):
    """What one request asks: an answer of this type for this image; `other` is the one that it is compared with.

    `shots` are the images of which the same is asked before.
    """

    type: str
    image: ImageRecord
    other: ImageRecord | None = None
    shots: tuple[ImageRecord, ...] = ()


_DECODER = msgspec.json.Decoder(Task)
_ENCODER = msgspec.json.Encoder()


class SceneProgramTeacher:
    """A deterministic generator in the spirit of GQA (arXiv 1902.09506) and ProVision (arXiv 2412.07012).

    The answer depends on the request and the seed alone. Where nothing can be said for certain the reply's
    text is empty, which the parser rejects with a counted reason.
    """

    name = "scene-program"
    is_remote = False
    is_replay = False
    weight = 1.0
    limits: ServerLimits | None = None
    has_price = True
    has_bound = True
    on_headers: Callable[[Mapping[str, str]], None] | None = None

    def __init__(self, seed: int, style: Style = "plain", *, parse: bool = False) -> None:
        """Make a teacher; with `parse` it reads captions by a dependency parse too.

        Raises InstructgenError where the parse is asked for and its extra is not installed.
        """
        if parse:
            require_parser()
        # Other wordings, rules, another style or a parse are another model: what it wrote before is not theirs.
        self.model = f"scene-program-11-{style}-{hash_wordings()[:8]}{'-parsed' if parse else ''}"
        self.style: Style = style
        self.parse = parse
        self.decoding = Decoding(seed=seed)
        self.servers: tuple[Server, ...] = (self,)
        self._seed = seed

    def messages(self, unit: Unit) -> tuple[Message, ...]:
        """Return one message that holds everything the answer depends on, as compact JSON."""
        content = _ENCODER.encode(Task(unit.sample_type, unit.record, unit.partner, unit.shots)).decode()
        return (Message("user", content),)

    async def send(self, request: Request) -> Reply:
        task = _DECODER.decode(request.messages[-1].content)
        text = write_text(task, self._seed, self.style, load_parser() if self.parse else None)
        return make_free_reply(request, text, self)

    def most(self, request: Request) -> Cost:  # noqa: ARG002
        return NOTHING

    async def open(self) -> None:
        """Nothing is to be made ready."""

    async def close(self) -> None:
        """Nothing is held open."""


class Written(Struct, frozen=True):
    """A reply before it is put together: `turns` for dialogues, `text` for a description; both may be empty.

    A document has its turns as `texts`, too.
    """

    turns: tuple[Told, ...] = ()
    text: str = ""
    claims: tuple[Claim, ...] = ()
    texts: tuple[str, ...] = ()


@lru_cache(maxsize=_KEPT_GRAPHS)
def _read_once(image: ImageRecord, parser: CaptionParser | None) -> SceneGraph:
    return read_graph(image, parser)


def write(task: Task, seed: int, style: Style = "plain", parser: CaptionParser | None = None) -> Written:
    """Return what can be said for certain, with the claims that it makes; nothing for types it does not know."""
    written = _write(task, seed, style, parser)
    name = find_names(task.image.captions)
    turns = tuple(structs.replace(one, question=name(one.question), answer=name(one.answer)) for one in written.turns)
    return structs.replace(written, turns=turns, text=name(written.text), texts=tuple(map(name, written.texts)))


def _write(task: Task, seed: int, style: Style, parser: CaptionParser | None) -> Written:
    draw = make_generator(seed, "scene-program", f"{task.image.image_id}/{task.type}")
    graph = _read_once(task.image, parser)
    if task.type in SHOT_TYPES:
        turns = make_shots([_read_once(one, parser) for one in task.shots], graph, draw)
        return Written(tuple(turns), texts=tuple(write_document(turns, draw)))
    if task.type == "compare":
        return Written(tuple(make_compare(_read_once(task.other, parser), graph, draw, style)) if task.other else ())
    if task.type == "multi-image":
        return Written(tuple(make_multi(_read_once(task.other, parser), graph, draw, style)) if task.other else ())
    if task.type == "detail":
        text, claims = make_detail(graph, draw)
        return Written(text=text, claims=claims)
    if task.type == "reasoning":
        told = make_reasoning(graph, draw)
        return Written((told,) if told is not None else ())
    if task.type == "conv":
        return Written(tuple(make_conversation(graph, draw, style)))
    if task.type == "negative":
        return Written(tuple(make_negative(graph, draw, style)))
    return Written(tuple(make_referring(graph, draw)) if task.type == "referring" else ())


def choose_others(
    sample_type: str,
    image: ImageRecord,
    candidates: Sequence[ImageRecord],
    seed: int,
    parser: CaptionParser | None = None,
) -> tuple[ImageRecord, ...]:
    """Return which of the candidates, the likest first, come before an image of which the same is asked.

    Of a comparison it is one; none where the images have nothing in common that can be asked.
    """
    if sample_type not in SHOT_TYPES:
        return _choose_partner(image, candidates, parser)
    draw = make_generator(seed, "scene-program", f"{image.image_id}/{sample_type}")
    chosen = choose_shots(_read_once(image, parser), _Graphs(candidates, parser), draw)
    return () if chosen is None else tuple(candidates[number] for number in chosen.numbers)


class _Graphs(Sequence[SceneGraph]):
    """Graphs that are read when they are asked for."""

    def __init__(self, records: Sequence[ImageRecord], parser: CaptionParser | None) -> None:
        self._records, self._parser = records, parser

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, number: int) -> SceneGraph: ...
    @overload
    def __getitem__(self, number: slice) -> list[SceneGraph]: ...
    def __getitem__(self, number: int | slice) -> SceneGraph | list[SceneGraph]:
        if isinstance(number, slice):
            return [_read_once(one, self._parser) for one in self._records[number]]
        return _read_once(self._records[number], self._parser)


def _choose_partner(
    image: ImageRecord, candidates: Sequence[ImageRecord], parser: CaptionParser | None
) -> tuple[ImageRecord, ...]:
    """Return the first of the candidates with which most can be told."""
    graph = _read_once(image, parser)
    best: tuple[int, tuple[ImageRecord, ...]] = (0, tuple(candidates[:1]))
    for one in candidates:
        rate = rate_pair(_read_once(one, parser), graph, make_generator(0, "scene-program", image.image_id))
        if rate > best[0]:
            best = rate, (one,)
        if rate == MOST_RATE:
            break
    return best[1]


def write_text(task: Task, seed: int, style: Style = "plain", parser: CaptionParser | None = None) -> str:
    """Return the reply's text; "" where too little is certain, or the type is unknown."""
    written = write(task, seed, style, parser)
    if task.type == "interleaved":
        return "\n===\n".join(written.texts)
    return written.text or join_pairs([(one.question, one.answer) for one in written.turns])


def join_pairs(pairs: list[tuple[str, str]]) -> str:
    """Write questions and answers as LLaVA's teacher was asked to: blocks parted by a line of ===."""
    blocks = [block for asked, told in pairs for block in (f"Question:\n{asked}", f"Answer:\n{told}")]
    return "\n===\n".join(blocks)
