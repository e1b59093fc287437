"""Inner attention (Liu et al. 2016; the paper's equations 6-8 and 11-13) and its plain rival."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

__all__ = ["Attended", "InnerAttention", "PlainAttention"]


class Attended(NamedTuple):
    """What attention returns.

    Parameters
    ----------
    context : Tensor, shape (B, D)
        Weighted sum of the inputs over time.
    weights : Tensor, shape (B, T)
        Non-negative, sum 1 over time.
    """

    context: Tensor
    weights: Tensor


class InnerAttention(nn.Module):
    """Attention of a sequence to its own mean.

    o_t = tanh(W_s h_t + W_m R_mean), R_mean = mean_t h_t          (6), (11)
    a_t = softmax_t(o_s . o_t)                                      (7), (12)
    s   = sum_t a_t h_t                                             (8), (13)

    W_s and W_m are square and without bias, the context vector o_s is
    learned from a random start.

    Parameters
    ----------
    dim : int
        Width D of the sequence. Parameters: 2 D^2 + D (32,896 for 128).

    References
    ----------
    Kim, Lee, Kim, IEEE TCE 2021; Liu et al., arXiv:1605.09090.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.own = nn.Linear(dim, dim, bias=False)
        self.mean = nn.Linear(dim, dim, bias=False)
        self.context = nn.Parameter(torch.randn(dim) / dim**0.5)

    def forward(self, h: Tensor) -> Attended:
        """Attend over time: `h` (B, T, D) -> context (B, D), weights (B, T)."""
        o = torch.tanh(self.own(h) + self.mean(h.mean(dim=1, keepdim=True)))
        weights = torch.softmax(o @ self.context, dim=1)
        return Attended(torch.einsum("bt,btd->bd", weights, h), weights)


class PlainAttention(nn.Module):
    """Attention with a bias instead of the mean: the "HA" baselines of Tables I and II.

    o_t = tanh(W h_t + b); a_t = softmax_t(u . o_t); s = sum_t a_t h_t.

    Parameters
    ----------
    dim : int
        Width D of the sequence. Parameters: D^2 + 2 D.

    References
    ----------
    Yang et al., Hierarchical attention networks, NAACL 2016, equations 5-7.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.own = nn.Linear(dim, dim)
        self.context = nn.Parameter(torch.randn(dim) / dim**0.5)

    def forward(self, h: Tensor) -> Attended:
        """Attend over time: `h` (B, T, D) -> context (B, D), weights (B, T)."""
        weights = torch.softmax(torch.tanh(self.own(h)) @ self.context, dim=1)
        return Attended(torch.einsum("bt,btd->bd", weights, h), weights)
