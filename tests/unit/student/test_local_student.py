"""A tiny model answers, streams and scores; every figure is held against the plain computation."""

import io
import math

import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.records import Message  # noqa: E402
from instructgen.student.ask import Answer, Ask, Piece, Sampling  # noqa: E402
from instructgen.student.local import BatchLimits, LocalStudent  # noqa: E402
from instructgen.student.trying import answer_each  # noqa: E402
from tests.support.tiny_students import make_picture, make_spec, make_tiny  # noqa: E402

GREEDY = Sampling(max_tokens=24)
DRAWN = Sampling(max_tokens=24, temperature=1.0, top_p=0.9, repetition_penalty=1.2, seed=3)
TEMPLATES = ("vicuna_v1", "minigpt4", "chatml", "plain", "llama_2")


@pytest.fixture(scope="module")
def student() -> LocalStudent:
    return make_tiny()


def make_asks() -> list[Ask]:
    """Of different lengths, with no picture, one, two and the blank one, of one turn and of two."""
    said = (
        Message("user", "What is it?"),
        Message("assistant", "A cup."),
        Message("user", "And the table behind it?"),
    )
    return [
        Ask((Message("user", "What is in the picture?"),), (make_picture(1),)),
        Ask((Message("user", "Describe this image in detail, with everything that you see."),), (make_picture(2),)),
        Ask((Message("user", "Which?"),), (make_picture(1), make_picture(3))),
        Ask(said, (make_picture(4),)),
        Ask((Message("user", "No picture here"),)),
        Ask((Message("user", "What is in the picture?"),), (None,), system="Be brief."),
    ]


def follow_plainly(student: LocalStudent, ask: Ask, num_tokens: int) -> list[int]:
    """Return the likeliest tokens, the whole sequence computed anew for each."""
    language = student.network.language  # type: ignore[attr-defined]
    embeds = student.prompt(ask).embeds_ld
    found: list[int] = []
    with torch.no_grad():
        for _ in range(num_tokens):
            found.append(int(language(inputs_embeds=embeds[None], use_cache=False).logits[0, -1].argmax()))
            embeds = torch.cat([embeds, student.network.embed_ids(torch.tensor(found[-1:]))])
    return found


@pytest.mark.parametrize("tokenizer", ["bytes", "spaces"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_batch_answers_as_each_ask_by_itself_and_as_the_stream(template: str, tokenizer: str) -> None:
    student = make_tiny(template=template, tokenizer=tokenizer)
    asks = [ask for ask in make_asks() if template != "plain" or (ask.pictures and not ask.system)]
    together = student.answer_all(asks, GREEDY)
    assert together == [student.answer_all([ask], GREEDY)[0] for ask in asks]
    assert [answer.text for answer in together] == ["".join(student.stream(ask, GREEDY)) for ask in asks]


def test_kept_keys_and_values_give_the_tokens_of_the_plain_computation(student: LocalStudent) -> None:
    for ask in make_asks()[:4]:
        wanted = follow_plainly(student, ask, 12)
        answer = student.answer_all([ask], Sampling(max_tokens=12))[0]
        stops = student._wording.rules.stop_ids
        cut = next((place for place, token in enumerate(wanted) if token in stops), 12)
        assert answer.text == student._wording.rules.decode(wanted[:cut]).strip().rstrip("\ufffd").strip()
        assert (answer.completion_tokens, answer.prompt_tokens) == (cut, len(student.prompt(ask)))


def test_draws_hang_on_seed_and_ask_and_on_nothing_else(student: LocalStudent) -> None:
    asks = make_asks()
    first = student.answer_all(asks, DRAWN)
    assert first == student.answer_all(asks, DRAWN)
    assert first[::-1] == student.answer_all(asks[::-1], DRAWN)
    assert first[2:3] == student.answer_all(asks[2:3], DRAWN)
    other = student.answer_all(asks, Sampling(max_tokens=24, temperature=1.0, top_p=0.9, seed=4))
    assert all(one.text != two.text for one, two in zip(first, other, strict=True))


def test_each_ask_of_a_batch_is_answered_as_it_wishes(student: LocalStudent) -> None:
    asks = make_asks()[:3]
    wishes = [GREEDY, DRAWN, Sampling(max_tokens=3)]
    pieces = list(student.answer_together(list(zip(asks, wishes, strict=True)), lambda _: True))
    answers = {piece.ask: piece.answer for piece in pieces if piece.answer}
    for number, (ask, wish) in enumerate(zip(asks, wishes, strict=True)):
        assert answers[number] == student.answer_all([ask], wish)[0]
        assert "".join(piece.text for piece in pieces if piece.ask == number) == answers[number].text  # type: ignore[union-attr]


def test_ask_that_is_wanted_no_more_ends_and_the_others_go_on(student: LocalStudent) -> None:
    asks = [(ask, GREEDY) for ask in make_asks()[:3]]
    left: set[int] = set()
    pieces: list[Piece] = []
    for piece in student.answer_together(asks, lambda number: number not in left):
        left.add(1)
        pieces.append(piece)
    assert {piece.ask for piece in pieces if piece.answer} == {0, 2}


def test_small_batches_give_the_same_answers() -> None:
    asks = make_asks()
    wanted = make_tiny().answer_all(asks, GREEDY)
    tight = make_tiny()
    tight._limits = BatchLimits(max_rows=2, max_positions=300, kept_pictures=1)
    assert tight.answer_all(asks, GREEDY) == wanted


def test_what_questions_about_one_picture_begin_with_is_computed_once(student: LocalStudent) -> None:
    asks = [
        Ask((Message("user", question),), (make_picture(number),))
        for number in (1, 2)
        for question in ("What?", "Where is the red cup?", "Who looks at it, and why?")
    ]
    wanted = [student.answer_all([ask], GREEDY)[0] for ask in asks]
    steps: list[tuple[int, int]] = []
    step = student.network.step

    def watched(embeds_bld, mask_bl, positions_bl, memory):  # type: ignore[no-untyped-def]
        steps.append(tuple(embeds_bld.shape[:2]))
        return step(embeds_bld, mask_bl, positions_bl, memory)

    student.network.step = watched  # type: ignore[method-assign]
    try:
        assert student.answer_all(asks, GREEDY) == wanted
    finally:
        del student.network.step
    trunks, branches = steps[:2]
    assert (trunks[0], branches[0]) == (2, 6)
    assert sum(trunks) > 0
    longest = max(len(student.prompt(ask)) for ask in asks)
    assert trunks[1] + branches[1] == longest
    assert branches[1] < trunks[1]


def test_stop_of_the_ask_ends_the_answer_before_it(student: LocalStudent) -> None:
    ask = make_asks()[0]
    whole = student.answer_all([ask], GREEDY)[0].text
    stop = whole[6:8]
    cut = student.answer_all([ask], Sampling(max_tokens=24, stop=(stop,)))[0]
    assert (cut.text, cut.finish_reason) == (whole[: whole.index(stop)].strip(), "stop")


def test_score_is_the_summed_log_probability_of_answer_and_stop(student: LocalStudent) -> None:
    ask = make_asks()[0]
    candidates = ["A red cup.", "Two dogs run over the grass, and a child looks at them.", "Yes"]
    scores = student.score(ask, candidates)
    language = student.network.language  # type: ignore[attr-defined]
    prompt = student.prompt(ask).embeds_ld
    for candidate, score in zip(candidates, scores, strict=True):
        ids = torch.tensor(student._wording.answer_ids(candidate))
        assert int(ids[-1]) in student._wording.rules.stop_ids
        embeds = torch.cat([prompt, student.network.embed_ids(ids)])
        with torch.no_grad():
            logits = language(inputs_embeds=embeds[None]).logits[0]
        likely = torch.log_softmax(logits[len(prompt) - 1 : -1], dim=-1)
        assert score == pytest.approx(float(likely.gather(1, ids[:, None]).sum()), abs=1e-3)


def test_scores_do_not_hang_on_how_many_are_asked_at_once() -> None:
    ask, candidates = make_asks()[2], [f"Number {number} of a few" for number in range(7)]
    student = make_tiny()
    wanted = [student.score(ask, [candidate])[0] for candidate in candidates]
    assert student.score(ask, candidates) == pytest.approx(wanted, abs=1e-3)
    student._limits = BatchLimits(max_rows=3)
    assert student.score(ask, candidates) == pytest.approx(wanted, abs=1e-3)
    assert student.score(ask, []) == []


def test_scores_of_all_one_token_answers_are_a_distribution(student: LocalStudent) -> None:
    ask = make_asks()[4]
    student_ids = student._wording
    plain = type("Plain", (), {"answer_ids": lambda _, answer: [int(answer)], "prompt_ids": student_ids.prompt_ids})()
    asking = LocalStudent("plain", student.network, plain, lambda _: torch.zeros(3, 28, 28))
    scores = asking.score(ask, [str(number) for number in range(440)])
    assert sum(map(math.exp, scores)) == pytest.approx(1.0, abs=1e-4)


def test_picture_is_seen(student: LocalStudent) -> None:
    question = (Message("user", "What is in the picture?"),)
    scores = {
        student.score(Ask(question, (picture,)), ["A red cup."])[0]
        for picture in (make_picture(1), make_picture(2), None)
    }
    assert len(scores) == 3


def test_prompt_that_leaves_no_room_is_refused_with_its_length(student: LocalStudent) -> None:
    ask = Ask((Message("user", "word " * 600),), (make_picture(),))
    with pytest.raises(InstructgenError, match="takes 512 with the answer"):
        student.check(ask)
    with pytest.raises(InstructgenError, match="takes 512"):
        student.answer_all([ask], GREEDY)


def test_prompt_of_nothing_is_refused() -> None:
    with pytest.raises(InstructgenError, match="the prompt is empty"):
        make_tiny(template="plain").check(Ask((Message("user", "What?"),)))


def test_answer_ends_where_the_model_has_no_position_left() -> None:
    student = make_tiny(make_spec(max_position_embeddings=120))
    ask = Ask((Message("user", "What is it?"),), (make_picture(),))
    answer = student.answer_all([ask], Sampling(max_tokens=400))[0]
    assert answer.prompt_tokens + answer.completion_tokens <= 120
    assert answer.finish_reason == "length" or answer.completion_tokens < 120 - answer.prompt_tokens


def test_what_is_no_picture_is_refused_before_it_is_asked_about(student: LocalStudent) -> None:
    with pytest.raises(InstructgenError, match="cannot be read"):
        student.check(Ask((Message("user", "What?"),), (b"no picture",)))


@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 30), (16_500, 900)])
def test_picture_that_resizing_would_blow_up_is_refused(student: LocalStudent, size: tuple[int, int]) -> None:
    with pytest.raises(InstructgenError, match="times the other's"):
        student.check(Ask((Message("user", "What is it?"),), (make_line(size),)))


def make_line(size: tuple[int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("1", size).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "language",
    [
        {"model_type": "mistral", "sliding_window": 12, "head_dim": 16},
        {"model_type": "mpt", "d_model": 32, "n_heads": 2, "n_layers": 2, "max_seq_len": 512},
    ],
)
def test_windows_and_distances_are_not_counted_over_padding(language: dict[str, object]) -> None:
    """Questions of different lengths about one picture have padding behind it where its positions are shared."""
    student = make_tiny(make_spec(**language))
    texts = ("What is in the picture?", "And?", "Describe it in detail, all of it please.")
    asks = [Ask((Message("user", text),), (make_picture(number),)) for text in texts for number in (1, 2)]
    assert student.answer_all(asks, GREEDY) == [student.answer_all([ask], GREEDY)[0] for ask in asks]


def test_model_whose_rows_cannot_be_told_apart_answers_one_at_a_time() -> None:
    student = make_tiny(make_spec(model_type="mamba"))
    ask = make_asks()[0]
    with pytest.raises(InstructgenError, match="one thing at a time"):
        student.answer_all([ask, ask], GREEDY)
    with pytest.raises(InstructgenError, match="one thing at a time"):
        student.score(ask, ["Yes", "No"])
    assert all(isinstance(one, Answer) for one in answer_each(student, [ask, ask], Sampling(max_tokens=3)))
