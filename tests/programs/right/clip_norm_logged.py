import torch

torch.manual_seed(0)
rnn = torch.nn.RNN(2, 6, batch_first=True)
out = torch.nn.Linear(6, 1)
params = list(rnn.parameters()) + list(out.parameters())
opt = torch.optim.SGD(params, lr=0.1)
for i in range(6):
    x = torch.randn(4, 10, 2)
    h, _ = rnn(x)
    loss = (out(h[:, -1]).squeeze() - x.sum((1, 2))).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(params, max_norm=0.5)
    opt.step()
    after = torch.norm(torch.stack([p.grad.norm() for p in params]))
    print(i, loss.item(), norm.item(), after.item())
