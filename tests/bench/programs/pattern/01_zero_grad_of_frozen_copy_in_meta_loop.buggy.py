# pattern: 1
# expect: stale-gradient
"""Knowledge distillation; the student's gradients are never cleared, the teacher's are."""
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)
teacher = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 4)).eval()
student = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4))
opt = torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9, nesterov=True)
T = 2.0
for step in range(8):
    x = torch.randn(16, 6)
    with torch.no_grad():
        soft = F.softmax(teacher(x) / T, dim=1)
    teacher.zero_grad()
    loss = F.kl_div(F.log_softmax(student(x) / T, dim=1), soft, reduction="batchmean") * T * T
    loss.backward()
    opt.step()  # BUG
    print(f"{step} {loss.item():.4f}")
