"""One reviewer at one queue of samples: what is shown, and what each key does. Terminal and page share it."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from instructgen.dataset.columns import Row
from instructgen.records import ImageRecord, Message
from instructgen.review.agreement import Numbers, count_choices
from instructgen.review.decisions import Choice, Decision, DecisionLog, now_utc
from instructgen.review.doubts import list_box_lines, list_doubts
from instructgen.review.editing import check_answers, list_answers, replace_answers
from instructgen.review.order import Place
from instructgen.review.rows import RowReader

# What a reviewer may give as the reason for a rejection with one key; any other text is kept as it is.
REASONS = {
    "1": "object_not_there",
    "2": "wrong_count",
    "3": "wrong_place",
    "4": "wrong_colour",
    "5": "wrong_action",
    "6": "off_question",
    "7": "gives_away_text",
    "8": "bad_language",
}
_MAX_SECONDS = 86_400.0
# Given a row and which of its pictures, from 0; -1 is the last, the sample's own.
FindPicture = Callable[[Row, int], bytes | None]


class SampleView(Struct, frozen=True):
    """What a reviewer sees of a sample. `at` is its place in the queue; `answers` are their own edit's.

    Captions and boxes are of the sample's own image, the second where it compares two.
    """

    at: int
    sample_id: str
    sample_type: str
    image_path: str
    made_by: str
    turns: tuple[Message, ...]
    captions: tuple[str, ...]
    boxes: tuple[str, ...]
    doubts: tuple[str, ...]
    review: str | None
    decision: str | None
    answers: tuple[str, ...]
    why: str
    num_images: int = 1

    @property
    def shown_turns(self) -> tuple[Message, ...]:
        """With the reviewer's own answers, where they have edited them."""
        return replace_answers(self.turns, self.answers) if self.answers else self.turns


class Desk:
    """A place in the queue is a number from 0; its length stands for "nothing left to look at"."""

    def __init__(
        self,
        queue: Sequence[Place],
        log: DecisionLog,
        reader: RowReader,
        records: Mapping[str, ImageRecord],
        find_picture: FindPicture,
    ) -> None:
        self.queue = queue
        self.log = log
        self._reader = reader
        self._records = records
        self._find_picture = find_picture
        self._places = {place.sample_id: at for at, place in enumerate(queue)}

    def find(self, sample_id: str) -> int | None:
        """Return a sample's place in the queue; None where it is not in it."""
        return self._places.get(sample_id)

    def view(self, at: int) -> SampleView:
        place = self.queue[at]
        row = self._reader.read(place)
        turns = _read_turns(row)
        record = self._records.get(place.image_id)
        own = self.log.standing.get(place.sample_id)
        return SampleView(
            at=at,
            sample_id=place.sample_id,
            sample_type=place.sample_type,
            image_path=" and ".join(picture["path"] for picture in row["images"]),
            num_images=len(row["images"]),
            made_by=f"{row['teacher']}, {row['model']}",
            turns=turns,
            captions=() if record is None else record.captions,
            boxes=() if record is None else list_box_lines(record.boxes),
            # Of two images one record proves nothing.
            doubts=list_doubts(
                row.get("scores"), turns, row["sample_type"], None if len(row["images"]) > 1 else record
            ),
            review=place.review,
            decision=None if own is None else own.decision,
            answers=() if own is None else own.answers,
            why="" if own is None else own.why,
        )

    def picture(self, at: int, number: int = -1) -> bytes | None:
        """Return one of a sample's pictures, by its number in the row."""
        return self._find_picture(self._reader.read(self.queue[at]), number)

    def decide(self, at: int, choice: Choice, seconds: float, answers: Sequence[str] = (), why: str = "") -> int:
        """Store a decision and return the place to look at next. An edit that changes nothing is an acceptance.

        Raises InstructgenError for answers that may not be published.
        """
        place = self.queue[at]
        if choice == "edit":
            turns = _read_turns(self._reader.read(place))
            answers = check_answers(turns, answers)
            choice = "accept" if answers == tuple(map(str.strip, list_answers(turns))) else "edit"
        self.log.append(
            Decision(
                sample_id=place.sample_id,
                decision=choice,
                by=self.log.by,
                at=now_utc(),
                seconds=round(min(max(seconds, 0.0), _MAX_SECONDS), 3),
                answers=tuple(answers) if choice == "edit" else (),
                why=" ".join(why.split()),
            )
        )
        return self.next_open(at)

    def undo(self) -> int | None:
        """Take back the reviewer's last decision in this queue and return its place; None where there is none."""
        for decision in reversed(self.log.history):
            at = self.find(decision.sample_id)
            if at is not None:
                self.log.append(Decision(decision.sample_id, "undo", self.log.by, now_utc(), 0.0))
                return at
        return None

    def next_open(self, at: int) -> int:
        """Return the next place without a decision, from the front again after the end."""
        decided = self.log.standing
        size = len(self.queue)
        later = ((at + step) % size for step in range(1, size + 1))
        return next((place for place in later if self.queue[place].sample_id not in decided), size)

    def count(self) -> Numbers:
        """Return the reviewer's own numbers in this queue."""
        standing = self.log.standing
        return count_choices(
            standing[place.sample_id].decision for place in self.queue if place.sample_id in standing
        )


def _read_turns(row: Row) -> tuple[Message, ...]:
    return tuple(Message(message["role"], message["content"]) for message in row["messages"])
