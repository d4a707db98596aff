"""Soft targets: what a network learns of another one's logits.

Distilling the Knowledge in a Neural Network (Hinton, Vinyals and Dean, arXiv 1503.02531).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def soft_target_loss(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    r"""Return how far P(live) of a student is from its teacher's, the mean over the batch; 0 if nowhere.

    .. math:: T^2 \, \mathrm{KL}\big(\sigma(t / T) \,\|\, \sigma(s / T)\big)

    with the log-odds of live of both. For two classes it is the Kullback-Leibler divergence of their softmax
    at temperature T. With more classes, which need not be as many in both, it is live against all others, as
    the score is. By the factor the gradients are about as large at every temperature.

    Args:
        student: (B, K) logits; class 1 is live.
        teacher: (B, K') logits.
        temperature: T.
    """
    odds = compute_log_odds(student) / temperature
    target = compute_log_odds(teacher) / temperature
    live, attack = (F.logsigmoid(sign * target) - F.logsigmoid(sign * odds) for sign in (1, -1))
    divergence = target.sigmoid() * live + (-target).sigmoid() * attack  # (B,)
    return temperature**2 * divergence.mean()


def compute_log_odds(logits: Tensor) -> Tensor:
    """Return log(P(live) / (1 - P(live))), (B,), of logits (B, K)."""
    others = torch.cat([logits[:, :1], logits[:, 2:]], dim=1)
    return logits[:, 1] - others.logsumexp(dim=1)
