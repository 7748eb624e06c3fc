"""The first scale is too large: the scaler skips that step, as it should."""
import torch

torch.manual_seed(0)
w = torch.tensor([1.0, 2.0], requires_grad=True)
opt = torch.optim.SGD([w], lr=0.1)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, backoff_factor=2.0**-120)
for i in range(4):
    opt.zero_grad()
    loss = (w * torch.tensor([3.0, 4.0])).pow(2).sum()
    scaler.scale(loss).backward()
    scaler.step(opt)
    scaler.update()
    print(i, scaler.get_scale(), w.tolist())
