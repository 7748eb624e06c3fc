"""The auxiliary head joins after a warm-up; until then its optimizer's step finds no gradient."""
import torch
from torch import nn

torch.manual_seed(0)
body, main, aux = nn.Linear(4, 6), nn.Linear(6, 2), nn.Linear(6, 1)
optimizers = [torch.optim.Adam(m.parameters(), lr=1e-2) for m in (body, main, aux)]
for epoch in range(7):
    x, y = torch.randn(8, 4), torch.randint(0, 2, (8,))
    h = torch.relu(body(x))
    loss = nn.functional.cross_entropy(main(h), y)
    if epoch >= 4:
        loss = loss + 0.1 * (aux(h).squeeze() - x.norm(dim=1)).pow(2).mean()
    for o in optimizers:
        o.zero_grad()
    loss.backward()
    for o in optimizers:
        o.step()
    print(loss.item())
