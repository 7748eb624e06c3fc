"""Train, then attack: the model's gradients from the attack are nobody's concern."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for _ in range(5):
    x, y = torch.randn(8, 4), torch.randint(0, 2, (8,))
    opt.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    opt.step()
correct = 0
for x, y in zip(torch.randn(4, 2, 4), torch.randint(0, 2, (4, 2))):
    x.requires_grad = True
    loss = nn.functional.cross_entropy(model(x), y)
    model.zero_grad()
    loss.backward()
    adversarial = x + 0.1 * x.grad.sign()
    correct += (model(adversarial).argmax(1) == y).sum().item()
print(correct)
