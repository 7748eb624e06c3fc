# expect: stale-gradient @ HERE
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
for epoch in range(2):
    for i in range(4):
        inputs = torch.randn(8, 4)
        labels = (inputs[:, 0] > 0).long()
        outputs = model(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()  # HERE
    print("epoch", epoch, loss.item())
