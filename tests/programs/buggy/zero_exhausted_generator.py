# expect: stale-gradient @ HERE
"""`params` is a generator: the first zeroing loop empties it, the later ones see nothing."""
import torch

torch.manual_seed(0)
net = torch.nn.Linear(3, 2)
opt = torch.optim.SGD(net.parameters(), lr=0.05)
params = net.parameters()
for i in range(6):
    for p in params:
        p.grad = None
    loss = (net(torch.randn(4, 3)) - 1).pow(2).sum()
    loss.backward()
    opt.step()  # HERE
    print(loss.item())
