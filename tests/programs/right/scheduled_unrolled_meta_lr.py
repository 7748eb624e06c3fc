"""The learning rate is itself learned: create_graph through one inner step."""
import torch

torch.manual_seed(0)
log_lr = torch.tensor(-3.0, requires_grad=True)
w = torch.zeros(4, requires_grad=True)
X = torch.randn(30, 4)
y = X @ torch.tensor([1.0, -1.0, 2.0, 0.0])
meta = torch.optim.Adam([log_lr], lr=0.2)
for i in range(8):
    inner = (X[:15] @ w - y[:15]).pow(2).mean()
    (g,) = torch.autograd.grad(inner, w, create_graph=True)
    w_new = w - log_lr.exp() * g
    outer = (X[15:] @ w_new - y[15:]).pow(2).mean()
    meta.zero_grad()
    outer.backward(inputs=[log_lr])
    meta.step()
    w = w_new.detach().requires_grad_()
    print(i, outer.item(), log_lr.exp().item())
