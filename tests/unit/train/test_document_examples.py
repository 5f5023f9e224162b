"""Documents as tokens: where pictures stand, what is learned, what is cut (2204.14198 A.3, 2308.01390)."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("tokenizers", reason="tokenizers is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st

from instructgen.records import Message
from instructgen.train.documents import DocumentRules
from instructgen.train.encode import Encoded, Encoder, RawSample, Skipped
from instructgen.train.example import IMAGE_SLOT
from instructgen.train.examples import load_examples
from instructgen.train.marks import END_OF_CHUNK, PICTURE, Part
from instructgen.train.recipe import DocumentsConfig
from tests.support.interleaved import make_document, write_documents
from tests.support.tokenizers import make_tokenizer

TOKENIZER = make_tokenizer("llama3")
END = 9000
"""The token that ends a chunk: the one after the language model's last."""
BOS = TOKENIZER.encode("a")[: -len(TOKENIZER.encode("a", add_special_tokens=False))]


def make_encoder(max_tokens: int = 1000, *, tokens_per_image: int = 1, **config: float) -> Encoder:
    rules = DocumentRules(END, groups_frames=True, config=DocumentsConfig(**config))  # type: ignore[arg-type]
    return Encoder(TOKENIZER, "interleaved", tokens_per_image, max_tokens, documents=rules)


def encode(
    encoder: Encoder,
    texts: Sequence[str],
    image_at: Sequence[int],
    frames: Sequence[int] = (),
    sample_id: str = "x",
) -> Encoded | Skipped:
    keys = tuple(f"p{number}" for number in range(sum(frames) if frames else len(image_at)))
    messages = tuple(Message("assistant", text) for text in texts)
    (found,) = encoder.encode_all([RawSample(sample_id, messages, keys, tuple(image_at), tuple(frames))])
    return found


def spell(found: Encoded | Skipped, *, learned: bool = False) -> str:
    """Return an example as it is written, or what of it is learned; what is not is a dot."""
    assert isinstance(found, Encoded)
    example = found.example
    marks = {IMAGE_SLOT: "<image>", END: "<eoc>"}
    pieces: list[str] = []
    for number, trained in zip(example.ids.tolist(), example.is_trained.tolist(), strict=True):
        if learned and not trained:
            pieces += [] if pieces[-1:] == ["."] else ["."]
        else:
            pieces.append(marks.get(number) or TOKENIZER.decode([number]))
    return "".join(pieces)


def test_a_document_is_written_in_chunks_and_learned_from_its_first_picture_on() -> None:
    found = encode(make_encoder(), ["Before. ", "A cup.", " On a table.", "A dog."], [1, 3])
    eos = TOKENIZER.eos_token
    begin = TOKENIZER.decode(BOS)
    assert spell(found) == f"{begin}Before.<image>A cup. On a table.<eoc><image>A dog.<eoc>{eos}"
    assert spell(found, learned=True) == ".A cup. On a table.<eoc>.A dog.<eoc>."


def test_nothing_is_learned_between_the_end_of_a_chunk_and_the_next_picture() -> None:
    found = encode(make_encoder(), ["One.", "Two.", "Three."], [0, 1, 2])
    assert isinstance(found, Encoded)
    ids, is_trained = found.example.ids.tolist(), found.example.is_trained.tolist()
    is_open = False
    for number, trained in zip(ids, is_trained, strict=True):
        if number == IMAGE_SLOT:
            assert not trained
            is_open = True
        elif number == END:
            assert trained
            is_open = False
        else:
            assert trained == is_open


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_the_document_the_rules_of_the_loss_hold(data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.sampled_from(["", " ", "A cup.", "Two dogs run.", "<image>", "</s>"]), max_size=6))
    places = sorted(data.draw(st.lists(st.integers(0, len(texts)), max_size=5)))
    limit, p_next = data.draw(st.sampled_from([4, 12, 1000])), data.draw(st.sampled_from([0.0, 1.0]))
    found = encode(make_encoder(limit, p_next=p_next, max_pictures=3), texts, places)
    if isinstance(found, Skipped):
        assert found.reason in {"no_picture", "no_text", "too_long_for_image", "nothing_follows_a_picture"}
        return
    example = found.example
    assert len(example.ids) <= limit
    slots = [at for at, number in enumerate(example.ids.tolist()) if number == IMAGE_SLOT]
    assert len(example.pictures) == len(slots) <= 3
    assert len(slots) + found.num_pictures_left_out == len(places)
    assert not example.is_trained[slots].any()
    learned = [at for at, trained in enumerate(example.is_trained.tolist()) if trained]
    assert learned[-1] >= 1
    if p_next:
        assert max(learned) < slots[-1]
    else:
        assert min(learned) > slots[0]
    for at, number in enumerate(example.ids.tolist()):
        if number == END and p_next == 0:
            assert at + 1 == len(example.ids) or example.ids[at + 1] in (IMAGE_SLOT, TOKENIZER.eos_token_id)


def test_texts_that_look_at_the_next_picture_are_learned_before_it() -> None:
    found = encode(make_encoder(p_next=1.0), ["A cup.", "A dog.", "The end."], [1, 2])
    assert spell(found, learned=True) == ".A cup.<eoc>.A dog.<eoc>."
    assert isinstance(found, Encoded)
    assert found.example.sees_next


def test_half_of_the_documents_look_at_the_next_picture_each_always_the_same() -> None:
    encoder = make_encoder(p_next=0.5)
    drawn = [encode(encoder, ["A.", "B.", "C."], [0, 2], sample_id=f"d{number}") for number in range(400)]
    turned = [found.example.sees_next for found in drawn if isinstance(found, Encoded)]
    assert 160 < sum(turned) < 240
    again = encode(make_encoder(p_next=0.5), ["A.", "B.", "C."], [0, 2], sample_id="d7")
    assert isinstance(again, Encoded)
    assert again.example.sees_next == turned[7]


def test_a_document_ends_before_the_picture_after_the_last_allowed() -> None:
    found = encode(make_encoder(max_pictures=2), ["One.", "Two.", "Three.", "Four."], [0, 1, 2, 3])
    assert spell(found, learned=True) == ".One.<eoc>.Two.<eoc>."
    assert isinstance(found, Encoded)
    assert (found.num_left_out, found.num_pictures_left_out, found.is_cut) == (2, 2, False)
    assert found.example.pictures == ("p0", "p1")


def test_a_document_that_is_too_long_loses_its_end_and_that_is_told() -> None:
    whole = encode(make_encoder(), ["One.", "Two.", "Three."], [0, 1, 2])
    assert isinstance(whole, Encoded)
    slots = [at for at, number in enumerate(whole.example.ids.tolist()) if number == IMAGE_SLOT]
    before_third = encode(make_encoder(slots[2]), ["One.", "Two.", "Three."], [0, 1, 2])
    assert isinstance(before_third, Encoded)
    assert before_third.example.ids.tolist() == whole.example.ids[: slots[2]].tolist()
    assert before_third.example.is_trained.tolist() == whole.example.is_trained[: slots[2]].tolist()
    assert (before_third.is_cut, before_third.num_pictures_left_out) == (True, 1)
    none_left = encode(make_encoder(len(BOS)), ["One."], [0])
    assert isinstance(none_left, Skipped)
    assert none_left.reason == "too_long_for_image"


@pytest.mark.parametrize(
    ("texts", "image_at", "frames", "reason"),
    [
        (["A."], [], (), "no_picture"),
        (["A."], [2], (), "pictures_have_no_place"),
        (["A.", "B."], [1, 0], (), "pictures_have_no_place"),
        (["A."], [0], (1, 2), "pictures_have_no_place"),
        (["A."], [0], (0,), "pictures_have_no_place"),
        ([" "], [0], (), "no_text"),
        (["A."], [1], (), "nothing_follows_a_picture"),
        (["A \ud800."], [0], (), "not_unicode"),
    ],
)
def test_what_nothing_can_be_learned_from_is_left_out_with_its_reason(
    texts: list[str], image_at: list[int], frames: tuple[int, ...], reason: str
) -> None:
    found = encode(make_encoder(), texts, image_at, frames)
    assert isinstance(found, Skipped)
    assert found.reason == reason


def test_a_clip_takes_one_place_or_for_other_models_one_for_each_frame() -> None:
    found = encode(make_encoder(), ["It jumps.", "A dog."], [0, 1], (3, 1))
    assert isinstance(found, Encoded)
    assert found.example.frames == (3, 1)
    assert found.example.pictures == ("p0", "p1", "p2", "p3")
    assert spell(found).count("<image>") == 2
    other = Encoder(TOKENIZER, "interleaved", 4, 1000)
    spread = encode(other, ["It jumps.", "A dog."], [0, 1], (3, 1))
    assert isinstance(spread, Encoded)
    assert spread.example.frames == ()
    assert spread.example.ids.tolist().count(IMAGE_SLOT) == 4


def test_a_model_without_a_token_of_its_own_ends_a_chunk_with_the_tokenizers_last() -> None:
    encoder = Encoder(TOKENIZER, "interleaved", 4, 1000)
    eos = TOKENIZER.eos_token_id
    assert encoder.document_ids((PICTURE, END_OF_CHUNK)).tolist() == [*BOS, IMAGE_SLOT, eos]


def test_a_prompt_is_what_training_has_there() -> None:
    encoder = make_encoder()
    parts: tuple[Part, ...] = ("Before.", PICTURE, "A cup.", END_OF_CHUNK, PICTURE)
    trained = encode(encoder, ["Before.", "A cup.", "A dog."], [1, 2])
    assert isinstance(trained, Encoded)
    prompt = encoder.document_ids(parts).tolist()
    assert trained.example.ids[: len(prompt)].tolist() == prompt


def test_a_picture_and_its_text_begin_with_a_space_as_often_as_asked() -> None:
    encoder = make_encoder(leading_space=0.5)
    written = [spell(encode(encoder, ["A cup."], [0], sample_id=f"s{number}")) for number in range(200)]
    spaced = sum("<image> A cup." in text for text in written)
    assert 70 < spaced < 130
    assert all("<image>A cup." in text for text in written if "<image> A" not in text)


def test_chats_in_this_template_are_a_picture_and_its_answer_with_the_end_of_the_chunk() -> None:
    chat = (Message("user", "What is it?"), Message("assistant", "A cup."))
    (found,) = make_encoder().encode_all([RawSample("x", chat, ("p",))])
    assert spell(found, learned=True) == ".A cup.<eoc>"
    assert make_encoder().stop.token_ids[0] == END


def test_documents_of_a_version_and_of_json_lines_are_read_with_their_places(tmp_path: Path) -> None:
    write_documents(
        tmp_path / "v", [make_document(0, ["One.", "Two.", "Three."], [0, 2]), make_document(1, ["Four."], [0])]
    )
    encoder = make_encoder(max_pictures=1)
    found = load_examples(tmp_path / "v", encoder)
    assert [spell(Encoded(example), learned=True) for example in found] == [".One. Two.<eoc>.", ".Four.<eoc>."]
    assert (found.summary.pictures_left_out, found.summary.turns_left_out) == (1, 1)
    assert [len(example.pictures) for example in found] == [1, 1]
    assert len(found.picture_bytes(found[0].pictures[0])) > 100
    line = {"messages": [{"role": "assistant", "content": "It jumps."}], "images": ["a.png", "b.png"]}
    (tmp_path / "clips.jsonl").write_text(json.dumps({**line, "image_at": [0], "frames": [2]}), encoding="utf-8")
    kept = load_examples(tmp_path / "clips.jsonl", encoder, cache=tmp_path / "cache")
    assert kept[0].frames == (2,)
    assert kept[0].pictures == ("a.png", "b.png")
    again = load_examples(tmp_path / "clips.jsonl", encoder, cache=tmp_path / "cache")
    assert (again[0].frames, again[0].ids.tolist()) == (kept[0].frames, kept[0].ids.tolist())
    assert again.lengths.tolist() == [len(kept[0].ids)]
