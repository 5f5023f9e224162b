"""Encoder-decoder rows: what is read and what is written make the sample, and cost what Hugging Face says."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the extra [train]")

from instructgen.records import Message  # noqa: E402
from instructgen.train.encode import Encoder  # noqa: E402
from instructgen.train.example import IMAGE_SLOT, Example  # noqa: E402
from instructgen.train.seq2seq import PairForm, find_word_starts, make_form, pad_pairs, pair_loss  # noqa: E402
from tests.support.tiny_stage2 import make_model, make_spec, make_tokenizer  # noqa: E402

TOKENIZER = make_tokenizer("t5")
WORDS = find_word_starts(TOKENIZER, len(TOKENIZER))
FORM = PairForm(start_id=0, end_ids=(2,), word_starts=WORDS, seed=7)
CAPTION = "Two dogs run over the grass, and a child looks at them."


def encode(text: str, sample_id: str = "s", template: str = "blip2_t5") -> Example:
    encoder = Encoder(TOKENIZER, template, tokens_per_image=3)
    example = encoder.encode(sample_id, [Message("user", "Say it."), Message("assistant", text)], ("p",))
    assert isinstance(example, Example)
    return example


@settings(max_examples=60, deadline=None)
@given(text=st.text(min_size=1, max_size=60).filter(str.strip), epoch=st.integers(0, 5), seed=st.integers(0, 3))
def test_prefix_and_suffix_are_the_text(text: str, epoch: int, seed: int) -> None:
    example = encode(text)
    (pair,) = PairForm(0, (2,), WORDS, seed).pairs_of(example, epoch)
    assert pair.read[0] == IMAGE_SLOT
    assert pair.read[-1] == pair.written[-1] == 2
    joined = [*pair.read[1:-1].tolist(), *pair.written.tolist()]
    assert joined == example.ids[1:].tolist()
    assert TOKENIZER.decode(joined[:-1]).strip() == text.strip() or "\ufffd" in TOKENIZER.decode(joined)


def test_a_caption_is_cut_before_each_of_its_words_and_never_inside_one() -> None:
    example = encode(CAPTION)
    cuts = Counter()
    for epoch in range(3000):
        (pair,) = FORM.pairs_of(example, epoch)
        prefix, suffix = TOKENIZER.decode(pair.read[1:-1]), TOKENIZER.decode(pair.written[:-1])
        assert f"{prefix} {suffix}".split() == CAPTION.split()
        cuts[len(prefix.split())] += 1
    num_words = len(CAPTION.split())
    assert sorted(cuts) == list(range(num_words))  # at least the last word is written
    assert max(cuts.values()) < 1.35 * 3000 / num_words


def test_where_it_is_cut_hangs_on_seed_epoch_and_sample_and_on_nothing_else() -> None:
    def cut(sample_id: str, epoch: int, seed: int) -> int:
        return len(PairForm(0, (2,), WORDS, seed).pairs_of(encode(CAPTION, sample_id), epoch)[0].read)

    assert cut("a", 1, 3) == cut("a", 1, 3)
    for other in ((0, 0, 1), (0, 1, 0), (1, 0, 0)):
        cuts = {
            tuple(cut(f"{number + other[0] * 100}", number + other[1] * 100, other[2]) for number in range(20)),
            tuple(cut(f"{number}", number, 0) for number in range(20)),
        }
        assert len(cuts) == 2


def test_without_prefix_lm_the_decoder_writes_the_whole_answer() -> None:
    example = encode("A red cup.", template="blip2_t5_vqa")
    (pair,) = PairForm(0, (2,)).pairs_of(example, 0)
    assert TOKENIZER.decode(pair.read[1:-1]) == "Question: Say it. Short answer:"
    assert TOKENIZER.decode(pair.written) == "A red cup.</s>"


def test_each_answer_of_a_chat_is_a_pair_with_everything_before_it() -> None:
    encoder = Encoder(TOKENIZER, "blip2_t5_vqa", tokens_per_image=3)
    said = ("What?", "A cup.", "Where?", "On a table.")
    chat = [Message("user" if at % 2 == 0 else "assistant", text) for at, text in enumerate(said)]
    example = encoder.encode("s", chat, ("p",))
    assert isinstance(example, Example)
    pairs = PairForm(0, (2,)).pairs_of(example, 0)
    assert [TOKENIZER.decode(pair.written) for pair in pairs] == ["A cup.</s>", "On a table.</s>"]
    assert all(pair.pictures == ("p",) for pair in pairs)
    read = [TOKENIZER.decode(pair.read[1:-1]) for pair in pairs]
    assert read[1].startswith(f"{read[0]} A cup.</s>")
    batch = pad_pairs([example], [(0,)], 3, PairForm(0, (2,)), 0)
    assert batch.pictures == ("p",)  # seen once, shown twice
    assert batch.shown_n.tolist() == [0, 0]


def test_tokenizer_that_marks_no_words_cuts_before_any_token_but_a_control() -> None:
    from tests.support.tiny_models import make_tokenizer as make_words

    assert find_word_starts(make_words(), 5).tolist() == [False, True, True, False, False]


@pytest.mark.parametrize("language", ["t5", "bart"])
def test_loss_is_hugging_faces_with_labels_of_minus_100_on_queries_and_padding(language: str) -> None:
    model = make_model(make_spec(language))
    examples = [encode(CAPTION, "a"), encode("A cup.", "b"), encode("Colours, shapes, places.", "c")]
    form = make_form(model, TOKENIZER, prefix_lm=True, seed=1)
    row = pad_pairs(examples, [(0, 1), (2,)], 3, form, 4)
    pixels = torch.randn(1, 3, 28, 28, generator=torch.Generator().manual_seed(0))
    assert row.pictures == ("p",)
    ours = pair_loss(model, row, pixels)
    pairs = [pair for example in examples for pair in form.pairs_of(example, 4)]
    theirs = torch.zeros(())
    with torch.no_grad():
        tokens = model.embed_pictures(pixels)
        for pair in pairs:
            embeds = torch.cat([tokens, model.embed_text(torch.from_numpy(pair.read[1:].astype(np.int64))[None])], 1)
            labels = torch.from_numpy(pair.written.astype(np.int64))[None]
            loss = model.causal_lm(inputs_embeds=embeds, labels=torch.cat([labels, torch.full((1, 4), -100)], 1)).loss
            theirs = theirs + loss * labels.shape[1]
    torch.testing.assert_close(ours.detach(), theirs, rtol=1e-5, atol=1e-4)
    assert len(row.target_s) == sum(form.count_learned(example, 4) for example in examples)


def test_gradient_of_padded_pairs_is_that_of_one_pair_at_a_time() -> None:
    model = make_model(make_spec("t5"))
    model.freeze_all_but(["connector", "qformer"])
    examples = [encode(CAPTION, "a"), encode("A cup.", "b")]
    pixels = torch.randn(1, 3, 28, 28, generator=torch.Generator().manual_seed(0))

    def gradients(groups: list[list[tuple[int]]]) -> list[torch.Tensor]:
        model.zero_grad()
        for group in groups:
            pair_loss(model, pad_pairs(examples, group, 3, FORM, 2), pixels).backward()
        return [weight.grad.clone() for weight in model.connector.parameters() if weight.grad is not None]

    together, apart = gradients([[(0,), (1,)]]), gradients([[(0,)], [(1,)]])
    assert together
    for one, other in zip(together, apart, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    assert all(weight.grad is None for weight in model.language.parameters())


def test_process_without_samples_has_a_row_that_learns_nothing() -> None:
    model = make_model(make_spec("t5"))
    model.freeze_all_but(["connector", "qformer"])
    row = pad_pairs([encode("A cup.")], [], 3, FORM, 0)
    loss = pair_loss(model, row, torch.zeros(0, 3, 28, 28))
    loss.backward()
    assert loss.item() == 0.0
    assert (len(row.source_s), row.num_samples) == (0, 0)


def test_lengths_of_a_batch_are_those_of_its_longest() -> None:
    examples = [encode(CAPTION, "a"), encode("A cup.", "b")]
    form = PairForm(0, (2,))
    row = pad_pairs(examples, [(0,), (1,)], 3, form, 0)
    assert row.ids_bl.tolist() == [[0, 0, 0, 2]] * 2
    assert row.image_at_k.tolist() == [0, 1, 2, 4, 5, 6]
    lengths = [len(pair.written) for example in examples for pair in form.pairs_of(example, 0)]
    assert row.decoder_ids_bt.shape == (2, max(lengths))
    assert [int(row.decoder_ids_bt[at, 0]) for at in (0, 1)] == [0, 0]
    rows = [at // max(lengths) for at in row.source_s.tolist()]
    assert [rows.count(at) for at in (0, 1)] == lengths
    assert all(later > earlier for earlier, later in pairwise(row.source_s.tolist()))
