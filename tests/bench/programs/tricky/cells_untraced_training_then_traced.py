# untraced: 2
# %%
import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
opt = torch.optim.SGD(model.parameters(), lr=0.05)


def fit(rounds):
    for _ in range(rounds):
        x = torch.randn(8, 3)
        opt.zero_grad()
        loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
        loss.backward()
        opt.step()
    return loss.item()


# %%
print(fit(3))
# %%
print(fit(3))
