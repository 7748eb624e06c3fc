import torch
import torch.nn as nn


class MatrixFactorization(nn.Module):
    def __init__(self, n_users, n_items, n_factors=3):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)

    def forward(self, user, item):
        return (self.user_factors(user) * self.item_factors(item)).sum(1)


torch.manual_seed(0)
R = torch.randint(1, 6, (5, 6)).float()
model = MatrixFactorization(5, 6)
loss_fn = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for row, col in zip(*[t.tolist() for t in (R > 2).nonzero(as_tuple=True)]):
    optimizer.zero_grad()
    rating = torch.tensor([R[row, col].item()])
    prediction = model(torch.tensor([row]), torch.tensor([col]))
    loss = loss_fn(prediction, rating)
    loss.backward()
    optimizer.step()
print(loss.item())
