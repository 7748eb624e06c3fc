"""Half-precision weights with fp32 master copies, as apex did it by hand."""
import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 2).half()
master = [p.detach().clone().float().requires_grad_() for p in model.parameters()]
opt = torch.optim.SGD(master, lr=0.05)
scale = 128.0
for i in range(5):
    x = torch.randn(6, 4).half()
    loss = model(x).float().pow(2).mean()
    model.zero_grad()
    (loss * scale).backward()
    for m, p in zip(master, model.parameters()):
        m.grad = p.grad.float() / scale
    opt.step()
    with torch.no_grad():
        for m, p in zip(master, model.parameters()):
            p.copy_(m)
    print(i, loss.item())
