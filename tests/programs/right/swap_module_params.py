"""Module.double() that swaps the parameters' insides; optimizer and names stay good."""
import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
opt = torch.optim.SGD(model.parameters(), lr=0.1)
x = torch.randn(8, 3)


def round_(x):
    opt.zero_grad()
    loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
    loss.backward()
    opt.step()
    return loss.item()


print(round_(x), round_(x))
torch.__future__.set_swap_module_params_on_conversion(True)
try:
    model.double()
finally:
    torch.__future__.set_swap_module_params_on_conversion(False)
print(round_(x.double()), round_(x.double()))
