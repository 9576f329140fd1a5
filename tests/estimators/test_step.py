"""One step: gradients against autograd, the optimizer against torch's, capture against the loop."""

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from collab.estimators.sgd.capture import TensorAdamW, schedule_numbers
from collab.estimators.sgd.closed_form import ClosedForm, DotProductFamily
from collab.evaluation.errors import measure, predict
from collab.estimators.sgd.fit import fit, make_gradient, shuffled_batches
from collab.estimators.sgd.gradient import Autograd, Gradient, Group
from collab.dataset.interactions import Interactions
from collab.estimators.sgd.optimizer import AdamW
from collab.estimators.sgd.recipe import Recipe
from collab.estimators.recipes import DOT_PRODUCT_BIAS_WD, EMBEDDING_NN, FAITHFUL
from collab.estimators.sgd.schedule import one_cycle

FAMILY = [
    recipe
    for recipe in FAITHFUL.values()
    if isinstance(recipe.build(2, 2, torch.Generator()), DotProductFamily)
]


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def small(recipe: Recipe, y_range: tuple[float, float] | None = None) -> nn.Module:
    """A model in float64 with weights large enough to bend the sigmoid."""
    arguments = dict(recipe.arguments)
    if y_range and "y_range" in arguments:
        arguments["y_range"] = y_range
    model = recipe.but(arguments=arguments).build(9, 7, generator()).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(30)
    return model


# rows and pairs that repeat, and the unknown
BATCH = Interactions(
    users=torch.tensor([1, 1, 2, 8, 0, 1]),
    items=torch.tensor([3, 3, 3, 0, 6, 2]),
    ratings=torch.tensor([1.0, 5, 3, 4, 2, 5], dtype=torch.float64),
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
@pytest.mark.parametrize("recipe", FAMILY, ids=lambda r: r.name)
def test_the_closed_form_is_autograds(recipe: Recipe, y_range: tuple[float, float]) -> None:
    check_gradient(small(recipe, y_range), ClosedForm)


@pytest.mark.parametrize("recipe", FAITHFUL.values(), ids=lambda r: r.name)
def test_flat_buffers_change_no_gradient(recipe: Recipe) -> None:
    check_gradient(small(recipe), Autograd)


def test_the_family_is_the_models_without_layers() -> None:
    assert {type(make_gradient(r.build(3, 3, generator()), 2)) for r in FAMILY} == {ClosedForm}
    nets = [recipe for recipe in FAITHFUL.values() if recipe not in FAMILY]
    assert {recipe.model.__name__ for recipe in nets} == {"CollabNN", "EmbeddingNN"}
    assert {type(make_gradient(r.build(3, 3, generator()), 2)) for r in nets} == {Autograd}


@pytest.mark.parametrize("recipe", FAITHFUL.values(), ids=lambda r: r.name)
def test_a_model_scores_the_same_on_its_buffers(recipe: Recipe) -> None:
    model = small(recipe).eval()
    before = model(BATCH.users, BATCH.items).detach()
    make_gradient(model, 6)
    assert torch.equal(model(BATCH.users, BATCH.items).detach(), before)


POINTS = [(1e-2, 0.95), (2e-2, 0.85), (5e-3, 0.9)]


def test_steps_are_those_of_torchs_adamw() -> None:
    recipe = DOT_PRODUCT_BIAS_WD.but(wd=0.1)
    start = torch.randn(50, generator=generator())
    ours, theirs = start.clone(), nn.Parameter(start.clone())
    group = Group(values=ours, grads=torch.zeros(50), decays=True)
    optimizer = AdamW([group], recipe)
    reference = torch.optim.AdamW([theirs], eps=recipe.eps, weight_decay=0.1, foreach=False)
    for seed, (lr, beta1) in enumerate(POINTS):
        group.grads.copy_(torch.randn(50, generator=generator(seed)))
        theirs.grad = group.grads.clone()
        reference.param_groups[0].update(lr=lr, betas=(beta1, recipe.beta2))
        optimizer.step(lr, beta1)
        reference.step()
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-6, atol=1e-7)


def test_a_step_by_hand() -> None:
    # first step: mean and square are debiased to g and g^2, so p - lr wd p - lr g / (|g| + eps)
    recipe = DOT_PRODUCT_BIAS_WD.but(wd=0.1)
    for decays, expected in ((True, 2 * (1 - 0.05) - 0.5), (False, 2 - 0.5)):
        group = Group(values=torch.tensor([2.0]), grads=torch.tensor([3.0]), decays=decays)
        AdamW([group], recipe).step(0.5, 0.9)
        assert group.values.item() == pytest.approx(expected, rel=1e-5)


def test_tensor_steps_are_the_same_steps() -> None:
    recipe = DOT_PRODUCT_BIAS_WD.but(epochs=1)
    start = torch.randn(50, generator=generator())
    one, other = (Group(values=start.clone(), grads=start.clone(), decays=True) for _ in range(2))
    plain, tensors = AdamW([one], recipe), TensorAdamW([other], recipe)
    numbers = schedule_numbers(recipe, 4, torch.device("cpu"))
    for step in range(4):
        plain.step(*one_cycle(recipe, step / 4))
        tensors.step(numbers[step])
    torch.testing.assert_close(one.values, other.values, rtol=1e-6, atol=1e-7)


def planted(n: int = 1000) -> Interactions:
    """Even users love even items."""
    users = torch.randint(0, 60, (n,), generator=generator(), dtype=torch.int32)
    items = torch.randint(0, 40, (n,), generator=generator(2), dtype=torch.int32)
    return Interactions(
        users=users, items=items, ratings=torch.where(users % 2 == items % 2, 5.0, 1.0)
    )


@pytest.mark.parametrize("recipe", FAITHFUL.values(), ids=lambda r: r.name)
def test_whole_steps_give_what_the_loop_gives(recipe: Recipe) -> None:
    rows, results = planted(), []
    for capture in (False, True):
        model = recipe.build(60, 40, generator())
        epochs = fit(model, rows, recipe.but(epochs=2), generator=generator(), capture=capture)
        losses = [epoch.loss for epoch in epochs]
        results.append((*losses, measure(predict(model, rows), rows.ratings).mse))
    assert results[0] == pytest.approx(results[1], rel=2e-4)


@pytest.mark.parametrize("recipe", FAMILY, ids=lambda r: r.name)
def test_the_closed_form_trains_as_autograd_does(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, results = planted(), []
    for make in (make_gradient, lambda model, size: Autograd(model)):
        monkeypatch.setattr("collab.estimators.sgd.fit.make_gradient", make)
        model = recipe.build(60, 40, generator())
        losses = [e.loss for e in fit(model, rows, recipe.but(epochs=3), generator=generator())]
        results.append((*losses, measure(predict(model, rows), rows.ratings).mse))
    assert results[0] == pytest.approx(results[1], rel=1e-4)


def test_batches_are_shuffled_disjoint_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collab.estimators.sgd.fit.ROWS_GATHERED", 200)  # several blocks a pass
    rows = planted()
    numbered = Interactions(
        users=torch.arange(1000, dtype=torch.int32), items=rows.items, ratings=rows.ratings
    )
    plain = Autograd(EMBEDDING_NN.build(1000, 40, generator()))
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
    model = EMBEDDING_NN.build(5, 5, generator())
    expected = [model.get_parameter(f"layers.{name}").numel() for name in
                ("2.weight", "2.bias", "5.weight", "5.bias", "6.bias")]  # fmt: skip
    decayed, plain = Autograd(model).groups
    assert (decayed.decays, plain.decays) == (True, False)
    assert len(plain.values) == sum(expected)
    assert len(decayed.values) + len(plain.values) == sum(p.numel() for p in model.parameters())


def test_biases_of_users_and_movies_are_decayed() -> None:
    model = DOT_PRODUCT_BIAS_WD.build(5, 7, generator())
    (group,) = make_gradient(model, 2).groups
    assert group.decays
    assert len(group.values) == (5 + 7) * 51
