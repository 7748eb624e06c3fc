# expect: stale-gradient @ HERE
"""`continue` jumps over the zeroing at the end of the loop."""
import torch

torch.manual_seed(0)
net = torch.nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for i in range(8):
    x = torch.randn(6, 3)
    loss = (net(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()
    opt.step()  # HERE
    if i % 3 != 0:
        continue
    print(i, loss.item())
    opt.zero_grad()
