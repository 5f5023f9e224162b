"""The prompts of refinement: of rewriting, of repairing and of going on."""

from pathlib import Path

from msgspec import Struct

from instructgen.config import RefineConfig
from instructgen.errors import InstructgenError
from instructgen.prompting.prompts import load_pair, load_text
from instructgen.prompting.templates import PromptTemplate
from instructgen.records import Decoding, Message

_SHOWN = "A dog sleeps."


class ShownFault(Struct, frozen=True):
    """One thing that is wrong with a text: what it claims, in which sentence, and what is known instead."""

    number: int
    claim: str
    sentence: str
    evidence: str


class Draft(Struct, frozen=True):
    """What user.j2 is given as `draft`; a text that is to be rewritten comes without the other two."""

    text: str
    surrogate: str = ""
    faults: tuple[ShownFault, ...] = ()


class RefinePrompt(Struct, frozen=True):
    """One of the two prompts, checked."""

    system: PromptTemplate
    user: PromptTemplate
    sha256: str

    def messages(self, draft: Draft, decoding: Decoding) -> tuple[Message, ...]:
        """Return the chat to send."""
        rules = Message("system", self.system.render(decoding=decoding).strip())
        return (rules, Message("user", self.user.render(draft=draft).strip()))


class RefinePrompts(Struct, frozen=True):
    """Those that the settings make use of; the others are None, `go_on` is ""."""

    go_on: str = ""
    rewrite: RefinePrompt | None = None
    repair: RefinePrompt | None = None
    sha256: dict[str, str] = {}


def load_refine_prompts(folder: Path | None, config: RefineConfig) -> RefinePrompts:
    """Read `<folder>/continue/`, `refine/` and `repair/`, as far as the settings need them; None reads the shipped.

    Raises InstructgenError naming the file for anything that is missing or cannot be used.
    """
    go_on, rewrite, repair = "", None, None
    sha256: dict[str, str] = {}
    if config.continue_below_tokens is not None:
        go_on, sha256["continue"] = load_text(folder, "continue", "user.txt")
    if config.rewrite:
        rewrite = _load(folder, "refine", ("text",))
        sha256["refine"] = rewrite.sha256
    if config.repair_rounds:
        repair = _load(folder, "repair", ("text", "surrogate", "evidence"))
        sha256["repair"] = repair.sha256
    return RefinePrompts(go_on, rewrite, repair, sha256)


def _load(folder: Path | None, name: str, wanted: tuple[str, ...]) -> RefinePrompt:
    """Read one, and render it once, so that a mistake shows before any money is spent."""
    system, user, sha256 = load_pair(folder, name, "draft")
    prompt = RefinePrompt(system, user, sha256)
    shown = {"text": _SHOWN, "surrogate": "A cat sits.", "evidence": "no dog is marked"}
    fault = ShownFault(1, "A dog", _SHOWN, shown["evidence"])
    draft = Draft(shown["text"], shown["surrogate"], (fault,))
    for decoding in (Decoding(), Decoding(output_format="json")):
        rules, query = prompt.messages(draft, decoding)
        if not rules.content:
            raise InstructgenError(f"{system.path} renders to nothing for {decoding.output_format} replies")
        for field in wanted:
            if shown[field] not in query.content:
                raise InstructgenError(f"{user.path} leaves out the {field} of the draft: nothing could be mended")
    return prompt
