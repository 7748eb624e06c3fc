# expect: stale-gradient @ HERE
import torch


def apply_gradients(weights, grads, lr):
    for w, g in zip(weights, grads):
        w.data.sub_(lr * g)  # HERE


torch.manual_seed(0)
weights = [torch.randn(3, 4, requires_grad=True), torch.randn(4, 1, requires_grad=True)]
for step in range(6):
    x = torch.randn(6, 3)
    loss = (torch.tanh(x @ weights[0]) @ weights[1] - x[:, :1]).pow(2).mean()
    loss.backward()
    apply_gradients(weights, [w.grad for w in weights], 0.01)
    print(loss.item())
