"""A real server for tests of what talks to one: one a process, started when the first test asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.llama_server import llama_server as run_server


@pytest.fixture(scope="session")
def llama_server() -> Iterator[str]:
    """Address of llama.cpp's server with the embedded model, as ``openai:smollm2?base_url=ADDRESS`` takes it."""
    with run_server() as url:
        yield url
