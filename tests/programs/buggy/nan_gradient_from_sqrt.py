# expect: nonfinite-gradient @ HERE
"""sqrt at zero: the value is fine, the gradient is not."""
import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 3, bias=False)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
x = torch.randn(4, 3)
x[0] = 0.0
for i in range(3):
    opt.zero_grad()
    out = model(x)
    loss = torch.sqrt((out**2).sum(1)).mean()
    loss.backward()  # HERE
    opt.step()  # HERE
    print(i, loss.item())
