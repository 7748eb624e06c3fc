# expect: freed-graph @ HERE
# raises: RuntimeError
import torch

x = torch.tensor(4.0, requires_grad=True)
f = x**3
f.backward()
print(x.grad)
f.backward()  # HERE
