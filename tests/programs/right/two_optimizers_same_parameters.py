"""A warm optimizer for the first rounds, another one later; both own the same parameters."""
import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
adam = torch.optim.Adam(model.parameters(), lr=0.05)
sgd = torch.optim.SGD(model.parameters(), lr=0.01)
x = torch.randn(20, 3)
for i in range(8):
    opt = adam if i < 4 else sgd
    opt.zero_grad()
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()
    opt.step()
    print(i, loss.item())
