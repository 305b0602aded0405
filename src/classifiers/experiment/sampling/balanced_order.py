"""An order in which each kind of items comes equally often."""

import torch
from torch import Tensor


def balanced_order(kinds: Tensor, draw: torch.Generator) -> Tensor:
    """As many items `(N,)` as there are `kinds` `(N,)`: of each kind as many as of another, or one more, and of a kind
    each as often as another, or once more.
    """
    found = torch.unique(kinds)
    each, rest = divmod(len(kinds), len(found))
    more = torch.randperm(len(found), generator=draw) < rest
    drawn = [
        _in_turns((kinds == kind).nonzero().flatten(), each + int(one), draw)
        for kind, one in zip(found, more, strict=True)
    ]
    order = torch.cat(drawn)
    return order[torch.randperm(len(order), generator=draw)]


def _in_turns(items: Tensor, count: int, draw: torch.Generator) -> Tensor:
    """`count` of the items `(M,)`, all before any comes again."""
    turns = -(-count // len(items))
    return torch.cat([items[torch.randperm(len(items), generator=draw)] for _ in range(turns)])[:count]
