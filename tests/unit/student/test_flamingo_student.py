"""A tiny Flamingo answers: kept keys, left padding, several pictures and clips, chats and documents."""

from collections.abc import Sequence

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from torch import Tensor  # noqa: E402

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.models.vlm import VisionLanguageModel  # noqa: E402
from instructgen.records import Message  # noqa: E402
from instructgen.student.ask import AnyAsk, Ask, BeamSampling, Document, Sampling  # noqa: E402
from instructgen.student.generate import _begin, make_row  # noqa: E402
from instructgen.student.load import make_student  # noqa: E402
from instructgen.student.local import BatchLimits, LocalStudent  # noqa: E402
from instructgen.student.network import Memory  # noqa: E402
from instructgen.student.sampling import Draw  # noqa: E402
from instructgen.train.marks import END_OF_CHUNK, PICTURE  # noqa: E402
from tests.support.tiny_students import make_loaded, make_picture, make_spec, make_tiny  # noqa: E402

GREEDY = Sampling(max_tokens=20)
RED, BLUE, GREEN, GRAY = (make_picture(number) for number in range(4))
SHOTS = (PICTURE, "Question: what? Short answer: a cup", END_OF_CHUNK, PICTURE, "Question: which? Short answer:")
ASKS: list[AnyAsk] = [
    Ask((Message("user", "What is in the picture?"),), (RED,)),
    Ask((Message("user", "Describe this image in detail, with everything that you see."),), (BLUE,)),
    Ask((Message("user", "Which of them?"),), (RED, GREEN)),
    Ask((Message("user", "No picture here"),)),
    Ask((Message("user", "What happens?"),), (RED, GREEN, BLUE, GRAY), frames=(3, 1)),
    Ask((Message("user", "What is in the picture?"),), (None,)),
]
DOCUMENTS: list[AnyAsk] = [
    Document(SHOTS, (RED, BLUE)),
    Document(("At first", *SHOTS), (RED, BLUE)),
    Document((PICTURE, "Output:"), (GREEN,)),
    Document((PICTURE, "Output: a clip", END_OF_CHUNK, PICTURE), (GREEN, RED, BLUE, GRAY), frames=(3, 1)),
    Document(("Question: none here? Short answer:",)),
]


@pytest.fixture(scope="module")
def model() -> VisionLanguageModel:
    return make_loaded(make_spec(connector="gated_cross_attention")).model


@pytest.fixture(scope="module")
def student() -> LocalStudent:
    return make_tiny(make_spec(connector="gated_cross_attention"))


def compute_plainly(
    model: VisionLanguageModel, student: LocalStudent, ask: AnyAsk, more: Sequence[int] = ()
) -> Tensor:
    """Return the logits of every position of prompt and `more`, all computed at once and nothing kept."""
    from instructgen.models.sight import look

    prompt = student.prompt(ask)
    assert prompt.looks is not None
    embeds = torch.cat([prompt.embeds_ld, model.embed_text(torch.tensor(more, dtype=torch.long))])
    slots = prompt.looks.slot_l.tolist()
    sight = look(prompt.looks.find(torch.arange(len(embeds)).numpy()), prompt.looks.media_srv)
    assert slots == sorted(slots)
    with torch.no_grad():
        return model.head(model.hidden(embeds[None], torch.arange(len(embeds))[None], sight=sight))[0]


def follow_plainly(model: VisionLanguageModel, student: LocalStudent, ask: AnyAsk, num_tokens: int) -> list[int]:
    found: list[int] = []
    for _ in range(num_tokens):
        found.append(int(compute_plainly(model, student, ask, found)[-1].argmax()))
    return found


@pytest.mark.parametrize("asks", [ASKS, DOCUMENTS], ids=["chats", "documents"])
def test_a_batch_answers_as_each_by_itself_in_small_batches_and_as_the_stream(
    student: LocalStudent, asks: list[AnyAsk]
) -> None:
    together = student.answer_all(asks, GREEDY)
    assert together == [student.answer_all([ask], GREEDY)[0] for ask in asks]
    assert [answer.text for answer in together] == ["".join(student.stream(ask, GREEDY)) for ask in asks]
    loaded = make_loaded(make_spec(connector="gated_cross_attention"))
    small = make_student(loaded, "tiny", torch.device("cpu"), torch.float32, BatchLimits(2, 200, 1))
    assert small.answer_all(asks, GREEDY) == together


@pytest.mark.parametrize("number", range(len(ASKS) + len(DOCUMENTS)))
def test_kept_keys_give_the_tokens_of_the_plain_computation(
    model: VisionLanguageModel, student: LocalStudent, number: int
) -> None:
    ask = [*ASKS, *DOCUMENTS][number]
    wanted = follow_plainly(model, student, ask, 10)
    rules = student._find_rules(ask)
    answer = student.answer_all([ask], Sampling(max_tokens=10))[0]
    cut = next((place for place, token in enumerate(wanted) if token in rules.stop_ids), 10)
    assert answer.completion_tokens == cut
    assert answer.text.strip("\ufffd \n\t") == rules.decode(wanted[:cut]).strip("\ufffd \n\t")


def test_a_padded_batch_gives_the_plain_logits_to_1e_5(model: VisionLanguageModel, student: LocalStudent) -> None:
    """Of its first step, and of the steps after it, with a row left out on the way."""
    network, memory, asks = student.network, Memory(), [*ASKS, *DOCUMENTS]
    prompts = [student.prompt(ask) for ask in asks]
    draw = Draw(GREEDY, None)  # type: ignore[arg-type]
    rows = [make_row(at, prompt, draw, student._wording.rules, 512) for at, prompt in enumerate(prompts)]
    with torch.inference_mode():
        embeds, mask, positions = _begin(network, rows, memory)
        said: list[list[int]] = [[] for _ in rows]
        for turn in range(4):
            logits = network.step(embeds, mask, positions, memory)
            for place, row in enumerate(rows):
                plain = compute_plainly(model, student, asks[row.number], said[row.number])[-1]
                assert float((logits[place] - plain).abs().max()) < 1e-5 * float(plain.abs().max())
                said[row.number].append(int(plain.argmax()))
            if turn == 1:
                rows = rows[1:]
                kept = list(range(1, len(rows) + 1))
                memory.keep(kept, network.device)
                mask, positions = mask[kept], positions[kept]
            embeds = network.embed_ids(torch.tensor([[said[row.number][-1]] for row in rows]))
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=-1)
            positions = positions[:, -1:] + 1


def test_what_asks_begin_with_alike_is_computed_once_and_changes_no_answer(student: LocalStudent) -> None:
    begun = [Ask((Message("user", text),), (RED, GREEN)) for text in ("Which?", "What else is there?", "Why?")]
    begun += [Ask((Message("user", "Which?"),), (BLUE, GREEN))]
    together = student.answer_all(begun, GREEDY)
    assert together == [student.answer_all([ask], GREEDY)[0] for ask in begun]
    assert len({answer.text for answer in together}) > 1


@pytest.mark.parametrize("ask", [ASKS[2], DOCUMENTS[0], DOCUMENTS[3]])
def test_candidates_have_the_log_probabilities_of_the_plain_computation(
    model: VisionLanguageModel, student: LocalStudent, ask: AnyAsk
) -> None:
    candidates = ["a cup", "two dogs run over the grass", "no"]
    found = student.score(ask, candidates)
    length = len(student.prompt(ask))
    for candidate, sum_found in zip(candidates, found, strict=True):
        ids = student._answer_ids(ask, candidate)
        logits = compute_plainly(model, student, ask, ids)[length - 1 : -1]
        plain = torch.log_softmax(logits, dim=-1)[range(len(ids)), ids].sum()
        assert sum_found == pytest.approx(float(plain), abs=1e-4)


def test_a_single_beam_is_the_likeliest_token_each_time(student: LocalStudent) -> None:
    for ask in (ASKS[2], DOCUMENTS[3]):
        beam = student.answer_all([ask], BeamSampling(max_tokens=8, beams=1))
        assert beam == student.answer_all([ask], Sampling(max_tokens=8))


def test_the_last_picture_is_what_an_answer_looks_at(model: VisionLanguageModel, student: LocalStudent) -> None:
    """Another first picture changes the prompt alone; its own blocks' gates shut, an answer sees nothing of it."""
    looks = student.prompt(DOCUMENTS[0]).looks
    assert looks is not None
    assert looks.find(torch.arange(200).numpy())[-1] == 1
    alone = student.prompt(DOCUMENTS[4]).looks
    assert alone is not None
    assert set(alone.find(torch.arange(9).numpy()).tolist()) == {-1}


def test_frames_that_are_not_as_many_as_the_pictures_are_refused(student: LocalStudent) -> None:
    with pytest.raises(InstructgenError, match="frames of 3 pictures for 2"):
        student.check(Ask((Message("user", "What?"),), (RED, BLUE), frames=(3,)))


def test_a_student_of_another_kind_takes_a_clip_frame_by_frame() -> None:
    student = make_tiny()
    clip = Document((PICTURE, "Output:"), (RED, BLUE), frames=(2,))
    frames = Document((PICTURE, PICTURE, "Output:"), (RED, BLUE))
    assert student.check(clip) == student.check(frames)
    assert student.answer_all([clip], GREEDY)[0].text == student.answer_all([frames], GREEDY)[0].text
    asked = Ask((Message("user", "What happens?"),), (RED, BLUE), frames=(2,))
    assert student.check(asked) == student.check(Ask(asked.turns, asked.pictures))
