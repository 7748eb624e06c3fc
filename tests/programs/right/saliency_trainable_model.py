"""The model's own parameters collect gradients that nobody reads: that is fine."""
import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(5, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2))
x = torch.randn(1, 5, requires_grad=True)
model(x)[0, 1].backward()
print(x.grad.abs())
