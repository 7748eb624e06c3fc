"""The blitz tutorial's order: one backward to look at, one update by hand, then an optimizer."""
import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
criterion = torch.nn.MSELoss()
input, target = torch.randn(4, 3), torch.randn(4, 1)
output = model(input)
loss = criterion(output, target)
print(loss.grad_fn is not None)
model.zero_grad()
print("bias.grad before backward", model.bias.grad)
loss.backward()
print("bias.grad after backward", model.bias.grad)

learning_rate = 0.01
for f in model.parameters():
    f.data.sub_(f.grad.data * learning_rate)

optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for _ in range(3):
    optimizer.zero_grad()
    output = model(input)
    loss = criterion(output, target)
    loss.backward()
    optimizer.step()
print(loss.item())
