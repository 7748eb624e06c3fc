# expect: stale-gradient @ BUG
import copy, torch, torch.nn as nn
torch.manual_seed(0)
server=nn.Linear(3,1); sopt=torch.optim.SGD(server.parameters(),.1); workers=[copy.deepcopy(server) for _ in range(2)]
for step in range(8):
    for w in workers:
        w.load_state_dict(server.state_dict()); w.zero_grad()
        x=torch.randn(5,3); (w(x)-x.sum(1,keepdim=True)).pow(2).mean().backward()
        for ps,pw in zip(server.parameters(), w.parameters()):
            if ps.grad is None: ps.grad=pw.grad.clone()/2
            else: ps.grad+=pw.grad/2
    sopt.step()  # BUG
