"""Two threads train one shared model; a lock and turns keep the run deterministic."""
import threading

import torch

torch.manual_seed(0)
model = torch.nn.Linear(3, 1)
data = [torch.randn(6, 3) for _ in range(8)]
turn = threading.Condition()
whose = [0]
log = []


def worker(rank):
    opt = torch.optim.SGD(model.parameters(), lr=0.05)
    for x in data[rank::2]:
        with turn:
            turn.wait_for(lambda: whose[0] == rank)
            opt.zero_grad()
            loss = (model(x).squeeze() - x.sum(1)).pow(2).mean()
            loss.backward()
            opt.step()
            log.append((rank, loss.item()))
            whose[0] = 1 - rank
            turn.notify_all()


threads = [threading.Thread(target=worker, args=(r,)) for r in range(2)]
for t in threads:
    t.start()
for t in threads:
    t.join()
del threads, t, turn
print(log)
