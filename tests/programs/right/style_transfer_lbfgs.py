"""Neural style: the image is the leaf that LBFGS moves; the network is frozen."""
import torch
import torch.nn.functional as F
from torch import nn, optim

torch.manual_seed(0)
cnn = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3)).eval().requires_grad_(False)
content_img, style_img = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)


def gram(x):
    f = x.view(x.size(1), -1)
    return f @ f.t() / f.numel()


target_c, target_s = cnn(content_img).detach(), gram(cnn(style_img)).detach()
input_img = content_img.clone().requires_grad_(True)
optimizer = optim.LBFGS([input_img], max_iter=4)
run = [0]
while run[0] <= 8:

    def closure():
        with torch.no_grad():
            input_img.clamp_(0, 1)
        optimizer.zero_grad()
        features = cnn(input_img)
        loss = F.mse_loss(features, target_c) + 100 * F.mse_loss(gram(features), target_s)
        loss.backward()
        run[0] += 1
        if run[0] % 4 == 0:
            print("run", run[0], loss.item())
        return loss

    optimizer.step(closure)
with torch.no_grad():
    input_img.clamp_(0, 1)
print(input_img.mean().item())
