"""Sentence vectors by all-MiniLM-L6-v2, from the package that carries its weights.

Kept apart from :mod:`dialog_envs.datasets.embedding`, which does without torch and finds this function by its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch

from dialog_envs.datasets.embedding import Vectors, package_folder, unit

WINDOW = 256
"""Word pieces that the model was trained to read at once; longer texts are read window by window."""
BATCH = 16


@torch.inference_mode()
def minilm(texts: Sequence[str]) -> Vectors:
    """The mean of the last layer's vectors over all of a text, shape (texts, 384), rows of length 1.

    The model was trained on 256 word pieces: of a longer text each window is read by itself.
    """
    tokenizer, model = _files()
    device = next(model.parameters()).device
    windows: list[tuple[int, list[int]]] = []
    for i, text in enumerate(texts):
        clean = text.encode("utf-8", "replace").decode("utf-8")
        ids = tokenizer(clean, add_special_tokens=False, verbose=False)["input_ids"]
        size = WINDOW - 2
        windows += [(i, ids[start : start + size]) for start in range(0, max(len(ids), 1), size)]
    sums = torch.zeros(len(texts), model.config.hidden_size)
    windows.sort(key=lambda window: len(window[1]))  # so that a batch is of one length
    for start in range(0, len(windows), BATCH):
        part = windows[start : start + BATCH]
        rows = [[tokenizer.cls_token_id, *ids, tokenizer.sep_token_id] for _, ids in part]
        batch = tokenizer.pad({"input_ids": rows}, return_tensors="pt").to(device)  # (window, piece)
        hidden = model(**batch).last_hidden_state  # (window, piece, 384)
        total = (hidden * batch["attention_mask"].unsqueeze(-1)).sum(dim=1)  # (window, 384)
        sums.index_add_(0, torch.tensor([i for i, _ in part]), total.float().cpu())
    return unit(sums.numpy())


@lru_cache(maxsize=1)
def _files() -> tuple[Any, Any]:
    from transformers import BertModel, PreTrainedTokenizerFast

    folder = package_folder("minilm") / "model"
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    model = BertModel.from_pretrained(folder, local_files_only=True, add_pooling_layer=False)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return tokenizer, model.eval().to(device)
