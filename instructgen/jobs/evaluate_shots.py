"""`instructgen evaluate --shots`: the pool that examples come from, and the suites that are asked with them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from instructgen.config import SourceConfig
from instructgen.draws import draw_fraction, make_generator
from instructgen.errors import InstructgenError
from instructgen.evaluate.pictures import Gallery
from instructgen.evaluate.pope import NUM_EACH, count_categories, find_clear, make_questions
from instructgen.evaluate.qa_questions import make_qa
from instructgen.evaluate.questions import Suite
from instructgen.evaluate.shots.episodes import Attribute, EpisodeRules
from instructgen.evaluate.shots.features import Embedder, FeatureStore
from instructgen.evaluate.shots.forms import CAPTION, LABEL, VQA, Form, Shot
from instructgen.evaluate.shots.pool import POOL_SIZE, AlikeShots, DrawnShots, ShotSource
from instructgen.evaluate.suites.few_shot import FewShotSuite, ShotPlan
from instructgen.evaluate.suites.new_names import NewNamesSuite
from instructgen.evaluate.suites.pope import MIN_AREA
from instructgen.evaluate.suites.qa import AnswerBy
from instructgen.records import ImageRecord
from instructgen.sources import open_source

NEW_NAMES = "new-names"
_FORMS: dict[str, Form] = {"captions": CAPTION, "qa": VQA, "pope": VQA, NEW_NAMES: LABEL}
SHOT_SUITES = tuple(_FORMS)
_MOST_SHOTS = 32  # Flamingo's
_NUM_DRAWN = 500  # pictures of a rendered pool
_PER_KIND = 400


@dataclass(frozen=True, slots=True)
class ShotOptions:
    """`source` None takes the pictures of the questions themselves; `source_seed` is that of rendered scenes."""

    numbers: tuple[int, ...] = ()
    source: SourceConfig | None = None
    source_seed: int = 0
    pool_size: int = POOL_SIZE
    by_likeness: bool = False
    num_orders: int = 1
    between: str = "\n"
    attributes: tuple[Attribute, ...] = ("color",)
    varies: bool = False
    words: tuple[str, ...] = ()


NO_SHOTS = ShotOptions()


def refuse_embedder() -> Embedder:
    raise InstructgenError("--rices wants something to look with: --rices-by FOLDER, of a CLIP or a trained model")


def check_shots(options: ShotOptions, suites: Sequence[str]) -> None:
    """Raise InstructgenError for numbers of shots that nobody can have, or suites that take none."""
    if not options.numbers:
        if NEW_NAMES in suites:
            raise InstructgenError(f"{NEW_NAMES} is told by its shots alone: say --shots 0,4,8 or the like")
        return
    if min(options.numbers) < 0 or max(options.numbers) > _MOST_SHOTS:
        raise InstructgenError(f"--shots takes numbers from 0 to {_MOST_SHOTS}, as 0,4,8")
    unfit = [name for name in suites if name not in _FORMS]
    if unfit:
        raise InstructgenError(f"--shots: {', '.join(unfit)} takes none; suites that do: {', '.join(_FORMS)}")
    if options.by_likeness and NEW_NAMES in suites:
        raise InstructgenError(f"--rices: the shots of {NEW_NAMES} are its own; leave it out, or --rices")


class ShotMaker:
    """Puts shots before suites. `own` are the questions' pictures, `open_embedder` what --rices looks with."""

    def __init__(
        self,
        options: ShotOptions,
        seed: int,
        own: Callable[[], Gallery],
        open_embedder: Callable[[], Embedder],
        features: Path,
    ) -> None:
        self._options = options
        self._seed = seed
        self._own = own
        self._open_embedder = open_embedder
        self._features = features
        self._pool: Gallery | None = None
        self._store: FeatureStore | None = None

    def put_before(self, suite: Suite) -> FewShotSuite:
        """Return the suite with shots from the pool."""
        return self._join(suite, self._make_source(suite.name))

    def make_new_names(self, seed: int, limit: int | None, by: AnswerBy) -> FewShotSuite:
        options = self._options
        rules = EpisodeRules(seed, "asked", options.attributes, options.varies, words=options.words)
        suite = NewNamesSuite(rules, limit, by)
        return self._join(suite, suite)

    def _join(self, suite: Suite, source: ShotSource) -> FewShotSuite:
        options = self._options
        plan = ShotPlan(options.numbers, options.num_orders, self._seed, options.between)
        return FewShotSuite(suite, _FORMS[suite.name], source, plan)

    def _make_source(self, name: str) -> ShotSource:
        pool = self._open_pool()
        shots = sorted(_MAKE[name](pool, self._seed), key=lambda shot: draw_fraction(self._seed, "shots", shot.key))
        shots = shots[: self._options.pool_size]
        title = f"{len(shots)} of {pool.source.title}"
        if not self._options.by_likeness:
            return DrawnShots(shots, self._seed, pool.read, f"{title}, drawn")
        if self._store is None:
            self._store = FeatureStore(self._features, self._open_embedder())
        return AlikeShots(shots, self._seed, pool.read, self._store, f"{title}, by likeness")

    def _open_pool(self) -> Gallery:
        if self._pool is None:
            source = self._options.source
            self._pool = self._own() if source is None else Gallery(open_source(source, self._options.source_seed))
        return self._pool


def limit_pool(pool_size: int) -> int:
    """Return how many rendered pictures a pool is drawn from: a picture has several questions, and takes its time."""
    return min(_NUM_DRAWN, pool_size)


def _make_captions(pool: Gallery, seed: int) -> Iterator[Shot]:
    for record in _draw(pool, seed, lambda one: bool(one.captions)):
        caption = make_generator(seed, "evaluate/shots/caption", record.image_id).choice(record.captions)
        yield Shot(record.image_id, record.image_id, "", " ".join(caption.split()))


def _make_qa(pool: Gallery, seed: int) -> Iterator[Shot]:
    made = make_qa(_draw(pool, seed, lambda one: bool(one.boxes)), seed, _PER_KIND)
    for number, one in enumerate(made):
        yield Shot(f"{number:06d}", one.image_id, one.text, one.truth)


def _make_pope(pool: Gallery, seed: int) -> Iterator[Shot]:
    counts = count_categories(pool.records)
    for record in _draw(pool, seed, lambda one: len(find_clear(one, MIN_AREA)) >= NUM_EACH):
        for number, one in enumerate(make_questions(record, counts, "random", seed, MIN_AREA)):
            yield Shot(f"{record.image_id}/{number}", record.image_id, one.question, one.answer)


def _draw(pool: Gallery, seed: int, is_fit: Callable[[ImageRecord], bool]) -> Sequence[ImageRecord]:
    return pool.draw("shots", seed, POOL_SIZE, is_fit)


_MAKE: dict[str, Callable[[Gallery, int], Iterator[Shot]]] = {
    "captions": _make_captions,
    "qa": _make_qa,
    "pope": _make_pope,
}
