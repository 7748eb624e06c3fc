# expect: clip-after-step @ BUG
import torch

torch.manual_seed(0)
net = torch.nn.GRU(2, 4)
opt = torch.optim.SGD(net.parameters(), lr=0.5)
for i in range(5):
    opt.zero_grad()
    out, _ = net(torch.randn(6, 3, 2))
    loss = (out - 1).pow(2).mean()
    loss.backward()
    opt.step()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 10)  # BUG
    print(i, loss.item())
