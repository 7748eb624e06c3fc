import torch

torch.manual_seed(0)
x = torch.randn(4, 3)
w = torch.randn(3, 2, requires_grad=True)
norms = []
for i in range(4):
    h = torch.tanh(x @ w)
    h.retain_grad()
    h.register_hook(lambda g: norms.append(g.norm().item()))
    loss = h.pow(2).sum()
    loss.backward()
    print(h.grad.norm().item())
    with torch.no_grad():
        w.sub_(w.grad, alpha=0.1)
    w.grad = None
print(norms)
