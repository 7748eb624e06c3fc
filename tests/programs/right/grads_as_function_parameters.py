"""Updates in a function that gets weights and gradients as lists."""
import torch


def sgd_step(weights, grads, lr):
    for w, g in zip(weights, grads):
        w.data.sub_(g * lr)


def clear(weights):
    for w in weights:
        w.grad.detach_().zero_()


torch.manual_seed(0)
layers = [torch.randn(3, 4, requires_grad=True), torch.randn(4, 1, requires_grad=True)]
for step in range(8):
    x = torch.randn(6, 3)
    out = torch.relu(x @ layers[0]) @ layers[1]
    loss = (out - x.sum(1, keepdim=True)).pow(2).mean()
    loss.backward()
    sgd_step(layers, [w.grad for w in layers], 0.01)
    clear(layers)
    print(step, loss.item())
