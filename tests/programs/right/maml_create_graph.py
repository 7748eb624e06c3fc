"""MAML: inner steps by autograd.grad with create_graph, outer step by Adam."""
import torch
import torch.nn.functional as F

torch.manual_seed(0)
weights = [torch.randn(8, 1) * 0.5, torch.zeros(8), torch.randn(1, 8) * 0.5, torch.zeros(1)]
weights = [w.requires_grad_() for w in weights]
meta_opt = torch.optim.Adam(weights, lr=0.01)


def net(x, ws):
    return F.linear(torch.tanh(F.linear(x, ws[0], ws[1])), ws[2], ws[3])


for it in range(4):
    meta_loss = 0.0
    for task in range(2):
        amplitude, phase = 1 + torch.rand(1), 3 * torch.rand(1)
        x = torch.rand(10, 1) * 4 - 2
        y = amplitude * torch.sin(x + phase)
        fast = weights
        for _ in range(2):
            inner = F.mse_loss(net(x, fast), y)
            grads = torch.autograd.grad(inner, fast, create_graph=True)
            fast = [w - 0.1 * g for w, g in zip(fast, grads)]
        meta_loss = meta_loss + F.mse_loss(net(x, fast), y)
    meta_opt.zero_grad()
    meta_loss.backward()
    meta_opt.step()
    print(it, meta_loss.item())
