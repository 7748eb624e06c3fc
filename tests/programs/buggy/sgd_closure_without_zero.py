# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 1)
opt = torch.optim.SGD(model.parameters(), lr=0.05)


def closure():
    x = torch.randn(5, 4)
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()
    return loss


for i in range(5):
    loss = opt.step(closure)  # HERE
    print(loss.item())
