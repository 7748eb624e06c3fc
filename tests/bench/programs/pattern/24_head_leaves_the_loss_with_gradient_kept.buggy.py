# pattern: 24
# expect: reused-gradient | stale-gradient | frozen-but-updated
"""After the warm-up the auxiliary head is no longer in the loss; only the body is cleared by hand."""
import torch
from torch import nn

torch.manual_seed(0)
body, main, aux = nn.Linear(4, 6), nn.Linear(6, 1), nn.Linear(6, 1)
opt = torch.optim.SGD([*body.parameters(), *main.parameters(), *aux.parameters()], lr=0.05)
for epoch in range(9):
    x = torch.randn(8, 4)
    h = torch.tanh(body(x))
    loss = (main(h).squeeze() - x.sum(1)).pow(2).mean()
    used = [body, main]
    if epoch < 3:
        loss = loss + (aux(h).squeeze() - x[:, 0]).pow(2).mean()
        used.append(aux)
    for m in used:
        m.zero_grad()
    loss.backward()
    opt.step()  # BUG
    print(epoch, loss.item(), aux.weight.sum().item())
