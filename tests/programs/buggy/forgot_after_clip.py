# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
net = torch.nn.LSTM(2, 4, batch_first=True)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for i in range(5):
    out, _ = net(torch.randn(3, 7, 2))
    loss = (out[:, -1] - 1).pow(2).sum()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    opt.step()  # HERE
    print(loss.item())
