# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
opts = {p: torch.optim.SGD([p], lr=0.01) for p in model.parameters()}


def hook(p):
    opts[p].step()  # HERE


for p in model.parameters():
    p.register_post_accumulate_grad_hook(hook)
for i in range(4):
    loss = model(torch.randn(6, 3)).pow(2).mean()
    loss.backward()
    print(loss.item())
