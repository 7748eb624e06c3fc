import torch

for cls in (torch.optim.ASGD, torch.optim.Rprop, torch.optim.Adamax, torch.optim.RAdam, torch.optim.Adafactor):
    torch.manual_seed(0)
    net = torch.nn.Linear(3, 2)
    opt = cls(net.parameters(), lr=0.02)
    for i in range(4):
        opt.zero_grad()
        loss = net(torch.ones(2, 3)).sub(1).pow(2).sum()
        loss.backward()
        opt.step()
    print(cls.__name__, loss.item())
