# expect: detached-loss @ HERE
# raises: RuntimeError
import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(8, 4), torch.randn(8, 1)
optimizer.zero_grad()
prediction = model(x).detach()
loss = torch.nn.functional.mse_loss(prediction, y)
loss.backward()  # HERE
optimizer.step()
