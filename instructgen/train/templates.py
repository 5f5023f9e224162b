"""How a chat is written down for a language model: which strings stand between the texts (docs/templates.md).

The formats are facts of LLaVA, MiniGPT-4, Llama 2 and ChatML; the system sentences are ours. "<s>" and "</s>" stand
for the tokenizer's own first and last token, whatever these are called there.
"""

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from instructgen.errors import InstructgenError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

AUTO = "auto"
INTERLEAVED = "interleaved"
"""Its stop is the end of a chunk, where the model has a token for it."""
BOS = "<s>"
EOS = "</s>"


class Template(Struct, frozen=True):
    """The control strings of a chat, in the order in which they come; none of them is ever searched for.

        begin  [system_before SYSTEM system_after | bare]  [image_before IMAGE image_after]...  QUESTION
        answer_before  answer_lead ANSWER stop  [next_before QUESTION answer_before answer_lead ANSWER stop]...

    What is learned is `answer_lead`, the answer and `stop`. A space at the end of what stands before a question or a
    system text is tokenised with that text, for tokenizers write a word together with the space before it.
    """

    name: str
    bare: str
    """Before the first question where there is no system text."""
    system_before: str
    system_after: str
    """Between the system text and the first question."""
    answer_before: str
    stop: str
    next_before: str
    """Between a stop and the next question."""
    answer_lead: str = ""
    """Parts the answer from its prompt; the model writes it, so that a prompt ends in no space."""
    system: str = ""
    """The system text of a chat that has none of its own; empty writes no system part."""
    image_before: str = ""
    image_after: str = "\n"
    begin: str = ""
    has_questions: bool = True
    """Whether questions are written at all, and an answer may follow another."""
    has_system: bool = True
    images_first: bool = False
    """Images before everything else, what a tokenizer puts before a text included (BLIP-2)."""
    strips: frozenset[str] = frozenset()
    """Roles whose texts lose the white space around them, as the tokenizer's own template does it."""
    begins_itself: bool = False
    """Whether `bare` and `system_before` hold what a tokenizer puts before a text; else `begin` gets it."""


def _blip2(name: str, *, stop: str, bare: str = "", answer_before: str = "", answer_lead: str = "") -> Template:
    """Return one of BLIP-2's prompts (2301.12597, section 4.1 and its code): captions, or a question and its answer.

    OPT's answers end with a line, T5's with its last token.
    """
    return Template(
        name=name,
        bare=bare,
        system_before="",
        system_after="",
        answer_before=answer_before,
        answer_lead=answer_lead,
        stop=stop,
        next_before=bare,
        image_after="",
        has_questions=bool(answer_before),
        has_system=False,
        images_first=True,
    )


TEMPLATES: dict[str, Template] = {
    template.name: template
    for template in (
        Template(
            name="vicuna_v1",
            bare="USER: ",
            system_before="",
            system_after=" USER: ",
            answer_before=" ASSISTANT:",
            answer_lead=" ",
            stop=EOS,
            next_before="USER: ",
            system=(
                "A person who wants to know more talks with an AI assistant. "
                "The assistant's answers are polite, helpful and full of detail."
            ),
        ),
        Template(  # stage 1 of LLaVA and MiniGPT-4: the caption alone, whatever was asked
            name="plain",
            bare="",
            system_before="",
            system_after="",
            answer_before="",
            stop="\n",
            next_before="",
            image_after="",
            has_questions=False,
            has_system=False,
        ),
        Template(  # a picture and what is said of it, as a document of one chunk; no template writes documents
            name=INTERLEAVED,
            bare="",
            system_before="",
            system_after="",
            answer_before="",
            stop=EOS,
            next_before="",
            image_after="",
            has_questions=False,
            has_system=False,
        ),
        Template(  # the "###" that ends an answer begins the next turn
            name="minigpt4",
            bare="###Human: ",
            system_before="",
            system_after="###Human: ",
            answer_before=" ###Assistant:",
            answer_lead=" ",
            stop="###",
            next_before="Human: ",
            image_before="<Img>",
            image_after="</Img> ",
        ),
        Template(
            name="llama_2",
            bare="[INST] ",
            system_before="[INST] <<SYS>>\n",
            system_after="\n<</SYS>>\n\n",
            answer_before=" [/INST]",
            answer_lead=" ",
            stop=f" {EOS}",
            next_before=f"{BOS}[INST] ",
            system="You see what the user shows you. Help with any question on it, in plain words.",
        ),
        Template(
            name="chatml",
            bare="<|im_start|>user\n",
            system_before="<|im_start|>system\n",
            system_after="<|im_end|>\n<|im_start|>user\n",
            answer_before="<|im_end|>\n<|im_start|>assistant\n",
            stop="<|im_end|>",
            next_before="\n<|im_start|>user\n",
            system="You see what the user shows you. Help with any question on it, in plain words.",
        ),
        _blip2("blip2_opt", stop="\n"),
        _blip2("blip2_opt_photo", stop="\n", bare="a photo of", answer_lead=" "),
        _blip2("blip2_opt_vqa", stop="\n", bare="Question: ", answer_before=" Answer:", answer_lead=" "),
        _blip2("blip2_t5", stop=EOS),
        _blip2("blip2_t5_photo", stop=EOS, bare="a photo of", answer_lead=" "),
        _blip2("blip2_t5_vqa", stop=EOS, bare="Question: ", answer_before=" Short answer:", answer_lead=" "),
    )
}


def find_template(name: str, tokenizer: "PreTrainedTokenizerBase") -> Template:
    """Return a template with the tokenizer's own first and last tokens in it.

    Raises InstructgenError for an unknown name, and for "auto" where the tokenizer's template cannot be followed.
    """
    if name == AUTO:
        from instructgen.train.templates_auto import read_template

        return read_template(tokenizer)
    if name not in TEMPLATES:
        raise InstructgenError(f"no template called '{name}'; there are: {AUTO}, {', '.join(TEMPLATES)}")
    return fit_template(TEMPLATES[name], tokenizer)


def fit_template(template: Template, tokenizer: "PreTrainedTokenizerBase") -> Template:
    """Return the template in the tokenizer's own names for the beginning and the end of a text."""
    known = tokenizer.get_added_vocab()
    first = BOS if BOS in known else str(tokenizer.bos_token or "")
    last = EOS if EOS in known else str(tokenizer.eos_token or EOS)

    def named(control: str) -> str:
        return control.replace(EOS, "\0").replace(BOS, first).replace("\0", last)

    begin = template.begin if template.begins_itself else find_beginning(tokenizer)
    return replace(
        template, begin=begin, stop=named(template.stop), next_before=named(template.next_before), begins_itself=True
    )


def find_ending(tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Return the ids that the tokenizer puts behind a text by itself: T5's last token, nothing for Llama's."""
    whole = tokenizer.encode("a")
    alone = tokenizer.encode("a", add_special_tokens=False)
    start = next((at for at in range(len(whole)) if whole[at : at + len(alone)] == alone), len(whole))
    return [int(number) for number in whole[start + len(alone) :]]


def find_beginning(tokenizer: "PreTrainedTokenizerBase") -> str:
    """Return the tokens that the tokenizer puts before a text of its own accord, as they are written."""
    whole = tokenizer.encode("a")
    alone = tokenizer.encode("a", add_special_tokens=False)
    length = next((at for at in range(len(whole)) if whole[at : at + len(alone)] == alone), 0)
    return "".join(tokenizer.convert_ids_to_tokens(whole[:length]))
