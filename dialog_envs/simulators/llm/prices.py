"""What tokens cost: a table of prices that a user can edit."""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from dialog_envs.errors import UsageError

TABLE = Path(__file__).with_name("prices.toml")
VARIABLE = "DIALOG_ENVS_PRICES"
"""Environment variable that names a table of one's own; its rows go before those that ship."""
_DATED = re.compile(r"-(?:20\d\d-\d\d-\d\d|20\d{6}|latest)\Z")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens.

    Attributes:
        tokens_in: that are read.
        tokens_out: that are written, thoughts included.
        cached_in: that are read and were read shortly before; by default like all others.
    """

    tokens_in: float
    tokens_out: float
    cached_in: float | None = None

    def cost(self, tokens_in: int, tokens_out: int, cached: int = 0) -> float:
        """US dollars of one call; `cached` of the tokens that it read were read before."""
        cheaper = self.tokens_in if self.cached_in is None else self.cached_in
        known = min(cached, tokens_in)
        return ((tokens_in - known) * self.tokens_in + known * cheaper + tokens_out * self.tokens_out) / 1e6


FREE = Price(0.0, 0.0)


def parse_price(text: str) -> Price:
    """``"0.25/2"`` (read/written) or ``"0.25/2/0.025"`` (… and read again) → a price.

    Raises:
        ValueError: another form, or a negative number.
    """
    numbers = [float(part) for part in text.split("/")]
    if len(numbers) not in (2, 3) or not all(0 <= number < float("inf") for number in numbers):
        raise ValueError(text)
    return Price(*numbers)


def price_of(model: str, url: str, table: Path | None = None) -> Price | None:
    """A model's price, or ``None`` if no table knows it. Servers on this machine and in private networks are free.

    Args:
        model: its name at the server; a date at its end and an owner before a slash are left out if need be.
        url: the server's address.
        table: a table of one's own, by default the file that the variable ``DIALOG_ENVS_PRICES`` names.

    Raises:
        UsageError: the table cannot be read.
    """
    named = os.environ.get(VARIABLE)
    own = table or (Path(named) if named else None)
    for file in (own, TABLE):
        if file is None:
            continue
        prices = _read(file, file.stat().st_mtime_ns if file.is_file() else 0)
        plain = _DATED.sub("", model)
        for name in (model, plain, model.rpartition("/")[2], plain.rpartition("/")[2]):
            if name in prices:
                return prices[name]
    return FREE if is_local(url) else None


def is_local(url: str) -> bool:
    """Whether an address is this machine's or a private network's."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or host.endswith((".local", ".localhost", ".internal", ".lan"))


@lru_cache(maxsize=8)
def _read(file: Path, _changed: int) -> Mapping[str, Price]:
    """Rows by model name. Read again when the file has changed."""
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8"))["models"]
        return {
            name: Price(
                float(row["in"]), float(row["out"]), float(row["cached"]) if "cached" in row else None
            )
            for name, row in rows.items()
        }
    except OSError as error:
        raise UsageError(f"cannot read the table of prices '{file}': {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"'{file}' is no table of prices ({type(error).__name__}: {error}): under [models] it needs rows like "
            '"my-model" = {in = 0.25, out = 2.0}, in US dollars for a million tokens.'
        ) from error
