import copy

import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
x_all = torch.linspace(-2, 2, 20)[:, None]
for iteration in range(4):
    before = copy.deepcopy(model.state_dict())
    f = torch.sin(x_all + torch.rand(1))
    for start in range(0, 20, 10):
        x, y = x_all[start : start + 10], f[start : start + 10]
        model.zero_grad()
        loss = (model(x) - y).pow(2).mean()
        loss.backward()
        for param in model.parameters():
            param.data -= 0.02 * param.grad.data
    after = model.state_dict()
    model.load_state_dict({k: before[k] + (after[k] - before[k]) * 0.1 for k in before})
    print(iteration, loss.item())
