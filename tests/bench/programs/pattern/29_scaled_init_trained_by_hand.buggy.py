# pattern: 29
# expect: non-leaf-grad | missing-gradient
# raises: TypeError
import torch

torch.manual_seed(0)
n_in, n_hidden = 4, 6
W1 = torch.randn(n_in, n_hidden, requires_grad=True) / n_in**0.5
W2 = torch.zeros(n_hidden, 1, requires_grad=True)
for step in range(4):
    x = torch.randn(8, n_in)
    loss = (torch.relu(x @ W1) @ W2 - x[:, :1]).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        W1 -= 0.1 * W1.grad  # BUG
        W2 -= 0.1 * W2.grad
    W1.grad, W2.grad = None, None
    print(step, loss.item())
