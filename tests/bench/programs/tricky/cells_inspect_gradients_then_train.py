# %%
import torch
from torch import nn

torch.manual_seed(0)
cnn = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 9, 3))
images, labels = torch.randn(6, 1, 5, 5), torch.randint(0, 3, (6,))
# %%
nn.functional.cross_entropy(cnn(images), labels).backward()
for name, p in cnn.named_parameters():
    print(name, p.grad.abs().mean().item())
# %%
optimizer = torch.optim.SGD(cnn.parameters(), lr=0.1)
for epoch in range(3):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(cnn(images), labels)
    loss.backward()
    optimizer.step()
    print(loss.item())
