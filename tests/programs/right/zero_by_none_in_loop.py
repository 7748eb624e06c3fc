import torch

torch.manual_seed(0)
net = torch.nn.Linear(4, 2)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for i in range(6):
    for p in net.parameters():
        p.grad = None
    loss = net(torch.randn(3, 4)).pow(2).sum()
    loss.backward()
    opt.step()
    print(loss.item())
