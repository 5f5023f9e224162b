"""What a teacher's tokens cost: the user's price table, then the shipped one (docs/cost.md)."""

import ipaddress
import math
import os
import re
import tomllib
from datetime import date
from decimal import ROUND_CEILING, Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from instructgen.config import TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.resources import shared_folder

SHIPPED_NAME = "prices.toml"  # below data/
_OPENAI_HOST = "api.openai.com"
_NANO_USD = Decimal(1000)  # of one token, at a dollar per million tokens
_SNAPSHOT = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8})$")


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    """Dollars per million tokens. `batch_discount` is the share, 0 to 1, that a batch API takes off.

    `cached_prompt` is for prompt tokens that the server says it had in its cache; None charges them in full.
    """

    prompt: float
    completion: float
    cached_prompt: float | None = None
    batch_discount: float | None = None

    def cost_usd(self, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> float:
        return self.nano_usd(prompt_tokens, completion_tokens, cached_tokens) / 1_000_000_000

    def nano_usd(self, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> int:
        """Return the cost in billionths of a dollar, exact; what is less than one of them counts as one.

        `cached_tokens` are a part of `prompt_tokens`.
        """
        cached = self.prompt if self.cached_prompt is None else self.cached_prompt
        dollars = (
            (prompt_tokens - cached_tokens) * _decimal(self.prompt)
            + cached_tokens * _decimal(cached)
            + completion_tokens * _decimal(self.completion)
        )
        return int((dollars * _NANO_USD).to_integral_value(ROUND_CEILING))

    def for_batch(self) -> "Price":
        """Return the price through the batch API: the same where no discount is known."""
        left = 1 - _decimal(self.batch_discount or 0.0)
        cached = None if self.cached_prompt is None else float(left * _decimal(self.cached_prompt))
        return Price(float(left * _decimal(self.prompt)), float(left * _decimal(self.completion)), cached)


FREE = Price(0.0, 0.0)


class PriceTable(Struct, frozen=True, forbid_unknown_fields=True):
    """Prices by model. A key may hold * and ?; `as_of` is the day on which the prices were looked up."""

    models: dict[str, Price]
    as_of: date | None = None

    def find(self, model: str) -> Price | None:
        """Return the price of exactly this model, else of what it is a dated snapshot of, else of the first glob."""
        for name in (model, _SNAPSHOT.sub("", model)):
            if name in self.models:
                return self.models[name]
        for pattern, price in self.models.items():
            if fnmatchcase(model, pattern):
                return price
        return None


class FoundPrice(Struct, frozen=True):
    """A price and, for people, where it comes from."""

    price: Price | None
    origin: str


def find_price(config: TeacherConfig, model: str, base_url: str | None) -> Price | None:
    """Return what `model` costs at `base_url`; None where nobody knows. Raises as `look_up_price` does."""
    return look_up_price(config, model, base_url).price


def look_up_price(config: TeacherConfig, model: str, base_url: str | None) -> FoundPrice:
    """Return what `model` costs at `base_url`, and who says so.

    The user's table is asked first, wherever the server is. A server on this machine is free otherwise, and the
    shipped table is for OpenAI's own service alone. Raises InstructgenError for a table that is not valid.
    """
    if config.prices is not None:
        table = load_prices(Path(config.prices))
        price = table.find(model)
        if price is not None:
            return FoundPrice(price, f"{config.prices}{_write_date(table)}")
    address = base_url or os.environ.get("OPENAI_BASE_URL")  # where the openai package sends to without a base_url
    if is_loopback(address):
        return FoundPrice(FREE, "a server on this machine")
    if not is_openai(address):
        return FoundPrice(None, "no price table names this model, and the server is not OpenAI's")
    table = load_shipped_prices()
    price = table.find(model)
    if price is None:
        return FoundPrice(None, "neither a table of yours nor the shipped one names this model")
    return FoundPrice(price, f"the shipped table of OpenAI's list prices{_write_date(table)}")


def load_shipped_prices() -> PriceTable:
    return load_prices(shared_folder("data") / SHIPPED_NAME)


def load_prices(path: Path) -> PriceTable:
    """Read a price table. Raises InstructgenError naming the file and the key of a mistake."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InstructgenError(f"no price table {path}; docs/cost.md shows how one is written") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InstructgenError(f"the price table {path} cannot be read as a text file: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InstructgenError(f"the price table {path} is not valid TOML: {error}") from None
    return PriceTable(_read_models(table, path), _read_date(table, path))


def is_loopback(base_url: str | None) -> bool:
    """Return whether the server is this machine."""
    host = urlsplit(base_url or "").hostname or ""
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
        return address.is_loopback or address.is_unspecified  # 0.0.0.0, as servers name themselves at their start
    except ValueError:
        return False


def is_openai(base_url: str | None) -> bool:
    """Return whether the server is OpenAI's own service."""
    return not base_url or urlsplit(base_url).hostname == _OPENAI_HOST


def _read_models(table: dict[str, object], path: Path) -> dict[str, Price]:
    unknown = sorted(table.keys() - {"as_of", "models"})
    if unknown:
        raise InstructgenError(f"{path}: unknown key '{unknown[0]}'; a price table has as_of and [models.\"name\"]")
    models = table.get("models")
    if not isinstance(models, dict):
        raise InstructgenError(f'{path}: no prices; write a table such as [models."my-model"]')
    return {name: _read_price(name, row, path) for name, row in models.items()}


def _read_price(name: str, row: object, path: Path) -> Price:
    where = f'{path}: models."{name}"'
    hint = "wants prompt and completion, in dollars per million tokens (docs/cost.md)"
    try:
        price = msgspec.convert(row, Price)
    except msgspec.ValidationError as error:
        raise InstructgenError(f"{where}: {error}; {hint}") from None
    for key in price.__struct_fields__:
        value = getattr(price, key)
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise InstructgenError(f"{where}.{key} is {value}; {hint}, 0 or more")
    if (price.batch_discount or 0.0) > 1:
        raise InstructgenError(f"{where}.batch_discount is {price.batch_discount}; it is a share, 0 to 1")
    return price


def _read_date(table: dict[str, object], path: Path) -> date | None:
    try:
        return msgspec.convert(table.get("as_of"), date | None)
    except msgspec.ValidationError:
        raise InstructgenError(f'{path}: as_of is not a date such as "2026-01-31"') from None


def _write_date(table: PriceTable) -> str:
    return f", as of {table.as_of}" if table.as_of else ""


def _decimal(dollars: float) -> Decimal:
    """Return the number that was written: 0.15 rather than the float next to it."""
    return Decimal(repr(float(dollars)))
