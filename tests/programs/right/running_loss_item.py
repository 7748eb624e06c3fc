"""The classical running loss: numbers, not tensors."""
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
criterion, opt = nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
for epoch in range(2):
    running_loss = 0.0
    for i in range(4):
        inputs, labels = torch.randn(4, 4), torch.randint(0, 3, (4,))
        opt.zero_grad()
        loss = criterion(net(inputs), labels)
        loss.backward()
        opt.step()
        running_loss += loss.item()
    print(f"[{epoch + 1}] loss: {running_loss / 4:.3f}")
