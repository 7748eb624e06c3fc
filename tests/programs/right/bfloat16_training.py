import torch

torch.manual_seed(0)
net = torch.nn.Linear(8, 4).to(torch.bfloat16)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for i in range(5):
    x = torch.randn(6, 8, dtype=torch.bfloat16)
    loss = net(x).float().pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, loss.item())
