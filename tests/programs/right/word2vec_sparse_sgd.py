"""Skip-gram with negative sampling, sparse gradients, plain SGD, zero at the end."""
import torch
import torch.nn.functional as F

torch.manual_seed(0)
center = torch.nn.Embedding(15, 5, sparse=True)
context = torch.nn.Embedding(15, 5, sparse=True)
opt = torch.optim.SGD([center.weight, context.weight], lr=0.5)
for _ in range(6):
    c, o, neg = torch.randint(15, (8,)), torch.randint(15, (8,)), torch.randint(15, (8, 3))
    pos_score = (center(c) * context(o)).sum(1)
    neg_score = (context(neg) @ center(c).unsqueeze(2)).squeeze(2)
    loss = -(F.logsigmoid(pos_score).mean() + F.logsigmoid(-neg_score).sum(1).mean())
    loss.backward()
    opt.step()
    opt.zero_grad(set_to_none=False)
    print("%.5f" % loss.item())
