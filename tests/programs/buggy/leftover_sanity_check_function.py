# expect: leftover-before-first-step @ HERE
"""A gradient check at the start leaves its gradients behind."""
import torch


def sanity_check(model):
    out = model(torch.ones(2, 3)).sum()
    out.backward()
    return all(p.grad is not None for p in model.parameters())


torch.manual_seed(0)
w = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
print(sanity_check(w))
optimizer = torch.optim.SGD(w.parameters(), lr=0.05)
for i in range(5):
    x = torch.randn(6, 3)
    loss = (w(x).squeeze() - x[:, 0]).pow(2).mean()
    loss.backward()
    optimizer.step()  # HERE
    optimizer.zero_grad()
    print(loss.item())
