"""A prompt is a folder: system.j2, user.j2, shots.jsonl and, where the teacher writes the answer alone,
questions.txt (docs/prompts.md)."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from instructgen.errors import InstructgenError
from instructgen.prompting.shots import Shot, read_shots
from instructgen.prompting.templates import PromptTemplate, load_template
from instructgen.records import Decoding, Message
from instructgen.resources import shared_folder

# The order in which a prompt's files are hashed.
_FILES = ("system.j2", "user.j2", "shots.jsonl", "questions.txt")
# Types whose reply is the answer alone: their question is drawn from questions.txt.
_TYPES_WITH_QUESTIONS = ("detail", "caption", "brief")


class ShownImage(Struct, frozen=True):
    """What user.j2 is given as `surrogate`."""

    text: str


class Prompt(Struct, frozen=True):
    """The files of one sample type, checked. `sha256` covers all of them, with line ends as "\\n"."""

    sample_type: str
    folder: Path
    system: PromptTemplate
    user: PromptTemplate
    shots: tuple[Shot, ...]
    questions: tuple[str, ...]
    sha256: str

    def prefix(
        self, shot_texts: Sequence[str], shot_answers: Sequence[str], decoding: Decoding
    ) -> tuple[Message, ...]:
        """Return what all requests of the type begin with: the rules, then each example and its reply."""
        messages = [Message("system", self.system.render(decoding=decoding).strip())]
        for text, answer in zip(shot_texts, shot_answers, strict=True):
            messages += [self.query(text), Message("assistant", answer)]
        return tuple(messages)

    def query(self, surrogate_text: str) -> Message:
        return Message("user", self.user.render(surrogate=ShownImage(surrogate_text)))

    def messages(
        self, surrogate_text: str, shot_texts: Sequence[str], shot_answers: Sequence[str], decoding: Decoding
    ) -> tuple[Message, ...]:
        """Return the chat to send (LLaVA, arXiv 2304.08485, table 13): rules, examples, the image asked about."""
        return (*self.prefix(shot_texts, shot_answers, decoding), self.query(surrogate_text))


def load_prompt(folder: Path | None, sample_type: str) -> Prompt:
    """Read `<folder>/<sample_type>/`; None reads the prompts that ship with instructgen.

    Raises InstructgenError naming the file, and the line where there is one, for anything that is missing or
    cannot be used.
    """
    root = _find_folder(folder, sample_type)
    texts = {name: _read_text(root / name) for name in _FILES if _is_wanted(root / name, sample_type)}
    system = load_template(root / "system.j2", texts["system.j2"], ("decoding",))
    user = load_template(root / "user.j2", texts["user.j2"], ("surrogate",))
    prompt = Prompt(
        sample_type=sample_type,
        folder=root,
        system=system,
        user=user,
        shots=read_shots(root / "shots.jsonl", texts["shots.jsonl"]),
        questions=_split_questions(root / "questions.txt", texts["questions.txt"])
        if "questions.txt" in texts
        else (),
        sha256=_hash_files(texts),
    )
    _check_rendering(prompt)
    return prompt


def load_pair(folder: Path | None, name: str, record: str) -> tuple[PromptTemplate, PromptTemplate, str]:
    """Read system.j2 and user.j2 of `<folder>/<name>/`, which is given `record`, and the sha256 of both.

    For prompts that show no image: those of instructgen.refine. Raises InstructgenError as `load_prompt` does.
    """
    root = _find_folder(folder, name)
    texts = {file: _read_text(root / file) for file in _FILES[:2]}
    system = load_template(root / "system.j2", texts["system.j2"], ("decoding",))
    user = load_template(root / "user.j2", texts["user.j2"], (record,))
    return system, user, _hash_files(texts)


def load_text(folder: Path | None, name: str, file: str) -> tuple[str, str]:
    """Read a text that is sent as it stands, without the white space around it, and its sha256."""
    path = _find_folder(folder, name) / file
    text = _read_text(path)
    if not text.strip():
        raise InstructgenError(f"{path} is empty")
    return text.strip(), _hash_files({file: text})


def load_questions(folder: Path | None, name: str) -> tuple[str, ...]:
    """Read `<folder>/<name>/questions.txt`, one question a line; None reads the shipped ones ("brief", "detail")."""
    path = (shared_folder("prompts") if folder is None else folder) / name / "questions.txt"
    return _split_questions(path, _read_text(path))


def _find_folder(folder: Path | None, name: str) -> Path:
    root = (shared_folder("prompts") if folder is None else folder) / name
    if not root.is_dir():
        raise InstructgenError(
            f"no prompt for '{name}': there is no folder {root}; `prompts/README.md` says what it holds"
        )
    return root


def _is_wanted(path: Path, sample_type: str) -> bool:
    return path.name != "questions.txt" or sample_type in _TYPES_WITH_QUESTIONS or path.exists()


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InstructgenError(f"{path} is missing; copy the shipped folder and change that") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InstructgenError(f"{path} cannot be read as UTF-8 text: {error}") from None


def _split_questions(path: Path, text: str) -> tuple[str, ...]:
    questions = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not questions:
        raise InstructgenError(f"{path} holds no questions; write one a line")
    return questions


def _hash_files(texts: dict[str, str]) -> str:
    digest = hashlib.sha256()
    for name, text in texts.items():
        data = text.encode()
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


def _check_rendering(prompt: Prompt) -> None:
    """Render once for each output format, so that a mistake shows before any money is spent."""
    for decoding in (Decoding(), Decoding(output_format="json")):
        if not prompt.system.render(decoding=decoding).strip():
            raise InstructgenError(f"{prompt.system.path} renders to nothing for {decoding.output_format} replies")
    shown = "A dog sleeps."
    if shown not in prompt.query(shown).content:
        raise InstructgenError(
            f"{prompt.user.path} leaves out {{{{ surrogate.text }}}}: the teacher would see nothing"
        )
