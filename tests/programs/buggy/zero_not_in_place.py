# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
net = torch.nn.Linear(3, 2)
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for i in range(6):
    for p in net.parameters():
        if p.grad is not None:
            p.grad * 0
    loss = net(torch.randn(4, 3)).pow(2).sum()
    loss.backward()
    opt.step()  # HERE
    print(loss.item())
