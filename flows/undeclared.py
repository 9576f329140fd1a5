"""How what was asked for, or trained, differs from what is declared of its edition."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from collab.base.errors import CollabError
from collab.dataset.protocols import Protocol
from collab.estimators.api import Recipe, Shortens
from collab.lake import Manifest
from collab.movielens.editions import ItemKey, get_edition
from collab.runs.record import Run, newest_runs
from flows.declared import FILE
from flows.plan import Plan, plan


def declared_plan(edition: str) -> Plan:
    """The plan of an edition's release."""
    return plan(edition=edition)


def of_plan(wanted: Plan, edition: str, item_key: ItemKey | None = None) -> tuple[str, ...]:
    """How a plan differs from the declared one; nothing where it does not.

    Args:
        wanted: the plan.
        edition: of which edition.
        item_key: what an item shall be, or is in the ratings; by default the edition's own.
    """
    release = declared_plan(edition)
    recipes = {recipe.name: recipe for recipe in wanted.recipes}
    return (*variants(recipes, release), *others(wanted, release), *items(item_key, edition))


def items(item_key: ItemKey | None, edition: str) -> Iterator[str]:
    """How what an item is differs from the edition's own."""
    own = get_edition(edition).item_key
    if item_key not in {None, own}:
        yield f"an item is a {item_key} instead of a {own}"


def others(wanted: Plan, release: Plan) -> Iterator[str]:
    """How a plan differs but for its variants."""
    if wanted.protocols != release.protocols:
        yield f"on {listing(wanted.protocols)} instead of {listing(release.protocols)}"
    if wanted.seed != release.seed:
        yield f"seed {wanted.seed} instead of {release.seed}"
    minutes, least = wanted.budget.minutes, release.budget.minutes
    if minutes is not None and (least is None or minutes < least):
        yield f"{minutes:g} minutes instead of {'any' if least is None else f'{least:g}'}"


def of_runs(runs: list[Run], left_out: Sequence[str], lake: Manifest) -> tuple[str, ...]:
    """How runs differ from those of a release; what training left out and named is no difference.

    Args:
        runs: those of the first split first.
        left_out: what training left out, each with the reason.
        lake: the ratings they learnt from.
    """
    release = declared_plan(lake.edition)
    first = [run for run in runs if run.record.protocol == runs[0].record.protocol]
    recipes = {run.record.variant: run.recipe for run in first}
    named = [name for name in expected(release) if any(map(partial(tells_of, name), left_out))]
    return (
        *variants(recipes, release, named),
        *splits(runs, left_out, release),
        *items(lake.item_key, lake.edition),
    )


def splits(runs: list[Run], left_out: Sequence[str], release: Plan) -> Iterator[str]:
    """How the splits and seeds of runs differ from a release's."""
    cuts, wanted = list(dict.fromkeys(run.record.protocol for run in runs)), release.protocols
    told = "; ".join(left_out)
    missing = [cut for cut in wanted if cut not in cuts and cut.label not in told]
    if missing or not set(cuts) <= set(wanted) or cuts[0] != wanted[0]:
        yield f"on {listing(cuts)} instead of {listing(wanted)}"
    if other := sorted({run.record.seed for run in runs} - {release.seed}):
        yield f"seed {', '.join(map(str, other))} instead of {release.seed}"


def listing(cuts: Iterable[Protocol]) -> str:
    """Splits by their short names."""
    return ", ".join(cut.folder for cut in cuts)


def tells_of(name: str, reason: str) -> bool:
    """Whether a reason for which something was left out is about a variant."""
    return reason.startswith((f"{name}:", f"{name} on "))


def expected(release: Plan) -> Mapping[str, Recipe]:
    """A release's recipes by name."""
    return {recipe.name: recipe for recipe in release.recipes}


def variants(
    found: Mapping[str, Recipe], release: Plan, left_out: Iterable[str] = ()
) -> Iterator[str]:
    """How variants differ from a release's: those that lack, are too many, or have changed."""
    wanted = expected(release)
    if missing := [name for name in wanted if name not in {*found, *left_out}]:
        yield f"without {', '.join(missing)}"
    if more := [name for name in found if name not in wanted]:
        yield f"with {', '.join(more)} besides"
    both = [name for name in found if name in wanted]
    if changed := [name for name in both if is_other(found[name], wanted[name])]:
        yield f"other settings of {', '.join(changed)}"


def is_other(found: Recipe, wanted: Recipe) -> bool:
    """Whether a recipe has other settings; one that can be shortened is the same with less time."""
    if isinstance(wanted.estimator, Shortens):
        return type(found.estimator) is not type(wanted.estimator)
    return found != wanted


def released_runs(runs: Path, lake: Manifest) -> list[Run]:
    """The newest runs that a release of these data is made of, those of the first split first.

    Raises:
        CollabError: there are none.
    """
    release = declared_plan(lake.edition)

    def belongs(run: Run) -> bool:
        recipe = expected(release).get(run.record.variant)
        same = run.record.seed == release.seed and run.record.protocol in release.protocols
        with suppress(ValueError):  # its estimator is of another version
            return same and recipe is not None and not is_other(run.recipe, recipe)
        return False

    found = newest_runs(runs, lake.fingerprint, candidate=belongs)
    return sorted(found, key=lambda run: release.protocols.index(run.record.protocol))


def refuse(differences: Sequence[str], edition: str) -> None:
    """Stop where there are differences and no override.

    Raises:
        CollabError: names them.
    """
    if differences:
        raise CollabError(
            f"This is not the declared set of {edition}: {'; '.join(differences)}. Train without "
            f"releasing, publish it all the same with `override`, or change {FILE.name}."
        )
