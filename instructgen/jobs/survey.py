"""Reads a source as a build would and counts what it would ask, without asking, locking or writing anything."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from instructgen.jobs.plan import Planner
from instructgen.prompting.requests import make_request_id
from instructgen.records import Decoding, Message, Rejected, Reply, Unit
from instructgen.teachers.tokens import TokenCounter

_NUM_FALLBACK_PROMPTS = 100  # of each type; they stand for all that a fallback may be asked
_TELL_EVERY = 50  # images

FindReply = Callable[[str], Reply | None]
# Is told how many images have been read and, where it is known, of how many.
Tell = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class PlannedTeacher:
    """What can be known of a teacher without a key. `schema_tokens` by type go along with a request for JSON."""

    name: str
    model: str
    decoding: Decoding
    is_remote: bool
    messages: Callable[[Unit], tuple[Message, ...]]
    counter: TokenCounter
    schema_tokens: Mapping[str, int]
    seen_tokens: int = 0
    """Of the picture that goes along with a request, about."""

    def count_prompt(self, sample_type: str, messages: Sequence[Message]) -> int:
        return self.counter.count(messages) + self.schema_tokens.get(sample_type, 0) + self.seen_tokens


@dataclass(slots=True)
class PromptCounts:
    """Prompts of one type and their tokens, as we count them; the examples are the answers that they show.

    `shared_tokens` are those of one prompt that all of the type begin with.
    """

    num: int = 0
    tokens: int = 0
    shared_tokens: int = 0
    num_examples: int = 0
    example_tokens: int = 0

    def add(self, teacher: PlannedTeacher, sample_type: str, messages: Sequence[Message]) -> None:
        if not self.num:
            shown = [message.content for message in messages if message.role == "assistant"]
            self.num_examples = len(shown)
            self.example_tokens = sum(map(teacher.counter.count_text, shown))
            self.shared_tokens = sum(teacher.counter.count_text(message.content) for message in messages[:-1])
        self.num += 1
        self.tokens += teacher.count_prompt(sample_type, messages)


@dataclass(slots=True)
class KnownCounts:
    """Answers that are there already and say their tokens: the prompts' as we count them and as the server did."""

    num: int = 0
    counted: int = 0
    prompt: int = 0
    completion: int = 0

    def add(self, reply: Reply, counted: int) -> None:
        if reply.prompt_tokens:  # 0 where the server did not say
            self.num += 1
            self.counted += counted
            self.prompt += reply.prompt_tokens
            self.completion += reply.completion_tokens

    def merge(self, other: "KnownCounts") -> None:
        self.num += other.num
        self.counted += other.counted
        self.prompt += other.prompt
        self.completion += other.completion


@dataclass(slots=True)
class TypeCounts:
    """What was found of one sample type. Requests are distinct prompts: units written down alike share one."""

    num_units: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    num_requests: int = 0
    num_answered: Counter[str] = field(default_factory=Counter)
    num_to_send: int = 0
    num_not_recorded: int = 0
    prompts: PromptCounts = field(default_factory=PromptCounts)  # of the requests to send
    known: KnownCounts = field(default_factory=KnownCounts)
    fallback: PromptCounts = field(default_factory=PromptCounts)  # of some of the requests to send
    judged: PromptCounts = field(
        default_factory=PromptCounts
    )  # of the judge's, with no text yet; one for each to send


@dataclass(slots=True)
class Survey:
    """Counts by type what a build would ask. `answers` says by name where earlier answers are looked for.

    With `is_anew` what they answer is to be sent all the same: they only tell what an answer is like.
    """

    planner: Planner
    teacher: PlannedTeacher
    fallback: PlannedTeacher | None
    answers: Mapping[str, FindReply]
    recorded: FindReply | None = None
    """Of a replay: what the recorded run answered."""
    judge: PlannedTeacher | None = None
    is_anew: bool = False

    def run(self, tell: Tell) -> dict[str, TypeCounts]:
        """Read the whole source. Memory does not grow with it: the ids seen so far lie in a temporary file."""
        places = () if self.is_anew else self.answers
        found = {name: TypeCounts(num_answered=Counter(dict.fromkeys(places, 0))) for name in self.planner.types}
        with _open_seen() as is_new:
            for image in self.planner.images():
                for name, unit in image.units:
                    counts = found[name]
                    counts.num_units += 1
                    if isinstance(unit, Rejected):
                        counts.rejected[unit.reason] += 1
                    else:
                        self._take(counts, unit, is_new)
                if self.planner.num_images % _TELL_EVERY == 0:
                    tell(self.planner.num_images, self.planner.source.num_images)
        tell(self.planner.num_images, self.planner.num_images)
        return found

    def _take(self, counts: TypeCounts, unit: Unit, is_new: Callable[[bytes], bool]) -> None:
        teacher = self.teacher
        messages = teacher.messages(unit)
        request_id = make_request_id(messages, teacher.model, teacher.decoding)
        if not is_new(bytes.fromhex(request_id)):
            return
        counts.num_requests += 1
        for name, find_reply in self.answers.items():
            reply = find_reply(request_id)
            if reply is None:
                continue
            if teacher.is_remote:
                counts.known.add(reply, teacher.count_prompt(unit.sample_type, messages))
            if self.is_anew:
                break
            counts.num_answered[name] += 1
            return
        counts.num_to_send += 1
        if teacher.is_remote:
            counts.prompts.add(teacher, unit.sample_type, messages)
        if self.recorded is not None and self.recorded(request_id) is None:
            counts.num_not_recorded += 1
        if self.judge is not None and self.judge.is_remote:
            counts.judged.add(self.judge, unit.sample_type, self.judge.messages(unit))
        fallback = self.fallback
        if fallback is not None and fallback.is_remote and counts.fallback.num < _NUM_FALLBACK_PROMPTS:
            counts.fallback.add(fallback, unit.sample_type, fallback.messages(unit))


@contextmanager
def _open_seen() -> Iterator[Callable[[bytes], bool]]:
    """Give a function that says whether a key is new to it; SQLite keeps them in a temporary file."""
    connection = sqlite3.connect("", isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("CREATE TABLE seen (key BLOB PRIMARY KEY) WITHOUT ROWID")
        connection.execute("BEGIN")

        def is_new(key: bytes) -> bool:
            return connection.execute("INSERT OR IGNORE INTO seen VALUES (?)", (key,)).rowcount == 1

        yield is_new
    finally:
        connection.close()
