# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
net = torch.nn.Linear(5, 1)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(6):
    x = torch.randn(8, 5)
    loss = torch.nn.functional.mse_loss(net(x), x.sum(1, keepdim=True))
    loss.backward()
    opt.step()  # HERE
    print(step, loss.item())
