"""Two losses of one forward, the first backward keeps the graph; both count for one step."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.LSTM(3, 4)
out = nn.Linear(4, 1)
opt = torch.optim.Adam([*net.parameters(), *out.parameters()], lr=1e-2)
state = None
for it in range(6):
    x = torch.randn(3 + it, 2, 3)
    h, state = net(x, state)
    state = tuple(s.detach() for s in state)
    main, smooth = (out(h).squeeze(-1) - x.sum(-1)).pow(2).mean(), (h[1:] - h[:-1]).pow(2).mean()
    opt.zero_grad()
    main.backward(retain_graph=True)
    (0.1 * smooth).backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    opt.step()
    print(it, main.item(), smooth.item())
