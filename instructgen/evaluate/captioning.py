"""CIDEr, BLEU and METEOR by the reference implementation (pycocoevalcap), on words split without Java.

Of that package only the tokeniser, METEOR and SPICE need Java. `split_caption` stands for the tokeniser: it gives
what Stanford's gives for 99.85% of COCO val2017's captions (docs/evaluation.md).
"""

import math
import re
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module

from instructgen.errors import InstructgenError
from instructgen.evaluate.scores import Row, Score, measure, ratio

_MAX_N = 4
_FEW = 100  # images
_TINY, _SMALL = 1e-15, 1e-9  # the reference's guards against dividing by nothing
# As the Penn Treebank splits: "dog's" -> "dog 's", "don't" -> "do n't", "cannot" -> "can not".
_CUT = re.compile(r"(?<=[a-z])(?=n't\b)|(?<=\w)(?='(?:s|m|d|re|ve|ll)\b)|(?<=\bcan)(?=not\b)")
_WORD = re.compile(
    r"n't\b|'(?:s|m|d|re|ve|ll)\b|\d+(?:[.,:/]\d+)*(?:[-'][a-z0-9]+)*(?:[a-z]+)?|(?:[a-z]\.){2,}"
    r"|\w+(?:[-'/&]\w+)*|[#$%&*+=@~^<>/|\\]"
)
Captions = Mapping[str, Sequence[str]]


def split_caption(text: str) -> str:
    """Return the words in lower case with blanks between, without punctuation."""
    return " ".join(_WORD.findall(_CUT.sub(" ", text.lower().replace("’", "'"))))


def score_captions(references: Captions, candidates: Mapping[str, str]) -> tuple[dict[str, Score], tuple[str, ...]]:
    """Return the measures of one candidate an image against its references, and what is to be told with them.

    Raises InstructgenError where pycocoevalcap is not installed.
    """
    require_captioning()
    # One order for both, by which the reference walks.
    keys = sorted(candidates)
    split = {key: [split_caption(text) for text in references[key]] for key in keys}
    written = {key: [split_caption(candidates[key])] for key in keys}
    scores = {"cider": _score_cider(split, written), **_score_bleu(split, written)}
    notes = []
    if len(keys) < _FEW:
        notes.append(
            f"CIDEr weighs words by how few of the images have them: of {len(keys)} images it says little "
            f"(of one nothing); take {_FEW} or more"
        )
    meteor = _score_meteor(split, written)
    if isinstance(meteor, str):
        notes.append(f"METEOR is left out: {meteor}")
    else:
        scores["meteor"] = meteor
    return scores, tuple(notes)


def require_captioning() -> None:
    """Raise InstructgenError where pycocoevalcap is not installed."""
    try:
        import_module("pycocoevalcap.cider.cider")
    except ImportError:
        raise InstructgenError(
            'the suite captions needs pycocoevalcap: pip install "instructgen[evaluate]", or leave captions out of '
            "--suite"
        ) from None


def _score_cider(references: Captions, written: Captions) -> Score:
    _, values = import_module("pycocoevalcap.cider.cider").Cider().compute_score(references, written)
    rows: list[Row] = [(float(value), 1.0) for value in values]
    return measure(rows, ratio(0, 1), len(rows))


def _score_bleu(references: Captions, written: Captions) -> dict[str, Score]:
    """Return BLEU-1 to BLEU-4 of the corpus, with the reference length that is closest for each image."""
    scorer = import_module("pycocoevalcap.bleu.bleu_scorer").BleuScorer(n=_MAX_N)
    for key, (text,) in written.items():
        scorer += (text, references[key])
    scorer.compute_score(option="closest")
    rows: list[Row] = []
    for counts in scorer.ctest:
        length = counts["testlen"]
        closest = min((abs(one - length), one) for one in counts["reflen"])[1]
        rows.append(tuple(map(float, (*counts["correct"], *counts["guess"], length, closest))))
    return {f"bleu_{n}": measure(rows, partial(_bleu, n=n), len(rows)) for n in range(1, _MAX_N + 1)}


def _bleu(row: Row, n: int) -> float | None:
    correct, guessed, (length, reference) = row[:_MAX_N], row[_MAX_N : 2 * _MAX_N], row[2 * _MAX_N :]
    product = math.prod((correct[k] + _TINY) / (guessed[k] + _SMALL) for k in range(n))
    shortness = (length + _TINY) / (reference + _SMALL)
    return float(product ** (1 / n) * (math.exp(1 - 1 / shortness) if shortness < 1 else 1.0))


def _score_meteor(references: Captions, written: Captions) -> Score | str:
    """Return METEOR 1.5 of the corpus, with the error of its mean over images; why not, where it cannot be had."""
    if shutil.which("java") is None:
        return "it needs Java, and no `java` is on the PATH"
    meteor = import_module("pycocoevalcap.meteor.meteor").Meteor()
    try:
        value, values = meteor.compute_score(references, written)
    except (OSError, ValueError) as error:
        # Its lock would be waited for for ever when it is thrown away.
        meteor.lock.release()
        return f"its Java program failed ({error})"
    spread = measure([(float(one), 1.0) for one in values], ratio(0, 1), len(values))
    return Score(float(value), spread.stderr, len(values)).rounded()
