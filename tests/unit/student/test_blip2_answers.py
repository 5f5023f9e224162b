"""OPT and T5 students answer, are batched, searched and scored as transformers' own `generate` and logits say."""

import random
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.errors import InstructgenError  # noqa: E402
from instructgen.records import Message  # noqa: E402
from instructgen.student.ask import Ask, BeamSampling, Sampling  # noqa: E402
from instructgen.student.beams import find_best  # noqa: E402
from instructgen.student.generate import Row, Rules, answer_rows, make_row  # noqa: E402
from instructgen.student.load import make_student  # noqa: E402
from instructgen.student.local import BatchLimits, LocalStudent  # noqa: E402
from instructgen.student.sampling import Draw  # noqa: E402
from tests.support.tiny_stage2 import make_loaded, name_template  # noqa: E402
from tests.support.tiny_students import make_picture  # noqa: E402

GREEDY = Sampling(max_tokens=14)
LANGUAGES = ("opt", "t5", "bart")


@pytest.fixture(scope="module", params=LANGUAGES)
def student(request: pytest.FixtureRequest) -> LocalStudent:
    return make(request.param)


def make(language: str, kind: str = "vqa", limits: BatchLimits | None = None) -> LocalStudent:
    loaded = make_loaded(language, template=name_template(language, kind))
    return make_student(loaded, language, torch.device("cpu"), torch.float32, limits or BatchLimits())


def make_asks() -> list[Ask]:
    said = (Message("user", "What is it?"), Message("assistant", "A cup."), Message("user", "And behind it?"))
    return [
        Ask((Message("user", "What is in the picture?"),), (make_picture(1),)),
        Ask((Message("user", "Which of these two has more dogs?"),), (make_picture(1), make_picture(3))),
        Ask((Message("user", "What?"),), (make_picture(1),)),
        Ask(said, (make_picture(4),)),
        Ask((Message("user", "What is in the picture?"),), (None,)),
        Ask((Message("user", "No picture here"),)),
    ]


def generate(student: LocalStudent, ask: Ask, **options: Any) -> list[int]:
    """Return what transformers' `generate` writes behind the same prompt, without what begins or ends it."""
    language: Any = student.network.language  # type: ignore[attr-defined]
    embeds = student.prompt(ask).embeds_ld[None]
    stops = sorted(student._wording.rules.stop_ids)
    is_seq2seq = language.config.is_encoder_decoder
    with torch.no_grad():
        ids = language.generate(
            inputs_embeds=embeds,
            attention_mask=torch.ones(embeds.shape[:2], dtype=torch.long),
            max_new_tokens=14,
            do_sample=False,
            eos_token_id=stops,
            pad_token_id=0,
            **options,
        )[0].tolist()
    ids = ids[1:] if is_seq2seq else ids
    cut = next((place for place, token in enumerate(ids) if token in stops), len(ids))
    return ids[:cut]


def begin(student: LocalStudent, ask: Ask, sampling: Sampling) -> tuple[Row, Rules]:
    """Return an answer that begins, and rules that transformers has too: it knows no stop that is text."""
    rules = student._wording.rules
    bare = Rules(rules.stop_ids, (), rules.decode)
    return make_row(0, student.prompt(ask), Draw(sampling, random.Random(0)), bare, None), bare


def test_answers_are_those_of_generate_to_the_token(student: LocalStudent) -> None:
    for ask in make_asks():
        row, rules = begin(student, ask, GREEDY)
        with torch.inference_mode():
            list(answer_rows(student.network, [row], rules))
        assert row.draw.ids == generate(student, ask)


def test_batch_answers_as_each_ask_by_itself_and_as_the_stream(student: LocalStudent) -> None:
    asks = make_asks()
    together = student.answer_all(asks, GREEDY)
    assert together == [student.answer_all([ask], GREEDY)[0] for ask in asks]
    assert [answer.text for answer in together] == ["".join(student.stream(ask, GREEDY)) for ask in asks]
    assert len({answer.text for answer in together}) > 3


def test_small_batches_give_the_same_answers(student: LocalStudent) -> None:
    small = make(student.name, limits=BatchLimits(max_rows=2, max_positions=64))
    assert small.answer_all(make_asks(), GREEDY) == student.answer_all(make_asks(), GREEDY)


@pytest.mark.parametrize("beams", [2, 5])
@pytest.mark.parametrize("length_penalty", [-1.0, 0.0, 1.0, 2.0])
def test_beams_find_what_generate_finds(student: LocalStudent, beams: int, length_penalty: float) -> None:
    for ask in make_asks():
        row, rules = begin(student, ask, BeamSampling(14, beams=beams, length_penalty=length_penalty))
        with torch.inference_mode():
            found = [token for token in find_best(student.network, row, rules) if token not in rules.stop_ids]
        assert found == generate(student, ask, num_beams=beams, length_penalty=length_penalty, early_stopping=False)


def test_searched_answers_come_with_greedy_ones_in_one_call(student: LocalStudent) -> None:
    asks = make_asks()[:3]
    wishes = [BeamSampling(8), Sampling(8), BeamSampling(8, beams=1)]
    pieces = list(student.answer_together(list(zip(asks, wishes, strict=True)), lambda _: True))
    answers = {piece.ask: piece.answer for piece in pieces if piece.answer}
    assert answers[0] == student.answer_all(asks[:1], BeamSampling(8))[0]
    assert answers[1] == student.answer_all(asks[1:2], Sampling(8))[0]
    assert answers[2] == student.answer_all(asks[2:3], Sampling(8))[0]  # a beam alone is greedy


def test_beams_that_should_draw_are_refused(student: LocalStudent) -> None:
    with pytest.raises(InstructgenError, match="beams go with temperature 0"):
        student.answer_all(make_asks()[:1], BeamSampling(8, temperature=0.5))


def test_scores_are_the_log_probabilities_of_the_plain_computation(student: LocalStudent) -> None:
    language: Any = student.network.language  # type: ignore[attr-defined]
    ask = make_asks()[0]
    candidates = ["Yes", "A red cup on the table.", "No", "x"]
    embeds = student.prompt(ask).embeds_ld[None]
    wanted: list[float] = []
    for candidate in candidates:
        ids = torch.tensor([student._wording.answer_ids(candidate)])
        with torch.no_grad():
            if language.config.is_encoder_decoder:
                logits = language(inputs_embeds=embeds, labels=ids).logits[0]
            else:
                answer = student.network.embed_ids(ids)
                logits = language(inputs_embeds=torch.cat([embeds, answer], 1)).logits[0, embeds.shape[1] - 1 : -1]
        wanted.append(float(logits.log_softmax(-1).gather(1, ids[0][:, None]).sum()))
    assert student.score(ask, candidates) == pytest.approx(wanted, abs=1e-3)
    two = make(student.name, limits=BatchLimits(max_rows=2))
    assert two.score(ask, candidates) == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize(
    ("language", "kind", "prompt"),
    [
        ("opt", "", "</s>"),
        ("opt", "photo", "</s>a photo of"),
        ("opt", "vqa", "</s>Question: How many dogs? Answer:"),
        ("t5", "", "</s>"),
        ("t5", "photo", "a photo of</s>"),
        ("t5", "vqa", "Question: How many dogs? Short answer:</s>"),
    ],
)
def test_zero_shot_prompts_are_blip2s(language: str, kind: str, prompt: str) -> None:
    student = make(language, kind)
    ids = student._wording.prompt_ids(Ask((Message("user", "How many dogs?"),), (make_picture(1),)))
    assert ids[0] == -1  # the picture's slot, before all text
    assert make_loaded(language).tokenizer.decode(ids[1:]) == prompt
