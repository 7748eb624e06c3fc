"""The ``r`` of a comprehension is a leaf; the ``r`` behind it is the result of an operation."""

import torch

reps = [torch.ones(2, requires_grad=True)]
for _ in range(2):
    sum(r.sum() for r in reps).backward()
    cache = [r.grad for r in reps]
    r = reps[0] * 2
    (r * cache[0]).sum().backward()
