import torch
from torch import nn

torch.manual_seed(0)
conv = nn.Conv2d(1, 3, 3).requires_grad_(False)


def gram(t):
    f = conv(t).flatten(2)
    return f @ f.transpose(1, 2) / f.shape[-1]


style = gram(torch.rand(1, 1, 6, 6))
canvas = nn.Parameter(torch.rand(1, 1, 6, 6))
optimizer = torch.optim.LBFGS([canvas], max_iter=3)
run = [0]
while run[0] <= 8:

    def closure():
        with torch.no_grad():
            canvas.clamp_(0, 1)
        optimizer.zero_grad()
        loss = (gram(canvas) - style).pow(2).sum()
        loss.backward()
        run[0] += 1
        return loss

    print(optimizer.step(closure).item())
