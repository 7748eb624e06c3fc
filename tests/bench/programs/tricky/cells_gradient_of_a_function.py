# runs: 1 2 3 3
"""What autograd does, at the blackboard."""
# %%
import torch

x = torch.tensor([2.0, 3.0], requires_grad=True)
# %%
y = x[0] ** 2 * x[1]
# %%
x.grad = None
(x[0] ** 2 * x[1]).backward()
print(x.grad)
