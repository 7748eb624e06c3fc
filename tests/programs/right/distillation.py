import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
teacher = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 3))
student = nn.Linear(5, 3)
x = torch.randn(30, 5)
y = x[:, :3].argmax(1)
t_opt = torch.optim.Adam(teacher.parameters(), lr=0.02)
for _ in range(8):
    t_opt.zero_grad()
    F.cross_entropy(teacher(x), y).backward()
    t_opt.step()
teacher.eval()
s_opt = torch.optim.Adam(student.parameters(), lr=0.05)
T = 2.0
for epoch in range(6):
    with torch.no_grad():
        soft = F.softmax(teacher(x) / T, dim=1)
    logits = student(x)
    loss = F.kl_div(F.log_softmax(logits / T, 1), soft, reduction="batchmean") * T * T + F.cross_entropy(logits, y)
    s_opt.zero_grad()
    loss.backward()
    s_opt.step()
    print(epoch, loss.item())
