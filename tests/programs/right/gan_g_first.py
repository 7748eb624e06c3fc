"""G first; both optimizers zero their own gradients right before their backward."""
import torch

torch.manual_seed(0)
generator = torch.nn.Sequential(torch.nn.Linear(3, 12), torch.nn.LeakyReLU(), torch.nn.Linear(12, 2))
discriminator = torch.nn.Sequential(torch.nn.Linear(2, 12), torch.nn.LeakyReLU(), torch.nn.Linear(12, 1))
adversarial_loss = torch.nn.BCEWithLogitsLoss()
optimizer_G = torch.optim.Adam(generator.parameters(), lr=1e-3)
optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
valid, fake = torch.ones(10, 1), torch.zeros(10, 1)
for epoch in range(6):
    real_imgs = torch.randn(10, 2) + 3
    optimizer_G.zero_grad()
    z = torch.randn(10, 3)
    gen_imgs = generator(z)
    g_loss = adversarial_loss(discriminator(gen_imgs), valid)
    g_loss.backward()
    optimizer_G.step()

    optimizer_D.zero_grad()
    real_loss = adversarial_loss(discriminator(real_imgs), valid)
    fake_loss = adversarial_loss(discriminator(gen_imgs.detach()), fake)
    d_loss = (real_loss + fake_loss) / 2
    d_loss.backward()
    optimizer_D.step()
    print(epoch, d_loss.item(), g_loss.item())
