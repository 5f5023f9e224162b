"""Words of captions, and their measures by the reference implementation."""

import shutil

import pytest

from instructgen.evaluate import captioning
from instructgen.evaluate.captioning import score_captions, split_caption

REFERENCES = {
    "1": ("A brown dog runs on the grass.", "A dog is running in a park.", "The dog runs after a ball."),
    "2": ("Two men ride horses.", "A pair of riders on horseback.", "Men on horses in a field."),
    "3": ("A red bus in the street.", "The bus stops at a corner.", "A bus on a city street."),
}
WRITTEN = {"1": "A dog runs on grass.", "2": "Two men ride horses.", "3": "A pizza."}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A man's dog, (brown) runs!", "a man 's dog brown runs"),
        ("It doesn't; it cannot.", "it does n't it can not"),
        ('A red-haired man with a "7 UP" at 5:30 ...', "a red-haired man with a 7 up at 5:30"),
        ("An U.S. flag & 2.5 dogs", "an u.s. flag & 2.5 dogs"),
        ("  \n ", ""),
    ],
)
def test_words_are_split_as_the_treebank_splits_them(text: str, words: str) -> None:
    assert split_caption(text) == words


@pytest.fixture
def without_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captioning.shutil, "which", lambda _name: None)


@pytest.mark.usefixtures("without_java")
def test_figures_are_those_of_the_reference_on_the_same_words() -> None:
    pytest.importorskip("pycocoevalcap", reason="the extra [evaluate] is not installed")
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider

    split = {key: [split_caption(text) for text in texts] for key, texts in REFERENCES.items()}
    written = {key: [split_caption(text)] for key, text in WRITTEN.items()}
    cider, each = Cider().compute_score(split, written)
    bleu, _ = Bleu(4).compute_score(split, written, verbose=0)
    scores, notes = score_captions(REFERENCES, WRITTEN)
    assert scores["cider"].value == pytest.approx(cider, abs=1e-6)
    assert scores["cider"].value == pytest.approx(sum(each) / 3, abs=1e-6)
    assert [scores[f"bleu_{n}"].value for n in range(1, 5)] == pytest.approx(bleu, abs=1e-6)
    assert all(score.stderr is not None and score.num_samples == 3 for score in scores.values())
    assert any("METEOR" in note for note in notes)
    assert any("of 3 images it says little" in note for note in notes)


@pytest.mark.skipif(shutil.which("java") is None, reason="METEOR needs Java")
def test_meteor_comes_with_java_and_takes_an_empty_caption() -> None:
    pytest.importorskip("pycocoevalcap", reason="the extra [evaluate] is not installed")
    scores, _ = score_captions(REFERENCES, {**WRITTEN, "3": ""})
    assert scores["meteor"].value is not None
    assert 0 < scores["meteor"].value < 1


def test_missing_package_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(captioning, "import_module", fail)
    with pytest.raises(captioning.InstructgenError, match=r"instructgen\[evaluate\]"):
        score_captions(REFERENCES, WRITTEN)
