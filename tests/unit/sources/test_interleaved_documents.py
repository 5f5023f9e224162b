"""Documents as corpora give them, and which of their pictures are kept."""

import json
import random
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from instructgen.config import DocumentsConfig, SourceConfig
from instructgen.dataset.pictures import find_picture_fault
from instructgen.errors import InstructgenError
from instructgen.records import Failed, Fault, ImageRecord, Rejected
from instructgen.sources.documents import Document, DocumentError, read_document
from instructgen.sources.documents_choose import Chosen, Rules, choose
from instructgen.sources.documents_files import read_documents
from instructgen.sources.documents_match import assign
from instructgen.sources.documents_media import FolderMedia
from tests.support.mmc4 import README_SIMILARITIES, make_mmc4, make_noise, write_mmc4
from tests.support.pair_tables import make_jpeg, make_shard, write_tar

NOTHING = FolderMedia(None)


def look(name: str, data: bytes) -> Fault | None:
    return find_picture_fault(data, ImageRecord(name, name, 0, 0, (), ()), 1_000_000)


def make_rules(*, embeds: bool = False, seed: int = 0, **options: Any) -> Rules:
    return Rules(DocumentsConfig(**options), seed, embeds, 1_000_000, look)


def settle(record: dict[str, Any], media: FolderMedia = NOTHING, **options: Any) -> tuple[Any, Counter[str]]:
    left_out: Counter[str] = Counter()
    return choose(read_document(record, "d"), media, make_rules(**options), left_out), left_out


def pairs_of(chosen: Chosen) -> list[tuple[str, str]]:
    """Return each picture with the text behind it."""
    texts = chosen.document.texts
    return [(one.path, texts[place]) for one, place in zip(chosen.pictures, chosen.places, strict=True)]


def test_example_of_mmc4_keeps_each_picture_with_its_sentence() -> None:
    chosen, _ = settle(make_mmc4(README_SIMILARITIES))
    assert pairs_of(chosen) == [("1.jpg", "Sentence 1."), ("0.jpg", "Sentence 2.")]


def test_of_3000_random_documents_none_pairs_a_picture_with_anothers_sentence() -> None:
    draw, num_pairs, num_out_of_order = random.Random(7), 0, 0
    for _ in range(3000):
        num_pictures, num_texts = draw.randint(2, 8), draw.randint(2, 12)
        matrix = [[draw.uniform(0.1, 0.5) for _ in range(num_texts)] for _ in range(num_pictures)]
        wanted = {f"{k}.jpg": f"Sentence {n}." for k, n in enumerate(assign(matrix)) if n is not None}
        chosen, _ = settle(make_mmc4(matrix), keep_single=1.0)
        if isinstance(chosen, Rejected):
            continue
        found = pairs_of(chosen)
        assert all(wanted[name] == text for name, text in found)
        assert list(chosen.places) == sorted(set(chosen.places))
        num_pairs += len(found)
        names = [name for name, _ in found]
        num_out_of_order += names != sorted(names)
    assert num_pairs > 9_000
    assert num_out_of_order > 1_500, "documents in which the page's order would mispair"


def test_corpus_own_matches_are_taken_where_they_are_asked_for() -> None:
    record = make_mmc4([[0.5, 0.3, 0.3], [0.3, 0.3, 0.5]], matched=[2, 0])
    anew, _ = settle(record)
    given, _ = settle(record, match="given")
    assert pairs_of(anew) == [("0.jpg", "Sentence 0."), ("1.jpg", "Sentence 2.")]
    assert pairs_of(given) == [("1.jpg", "Sentence 0."), ("0.jpg", "Sentence 2.")]
    strict, left_out = settle(make_mmc4([[0.5, 0.2], [0.2, 0.5]], matched=[1, 1]), match="given", keep_single=1.0)
    assert pairs_of(strict) == [("1.jpg", "Sentence 1.")]
    assert left_out == {"dissimilar": 1}


def test_document_without_similarities_says_what_to_do() -> None:
    record = make_mmc4([[0.5, 0.3], [0.3, 0.5]], matched=[0, 1])
    del record["similarity_matrix"]
    rejected, _ = settle(record)
    assert (rejected.reason, rejected.detail) == ("no_picture", "none of 2 is kept: 2 x similarity_missing")
    assert pairs_of(settle(record, match="given")[0]) == [("0.jpg", "Sentence 0."), ("1.jpg", "Sentence 1.")]


def test_first_six_pictures_in_the_order_of_the_sentences_are_kept() -> None:
    matrix = [[0.9 if n == 7 - k else 0.1 for n in range(8)] for k in range(8)]
    chosen, left_out = settle(make_mmc4(matrix))
    assert pairs_of(chosen) == [(f"{7 - n}.jpg", f"Sentence {n}.") for n in range(6)]
    assert left_out == {"too_many": 2}
    assert len(settle(make_mmc4(matrix), max_pictures=8)[0].places) == 8


def test_pictures_without_a_sentence_are_left_out_and_counted() -> None:
    chosen, left_out = settle(make_mmc4([[0.5, 0.1], [0.1, 0.5], [0.3, 0.3]]))
    assert pairs_of(chosen) == [("0.jpg", "Sentence 0."), ("1.jpg", "Sentence 1.")]
    assert left_out == {"no_text_left": 1}


def test_picture_below_11000_bytes_is_left_out_before_the_matching(tmp_path: Path) -> None:
    (tmp_path / "0.jpg").write_bytes(make_noise(0) + bytes(20_000))  # what follows the picture counts, as anywhere
    for k, num_bytes in ((1, 10_999), (2, 11_000)):
        (tmp_path / f"{k}.jpg").write_bytes(make_jpeg() + bytes(num_bytes - len(make_jpeg())))
    record = make_mmc4([[0.3, 0.5, 0.1], [0.5, 0.3, 0.3], [0.4, 0.1, 0.3]])
    chosen, left_out = settle(record, FolderMedia(tmp_path), embeds=True)
    assert pairs_of(chosen) == [("2.jpg", "Sentence 0."), ("0.jpg", "Sentence 1.")]
    assert left_out == {"picture_small": 1}
    assert chosen.pictures[1].data == make_noise(0) + bytes(20_000)


def test_missing_and_broken_pictures_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "0.jpg").write_bytes(make_noise(0))
    (tmp_path / "1.jpg").write_bytes(b"no picture" * 2_000)
    record = make_mmc4([[0.5, 0.1, 0.1], [0.1, 0.5, 0.1], [0.1, 0.1, 0.5]])
    chosen, left_out = settle(record, FolderMedia(tmp_path), embeds=True, keep_single=1.0)
    assert pairs_of(chosen) == [("0.jpg", "Sentence 0.")]
    assert left_out == {"picture_broken": 1, "picture_missing": 1}


def test_half_of_the_documents_with_one_picture_are_kept_whatever_their_order() -> None:
    records = [make_mmc4([[0.5]]) | {"text_list": [f"Text {number}."]} for number in range(2_000)]
    kept = [number for number, record in enumerate(records) if isinstance(settle(record)[0], Chosen)]
    assert 920 < len(kept) < 1_080
    again = [number for number in reversed(range(2_000)) if isinstance(settle(records[number])[0], Chosen)]
    assert again[::-1] == kept
    assert settle(records[0], keep_single=0.0)[0].reason == "single_picture"
    assert all(isinstance(settle(record, keep_single=1.0)[0], Chosen) for record in records[:50])
    other = [number for number, record in enumerate(records) if isinstance(settle(record, seed=1)[0], Chosen)]
    assert other != kept


def test_document_without_a_picture_is_rejected() -> None:
    assert settle(make_mmc4([[0.1, 0.1]]))[0].reason == "no_picture"
    assert settle({"texts": ["A."], "images": [None]})[0].reason == "no_picture"


def test_picture_that_cannot_be_read_fails_its_document() -> None:
    class Broken(FolderMedia):
        def read(self, name: str) -> bytes | None:
            raise OSError("the disk is gone")

    failed, _ = settle(make_mmc4([[0.5]]), Broken(None), embeds=True)
    assert isinstance(failed, Failed)
    assert (failed.reason, failed.detail) == ("picture_unreadable", "the disk is gone")


def test_obelics_keeps_its_places_one_behind_the_last_text_too() -> None:
    record = {"texts": [None, "A.", None, None, "B.", None], "images": ["1", None, "2", "3", None, "4"]}
    chosen, _ = settle(record)
    assert (chosen.places, [one.path for one in chosen.pictures]) == ((0, 1, 1, 2), ["1", "2", "3", "4"])
    assert chosen.document.texts == ("A.", "B.")


def test_own_form_has_pictures_and_clips_between_texts() -> None:
    parts = [{"image": "a.jpg"}, {"text": " A. "}, {"text": "  "}, {"clip": "b.mp4"}, {"text": "B."}]
    document = read_document({"id": "x7", "parts": parts}, "d")
    assert (document.document_id, document.texts) == ("x7", ("A.", "B."))
    assert [(one.name, one.place, one.is_clip) for one in document.pictures] == [
        ("a.jpg", 0, False),
        ("b.mp4", 1, True),
    ]


def test_blank_sentence_takes_its_similarities_along() -> None:
    record = make_mmc4([[0.9, 0.3, 0.1], [0.9, 0.1, 0.4]])
    record["text_list"][0] = "\n"
    assert pairs_of(settle(record)[0]) == [("0.jpg", "Sentence 1."), ("1.jpg", "Sentence 2.")]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"text_list": []}, "no_text"),
        ({"text_list": ["A."], "image_info": [{}]}, "picture_unnamed"),
        ({**make_mmc4([[0.5]]), "similarity_matrix": [[0.5, 0.5]]}, "similarity_broken"),
        ({**make_mmc4([[0.5]]), "similarity_matrix": []}, "similarity_broken"),
        ({**make_mmc4([[0.5]]), "similarity_matrix": [["x"]]}, "similarity_broken"),
        ({"texts": ["A."], "images": []}, "not_parallel"),
        ({"texts": ["A."], "images": ["b"]}, "not_parallel"),
        ({"texts": [5], "images": [None]}, "text_missing"),
        ({"parts": [{"text": "A.", "image": "b"}]}, "unknown_part"),
        ({"parts": [{"text": "See <image> here."}]}, "control_string"),
        ({"parts": [{"text": "A.<|endofchunk|>"}]}, "control_string"),
        ({"parts": [{"text": "\ud83d"}]}, "broken_text"),
        ({"x": 1}, "unknown_form"),
    ],
)
def test_record_that_is_no_document_has_a_reason(record: dict[str, Any], reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_document(record, "d")
    assert caught.value.fault.reason == reason


def read_all(root: Path, **options: Any) -> list[Document | Rejected]:
    config = SourceConfig("interleaved", str(root), documents=DocumentsConfig(**options))
    return [document for document, _ in read_documents(config)]


def test_lines_are_documents_each_or_rejected(tmp_path: Path) -> None:
    write_mmc4(tmp_path, [make_mmc4(README_SIMILARITIES), "{", "[1]", {"id": "own", "parts": [{"text": "A."}]}], {})
    found = read_all(tmp_path)
    assert [one.document_id if isinstance(one, Document) else one.reason for one in found] == [
        "interleaved/documents.jsonl-000000001",
        "not_json",
        "not_json",
        "interleaved/own",
    ]


def test_zip_of_lines_is_read_as_the_lines_are(tmp_path: Path) -> None:
    lines = json.dumps(make_mmc4(README_SIMILARITIES)).encode() + b"\n"
    with zipfile.ZipFile(tmp_path / "docs_shard_0_v2.jsonl.zip", "w") as archive:
        archive.writestr("docs_shard_0_v2.jsonl", lines * 2)
    assert [len(one.pictures) for one in read_all(tmp_path) if isinstance(one, Document)] == [2, 2]
    (tmp_path / "docs_shard_0_v2.jsonl.zip").write_bytes(b"PK nothing")
    with pytest.raises(InstructgenError, match="no whole zip file"):
        read_all(tmp_path)


def test_shards_with_pictures_as_base64_bring_them(tmp_path: Path) -> None:
    """The form that OpenFlamingo's converter writes."""
    import base64

    record = make_mmc4([[0.5, 0.2], [0.2, 0.5]])
    for k, info in enumerate(record["image_info"]):
        info["image_base64"] = base64.b64encode(make_noise(k)).decode()
    write_tar(tmp_path / "000.tar", {"000.json": json.dumps(record).encode()})
    (document,) = read_all(tmp_path)
    assert isinstance(document, Document)
    assert [one.data for one in document.pictures] == [make_noise(0), make_noise(1)]


def test_parquet_of_documents_and_of_parts_is_read(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    obelics = [{"texts": [None, "A."], "images": ["1.jpg", None]}]
    pq.write_table(pa.Table.from_pylist(obelics), tmp_path / "a.parquet")
    (one,) = read_all(tmp_path / "a.parquet")
    assert isinstance(one, Document)
    assert (one.texts, one.pictures[0].name) == (("A.",), "1.jpg")
    pq.write_table(pa.Table.from_pylist([{"parts": [{"text": "A."}, {"image": "b.jpg"}]}]), tmp_path / "b.parquet")
    (two,) = read_all(tmp_path / "b.parquet")
    assert isinstance(two, Document)
    assert (two.texts, two.pictures[0].place) == (("A.",), 1)


def test_pairs_are_documents_of_one_picture_that_no_draw_drops(tmp_path: Path) -> None:
    make_shard(tmp_path / "0.tar", 40)
    config = SourceConfig("interleaved", str(tmp_path))
    outcomes = [
        choose(document, media, make_rules(embeds=True), Counter())
        for document, media in read_documents(config)
        if isinstance(document, Document)
    ]
    assert len(outcomes) == 40
    for k, one in enumerate(outcomes):
        assert isinstance(one, Chosen)
        assert (one.places, one.document.texts) == ((0,), (f"a red square {k}",))
        assert one.pictures[0].data is not None
        assert len(one.pictures[0].data) < 11_000, "the bound is for pictures of documents"


def test_pair_whose_picture_is_gone_is_rejected_with_that_reason(tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_text('{"file_name": "a.jpg", "caption": "A dog."}\n')
    ((document, media),) = read_documents(SourceConfig("interleaved", str(tmp_path)))
    assert isinstance(document, Document)
    outcome = choose(document, media, make_rules(embeds=True), Counter())
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "picture_missing"


def test_names_that_lead_out_of_the_folder_read_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(make_jpeg())
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    media = FolderMedia(tmp_path / "in")
    for name in ("../secret.jpg", str(tmp_path / "secret.jpg"), "link.jpg", "a\0b", ""):
        assert media.read(name) is None
        assert media.open(name) is None


def test_folder_without_documents_and_without_root_is_told(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="holds no pairs"):
        read_all(tmp_path)
    with pytest.raises(InstructgenError, match="no file or folder"):
        read_all(tmp_path / "none")
    with pytest.raises(InstructgenError, match="--root PATH"):
        list(read_documents(SourceConfig("interleaved")))
    write_mmc4(tmp_path, [make_mmc4([[0.5]])], {})
    with pytest.raises(InstructgenError, match="images: no folder"):
        read_all(tmp_path, images=str(tmp_path / "none"))


def test_too_large_a_matrix_is_no_matter_of_hours() -> None:
    record = {"text_list": ["A."] * 2_000, "image_info": [{"image_name": "a"}] * 600}
    with pytest.raises(DocumentError) as caught:
        read_document(record, "d")
    assert caught.value.fault.reason == "document_too_large"
