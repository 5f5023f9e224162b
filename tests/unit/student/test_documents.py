"""A tiny model goes on with documents: texts and pictures in turn, no template, an end of the chunk."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.evaluate.shots.forms import CAPTION, VQA, Shot, build_prompt  # noqa: E402
from instructgen.records import Message  # noqa: E402
from instructgen.student.ask import Ask, Document, Sampling  # noqa: E402
from instructgen.student.documents import DocumentWording  # noqa: E402
from instructgen.student.local import LocalStudent  # noqa: E402
from instructgen.train.example import IMAGE_SLOT  # noqa: E402
from instructgen.train.marks import END_OF_CHUNK, PICTURE  # noqa: E402
from tests.support.tiny_students import make_picture, make_spec, make_tiny  # noqa: E402
from tests.unit.student.test_local_student import follow_plainly  # noqa: E402

GREEDY = Sampling(max_tokens=16)
SHOTS = [Shot(str(n), str(n), f"Which {n}?", "a red cup " * n) for n in range(1, 5)]


@pytest.fixture(scope="module")
def student() -> LocalStudent:
    return make_tiny(make_spec(max_position_embeddings=2048))


def make_documents() -> list[Document]:
    """With no shot, two and four, and the last one again with another question."""
    pictures = tuple(make_picture(number) for number in range(5))
    return [
        Document(build_prompt(CAPTION, SHOTS[:2], shows=False), pictures[:1]),
        Document(build_prompt(CAPTION, SHOTS[:2]), pictures[:3]),
        Document(build_prompt(VQA, SHOTS, "How many?"), pictures),
        Document(build_prompt(VQA, SHOTS, "What color is the cup?"), pictures),
        Document(build_prompt(VQA, SHOTS, "How many?"), (*pictures[:4], None)),
    ]


def documents_of(student: LocalStudent) -> DocumentWording:
    found = student._documents
    assert found is not None
    return found


def test_document_is_written_in_order_with_a_slot_a_picture(student: LocalStudent) -> None:
    wording = documents_of(student)
    ids = wording.prompt_ids(Document(("so", PICTURE, "a dog", END_OF_CHUNK, PICTURE), (None, None)))
    assert [number for number in ids if number in (IMAGE_SLOT, 2)] == [IMAGE_SLOT, 2, IMAGE_SLOT]
    assert ids[-1] == IMAGE_SLOT
    assert wording.rules.decode([number for number in ids if number > 2]) == "soa dog"


def test_answer_goes_on_where_the_document_stops(student: LocalStudent) -> None:
    wording = documents_of(student)
    document = make_documents()[1]
    answer = wording.answer_ids(document, "a bus")
    assert answer[-1] in wording.rules.stop_ids
    assert wording.rules.decode(answer[:-1]) == "a bus"
    whole = Document((*document.parts, "a bus", END_OF_CHUNK), document.pictures)
    assert wording.prompt_ids(whole) == [*wording.prompt_ids(document), *answer]


def test_kept_keys_and_values_give_the_tokens_of_the_plain_computation(student: LocalStudent) -> None:
    for document in make_documents():
        wanted = follow_plainly(student, document, 8)  # type: ignore[arg-type]
        answer = student.answer_all([document], Sampling(max_tokens=8))[0]
        rules = documents_of(student).rules
        cut = next((place for place, token in enumerate(wanted) if token in rules.stop_ids), 8)
        assert answer.text == rules.decode(wanted[:cut]).strip().rstrip("\ufffd").strip()


def test_documents_and_chats_in_one_call_are_answered_as_each_by_itself(student: LocalStudent) -> None:
    chat = Ask((Message("user", "What is it?"),), (make_picture(1),))
    asks = [chat, *make_documents(), Ask((Message("user", "And?"),))]
    together = student.answer_all(asks, GREEDY)
    assert together == [student.answer_all([ask], GREEDY)[0] for ask in asks]


def test_pictures_of_shots_change_what_is_said(student: LocalStudent) -> None:
    document = make_documents()[2]
    other = Document(document.parts, (make_picture(9), *document.pictures[1:]))
    shown = student.score(document, ["a red cup", "two"])
    assert student.score(other, ["a red cup", "two"]) != pytest.approx(shown)


def test_scores_are_those_of_the_tokens_one_by_one(student: LocalStudent) -> None:
    document = make_documents()[1]
    language = student.network.language  # type: ignore[attr-defined]
    for answer, score in zip(("a dog", "two"), student.score(document, ["a dog", "two"]), strict=True):
        ids = documents_of(student).answer_ids(document, answer)
        embeds = student.prompt(document).embeds_ld
        with torch.no_grad():
            whole = torch.cat([embeds, student.network.embed_ids(torch.tensor(ids[:-1]))])
            likely = language(inputs_embeds=whole[None]).logits[0, len(embeds) - 1 :].log_softmax(-1)
        assert score == pytest.approx(float(likely[range(len(ids)), ids].sum()), abs=1e-4)
    assert student.count_answer_tokens(document, ["a dog"]) == [
        len(documents_of(student).answer_ids(document, "a dog"))
    ]


def test_place_without_a_picture_is_told(student: LocalStudent) -> None:
    with pytest.raises(InstructgenError, match="2 places for 1 pictures"):
        student.answer_all([Document((PICTURE, "a", PICTURE), (None,))], GREEDY)


def test_too_many_shots_for_the_model_are_told() -> None:
    small = make_tiny(make_spec(max_position_embeddings=48))
    with pytest.raises(InstructgenError, match="the model takes 48"):
        small.answer_all([make_documents()[2]], GREEDY)


def test_text_that_ends_a_chat_ends_no_document() -> None:
    student = make_tiny(template="minigpt4")
    assert student._find_rules(Ask((Message("user", "?"),))).stop_texts == ("###",)
    rules = student._find_rules(make_documents()[0])
    assert rules.stop_texts == ()
    assert rules.stop_ids == {2}
