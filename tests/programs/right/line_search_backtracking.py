"""w0 - lr*g is tried again and again with one gradient."""
import torch

torch.manual_seed(0)
w = torch.tensor([2.0, 2.0], requires_grad=True)


def f(w):
    return (w[0] - 1) ** 2 + 20 * (w[1] - w[0] ** 2) ** 2


for it in range(6):
    loss = f(w)
    loss.backward()
    w0, g = w.detach().clone(), w.grad.clone()
    lr = 1.0
    with torch.no_grad():
        while True:
            w.copy_(w0 - lr * g)
            if f(w) <= loss - 1e-4 * lr * g.dot(g) or lr < 1e-6:
                break
            lr *= 0.5
    w.grad.zero_()
    print(it, loss.item(), lr)
