"""MMC4's and OBELICS's documents as samples, each picture with its own text."""

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from instructgen.dataset.exports import EXPORTS
from instructgen.dataset.imports.base import Imported
from instructgen.errors import InstructgenError
from tests.support.exports import make_hostile_rows, make_picture, make_row, read_form, tell_imported, tell_row
from tests.support.interleaved import make_document, write_documents

# The places and similarities of the example in MMC4's README, with texts of our own: the first picture belongs to the
# third sentence and the second to the second.
EXAMPLE = {
    "image_info": [
        {"face_detections": None, "image_name": "first.jpg", "matched_sim": 0.277, "matched_text_index": 2},
        {"face_detections": None, "image_name": "second.jpg", "matched_sim": 0.323, "matched_text_index": 1},
    ],
    "similarity_matrix": [[0.244, 0.318, 0.277], [0.223, 0.323, 0.261]],
    "text_list": ["All doors lock at once.", "Press this switch.", "It also locks the tailgate."],
    "url": "http://example.org/doors.html",
    "could_have_url_duplicate": 0,
}


def write_lines(path: Path, *documents: Any) -> Path:
    path.write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf-8")
    return path


def mmc4(texts: list[Any], *places: Any) -> dict[str, Any]:
    infos = [{"image_name": f"{number}.jpg", "matched_text_index": place} for number, place in enumerate(places)]
    return {"text_list": texts, "image_info": infos}


def obelics(images: list[Any], texts: list[Any], **fields: str) -> dict[str, Any]:
    return {"images": images, "texts": texts, **fields}


def pairs_of(one: Imported) -> list[tuple[str, str]]:
    assert one.image_at is not None
    return [(image.path, one.turns[place].content) for image, place in zip(one.images, one.image_at, strict=True)]


def test_example_of_mmc4_pairs_pictures_with_their_sentences_in_the_order_of_these(tmp_path: Path) -> None:
    [one], rejected = read_form(write_lines(tmp_path / "a.jsonl", EXAMPLE), "interleaved")
    assert rejected == []
    assert pairs_of(one) == [
        ("second.jpg", "Press this switch."),
        ("first.jpg", "It also locks the tailgate."),
    ]
    assert [turn.role for turn in one.turns] == ["assistant"] * 3
    assert (one.sample_type, one.sample_id) == ("interleaved", "interleaved/a-1/interleaved/0")


def test_no_picture_of_three_thousand_documents_gets_another_ones_sentence(tmp_path: Path) -> None:
    rng = random.Random(7)
    documents = []
    for _ in range(3000):
        num_texts = rng.randint(2, 12)
        places = [rng.randrange(num_texts) for _ in range(rng.randint(2, 6))]
        documents.append(mmc4([f"Sentence {number}." for number in range(num_texts)], *places))
    imported, rejected = read_form(write_lines(tmp_path / "a.jsonl", *documents), "interleaved")
    assert rejected == []
    for one, document in zip(imported, documents, strict=True):
        wanted = [
            (info["image_name"], document["text_list"][info["matched_text_index"]]) for info in document["image_info"]
        ]
        assert sorted(pairs_of(one)) == sorted(wanted)
        assert list(one.image_at or ()) == sorted(one.image_at or ())


def test_pictures_of_one_sentence_stay_in_the_order_of_the_page(tmp_path: Path) -> None:
    [one], _ = read_form(write_lines(tmp_path / "a.jsonl", mmc4(["A.", "B."], 1, 0, 1)), "interleaved")
    assert [image.path for image in one.images] == ["1.jpg", "0.jpg", "2.jpg"]


def test_pictures_are_found_beside_the_file_or_in_the_folder_that_is_named(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", mmc4(["A."], 0))
    assert read_form(path, "interleaved")[0][0].images[0].data is None
    for folder in (tmp_path / "elsewhere", tmp_path / "images"):
        folder.mkdir()
        (folder / "0.jpg").write_bytes(make_picture(len(folder.name)))
    assert read_form(path, "interleaved")[0][0].images[0].data == make_picture(6)
    [one], _ = read_form(path, "interleaved", images=tmp_path / "elsewhere")
    assert one.images[0].data == make_picture(9)


def test_obelics_document_of_parquet_is_read(tmp_path: Path) -> None:
    texts = pa.list_(pa.string())
    schema = pa.schema(
        [("images", texts), ("metadata", pa.string()), ("general_metadata", pa.string()), ("texts", texts)]
    )
    row = {
        "images": ["1.jpg", None, "2.jpg", "3.jpg"],
        "metadata": "[{}, null, {}, {}]",
        "general_metadata": '{"url": "http://example.org", "warc_filename": "x"}',
        "texts": [None, "Between\n\nthem.", None, None],
    }
    pq.write_table(pa.Table.from_pylist([row], schema=schema), tmp_path / "a.parquet")
    [one], rejected = read_form(tmp_path / "a.parquet", "interleaved")
    assert rejected == []
    assert [turn.content for turn in one.turns] == ["Between\n\nthem."]
    assert ([image.path for image in one.images], one.image_at) == (["1.jpg", "2.jpg", "3.jpg"], (0, 1, 1))


def test_obelics_addresses_are_kept_as_they_are(tmp_path: Path) -> None:
    document = obelics(["https://example.org/a.jpg", None], [None, "A."])
    [one], _ = read_form(write_lines(tmp_path / "a.jsonl", document), "obelics")
    assert [(image.path, image.data) for image in one.images] == [("https://example.org/a.jpg", None)]


@pytest.mark.parametrize(
    ("reason", "document"),
    [
        ("image_place_unknown", mmc4(["A."], 1)),
        ("image_place_unknown", mmc4(["A."], -1)),
        ("image_place_unknown", mmc4(["A."], None)),
        ("image_place_unknown", mmc4(["A."], "0")),
        ("image_missing", {"text_list": ["A."], "image_info": [{"raw_url": "http://x"}]}),
        ("unsafe_path", {"text_list": ["A."], "image_info": [{"image_name": "../a.jpg", "matched_text_index": 0}]}),
        ("not_a_turn", mmc4([None])),
        ("no_answer", mmc4([])),
        ("not_parallel", obelics(["a.jpg"], [None, "A."])),
        ("not_parallel", obelics(["a.jpg"], ["A."])),
        ("not_parallel", obelics([None, None], [None, "A."])),
        ("image_missing", obelics([7, None], [None, "A."])),
        ("unknown_speaker", {**mmc4(["A."]), "roles": ["tool"]}),
        ("unknown_speaker", {**mmc4(["A."]), "roles": ["assistant", "user"]}),
        ("unknown_form", {"text": "A."}),
        ("not_an_object", [1]),
    ],
)
def test_bad_document_is_rejected_and_the_next_is_read(reason: str, document: Any, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", document, mmc4(["Fine."]))
    imported, rejected = read_form(path, "interleaved")
    assert [(one.record_id, one.stage, one.reason) for one in rejected] == [("#1", "source", reason)]
    assert [one.turns[0].content for one in imported] == ["Fine."]


def test_document_whose_picture_is_not_there_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    path = write_lines(tmp_path / "a.jsonl", mmc4(["A."], 0))
    assert [one.reason for one in read_form(path, "interleaved")[1]] == ["image_missing"]


def test_document_over_the_bound_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for number in range(3):
        (tmp_path / "images" / f"{number}.jpg").write_bytes(make_picture(number))
    path = write_lines(tmp_path / "a.jsonl", mmc4(["x" * 3000]), mmc4(["A."], 0, 0, 0))
    bound = 2 * len(make_picture(0))
    assert [one.reason for one in read_form(path, "interleaved", max_bytes=bound)[1]] == ["record_too_large"] * 2


def test_truncated_parquet_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(InstructgenError, match=r"a\.parquet cannot be read"):
        read_form(tmp_path / "a.parquet", "interleaved")


@pytest.mark.parametrize("form", ["interleaved", "obelics"])
def test_round_trip_keeps_documents_and_conversations(form: str, tmp_path: Path) -> None:
    rows = [
        make_document(30, ["One.", "", "Three <image>."], [0, 2, 2]),
        make_document(31, ["One.", "Two."], []),
        make_document(32, ["Asked?", "Said."], [1], role="user"),
        {**make_row(33), "image_at": [0]},
        *make_hostile_rows(),
    ]
    rows[2]["messages"][1]["role"] = "assistant"
    version = write_documents(tmp_path / "v", rows)
    exported = EXPORTS[form](version, tmp_path / "out", lambda _, __: None)
    assert (exported.num_rows, exported.left_out) == (len(rows), {})
    imported, rejected = read_form(tmp_path / "out", form)
    assert rejected == []
    found = {one.sample_id: (tell_imported(one), one.image_at) for one in imported}
    wanted = {row["sample_id"]: (tell_row(row), row.get("image_at")) for row in rows}
    assert found == {key: (told, None if at is None else tuple(at)) for key, (told, at) in wanted.items()}
    assert all(one.fields["source"] == "coco" for one in imported)


def test_round_trip_of_obelics_keeps_a_picture_behind_the_last_text(tmp_path: Path) -> None:
    version = write_documents(tmp_path / "v", [make_document(1, ["One.", "Two."], [1, 2])])
    EXPORTS["obelics"](version, tmp_path / "out", lambda _, __: None)
    assert read_form(tmp_path / "out", "obelics")[0][0].image_at == (1, 2)


@pytest.mark.parametrize("infos", [5, "a.jpg", {"image_name": "a.jpg"}, True])
def test_list_of_pictures_that_is_none_is_rejected(infos: object, tmp_path: Path) -> None:
    documents = [{"text_list": ["A."], "image_info": infos}, {"text_list": ["B."], "image_info": None}]
    [one], [rejected] = read_form(write_lines(tmp_path / "a.jsonl", *documents), "interleaved")
    assert (rejected.record_id, rejected.reason) == ("#1", "image_missing")
    assert one.turns[0].content == "B."


def test_folder_with_both_kinds_of_documents_is_an_error_that_names_both(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", EXAMPLE)
    pq.write_table(pa.table({"images": [["x.jpg", None]], "texts": [[None, "A."]]}), tmp_path / "b.parquet")
    with pytest.raises(InstructgenError, match=r"holds b.parquet and a.jsonl.*name one file"):
        read_form(tmp_path, "interleaved")
