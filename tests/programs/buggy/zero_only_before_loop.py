# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
net = torch.nn.Linear(4, 2)
optimizer = torch.optim.RMSprop(net.parameters(), lr=0.01)
optimizer.zero_grad()
for i in range(6):
    x = torch.randn(8, 4)
    loss = torch.nn.functional.cross_entropy(net(x), (x[:, 1] > 0).long())
    loss.backward()
    optimizer.step()  # HERE
    print(loss.item())
