"""One training step, shown slowly: each call in a cell of its own."""
# %%
import torch

torch.manual_seed(0)
model = torch.nn.Linear(2, 1)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(5, 2), torch.randn(5, 1)
# %%
loss = (model(x) - y).pow(2).mean()
# %%
loss.backward()
print(model.weight.grad)
# %%
opt.step()
print(model.weight)
# %%
opt.zero_grad()
# %%
loss = (model(x) - y).pow(2).mean()
loss.backward()
opt.step()
