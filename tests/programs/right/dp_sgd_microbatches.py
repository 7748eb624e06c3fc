"""Differentially private SGD by hand: clip each sample's gradient, sum, add noise."""
import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
C, sigma = 1.0, 0.5
for step in range(4):
    X = torch.randn(5, 3)
    summed = [torch.zeros_like(p) for p in model.parameters()]
    for x in X:
        opt.zero_grad()
        loss = (model(x) - x.sum()).pow(2).sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), C)
        for s, p in zip(summed, model.parameters()):
            s += p.grad
    for s, p in zip(summed, model.parameters()):
        p.grad = (s + sigma * C * torch.randn_like(s)) / len(X)
    opt.step()
    print(step, loss.item())
