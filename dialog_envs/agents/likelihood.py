"""A second language model whose probabilities are values: what Q-SFT puts beside the policy."""

from __future__ import annotations

import copy
from typing import Any, Literal

import torch
from torch import Tensor, nn

from dialog_envs.agents.value_heads import Heads

Extraction = Literal["ratio", "likelihood"]


class LikelihoodHeads(Heads):
    """The output layer of ``p_theta``, and the Polyak-averaged copy of all of ``p_theta``.

    The trunk of ``p_theta`` is the model's separate value trunk.

    Args:
        output: the policy's output layer, which is copied.
        trunk: the trunk of ``p_theta``, copied for the target; None makes heads for play, which need none.
        extraction: what decoding adds to the policy: ``ratio`` is ``p_theta / pi``, the value that the loss backs up;
            ``likelihood`` is ``p_theta`` itself, as published.
    """

    def __init__(self, output: nn.Module, trunk: nn.Module | None, extraction: Extraction = "ratio") -> None:
        super().__init__()
        self.extraction: Extraction = extraction
        self.output = copy.deepcopy(output).requires_grad_(True)
        self.target_output = copy.deepcopy(output).requires_grad_(False) if trunk is not None else None
        self.target_trunk = copy.deepcopy(trunk).requires_grad_(False) if trunk is not None else None
        self._online = (
            [trunk] if trunk is not None else []
        )  # in a list: it is the model's, not registered twice

    @torch.no_grad()
    def target_logits(self, ids: Tensor, positions: Tensor) -> Tensor:
        """Of the averaged ``p_theta`` at flat positions: ids (batch, time), positions (S,) -> (S, vocabulary)."""
        assert self.target_trunk is not None and self.target_output is not None, (
            "not of a checkpoint for play"
        )
        hidden = self.target_trunk(input_ids=ids, use_cache=False).last_hidden_state.flatten(0, 1)
        logits: Tensor = self.target_output(hidden[positions])
        return logits

    @torch.no_grad()
    def decoding_values(self, state: Tensor, tokens: Tensor, logits: Tensor) -> Tensor:
        """The values of the candidates, between 0 and 1; see :meth:`Heads.decoding_values`."""
        likelihood = torch.log_softmax(self.output(state).float(), dim=-1).gather(-1, tokens)
        if self.extraction == "ratio":
            likelihood = likelihood - torch.log_softmax(logits.float(), dim=-1).gather(-1, tokens)
        return likelihood.exp().clamp(max=1.0)

    @torch.no_grad()
    def update_targets(self, rate: float) -> None:
        """Moves the averaged model towards the online one."""
        assert self.target_trunk is not None and self.target_output is not None, (
            "not of a checkpoint for play"
        )
        from dialog_envs.agents.sharding import local

        online: list[Tensor] = [*self._online[0].parameters(), *self.output.parameters()]
        target: list[Tensor] = [*self.target_trunk.parameters(), *self.target_output.parameters()]
        torch._foreach_lerp_(local(target), local(online), rate)

    def shape(self) -> dict[str, Any]:
        """The arguments."""
        return {"kind": "likelihood", "extraction": self.extraction}

    def saved(self) -> dict[str, Tensor]:
        """Without the averaged copy: play needs ``p_theta`` only."""
        return {name: value for name, value in self.state_dict().items() if not name.startswith("target")}
