from pathlib import Path

import pytest

from instructgen.config import BuildConfig, load_config
from instructgen.errors import InstructgenError
from instructgen.records import Decoding
from instructgen.resources import shared_folder
from instructgen.train.recipe import is_recipe


def write(folder: Path, text: str) -> Path:
    path = folder / "my.toml"
    path.write_text(text)
    return path


def test_every_shipped_pipeline_is_valid() -> None:
    files = [path for path in sorted(shared_folder("pipelines").glob("*.toml")) if not is_recipe(path)]
    names = {"llava", "clean", "smoke", "minigpt4", "llava-stage1-data", "minigpt4-stage1-data", "interleaved"}
    assert {file.stem for file in files} == names
    for file in files:
        assert load_config(file).types


def test_empty_file_is_the_default_build(tmp_path: Path) -> None:
    assert load_config(write(tmp_path, "")) == BuildConfig()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seeed = 1", "unknown field `seeed`"),
        ("[surrogate]\nmax_bokses = 3", "unknown field `max_bokses`"),
        ("[dataset]\nval_fraction = 1.5", r"\$.dataset.val_fraction"),
        ("[dataset]\nrows_per_shard = 0", r"\$.dataset.rows_per_shard"),
        ("[teacher]\ntimeout_s = -1.0", r"\$.teacher.timeout_s"),
        ("[surrogate]\norder = 'random'", r"\$.surrogate.order"),
        ("seed = 'one'", r"\$.seed"),
        ("seed = = 1", "is not valid TOML"),
    ],
)
def test_bad_setting_is_named_with_its_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InstructgenError, match=words) as caught:
        load_config(write(tmp_path, text))
    assert "my.toml" in str(caught.value)


def test_decoding_given_in_part_keeps_the_other_defaults(tmp_path: Path) -> None:
    decoding = load_config(write(tmp_path, "[teacher.decoding]\nseed = 3")).teacher.decoding
    assert decoding == Decoding(temperature=0.7, max_tokens=1024, seed=3)


def test_decoding_setting_can_be_left_out(tmp_path: Path) -> None:
    decoding = load_config(write(tmp_path, "[teacher.decoding]\ntemperature = 'omit'")).teacher.decoding
    assert decoding == Decoding(max_tokens=1024)


def test_missing_file_says_where_the_shipped_ones_are(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="instructgen pipelines"):
        load_config(tmp_path / "none.toml")


def test_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="cannot be read"):
        load_config(tmp_path)


def test_llavas_conversations_see_no_boxes() -> None:
    surrogate = load_config(shared_folder("pipelines") / "llava.toml").surrogate
    assert not surrogate.shows_boxes("conv")
    assert surrogate.shows_boxes("detail")
    assert surrogate.shows_boxes("reasoning")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("[teacher.decoding]\ntemprature = 0.1", r"temprature.*teacher\.decoding.*'temperature' meant"),
        ("[teacher.decoding]\nmax_tokens = -5", r">= 1.*teacher\.decoding"),
        ("[teacher.decoding]\ntop_p = 2", r"<= 1.*teacher\.decoding"),
        ("[teacher.fallback.decoding]\nmax_token = 5", r"max_token.*teacher\.fallback\.decoding.*'max_tokens' meant"),
        ("[teacher]\nmodle = 'm'", r"modle.*'model' meant"),
        ("[refine]\nrewirte = true", r"rewirte.*'rewrite' meant"),
        ("[refine]\nrepair_rounds = -1", r">= 0.*refine\.repair_rounds"),
        ("[judge]\nmin_acuracy = 5", r"min_acuracy.*'min_accuracy' meant"),
        ("[judge]\nmin_relevancy = 11", r"<= 10.*judge\.min_relevancy"),
        ("[judge]\nunreadable = 'maybe'", r"judge\.unreadable"),
        ("[judge.teacher.decoding]\nmax_token = 5", r"max_token.*judge\.teacher\.decoding.*'max_tokens' meant"),
        ("[refine.teacher.decoding]\nmax_token = 5", r"max_token.*refine\.teacher\.decoding.*'max_tokens' meant"),
    ],
)
def test_a_mistake_in_what_is_paid_for_is_named(tmp_path: Path, table: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(table, encoding="utf-8")
    with pytest.raises(InstructgenError, match=message):
        load_config(path)


def test_decoding_may_omit_what_a_server_refuses(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[teacher.decoding]\ntemperature = 'omit'\nseed = 3", encoding="utf-8")
    assert load_config(path).teacher.decoding == Decoding(max_tokens=1024, seed=3)


def test_refiners_decoding_given_in_part_keeps_the_other_defaults(tmp_path: Path) -> None:
    refiner = load_config(write(tmp_path, "[refine.teacher.decoding]\nseed = 3")).refine.teacher
    assert refiner is not None
    assert refiner.decoding == Decoding(temperature=0.7, max_tokens=1024, seed=3)


def test_minigpt4s_curation_is_what_its_paper_says() -> None:
    config = load_config(shared_folder("pipelines") / "minigpt4.toml")
    assert (config.types, config.teacher.see_image) == (("caption",), "only")
    assert config.refine.continue_below_tokens == 80
    assert config.refine.rewrite
    assert config.dataset.exports == ("filter_cap",)
