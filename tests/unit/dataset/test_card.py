"""The card is read by what reads cards: huggingface_hub, datasets and YAML."""

import re
from pathlib import Path
from typing import Any

import pytest

from instructgen.dataset.cards.card import make_card
from instructgen.dataset.cards.features import describe_feature, make_feature
from instructgen.dataset.cards.front_matter import name_size
from instructgen.dataset.cards.presentation import present
from instructgen.dataset.cards.statistics import measure
from instructgen.dataset.cards.yaml_text import write_yaml
from instructgen.dataset.manifest import Counts, Lineage, Parent, SourceFacts
from instructgen.dataset.stored import LocalVersion
from tests.support.make import make_manifest
from tests.support.versions import make_row_of, write_version

HOSTILE = 'a "title": with\nlines, | bars, # marks, `ticks`, \\ <b>tags</b>, \x07 and \U0001f600 {{ 7 * 7 }} --- no'


def encode_picture(number: int) -> bytes:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (64 + number, 48)).save(buffer, "JPEG")
    return buffer.getvalue()


def make_version(folder: Path, *, embeds: bool, **fields: Any) -> LocalVersion:
    rows = [
        make_row_of(number, sample_type, picture=encode_picture(number) if embeds else None)
        for number in range(3)
        for sample_type in ("conv", "detail")
    ]
    version = write_version(folder, rows[:-1], **fields)
    present(folder, version.manifest)
    return version


def load_front_matter(card: str) -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    _, front, _ = card.split("---\n", 2)
    loaded: dict[str, Any] = yaml.safe_load(front)
    return loaded


def test_each_type_is_a_config_that_loads_by_its_name(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    version = make_version(tmp_path / "v", embeds=True)
    place, cache = str(version.folder), str(tmp_path / "cache")
    assert set(datasets.get_dataset_config_names(place)) == {"default", "conv", "detail"}
    data = datasets.load_dataset(place, cache_dir=cache)
    assert data["train"].num_rows == 5
    conv = datasets.load_dataset(place, "conv", split="train", cache_dir=cache)
    assert conv["sample_type"][:] == ["conv"] * 3
    assert [row["images"][0].size for row in conv] == [(64, 48), (65, 48), (66, 48)]
    assert isinstance(conv.features["images"].feature, datasets.Image)
    assert conv[0]["messages"] == [
        {"role": "user", "content": "What is there?"},
        {"role": "assistant", "content": "A dog."},
    ]


def test_features_of_the_card_are_those_of_the_files(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    for embeds in (True, False):
        version = make_version(tmp_path / str(embeds), embeds=embeds)
        card = hub.DatasetCard.load(version.folder / "README.md")
        infos = {one["config_name"]: datasets.DatasetInfo._from_yaml_dict(one) for one in card.data.dataset_info}
        shard = version.folder / version.manifest.shards[0].path
        plain = datasets.Dataset.from_parquet(str(shard), cache_dir=str(tmp_path / "cache"))
        assert set(infos) == {"default", "conv", "detail"}
        assert infos["conv"].features == plain.features
        assert infos["conv"].splits["train"].num_examples == 3
        assert infos["default"].splits["train"].num_examples == 5
        assert infos["default"].download_size == sum(one.num_bytes for one in version.manifest.shards)
        sizes = [infos[name].dataset_size for name in ("conv", "detail")]
        assert min(sizes) > 0
        assert infos["default"].dataset_size == sum(sizes)


def test_pictures_that_are_not_in_the_rows_are_not_opened(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    version = make_version(tmp_path / "v", embeds=False)
    row = datasets.load_dataset(str(version.folder), "detail", split="train", cache_dir=str(tmp_path / "cache"))[0]
    assert row["images"] == [{"bytes": None, "path": "000000000000.jpg"}]


def test_card_above_the_versions_opens_the_version(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    version = make_version(tmp_path / "versions" / "abc", embeds=True)
    card = make_card(version.manifest, "versions/abc/", measure(version))
    (tmp_path / "README.md").write_text(card, encoding="utf-8")
    assert "(versions/abc/assets/types.svg)" in card
    data = datasets.load_dataset(str(tmp_path), "conv", split="train", cache_dir=str(tmp_path / "cache"))
    assert data.num_rows == 3


def test_hostile_title_breaks_neither_the_yaml_nor_the_page(tmp_path: Path) -> None:
    source = SourceFacts(HOSTILE, HOSTILE, 3, {HOSTILE: 2})
    counts = Counts({HOSTILE: 5}, {HOSTILE: 5}, {HOSTILE: 1}, {HOSTILE: 0}, {HOSTILE: {HOSTILE: 1}})
    lineage = Lineage(HOSTILE, {}, (Parent("abc", HOSTILE, "0" * 64, 5),))
    version = make_version(tmp_path / "v", embeds=False, source=source, counts=counts, lineage=lineage)
    card = (version.folder / "README.md").read_text(encoding="utf-8")
    front = load_front_matter(card)
    assert front["pretty_name"] == f"{' '.join(HOSTILE.split())} instruction data {version.manifest.version}"
    assert HOSTILE in front["tags"]
    page = card.split("---\n", 2)[2]
    heading = next(line for line in page.splitlines() if line.startswith("# "))
    assert heading.endswith(": instruction data")
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    html = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render(page)
    assert "<b>" not in html
    assert html.count("<h1>") == 1
    assert "\x07" not in page
    assert html.count("&lt;b&gt;tags&lt;/b&gt;") >= 6
    for table in html.split("<table>")[1:]:
        head, body = table.split("</table>")[0].split("<tbody>")
        rows = body.count("<tr>")
        assert rows * head.count("<th>") == body.count("<td")
        assert rows == 1 or ">conv<" in body


def test_hostile_names_make_plots_that_are_xml(tmp_path: Path) -> None:
    from xml.etree import ElementTree as ET

    counts = Counts({HOSTILE: 5}, {HOSTILE: 5}, {HOSTILE: 1}, {HOSTILE: 0}, {HOSTILE: {HOSTILE: 1}})
    version = make_version(tmp_path / "v", embeds=False, counts=counts)
    plots = sorted((version.folder / "assets").iterdir())
    assert [path.name for path in plots] == ["lengths.svg", "reasons.svg", "types.svg"]
    for path in plots:
        assert ET.parse(path).getroot().tag.endswith("svg")


def test_front_matter_says_what_the_hub_asks_for(tmp_path: Path) -> None:
    version = make_version(tmp_path / "v", embeds=True)
    front = load_front_matter((version.folder / "README.md").read_text(encoding="utf-8"))
    assert front["language"] == ["en"]
    assert front["size_categories"] == ["n<1K"]
    assert front["annotations_creators"] == ["machine-generated"]
    assert front["source_datasets"] == ["extended|other-coco"]
    assert front["license"] == ["unknown"]
    assert "visual-question-answering" in front["task_categories"]


def test_licence_table_flags_what_forbids_and_counts_the_unknown(tmp_path: Path) -> None:
    names = ["CC-BY-NC-ND-2.0", "CC-BY-2.0", "CC-BY-2.0", "House rules", None]
    rows = [
        {**make_row_of(number, picture=encode_picture(number)), "image_licences": [name]}
        for number, name in enumerate(names)
    ]
    version = write_version(tmp_path / "v", rows)
    card = make_card(version.manifest, "", measure(version))
    assert load_front_matter(card)["license"] == ["cc-by-2.0", "other", "unknown"]
    by_nc_nd = "[CC-BY-NC-ND-2.0](https://creativecommons.org/licenses/by-nc-nd/2.0/)"
    assert f"| {by_nc_nd} | 1 | 20.0% | **no** | **no** |" in card
    assert "| [CC-BY-2.0](https://creativecommons.org/licenses/by/2.0/) | 2 | 40.0% | yes | yes |" in card
    assert "| House rules | 1 | 20.0% | not known | not known |" in card
    assert "| unknown: the source names none | 1 | 20.0% | not known | not known |" in card


def test_card_tells_how_many_pictures_are_in_two_splits(tmp_path: Path) -> None:
    from instructgen.dataset.columns import make_schema
    from instructgen.dataset.shards import ShardWriter

    folder = tmp_path / "v"
    writer = ShardWriter(folder, make_schema(["length"], embeds_images=False), 10, embeds_images=False)
    for split, number in (("train", 1), ("train", 2), ("val", 2)):
        writer.write(split, make_row_of(number))
    manifest = make_manifest(code={"instructgen": "0"}, shards=tuple(writer.finish()), splits={"train": 2, "val": 1})
    present(folder, manifest)
    assert "1 images are in more than one split." in (folder / "README.md").read_text(encoding="utf-8")


def test_card_without_statistics_claims_nothing_of_shared_pictures() -> None:
    manifest = make_manifest(code={"instructgen": "0"}, splits={"train": 2, "val": 1})
    assert "two splits" not in make_card(manifest)


def test_plain_text_of_rows_makes_no_link(tmp_path: Path) -> None:
    names = ["https://evil.example/a?b", "see WWW.evil.example", "HTTP://evil.example", "me@evil.example", "@someone"]
    rows = [{**make_row_of(number), "teacher": name, "model": name} for number, name in enumerate(names)]
    version = write_version(tmp_path / "v", rows, source=SourceFacts("coco", " ".join(names), 5, {}))
    page = make_card(version.manifest, "", measure(version)).split("---\n", 2)[2]
    assert "https:<!-- -->//evil" in page
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    html = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render(page)
    assert html.count("evil.example") >= 4 * 3
    # What GitHub's Markdown looks for in the text once escapes are resolved.
    assert re.findall(r"(?:://|www\.)evil|@\w", re.sub("<code>.*?</code>", "", html), re.IGNORECASE) == []


def test_card_without_statistics_still_opens_the_data() -> None:
    front = load_front_matter(make_card(make_manifest(code={"instructgen": "0"})))
    assert "dataset_info" not in front
    assert "configs" not in front


def test_same_version_has_the_same_card_plots_and_statistics(tmp_path: Path) -> None:
    one, other = (make_version(tmp_path / name, embeds=True) for name in ("a", "b"))
    digests = [present(version.folder, version.manifest) for version in (one, other)]
    assert digests[0] == digests[1]
    assert set(digests[0]) == {
        *("README.md", "statistics.json", "croissant.json", "assets/types.svg", "assets/lengths.svg"),
    }


@pytest.mark.parametrize(
    "value",
    [
        *("no", "Yes", "null", "~", "1", "1.5", "0x10", "1e3", "2026-01-01", "12:30", "", " a", "a ", "a: b", "a #b"),
        *("- a", "? a", "&a", "*a", "!a", "%a", "@a", "`a`", '"', "'", "a\nb", "a\tb", "\x85", "\u2028", "\ufeff"),
        *("\x00", "\x7f", "\U0001f600", "n<1K", "data/train-*.parquet", "extended|other-coco", "[a]", "{a}", "a,b"),
    ],
)
def test_yaml_gives_every_text_back(value: str) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    assert yaml.safe_load(write_yaml({"a": value, "b": [value, {"c": value, "d": [value]}]})) == {
        "a": value,
        "b": [value, {"c": value, "d": [value]}],
    }


def test_yaml_gives_numbers_and_empty_things_back() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    value = {"a": 1, "b": 2.5, "c": True, "d": [], "e": {}, "f": [[], {}, [1, [2]]], "g": {"h": {"i": 0}}}
    assert yaml.safe_load(write_yaml(value)) == value


def test_feature_of_lists_in_lists_is_written_as_datasets_reads_it() -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed")
    import pyarrow as pa

    kind = pa.list_(pa.list_(pa.struct([("x", pa.float64()), ("names", pa.list_(pa.string()))])))
    described = [describe_feature(make_feature("boxes", kind), decodes_pictures=True)]
    expected = datasets.Features.from_arrow_schema(pa.schema([("boxes", kind)]))
    assert datasets.Features._from_yaml_list(described) == expected


@pytest.mark.parametrize(("num_rows", "name"), [(0, "n<1K"), (1_000, "1K<n<10K"), (157_712, "100K<n<1M")])
def test_size_is_the_hubs_category(num_rows: int, name: str) -> None:
    assert name_size(num_rows) == name
