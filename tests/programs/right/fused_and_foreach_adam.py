import torch

for kw in ({"foreach": True}, {"foreach": False}, {"fused": True}):
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    opt = torch.optim.Adam(net.parameters(), lr=0.01, **kw)
    for i in range(4):
        opt.zero_grad()
        loss = net(torch.ones(3, 4)).sub(2).pow(2).mean()
        loss.backward()
        opt.step()
    print(kw, loss.item())
