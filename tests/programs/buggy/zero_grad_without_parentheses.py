# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(6):
    optimizer.zero_grad
    x = torch.randn(8, 2)
    loss = (net(x).squeeze() - x.prod(1)).pow(2).mean()
    loss.backward()
    optimizer.step()  # HERE
    print(epoch, loss.item())
