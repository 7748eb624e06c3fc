import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
opt = torch.optim.NAdam(model.parameters(), lr=0.05)
for i in range(8):
    x = torch.randn(5, 3)
    loss = model(x).sub(x.sum(1, keepdim=True)).abs().mean()
    loss.backward()
    opt.step()
    model.zero_grad(set_to_none=False)
print(loss.item())
