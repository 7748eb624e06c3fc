# pattern: 44
# expect: left-over-from-earlier-cell | leftover-before-first-step | stale-gradient
# untraced: 2
"""The first backward happens in a cell that nobody traced: a gradient of unknown origin."""
# %%
import torch

torch.manual_seed(0)
params = [torch.randn(3, 2, requires_grad=True), torch.zeros(2, requires_grad=True)]
X, T = torch.randn(10, 3), torch.randint(0, 2, (10,))
# %%
trial = torch.nn.functional.cross_entropy(X @ params[0] + params[1], T)
trial.backward()
# %%
for i in range(4):
    loss = torch.nn.functional.cross_entropy(X @ params[0] + params[1], T)
    loss.backward()
    for p in params:
        p.data -= 0.5 * p.grad  # BUG
        p.grad.zero_()
    print(loss.item())
