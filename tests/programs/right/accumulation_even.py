import torch

torch.manual_seed(0)
model = torch.nn.Linear(5, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
accumulation_steps = 4
batches = [(torch.randn(3, 5), torch.randn(3, 1)) for _ in range(12)]
optimizer.zero_grad()
for i, (x, y) in enumerate(batches):
    loss = torch.nn.functional.mse_loss(model(x), y) / accumulation_steps
    loss.backward()
    if (i + 1) % accumulation_steps == 0:
        optimizer.step()
        optimizer.zero_grad()
        print(i, loss.item())
