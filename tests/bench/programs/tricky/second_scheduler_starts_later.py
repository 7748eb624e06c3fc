"""The generator's scheduler runs from the start, though its optimizer only steps after a warm-up."""
import torch
from torch import nn

torch.manual_seed(0)
net, head = nn.Linear(4, 4), nn.Linear(4, 2)
opt_n, opt_h = torch.optim.SGD(net.parameters(), 0.01), torch.optim.SGD(head.parameters(), 0.1)
sched = torch.optim.lr_scheduler.StepLR(opt_h, 2, 0.5)
for epoch in range(6):
    loss = nn.functional.cross_entropy(head(torch.relu(net(torch.randn(8, 4)))), torch.randint(0, 2, (8,)))
    opt_n.zero_grad()
    opt_h.zero_grad()
    loss.backward()
    opt_h.step()
    if epoch > 2:
        opt_n.step()
    sched.step()
    print(loss.item(), sched.get_last_lr())
