from pathlib import Path

import pytest

from instructgen.config import TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.teachers.prices import (
    FREE,
    Price,
    find_price,
    is_loopback,
    load_prices,
    load_shipped_prices,
    look_up_price,
)

MINI = Price(0.15, 0.60, cached_prompt=0.075, batch_discount=0.5)


@pytest.fixture(autouse=True)
def _no_address_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def write_table(folder: Path, text: str) -> Path:
    path = folder / "prices.toml"
    path.write_text(text)
    return path


def test_cost_is_exact_in_billionths_of_a_dollar() -> None:
    assert MINI.nano_usd(1, 0) == 150
    assert MINI.nano_usd(2000, 300) == 2000 * 150 + 300 * 600
    assert sum(MINI.nano_usd(3, 7) for _ in range(100_000)) == MINI.nano_usd(300_000, 700_000)


def test_no_count_of_tokens_is_large_enough_to_lose_money() -> None:
    # As floats, 0.15 x 10^17 + 0.15 is 0.15 x 10^17.
    assert MINI.nano_usd(10**17 + 1, 0) - MINI.nano_usd(10**17, 0) == 150


def test_what_is_less_than_a_billionth_counts_as_one() -> None:
    assert Price(0.0001, 0.0).nano_usd(1, 0) == 1
    assert Price(0.0001, 0.0).nano_usd(10, 0) == 1
    assert Price(0.0001, 0.0).nano_usd(11, 0) == 2
    assert FREE.nano_usd(10**9, 10**9) == 0


def test_cached_tokens_are_charged_at_their_own_price_where_there_is_one() -> None:
    assert MINI.nano_usd(1000, 0, cached_tokens=600) == 400 * 150 + 600 * 75
    assert Price(0.15, 0.6).nano_usd(1000, 0, cached_tokens=600) == 1000 * 150


def test_batch_price_is_off_by_the_discount_and_the_same_without_one() -> None:
    assert MINI.for_batch() == Price(0.075, 0.3, cached_prompt=0.0375)
    assert Price(0.15, 0.6).for_batch() == Price(0.15, 0.6)


def test_shipped_table_has_a_date_and_the_models_that_llava_builds_ask_for() -> None:
    table = load_shipped_prices()
    assert table.as_of is not None
    assert table.find("gpt-4o-mini") == MINI
    assert table.find("gpt-4.1-nano") == Price(0.10, 0.40, cached_prompt=0.025, batch_discount=0.5)
    for name, price in table.models.items():
        assert 0 < price.prompt < price.completion, name
        assert price.cached_prompt is None or price.cached_prompt < price.prompt, name


def test_dated_snapshot_costs_what_its_model_costs_unless_it_is_listed_itself() -> None:
    table = load_shipped_prices()
    assert table.find("gpt-4o-mini-2024-07-18") == table.find("gpt-4o-mini")
    assert table.find("gpt-4o-2024-08-06") == table.find("gpt-4o")
    assert table.find("gpt-4o-2024-05-13") == Price(5.0, 15.0, batch_discount=0.5)
    assert table.find("gpt-4o-audio-preview") is None
    assert table.find("ft:gpt-4o-mini-2024-07-18:us::x") is None


def test_glob_stands_for_what_no_other_key_names(tmp_path: Path) -> None:
    table = load_prices(
        write_table(
            tmp_path, 'models."my-*" = {prompt = 1, completion = 2}\nmodels."my-b" = {prompt = 3, completion = 4}'
        )
    )
    assert table.find("my-a") == Price(1.0, 2.0)
    assert table.find("my-b") == Price(3.0, 4.0)
    assert table.find("your-a") is None


def test_shipped_prices_are_for_openai_alone() -> None:
    config = TeacherConfig()
    assert find_price(config, "gpt-4o-mini", None) == MINI
    assert find_price(config, "gpt-4o-mini", "https://api.openai.com/v1") == MINI
    assert find_price(config, "gpt-4o-mini", "https://api.openai.com.example.org/v1") is None
    assert find_price(config, "gpt-4o-mini", "https://example.org/v1") is None
    assert find_price(config, "no-such-model", None) is None


@pytest.mark.parametrize("address", ["http://localhost:8000/v1", "http://127.0.0.9:1/v1", "http://[::1]:8000/v1"])
def test_server_on_this_machine_is_free(address: str) -> None:
    assert is_loopback(address)
    assert find_price(TeacherConfig(), "gpt-4o-mini", address) == FREE


@pytest.mark.parametrize("address", [None, "http://example.org/v1", "http://10.0.0.1/v1", "http://localhost.org/v1"])
def test_server_elsewhere_is_not_on_this_machine(address: str | None) -> None:
    assert not is_loopback(address)


def test_address_in_the_environment_decides_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://example.org/v1")
    assert find_price(TeacherConfig(), "gpt-4o-mini", None) is None
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:8000/v1")
    assert find_price(TeacherConfig(), "gpt-4o-mini", None) == FREE


def test_table_of_the_user_comes_first_wherever_the_server_is(tmp_path: Path) -> None:
    path = write_table(tmp_path, 'as_of = "2026-11-01"\n[models."gpt-4o-mini"]\nprompt = 7\ncompletion = 9\n')
    config = TeacherConfig(prices=str(path))
    for address in (None, "http://127.0.0.1:8000/v1", "https://example.org/v1"):
        found = look_up_price(config, "gpt-4o-mini", address)
        assert found.price == Price(7.0, 9.0)
        assert found.origin == f"{path}, as of 2026-11-01"
    assert find_price(config, "gpt-4o", None) == load_shipped_prices().find("gpt-4o")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("models = [", "not valid TOML"),
        ('as_of = "2026-11-01"', "no prices"),
        ("models = 3", "no prices"),
        ('price = 1\n[models."m"]\nprompt = 1\ncompletion = 1', "'price'"),
        ('as_of = "soon"\n[models."m"]\nprompt = 1\ncompletion = 1', "as_of"),
        ('[models."m"]\nprompt = 1', '"m"'),
        ('[models."m"]\nprompt = 1\ncompletion = 1\ncahced_prompt = 1', "cahced_prompt"),
        ('[models."m"]\nprompt = -1\ncompletion = 1', '"m".prompt'),
        ('[models."m"]\nprompt = nan\ncompletion = 1', '"m".prompt'),
        ('[models."m"]\nprompt = 1\ncompletion = inf', '"m".completion'),
        ('[models."m"]\nprompt = "1"\ncompletion = 1', "$.prompt"),
        ('[models."m"]\nprompt = true\ncompletion = 1', "$.prompt"),
        ('[models."m"]\nprompt = 1\ncompletion = 1\nbatch_discount = 50', '"m".batch_discount'),
        ("[models]\nm = 3", '"m"'),
        ("\xff\xfe", "read as a text file"),
    ],
)
def test_mistake_in_a_table_is_named_with_file_and_key(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InstructgenError) as caught:
        load_prices(path)
    assert str(path) in str(caught.value)
    assert named in str(caught.value)


def test_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(InstructgenError, match="no price table"):
        find_price(TeacherConfig(prices=str(tmp_path / "none.toml")), "m", None)
