import torch

torch.manual_seed(0)
W = torch.randn(2, 3, requires_grad=True)
b = torch.zeros(2, requires_grad=True)
for epoch in range(8):
    x = torch.randn(3)
    out = W @ x + b
    loss = (out - x[:2]).pow(2).sum()
    if W.grad is not None:
        W.grad.data.zero_()
        b.grad.data.zero_()
    loss.backward()
    W.data -= 0.05 * W.grad.data
    b.data -= 0.05 * b.grad.data
print(W, b)
