# expect: exploding-gradient @ HERE
import torch

torch.manual_seed(0)
x = torch.randn(32, 3)
y = x @ torch.tensor([1.0, 2.0, 3.0])
w = torch.zeros(3, requires_grad=True)
opt = torch.optim.SGD([w], lr=1.5)
for i in range(14):
    loss = (x @ w - y).pow(2).mean()
    opt.zero_grad()
    loss.backward()  # HERE
    opt.step()
    print(i, loss.item())
