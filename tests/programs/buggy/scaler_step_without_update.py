# expect: scaler-order @ HERE
# raises: RuntimeError
import torch
from torch import nn


def train(net, opt, scaler, batches):
    for x in batches:
        opt.zero_grad()
        scaler.scale(net(x).abs().mean()).backward()
        scaler.step(opt)  # HERE


torch.manual_seed(0)
model = nn.Linear(3, 1)
train(
    model,
    torch.optim.Adam(model.parameters()),
    torch.amp.GradScaler("cpu"),
    torch.randn(3, 4, 3),
)
