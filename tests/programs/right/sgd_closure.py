import torch

torch.manual_seed(0)
model = torch.nn.Linear(4, 1)
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)
data = torch.randn(20, 4)
target = data.sum(1, keepdim=True)
losses = []
for i in range(0, 20, 5):

    def closure(x=data[i : i + 5], y=target[i : i + 5]):
        opt.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        return loss

    losses.append(opt.step(closure).item())
print(losses)
