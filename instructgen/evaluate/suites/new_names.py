"""Labels that nobody has heard of: what a student learns from the shots alone (evaluate.shots.episodes)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from instructgen.evaluate.questions import Prediction, Question, Report, ShownAnswer
from instructgen.evaluate.scores import Row, Statistic, group_rows, measure, ratio
from instructgen.evaluate.shots.episodes import NUM_CLASSES, Episode, EpisodeRules, make_episode
from instructgen.evaluate.shots.forms import NUM_TEXT_SHOTS, Shot
from instructgen.evaluate.shots.pool import Query
from instructgen.evaluate.suites.qa import AnswerBy
from instructgen.text import split_words

DEFAULT_LIMIT = 200  # episodes, of two questions each
_RIGHT, _CHANCE, _ALL = range(3)


class NewNamesSuite:
    """A suite and the source of its shots. It is asked with shots alone; with 0 the words stand there unexplained."""

    name = "new-names"
    version = 1
    max_tokens = 8
    shown: tuple[str, ...] = ("accuracy", "chance", "difference")

    def __init__(self, rules: EpisodeRules, limit: int | None, by: AnswerBy = "answer") -> None:
        self._by = by
        numbers = range(limit or DEFAULT_LIMIT)
        self._episodes = {f"{number:06d}": make_episode(rules, number) for number in numbers}
        self._pictures: dict[str, bytes] = {}
        told = " or ".join(rules.attributes)
        called = f" called {' or '.join(rules.words)}" if rules.words else ""
        self.title = f"{len(self._episodes)} episodes of {told}{called} (seed {rules.seed})"

    def questions(self) -> Sequence[Question]:
        return [
            Question(
                f"{name}/{one}",
                "",
                f"{name}/{one}/query",
                tuple(sorted(episode.words)) if self._by == "likeliest" else (),
            )
            for name, episode in self._episodes.items()
            for one in range(NUM_CLASSES)
        ]

    def prepare(self, shown: Iterable[bytes | None]) -> None:
        """The shots hang on the episode, not on the picture."""

    def choose(self, query: Query, count: int) -> tuple[Shot, ...]:
        """Return the episode's first shots: both classes equally often, or off by one."""
        name = query.key.partition("/")[0]
        episode = self._episodes[name]
        shots = []
        for place in range(count or NUM_TEXT_SHOTS):
            one = episode.draw_class(place)
            shots.append(Shot(f"{name}/{place}", f"{name}/{one}/shot {place}", "", episode.words[one]))
        return tuple(shots)

    def read_picture(self, image_id: str) -> bytes | None:
        if image_id not in self._pictures:
            name, one, picture = image_id.split("/")
            self._pictures[image_id] = self._episodes[name].draw_picture(int(one), picture)
        return self._pictures[image_id]

    def group_of(self, key: str) -> str:
        return key.partition("/")[0]

    def measure(self, answers: Mapping[str, Prediction]) -> Report:
        """Whoever does not see the picture is right half of the time, exactly: one of an episode's two questions."""
        keyed: list[tuple[str, str, Row]] = []
        num_unread = 0
        for key, prediction in answers.items():
            episode, truth = self._find(key)
            said = self._read(episode, prediction)
            num_unread += said is None
            keyed.append((self.group_of(key), episode.attribute, (float(said == truth), 1 / NUM_CLASSES, 1.0)))
        statistics: dict[str, Statistic] = {
            "accuracy": ratio(_RIGHT, _ALL),
            "chance": ratio(_CHANCE, _ALL),
            "difference": lambda row: (row[_RIGHT] - row[_CHANCE]) / row[_ALL] if row[_ALL] else None,
        }
        rows = group_rows((group, row) for group, _, row in keyed)
        scores = {name: measure(rows, statistic, len(keyed)) for name, statistic in statistics.items()}
        return Report(scores, counts={"episodes": len(rows), "unread": num_unread})

    def show(self, answers: Mapping[str, Prediction]) -> Iterator[ShownAnswer]:
        for key, prediction in answers.items():
            episode, truth = self._find(key)
            said = self._read(episode, prediction)
            yield ShownAnswer(
                key=key,
                question=f"{' or '.join(episode.words)}?",
                image_id=f"{key}/query",
                said=said or prediction.text,
                truth=(truth,),
                is_right=said == truth,
                group=episode.attribute,
            )

    def _find(self, key: str) -> tuple[Episode, str]:
        name, _, one = key.partition("/")
        episode = self._episodes[name]
        return episode, episode.words[int(one)]

    def _read(self, episode: Episode, prediction: Prediction) -> str | None:
        """Return the word that is likeliest, or that the answer has as the only one of the two."""
        if self._by == "likeliest":
            return sorted(episode.words)[prediction.best]
        words = split_words(prediction.text)
        named = [word for word in episode.words if word in words]
        return named[0] if len(named) == 1 else None
