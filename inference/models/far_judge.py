"""A judge by what does not change with the instruments: two kernel machines."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

__all__ = ["FarJudge", "Machine"]


@dataclass(frozen=True, eq=False)
class Machine:
    """A support vector machine with a Gaussian kernel.

    Parameters
    ----------
    scale : Tensor, shape (d,)
        By which its inputs are multiplied.
    support : Tensor, shape (m, d)
        Scaled.
    weight : Tensor, shape (m,)
        Signed; the dual coefficients.
    bias : float
    gamma : float
        exp(-gamma |x - y|^2).
    slope : float
        The probability is the logistic function of `slope` times the margin.
    """

    scale: Tensor
    support: Tensor
    weight: Tensor
    bias: float
    gamma: float
    slope: float


class FarJudge(nn.Module):
    """Arousal from what networks hear, valence from harmony alone; and how far a song is off.

    Arousal and valence are taken to be independent. Far from all support vectors the kernels
    vanish, so what is like nothing that was ever heard is judged even.

    Parameters
    ----------
    arousal, valence : Machine
        Of x = (unfolded segments, part of the song) and of another part of the song.
    unfold : Tensor, shape (r, p)
        From reduced segments to the part of the segments that arousal is read from.
    arousal_song, valence_song : (start, stop)
        Parts of the song's vector.
    gate_weight : Tensor, shape (k,)
    gate_bias : float
        Of a logistic regression on the song's vector: another sound, or the usual one.
    gate_range : (low, high)
        Probabilities of another sound below which this judge has the least share, and from
        which on it has all of it.
    least_share : float
        Of what is said about the valence of music of the usual sound; of its arousal it says
        nothing.
    """

    def __init__(
        self,
        arousal: Machine,
        valence: Machine,
        unfold: Tensor,
        arousal_song: tuple[int, int],
        valence_song: tuple[int, int],
        gate_weight: Tensor,
        gate_bias: float,
        gate_range: tuple[float, float],
        least_share: float,
    ) -> None:
        super().__init__()
        self._machines = {"arousal": arousal, "valence": valence}
        for name, machine in self._machines.items():
            self.register_buffer(f"{name}_scale", machine.scale)
            # sums and turned once here, or the exported network would hold all of it twice
            self.register_buffer(f"{name}_square", machine.support.square().sum(dim=1))
            self.register_buffer(f"{name}_support", machine.support.T.contiguous())
            self.register_buffer(f"{name}_weight", machine.weight)
        self.register_buffer("unfold", unfold)
        self.register_buffer("gate_weight", gate_weight)
        self._arousal_song, self._valence_song = slice(*arousal_song), slice(*valence_song)
        self._gate_bias, self._gate_range = gate_bias, gate_range
        self._least_share = least_share

    def forward(self, segments: Tensor, song: Tensor) -> tuple[Tensor, Tensor]:
        """What to add to another judge's word, and how much of that to take away.

        Parameters
        ----------
        segments : Tensor, shape (B, L, r)
            Reduced.
        song : Tensor, shape (B, k)

        Returns
        -------
        said : Tensor, shape (B, 4)
            Log-probabilities of high or low arousal and valence, each times its share.
        share : Tensor, shape (B, 1)
            The mean of both shares.
        """
        heard = segments.mean(dim=1) @ self.get_buffer("unfold")
        a = self._margin("arousal", torch.cat([heard, song[:, self._arousal_song]], dim=1))
        v = self._margin("valence", song[:, self._valence_song])
        low, high = self._gate_range
        strange = torch.sigmoid(song @ self.get_buffer("gate_weight") + self._gate_bias)
        of_arousal = torch.clamp((strange - low) / (high - low), 0.0, 1.0)
        of_valence = self._least_share + (1.0 - self._least_share) * of_arousal
        excited, calm = of_arousal * logsigmoid(a), of_arousal * logsigmoid(-a)
        pleased, not_pleased = of_valence * logsigmoid(v), of_valence * logsigmoid(-v)
        said = [excited + pleased, excited + not_pleased, calm + pleased, calm + not_pleased]
        return torch.stack(said, dim=1), ((of_arousal + of_valence) / 2.0)[:, None]

    def _margin(self, name: str, x: Tensor) -> Tensor:
        """Log-odds of high, shape (B,)."""
        machine, support = self._machines[name], self.get_buffer(f"{name}_support")
        x = x * self.get_buffer(f"{name}_scale")
        square = (x * x).sum(dim=1, keepdim=True) + self.get_buffer(f"{name}_square")
        kernel = torch.exp(-machine.gamma * torch.relu(square - 2.0 * x @ support))
        return machine.slope * (kernel @ self.get_buffer(f"{name}_weight") + machine.bias)
