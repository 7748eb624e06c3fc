"""Users and items in turn, each with an optimizer of its own; both get gradients every time."""
import torch

torch.manual_seed(0)
U, V = torch.randn(6, 2, requires_grad=True), torch.randn(5, 2, requires_grad=True)
R = torch.randn(6, 5)
opts = [torch.optim.SGD([U], lr=0.1), torch.optim.SGD([V], lr=0.1)]
for it in range(8):
    opt = opts[it % 2]
    for o in opts:
        o.zero_grad()
    loss = (U @ V.T - R).pow(2).mean()
    loss.backward()
    opt.step()
    print(loss.item())
