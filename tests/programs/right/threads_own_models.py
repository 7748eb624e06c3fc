"""Four threads, each with a model of its own: an ensemble trained in parallel."""
import threading

import torch

torch.manual_seed(0)
x = torch.randn(32, 4)
y = x.prod(1, keepdim=True)
models = [torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)) for _ in range(4)]
results = dict.fromkeys(range(4))


def fit(k):
    optimizer = torch.optim.Adam(models[k].parameters(), lr=0.02)
    for _ in range(10):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(models[k](x), y)
        loss.backward()
        optimizer.step()
    results[k] = loss.item()


threads = [threading.Thread(target=fit, args=(k,)) for k in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
del threads
print(sorted(results.items()))
