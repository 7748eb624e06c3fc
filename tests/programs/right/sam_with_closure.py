import torch

torch.manual_seed(1)
net = torch.nn.Linear(4, 1)
base = torch.optim.SGD(net.parameters(), lr=0.1)
x, y = torch.randn(16, 4), torch.randn(16, 1)
rho = 0.05
for i in range(5):
    loss = (net(x) - y).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        norm = torch.sqrt(sum(p.grad.pow(2).sum() for p in net.parameters()))
        eps = [rho * p.grad / (norm + 1e-12) for p in net.parameters()]
        for p, e in zip(net.parameters(), eps):
            p.add_(e)
    net.zero_grad()
    (net(x) - y).pow(2).mean().backward()
    with torch.no_grad():
        for p, e in zip(net.parameters(), eps):
            p.sub_(e)
    base.step()
    base.zero_grad()
    print(i, loss.item())
