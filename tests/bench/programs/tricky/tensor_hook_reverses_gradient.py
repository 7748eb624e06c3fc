import torch
from torch import nn

torch.manual_seed(0)
feature, label_head, domain_head = nn.Linear(4, 6), nn.Linear(6, 2), nn.Linear(6, 2)
opt = torch.optim.SGD([*feature.parameters(), *label_head.parameters(), *domain_head.parameters()], lr=0.05)
for it in range(5):
    f = torch.relu(feature(torch.randn(8, 4)))
    reversed_f = f * 1.0
    reversed_f.register_hook(lambda g: -0.1 * g)
    loss = nn.functional.cross_entropy(label_head(f), torch.randint(0, 2, (8,)))
    loss = loss + nn.functional.cross_entropy(domain_head(reversed_f), torch.randint(0, 2, (8,)))
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(loss.item())
