import torch
from torch import nn

torch.manual_seed(0)
X = torch.randn(30, 4)
y = X @ torch.tensor([[1.0], [0.0], [-1.0], [2.0]]) + 0.1 * torch.randn(30, 1)
loss_fn = nn.MSELoss()


def get_net():
    return nn.Sequential(nn.Linear(4, 1))


def train(net, train_features, train_labels, num_epochs, lr):
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    for epoch in range(num_epochs):
        for i in range(0, len(train_features), 10):
            optimizer.zero_grad()
            l = loss_fn(net(train_features[i : i + 10]), train_labels[i : i + 10])
            l.backward()
            optimizer.step()
    return l.item()


k = 3
scores = []
for fold in range(k):
    val = torch.arange(30) % k == fold
    net = get_net()
    train_loss = train(net, X[~val], y[~val], 4, 0.1)
    with torch.no_grad():
        scores.append(loss_fn(net(X[val]), y[val]).item())
    print("fold", fold, train_loss, scores[-1])
