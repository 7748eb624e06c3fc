# expect: scaler-order @ HERE
# raises: RuntimeError
"""scaler.unscale_ after every micro-batch."""
import torch
from torch import nn


def train(net, batches):
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu")
    for i, x in enumerate(batches):
        loss = net(x).pow(2).mean() / 2
        scaler.scale(loss).backward()
        scaler.unscale_(opt)  # HERE
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        if i % 2:
            scaler.step(opt)
            scaler.update()
            opt.zero_grad()


torch.manual_seed(0)
train(nn.Linear(3, 1), torch.randn(4, 5, 3))
