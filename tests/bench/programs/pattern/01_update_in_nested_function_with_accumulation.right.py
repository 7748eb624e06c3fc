# pattern: 1
"""Accumulation over three micro-batches, the update in a closure, and no clearing anywhere."""
import torch


def make_updater(weights, lr):
    velocity = [torch.zeros_like(w) for w in weights]

    def update():
        for w, v in zip(weights, velocity):
            v.copy_(0.8 * v + w.grad)
            w.data.add_(v, alpha=-lr)
            w.grad.zero_()

    return update


torch.manual_seed(0)
weights = [torch.randn(5, 6).mul_(0.4).requires_grad_(), torch.randn(6, 2).mul_(0.4).requires_grad_()]
update = make_updater(weights, 0.05)
for window in range(4):
    for micro in range(3):
        x = torch.randn(4, 5)
        logits = torch.relu(x @ weights[0]) @ weights[1]
        loss = torch.nn.functional.cross_entropy(logits, (x[:, 0] > 0).long()) / 3
        loss.backward()
    update()
    print(window, loss.item())
