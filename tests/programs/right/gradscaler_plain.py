import torch

torch.manual_seed(2)
model = torch.nn.Linear(3, 3)
optimizer = torch.optim.Adam(model.parameters())
scaler = torch.amp.GradScaler("cpu", init_scale=256.0, growth_interval=3)
for i in range(7):
    loss = model(torch.randn(5, 3)).square().mean()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()
print(scaler.get_scale(), model.weight.sum().item())
