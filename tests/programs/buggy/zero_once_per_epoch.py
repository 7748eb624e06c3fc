# expect: stale-gradient @ HERE
"""zero_grad in the epoch loop, step in the batch loop."""
import torch

torch.manual_seed(0)
net = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
batches = [torch.randn(5, 4) for _ in range(4)]
for epoch in range(3):
    optimizer.zero_grad()
    for x in batches:
        loss = (net(x).squeeze() - x[:, 0]).pow(2).mean()
        loss.backward()
        optimizer.step()  # HERE
    print(epoch, loss.item())
