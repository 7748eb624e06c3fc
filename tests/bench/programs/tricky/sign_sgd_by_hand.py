import torch

torch.manual_seed(0)
theta = torch.randn(6, requires_grad=True)
for t in range(8):
    x = torch.randn(10, 6)
    loss = (x @ theta - x[:, 0]).abs().mean()
    loss.backward()
    with torch.no_grad():
        theta -= 0.02 * theta.grad.sign()
        theta.grad.zero_()
    print(loss.item())
