# pattern: 5
import torch
from torch import nn

torch.manual_seed(0)
num_epochs, batches = 3, 4
model = nn.Sequential(nn.Linear(784 // 16, 12), nn.ReLU(), nn.Linear(12, 10))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
for epoch in range(num_epochs):
    for i in range(batches):
        images, labels = torch.randn(8, 49), torch.randint(0, 10, (8,))
        outputs = model(images)
        loss = criterion(outputs, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"Epoch [{epoch + 1}/{num_epochs}], Loss: {loss.item():.4f}")
