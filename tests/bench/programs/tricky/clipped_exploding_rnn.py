"""Large gradients, clipped before every step: that is what clipping is for."""
import torch
from torch import nn

torch.manual_seed(0)
rnn, out = nn.RNN(2, 8, nonlinearity="relu", batch_first=True), nn.Linear(8, 1)
nn.init.eye_(rnn.weight_hh_l0)
params = [*rnn.parameters(), *out.parameters()]
opt = torch.optim.SGD(params, lr=0.01)
for step in range(5):
    x = torch.rand(4, 20, 2)
    h, _ = rnn(x)
    loss = (out(h[:, -1]).squeeze() - x.sum((1, 2)) * 10).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(params, 1.0)
    opt.step()
    print(loss.item(), norm.item())
