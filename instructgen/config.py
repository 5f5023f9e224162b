"""A build's settings: pipelines/*.toml -> frozen, validated structs; an unknown key is an error."""

import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from instructgen.errors import InstructgenError
from instructgen.records import Decoding

Fraction = Annotated[float, Meta(ge=0, le=1)]
NotNegative = Annotated[float, Meta(ge=0)]
Mark = Annotated[float, Meta(ge=0, le=10)]
PositiveInt = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]
NotNegativeInt = Annotated[int, Meta(ge=0)]
ImageStorage = Literal["auto", "embed", "reference"]
SeeImage = Literal["no", "beside", "only"]
Style = Literal["plain", "terse", "warm"]


DEFAULT_DECODING = Decoding(temperature=0.7, max_tokens=1024)
_OMIT = "omit"


class ColumnsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """The columns of tables of pairs; what is None is found by its usual names, a key "" is not looked for."""

    caption: str | None = None
    url: str | None = None
    key: str | None = None


class TableConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """One of several tables of pairs. With weights, which all or none have, they are interleaved in that ratio."""

    path: str
    name: str | None = None  # part of its pairs' ids; the path's last part otherwise
    weight: Positive | None = None
    cap: PositiveInt | None = None  # a random so many of its pairs


class BalanceConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """LLaVA's subset of CC3M, balanced by noun phrases (arXiv 2304.08485, appendix E)."""

    min_frequency: PositiveInt = 3  # rarer phrases choose nothing
    max_per_phrase: PositiveInt = 100
    counts: Literal["all", "remaining"] = "all"  # which captions of a phrase it chooses from; the paper is silent
    phrases: Literal["rules", "spacy"] = "rules"
    seed: int | None = None  # the build's otherwise


class DocumentsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """How documents with pictures between their texts are read (docs/interleaved.md); numbers are OpenFlamingo's."""

    images: str | None = None  # folder of their pictures; images/ beside the file otherwise
    match: Literal["best", "given"] = "best"  # to sentences anew, by the similarities, or as the corpus did
    min_similarity: float = 0.24  # of a picture and its sentence
    min_picture_bytes: NotNegativeInt = 11_000  # a smaller picture of a document is an icon
    max_pictures: PositiveInt = 6  # of a document, clips too
    keep_single: Fraction = 0.5  # share of the documents with one picture
    fps: Positive = 1.0  # of a clip, Flamingo's
    max_frames: PositiveInt = 8
    max_frame_side_px: PositiveInt = 480  # of a frame as it is stored; a smaller one stays as it is


class SourceConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`tables`, `columns` and `balance` are for the source of pairs alone (docs/pairs.md), `documents` for
    interleaved documents.
    """

    name: str = "coco"
    root: str | None = None
    split: str | None = None
    limit: PositiveInt | None = None
    tables: tuple[TableConfig, ...] = ()
    columns: ColumnsConfig = ColumnsConfig()
    balance: BalanceConfig | None = None
    documents: DocumentsConfig = DocumentsConfig()


class SurrogateConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """How an image is written down. Small boxes and doubles are LLaVA's known defects (docs/surrogates.md)."""

    boxes_in_conversation: bool = True  # LLaVA's conversations saw captions alone (its issue 87)
    max_boxes: PositiveInt | None = None  # the largest are kept
    min_area: Fraction = 0.0  # share of the image
    merge_iou: Fraction | None = None  # boxes of one category that overlap more are written once
    order: Literal["annotation", "area", "left_to_right"] = "annotation"
    crowd: Literal["keep", "drop"] = "keep"  # LLaVA's contexts keep crowd boxes

    def shows_boxes(self, sample_type: str) -> bool:
        return sample_type != "conv" or self.boxes_in_conversation


class ServerConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """One of several servers of the same teacher; what is None is as the teacher's own setting says."""

    base_url: str | None = None
    model: str | None = None  # the name by which this server knows the teacher's model
    api_key_env: str | None = None
    weight: Positive = 1.0  # its share of the requests while it works
    concurrency: PositiveInt | None = None
    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None


class TeacherConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`name` None picks "openai" where a model or a server is given, "replay" where a run is, else the free
    "scene-program": a key in the environment alone never makes a build spend money.
    """

    name: str | None = None
    model: str | None = None
    base_url: str | None = None
    api_key_env: str = "OPENAI_API_KEY"
    servers: tuple[ServerConfig, ...] = ()  # instead of base_url
    endpoints: str | None = None  # where the servers are written down: a file, or a Ray dashboard with Ray Serve
    replay: str | None = None  # folder of the recorded run
    style: Style = "plain"  # of the scene program's answers
    parse: bool = False  # the scene program also reads captions by a dependency parse; the extra [parse]
    prompts: str | None = None  # folder of the user's own prompts; the shipped ones otherwise
    see_image: SeeImage = "no"  # the picture is sent beside the surrogate, or instead of it
    max_image_side_px: PositiveInt = 768  # of what is sent; a larger picture is made smaller, none larger
    decoding: Decoding = DEFAULT_DECODING
    concurrency: PositiveInt = 32  # requests in flight at most, of each server
    requests_per_minute: Positive | None = None  # of each server; None learns it from the answers
    tokens_per_minute: Positive | None = None
    connect_timeout_s: Positive = 10.0
    read_timeout_s: Positive = 300.0  # the longest silence of a server
    timeout_s: Positive = 300.0  # of one attempt, from sending to the last byte
    max_attempts: PositiveInt = 5
    max_answer_mb: Positive = 8.0
    max_tokens_key: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"  # some models want the second
    accept_models: tuple[str, ...] = ()  # other names, with * and ?, that an answer may give as its model
    prices: str | None = None  # a price table to use before the shipped one
    tokenizer: str | None = None  # tokenizer.json of the model, for `instructgen plan`
    fallback: "TeacherConfig | None" = None  # asked for units whose first answer fails validation


class RefineConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What is done to a teacher's answer before the filters see it, and after they turned it away."""

    continue_below_tokens: PositiveInt | None = None  # MiniGPT-4: 80; an answer of so many or fewer is gone on with
    clean: bool = False  # by rules, without a request
    rewrite: bool = False  # by a second request: MiniGPT-4's refinement
    repair_rounds: NotNegativeInt = 0  # requests, at most, that correct what the grounding filter found
    teacher: TeacherConfig | None = None  # who rewrites and repairs; the build's teacher otherwise

    @property
    def is_on(self) -> bool:
        return self.clean or self.asks

    @property
    def asks(self) -> bool:
        """Whether a unit may take more than one request."""
        return self.continue_below_tokens is not None or self.rewrite or self.repair_rounds > 0


class JudgeConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """A model that marks what the filters accepted, each from 0 to 10 (GAVIE, arXiv 2306.14565); off without one."""

    teacher: TeacherConfig | None = None
    min_accuracy: Mark = 6.0  # the first whole mark above the middle: more is right than wrong
    min_relevancy: Mark = 6.0
    unreadable: Literal["reject", "keep"] = "reject"  # what becomes of a sample whose marks cannot be read

    @property
    def is_on(self) -> bool:
        return self.teacher is not None


class RunConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """What a run may spend and where it writes besides the dataset; nothing here shapes a row."""

    budget_usd: Positive | None = None  # of all runs in the dataset folder together
    budget_tokens: PositiveInt | None = None
    cache_dir: str | None = None  # answers shared between runs
    metrics: str | None = None  # a Prometheus textfile, rewritten every few seconds
    alarm: bool = True  # stops when answers collapse
    batch: bool = False  # ask through the server's batch API
    batch_live_rest: bool = False  # and live for what a batch left unanswered
    batch_delete_files: bool = False  # at the server, once a batch is collected


class FiltersConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`use` names the filters in the order of `options`' table; None uses all. Options are each filter's own."""

    use: tuple[str, ...] | None = None
    options: dict[str, dict[str, Any]] = {}


class DatasetConfig(Struct, frozen=True, forbid_unknown_fields=True):
    val_fraction: Fraction = 0.05  # share of images, not of samples
    rows_per_shard: PositiveInt = 2_000
    images: ImageStorage = "auto"  # auto: embed where the source brings its own pictures
    max_image_pixels: PositiveInt = 100_000_000
    exports: tuple[str, ...] = ()  # written to exports/ beside the versions, from the one that was built


class Gate(Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of one measure of the finished dataset (docs/audit.md has the measures)."""

    min: float | None = None
    max: float | None = None


class GatesConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """A dataset that passes a bound does not become the latest, and the build ends with an exit code of its own."""

    total: dict[str, Gate] = {}
    types: dict[str, dict[str, Gate]] = {}


class BuildConfig(Struct, frozen=True, forbid_unknown_fields=True):
    types: tuple[str, ...] = ("conv", "detail", "reasoning")
    seed: int = 0
    source: SourceConfig = SourceConfig()
    surrogate: SurrogateConfig = SurrogateConfig()
    teacher: TeacherConfig = TeacherConfig()
    refine: RefineConfig = RefineConfig()
    filters: FiltersConfig = FiltersConfig()
    judge: JudgeConfig = JudgeConfig()
    gates: GatesConfig = GatesConfig()
    dataset: DatasetConfig = DatasetConfig()
    run: RunConfig = RunConfig()


def name_teacher(config: BuildConfig) -> BuildConfig:
    """Let image-caption pairs be answered by their own captions, where no teacher is named or implied."""
    teacher = config.teacher
    has_server = teacher.base_url or teacher.servers or teacher.endpoints
    if config.source.name != "pairs" or teacher.name or teacher.model or has_server or teacher.replay:
        return config
    return replace(config, teacher=replace(teacher, name="captions"))


def load_config(path: Path) -> BuildConfig:
    """Read a pipeline file.

    Raises InstructgenError naming the file and the key for anything that is not a valid build.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InstructgenError(f"no pipeline file {path}; `instructgen pipelines` lists the shipped ones") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InstructgenError(f"{path} cannot be read as a text file: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InstructgenError(f"{path} is not valid TOML: {error}") from None
    try:
        _fill_teacher(table.get("teacher"), "teacher")
        for name in ("refine", "judge"):
            part = table.get(name)
            _fill_teacher(part.get("teacher") if isinstance(part, dict) else None, f"{name}.teacher")
        return name_teacher(msgspec.convert(table, BuildConfig))
    except msgspec.ValidationError as error:
        raise InstructgenError(f"{path}: {error}{_suggest(str(error))}; docs/pipelines.md lists every key") from None


def _fill_teacher(teacher: object, where: str) -> None:
    """Complete the decoding settings of a teacher's table and of its fallbacks."""
    while isinstance(teacher, dict):
        if isinstance(decoding := teacher.get("decoding"), dict):
            teacher["decoding"] = _fill_decoding(decoding, f"{where}.decoding")
        teacher, where = teacher.get("fallback"), f"{where}.fallback"


class _DecodingTable(Struct, frozen=True, forbid_unknown_fields=True):
    """What may stand in [teacher.decoding]; the plain struct is lenient, for ledgers hold it too."""

    temperature: NotNegative | Literal["omit"] = 0.0
    top_p: Annotated[float, Meta(gt=0, le=1)] | Literal["omit"] = 1.0
    max_tokens: PositiveInt | Literal["omit"] = 1
    seed: int | Literal["omit"] = 0
    output_format: Literal["text", "json"] = "text"


def _fill_decoding(decoding: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the settings with our defaults; what is set to "omit" is left out, for servers that refuse it."""
    try:
        msgspec.convert(decoding, _DecodingTable)
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"{error} - in [{where}]") from None
    filled = {**msgspec.to_builtins(DEFAULT_DECODING), **decoding}
    return {key: value for key, value in filled.items() if value != _OMIT}


def _suggest(message: str) -> str:
    """Return the key that was meant by an unknown one, if one is near."""
    unknown = re.search(r"unknown field `([^`]+)`", message)
    if unknown is None:
        return ""
    parts = (BuildConfig, SourceConfig, SurrogateConfig, TeacherConfig, ServerConfig, _DecodingTable)
    more = (ColumnsConfig, TableConfig, BalanceConfig, DocumentsConfig, RefineConfig, FiltersConfig, JudgeConfig)
    last = (GatesConfig, Gate, DatasetConfig, RunConfig)
    keys = {key for part in (*parts, *more, *last) for key in part.__struct_fields__}
    near = get_close_matches(unknown[1], sorted(keys), n=1)
    return f" (is '{near[0]}' meant?)" if near else ""
