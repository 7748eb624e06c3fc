"""Feature extraction: the backbone is frozen, a new head is trained."""
import torch
import torch.nn as nn

torch.manual_seed(0)


class ResNetish(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.fc = nn.Linear(4, 10)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).mean((2, 3)))


model = ResNetish()
for param in model.parameters():
    param.requires_grad = False
num_ftrs = model.fc.in_features
model.fc = nn.Linear(num_ftrs, 2)
optimizer = torch.optim.SGD(model.fc.parameters(), lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.1)
x, y = torch.randn(12, 3, 6, 6), torch.randint(0, 2, (12,))
for epoch in range(4):
    for phase in ["train", "val"]:
        model.train(phase == "train")
        optimizer.zero_grad()
        with torch.set_grad_enabled(phase == "train"):
            outputs = model(x)
            loss = nn.functional.cross_entropy(outputs, y)
            if phase == "train":
                loss.backward()
                optimizer.step()
        print(epoch, phase, loss.item())
    scheduler.step()
