"""One step: gradients against autograd, the optimizer against torch's, capture against the loop."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from collab.dataset.rows import Rows
from collab.estimators.sgd.capture import TensorAdamW, schedule_numbers
from collab.estimators.sgd.closed_form import ClosedForm
from collab.estimators.sgd.estimator import wrap
from collab.estimators.sgd.fit import descend, shuffled_batches
from collab.estimators.sgd.gradient import Autograd, Gradient, Group
from collab.estimators.sgd.optimizer import AdamW
from collab.estimators.sgd.schedule import one_cycle
from collab.estimators.sgd.settings import Settings
from tests.estimators.support import CHAPTER, generator

FAMILY = [name for name, sgd in CHAPTER.items() if sgd.gradient == "closed_form"]


def small(name: str, y_range: tuple[float, float] | None = None) -> nn.Module:
    """A model in float64 with weights large enough to bend the sigmoid."""
    sgd = CHAPTER[name]
    arguments = dict(sgd.arguments)
    if y_range and "y_range" in arguments:
        arguments["y_range"] = y_range
    model = sgd.but(arguments=arguments).build(9, 7, generator()).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(30)
    return model


# rows and pairs that repeat, and the unknown
BATCH = Rows(
    users=torch.tensor([1, 1, 2, 8, 0, 1]),
    items=torch.tensor([3, 3, 3, 0, 6, 2]),
    ratings=torch.tensor([1.0, 5, 3, 4, 2, 5], dtype=torch.float64),
    ts=torch.arange(6),
)


def check_gradient(model: nn.Module, make: type[ClosedForm] | type[Autograd]) -> None:
    """The gradient a step fills is autograd's, also when it is filled a second time."""
    parameters = list(model.parameters())
    loss = mse_loss(model(BATCH.users, BATCH.items), BATCH.ratings)
    expected = torch.autograd.grad(loss, parameters)
    gradient: Gradient = make(model, 6) if make is ClosedForm else make(model)  # type: ignore[arg-type, call-arg]
    (batch,) = gradient.lay_out(BATCH, 6)
    gradient(batch)
    gradient.clear(batch)
    assert all(not group.grads.any() for group in gradient.groups)
    found = gradient(batch)
    torch.testing.assert_close(found * gradient.unit, loss.detach(), rtol=1e-12, atol=1e-14)
    for parameter, value in zip(parameters, expected, strict=True):
        torch.testing.assert_close(parameter.grad, value, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("y_range", [(0.0, 5.5), (0.5, 5.0)])
@pytest.mark.parametrize("name", FAMILY)
def test_the_closed_form_is_autograds(name: str, y_range: tuple[float, float]) -> None:
    check_gradient(small(name, y_range), ClosedForm)


@pytest.mark.parametrize("name", CHAPTER)
def test_flat_buffers_change_no_gradient(name: str) -> None:
    check_gradient(small(name), Autograd)


def test_the_family_is_the_models_without_layers() -> None:
    kinds = {
        name: type(sgd.make_gradient(small(name).float(), float_batch(), 2))
        for name, sgd in CHAPTER.items()
    }
    nets = ["collab_nn", "embedding_nn"]
    assert kinds == {name: Autograd if name in nets else ClosedForm for name in CHAPTER}


def float_batch() -> Rows:
    """The batch as it is trained on."""
    return replace(BATCH, ratings=BATCH.ratings.float())


@pytest.mark.parametrize("name", CHAPTER)
def test_a_model_scores_the_same_on_its_buffers(name: str) -> None:
    model = small(name).float().eval()
    before = model(BATCH.users, BATCH.items).detach()
    CHAPTER[name].make_gradient(model, float_batch(), 6)
    assert torch.equal(model(BATCH.users, BATCH.items).detach(), before)


POINTS = [(1e-2, 0.95), (2e-2, 0.85), (5e-3, 0.9)]


def test_steps_are_those_of_torchs_adamw() -> None:
    settings = Settings(wd=0.1)
    start = torch.randn(50, generator=generator())
    ours, theirs = start.clone(), nn.Parameter(start.clone())
    group = Group(values=ours, grads=torch.zeros(50), decays=True)
    optimizer = AdamW([group], settings)
    reference = torch.optim.AdamW([theirs], eps=settings.eps, weight_decay=0.1, foreach=False)
    for seed, (lr, beta1) in enumerate(POINTS):
        group.grads.copy_(torch.randn(50, generator=generator(seed)))
        theirs.grad = group.grads.clone()
        reference.param_groups[0].update(lr=lr, betas=(beta1, settings.beta2))
        optimizer.step(lr, beta1)
        reference.step()
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-6, atol=1e-7)


def test_a_step_by_hand() -> None:
    # first step: mean and square are debiased to g and g^2, so p - lr wd p - lr g / (|g| + eps)
    settings = Settings(wd=0.1)
    for decays, expected in ((True, 2 * (1 - 0.05) - 0.5), (False, 2 - 0.5)):
        group = Group(values=torch.tensor([2.0]), grads=torch.tensor([3.0]), decays=decays)
        AdamW([group], settings).step(0.5, 0.9)
        assert group.values.item() == pytest.approx(expected, rel=1e-5)


def test_tensor_steps_are_the_same_steps() -> None:
    settings = Settings(epochs=1, wd=0.1)
    start = torch.randn(50, generator=generator())
    one, other = (Group(values=start.clone(), grads=start.clone(), decays=True) for _ in range(2))
    plain, tensors = AdamW([one], settings), TensorAdamW([other], settings)
    numbers = schedule_numbers(settings, 4, torch.device("cpu"))
    for step in range(4):
        plain.step(*one_cycle(settings, step / 4))
        tensors.step(numbers[step])
    torch.testing.assert_close(one.values, other.values, rtol=1e-6, atol=1e-7)


def planted(n: int = 1000) -> Rows:
    """Even users love even items."""
    users = torch.randint(0, 60, (n,), generator=generator(), dtype=torch.int32)
    items = torch.randint(0, 40, (n,), generator=generator(2), dtype=torch.int32)
    ratings = torch.where(users % 2 == items % 2, 5.0, 1.0)
    return Rows(users=users, items=items, ratings=ratings, ts=torch.arange(n))


def descended(name: str, *, epochs: int, capture: bool, gradient: str) -> list[float]:
    """The losses of a training, and the error of what it made."""
    sgd, rows = CHAPTER[name].but(epochs=epochs, gradient=gradient), planted()
    model = sgd.build(60, 40, generator())
    filled = sgd.make_gradient(model, rows, 64)
    losses = list(descend(model, filled, rows, sgd, generator=generator(), capture=capture))
    return [*losses, float(mse_loss(wrap(model, (60, 40)).predict(rows), rows.ratings))]


@pytest.mark.parametrize("name", CHAPTER)
def test_whole_steps_give_what_the_loop_gives(name: str) -> None:
    form = CHAPTER[name].gradient
    loop, whole = (descended(name, epochs=2, capture=c, gradient=form) for c in (False, True))
    assert loop == pytest.approx(whole, rel=2e-4)


@pytest.mark.parametrize("name", FAMILY)
def test_the_closed_form_trains_as_autograd_does(name: str) -> None:
    closed, by_autograd = (
        descended(name, epochs=3, capture=False, gradient=form)
        for form in ("closed_form", "autograd")
    )
    assert closed == pytest.approx(by_autograd, rel=1e-4)


def test_batches_are_shuffled_disjoint_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab.estimators.sgd.fit.ROWS_GATHERED", 200)  # several blocks a pass
    rows = planted()
    numbered = replace(rows, users=torch.arange(1000, dtype=torch.int32))
    plain = Autograd(CHAPTER["embedding_nn"].build(1000, 40, generator()))
    blocks = [list(block) for block in shuffled_batches(plain, numbered, 64, generator())]
    assert [len(block) for block in blocks] == [3, 3, 3, 3, 3]
    batches = [batch for block in blocks for batch in block]
    seen = torch.cat([users for users, _, _ in batches])
    assert {len(users) for users, _, _ in batches} == {64}
    assert len(set(seen.tolist())) == len(seen) == 960
    assert seen.tolist() != sorted(seen.tolist())
    assert torch.equal(torch.cat([items for _, items, _ in batches]), rows.items[seen].long())
    assert torch.equal(torch.cat([ratings for _, _, ratings in batches]), rows.ratings[seen])


def test_norms_and_linear_biases_are_not_decayed() -> None:
    model = CHAPTER["embedding_nn"].build(5, 5, generator())
    expected = [model.get_parameter(f"layers.{name}").numel() for name in
                ("2.weight", "2.bias", "5.weight", "5.bias", "6.bias")]  # fmt: skip
    decayed, plain = Autograd(model).groups
    assert (decayed.decays, plain.decays) == (True, False)
    assert len(plain.values) == sum(expected)
    assert len(decayed.values) + len(plain.values) == sum(p.numel() for p in model.parameters())


def test_biases_of_users_and_movies_are_decayed() -> None:
    sgd = CHAPTER["dot_product_bias_wd"]
    rows = float_batch().take(torch.tensor([0, 2]))  # of 5 users and 7 items
    (group,) = sgd.make_gradient(sgd.build(5, 7, generator()), rows, 2).groups
    assert group.decays
    assert len(group.values) == (5 + 7) * 51
