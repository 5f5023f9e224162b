"""Small real tokenizers, one of each kind that language models have, trained here on a few sentences."""

import json
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

SENTENCES = (
    "A person asks an assistant. USER: What is there on the table? ASSISTANT: A red cup is on the table.",
    "Human: How many dogs are in the park? Assistant: One brown dog and two cats lie on the grass.",
    "[INST] Describe the picture in detail. [/INST] The photo shows a street, with cars and a traffic light.",
    "Look at this: <Img> and </Img> ###Human: What is it? ###Assistant: A cup. ###",
    "user: Is it raining? assistant: No, the sun is out; it is 25 degrees, and people walk about.",
)
KINDS = ("byte-level", "byte-level-prefix", "llama3", "always", "first", "legacy", "unigram")
"""Of these every text comes back as it was; "wordpiece" makes small letters of large ones."""
SPECIAL = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<pad>"]


@cache
def _train(kind: str) -> str:
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    special = [AddedToken(token, special=True, normalized=False) for token in SPECIAL]
    options: dict[str, Any] = {"vocab_size": 700, "special_tokens": special, "show_progress": False}
    if kind in ("byte-level", "byte-level-prefix", "llama3"):
        tokenizer = Tokenizer(models.BPE(ignore_merges=kind == "llama3"))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=kind == "byte-level-prefix")
        if kind == "llama3":
            from tokenizers import Regex

            words = Regex(r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
            tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
                [
                    pre_tokenizers.Split(words, "isolated"),
                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
                ]
            )
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        tokenizer.train_from_iterator(SENTENCES, trainers.BpeTrainer(initial_alphabet=alphabet, **options))
    elif kind == "wordpiece":
        tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        tokenizer.train_from_iterator(SENTENCES, trainers.WordPieceTrainer(**options))
    else:
        tokenizer = _train_sentencepiece(kind, options)
    if kind != "byte-level":
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    text: str = tokenizer.to_str()
    return text


def _train_sentencepiece(kind: str, options: dict[str, Any]) -> Any:
    """A word is written with the space before it, and bytes stand for what is in no word."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    words = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()])
    byte_tokens = [f"<0x{number:02X}>" for number in range(256)]
    if kind == "unigram":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer = words
        trainer = trainers.UnigramTrainer(unk_token="<unk>", **options)
        tokenizer.train_from_iterator(SENTENCES, trainer)
        settings = json.loads(tokenizer.to_str())
        settings["model"]["vocab"] += [[token, -20.0] for token in byte_tokens]
        settings["model"]["byte_fallback"] = True
    else:
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
        tokenizer.pre_tokenizer = words
        tokenizer.train_from_iterator(SENTENCES, trainers.BpeTrainer(**options))
        settings = json.loads(tokenizer.to_str())
        known = settings["model"]["vocab"]
        known.update({token: len(known) + at for at, token in enumerate(byte_tokens)})
    tokenizer = Tokenizer.from_str(json.dumps(settings))
    if kind == "legacy":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        tokenizer.pre_tokenizer = None
    else:
        scheme = "first" if kind == "first" else "always"
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=False)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return tokenizer


def make_tokenizer(kind: str, chat_template: str | None = None) -> "PreTrainedTokenizerFast":
    """Return a new tokenizer of a kind; its first and last tokens are <s> and </s>."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_train(kind)),
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = chat_template
    return tokenizer
