"""What the site's reference is made of: the command line, the settings' structs, the reason words of the code."""

import json
from pathlib import Path

import pytest

from tests.support.documents import list_command_paths, list_pipeline_keys, load_hook

commands, reasons, settings = load_hook("commands"), load_hook("reasons"), load_hook("settings")


def test_every_command_has_a_section_with_its_flags() -> None:
    text = commands.write_commands()
    for path, flags in list_command_paths():
        _, found, section = text.partition(f"# {path}\n")
        assert found, path
        section = section.partition("\n## instructgen")[0]
        assert [flag for flag in flags if flag not in section] == [], path


def test_help_cannot_become_markup() -> None:
    assert (
        commands._escape("[x>=1] <out>/*.json a_b `code_[x]`") == r"\[x&gt;=1\] &lt;out&gt;/\*.json a\_b `code_[x]`"
    )


def test_every_key_of_a_pipeline_is_in_a_table_with_what_it_means() -> None:
    text = "\n".join(settings.write_settings())
    assert [key for key in list_pipeline_keys() if f"`{key}`" not in text and f"{key}]" not in text] == []
    assert "| `val_fraction` | number from 0 to 1 | `0.05` | share of the images, not of the samples |" in text
    assert '| `order` | `annotation`, `area`, `left_to_right` | `"annotation"` |' in text
    assert "| `max_tokens` | whole number | `1024` | the longest answer |" in text  # a pipeline's, not the struct's
    assert [line for line in text.splitlines() if line.startswith("| `") and line.endswith("|  |")] == []


def test_every_reason_word_is_explained_somewhere() -> None:
    words = reasons.find_reasons()
    assert {word for word, parts in words.items() if not reasons.explain(word, parts)} == set()


def test_reason_words_of_a_real_build_are_among_them(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from instructgen.cli.app import app

    (tmp_path / "p.toml").write_text("[filters.options.length]\ndetail = { min_words = 40, max_words = 60 }\n")
    arguments = [
        "build",
        "--pipeline",
        str(tmp_path / "p.toml"),
        "--limit",
        "40",
        "--out",
        str(tmp_path / "out"),
        "--json",
    ]
    done = CliRunner().invoke(app, arguments)
    found = json.loads(done.stdout.splitlines()[-1])["reasons"]
    assert "answer_too_short" in found
    assert set(found) <= set(reasons.find_reasons())


def test_words_in_names_tables_and_returned_ones_are_found() -> None:
    found = reasons.find_reasons()
    assert found["contradicted_claim"] == {"filters"}
    assert found["text_before_first_question"] == {"sample_types"}  # what a function returns
    assert found["rate_limited"] == {"teachers"}  # of a table
    assert found["source_leak"] == {"filters"}  # what a filter lists
    assert "no_captions" in found


def test_every_column_has_a_meaning() -> None:
    assert reasons.write_columns().count("\n| `") == len(reasons._MEANINGS)


@pytest.mark.parametrize("heading", ["`--apply`", "What a batch may end with", "CPU for each request"])
def test_anchors_are_those_that_the_site_makes(heading: str) -> None:
    toc = pytest.importorskip("markdown.extensions.toc", reason="the extra [docs] is not installed")
    assert reasons._slug(heading.replace("`", "")) == toc.slugify(heading.replace("`", ""), "-")
