"""What every test relies on: few threads, no network, no leftovers of the person's own settings."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# Property tests are as strict on a busy machine as on an idle one, and the same on every machine.
settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

# Before numpy and torch are imported: several test processes share the cores, and two thread pools on two cores slow
# each other down several times over.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("MPLBACKEND", "Agg")
# A test never reaches a model hub or a provider, and never sees the person's keys.
os.environ["HF_HUB_OFFLINE"] = "1"
for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
    os.environ.pop(variable, None)


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output is compared as text: no colours, a fixed width."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "120")
