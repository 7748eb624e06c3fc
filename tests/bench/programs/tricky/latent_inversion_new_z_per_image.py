import torch
from torch import nn

torch.manual_seed(0)
decoder = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 6)).requires_grad_(False)
for image in torch.randn(3, 6):
    z = torch.zeros(2, requires_grad=True)
    opt = torch.optim.LBFGS([z], max_iter=5)

    def closure():
        opt.zero_grad()
        loss = (decoder(z) - image).pow(2).sum()
        loss.backward()
        return loss

    print(opt.step(closure).item(), z.detach().tolist())
