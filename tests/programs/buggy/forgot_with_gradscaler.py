# expect: stale-gradient @ HERE
import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
scaler = torch.amp.GradScaler("cpu", init_scale=1.0, enabled=True)
for i in range(5):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = model(torch.randn(5, 3)).float().square().mean()
    scaler.scale(loss).backward()
    scaler.step(optimizer)  # HERE
    scaler.update()
    print(loss.item())
