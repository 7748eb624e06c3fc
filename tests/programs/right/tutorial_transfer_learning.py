"""Transfer learning for computer vision: a frozen network with a new last layer, and StepLR."""
import copy

import torch
from torch import nn
from torch.optim import lr_scheduler

torch.manual_seed(0)
model_conv = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
model_conv.add_module("fc", nn.Linear(4 * 16, 5))
for param in model_conv.parameters():
    param.requires_grad = False
model_conv.fc = nn.Linear(4 * 16, 2)
criterion = nn.CrossEntropyLoss()
optimizer_conv = torch.optim.SGD(model_conv.fc.parameters(), lr=0.01, momentum=0.9)
exp_lr_scheduler = lr_scheduler.StepLR(optimizer_conv, step_size=2, gamma=0.1)


def train_model(model, criterion, optimizer, scheduler, num_epochs):
    best, best_acc = copy.deepcopy(model.state_dict()), 0.0
    for epoch in range(num_epochs):
        for phase in ["train", "val"]:
            model.train(phase == "train")
            running_loss, running_corrects = 0.0, 0
            for _ in range(2):
                inputs, labels = torch.randn(4, 1, 6, 6), torch.randint(0, 2, (4,))
                optimizer.zero_grad()
                with torch.set_grad_enabled(phase == "train"):
                    outputs = model(inputs)
                    _, preds = torch.max(outputs, 1)
                    loss = criterion(outputs, labels)
                    if phase == "train":
                        loss.backward()
                        optimizer.step()
                running_loss += loss.item() * inputs.size(0)
                running_corrects += torch.sum(preds == labels.data)
            if phase == "train":
                scheduler.step()
            elif running_corrects.double() / 8 > best_acc:
                best_acc = running_corrects.double() / 8
                best = copy.deepcopy(model.state_dict())
        print(epoch, running_loss)
    model.load_state_dict(best)
    return model


model_conv = train_model(model_conv, criterion, optimizer_conv, exp_lr_scheduler, 3)
