import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3))
model.eval()


def fgsm_attack(image, epsilon, data_grad):
    perturbed = image + epsilon * data_grad.sign()
    return torch.clamp(perturbed, 0, 1)


def test(epsilon):
    changed = 0
    for k in range(4):
        data, target = torch.rand(1, 6), torch.tensor([k % 3])
        data.requires_grad = True
        output = model(data)
        loss = F.cross_entropy(output, target)
        model.zero_grad()
        loss.backward()
        perturbed = fgsm_attack(data, epsilon, data.grad.data)
        with torch.no_grad():
            changed += int((model(perturbed).argmax() != output.argmax()).item())
    return changed


for eps in (0.0, 0.1, 0.3):
    print(eps, test(eps))
