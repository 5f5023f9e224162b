"""All filters over a dataset in their order."""

import json
from pathlib import Path

from instructgen.config import FiltersConfig
from instructgen.filters import make_corpus_filters
from instructgen.filters.corpus import CorpusReview
from instructgen.records import ImageRecord, Message, Sample

TEXT = " ".join(f"word{number}" for number in range(60))


def make_sample(number: int, text: str) -> tuple[Sample, ImageRecord]:
    turns = (Message("user", "What?"), Message("assistant", text))
    record = ImageRecord(f"coco/{number}", f"{number}.jpg", 640, 480, ("A dog.",), ())
    return Sample(f"coco/{number}/detail/0", f"coco/{number}", "detail", turns, (), {}), record


def test_what_one_filter_drops_is_not_there_for_the_next(tmp_path: Path) -> None:
    known = tmp_path / "eval.jsonl"
    known.write_text(json.dumps({"image_id": 1}), encoding="utf-8")
    options = {"contamination": {"against": [str(known)]}, "diversity": {"max_samples": 2}}
    use = ("contamination", "near_duplicate", "diversity")
    review = CorpusReview(make_corpus_filters(FiltersConfig(use=use, options=options)))
    for sample, record in [make_sample(number, TEXT) for number in (1, 2, 3)] + [make_sample(4, "A dog.")]:
        review.observe(sample, record)
    assert {sample_id: fault.reason for sample_id, fault in review.decide().items()} == {
        "coco/1/detail/0": "contaminated_image",
        "coco/3/detail/0": "near_duplicate",
    }


def test_no_filters_drop_nothing() -> None:
    review = CorpusReview({})
    review.observe(*make_sample(1, TEXT))
    assert review.decide() == {}
