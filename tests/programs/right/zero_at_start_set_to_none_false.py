import torch

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))
opt = torch.optim.Adagrad(model.parameters(), lr=0.1)
for i in range(8):
    opt.zero_grad(set_to_none=False)
    x = torch.randn(5, 3)
    loss = model(x).sub(1).pow(2).mean()
    loss.backward()
    opt.step()
    print(loss.item())
