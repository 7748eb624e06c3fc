# pattern: 41
import torch
from torch import nn


def train(model, data, epochs=3):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.MSELoss()
    for epoch in range(epochs):
        total = 0.0
        for x, y in data:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(epoch, total / len(data))


torch.manual_seed(0)
train(nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1)), [(torch.randn(4, 3), torch.randn(4, 1)) for _ in range(3)])
