# expect: stale-gradient @ HERE
import threading

import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
batches = [torch.randn(4, 3) for _ in range(5)]


def work():
    opt = torch.optim.SGD(model.parameters(), lr=0.05)
    for x in batches:
        loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
        loss.backward()
        opt.step()  # HERE


t = threading.Thread(target=work)
t.start()
t.join()
del t
print(model.weight)
