import torch


class Binarize(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.sign()

    @staticmethod
    def backward(ctx, g):
        return g.clamp(-1, 1)


torch.manual_seed(0)
latent = torch.nn.Parameter(torch.randn(4, 4) * 0.1)
opt = torch.optim.SGD([latent], lr=0.05)
x = torch.randn(20, 4)
y = x @ torch.sign(torch.randn(4, 4))
for i in range(10):
    loss = (x @ Binarize.apply(latent) - y).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    with torch.no_grad():
        latent.clamp_(-1, 1)
    print(loss.item())
