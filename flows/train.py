"""Train variants on the ratings that are committed; the runs of a release are announced."""

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from collab.base.paths import writable_data_dir
from collab.lake import find_manifest
from collab.runs.record import Run
from flows import stages
from flows.names import run_name, tag_run
from flows.parameters import EditionName, ProtocolName, Variants
from flows.plan import plan
from flows.recorded import recorded
from flows.runners import Runner, spread
from flows.undeclared import of_plan, refuse
from tasks.events import announce_runs


@flow(
    name="train",
    flow_run_name=run_name,
    # the device lease says how many train at once
    task_runner=ThreadPoolTaskRunner(max_workers=64),  # type: ignore[arg-type]
)
@recorded
@spread
def train(
    edition: EditionName = "ml-100k",
    fingerprint: str | None = None,
    data_dir: str | None = None,
    seed: int | None = None,
    variants: Variants = None,
    epochs: int | None = None,
    chains: int | None = None,
    protocol: ProtocolName = "random",
    split_seed: int = 42,
    splits: list[int] | None = None,
    as_of: str | None = None,
    device: str = "auto",
    runner: Runner = "local",
    minutes: float | None = None,
    memory: float | None = None,
    force: bool = False,
    release: bool = False,
) -> list[Run]:
    """Parquet to run folders.

    Args:
        edition: a MovieLens edition that was ingested.
        fingerprint: of the ratings to train on; by default the edition's newest.
        data_dir: where everything is kept; by default COLLAB_DATA_DIR, else `data`.
        seed: of the first weights, shuffling and sampling; by default that declared for the
            edition.
        variants: which to train; `faithful`, `fast`, `lazy`, `classical` or `bayesian` for all of a
            kind; by default those declared for the edition.
        epochs: passes over the training rows; by default each recipe's own.
        chains: how many of each sampled model, run side by side and merged; by default one.
        protocol: random, u1 to u5, ua, ub or temporal.
        split_seed: of the first split.
        splits: seeds of several: all variants run on the first, the best also on the others; by
            default those declared for the edition.
        as_of: only ratings up to this day or moment.
        device: auto, cpu, mps, cuda or cuda:N.
        runner: `ray` spreads training over the Ray cluster that RAY_ADDRESS names, or that runs on
            this machine; `local` is this machine alone.
        minutes: what all training may take, as estimated beforehand: variants, and then further
            splits, that do not fit are left out and named; `--variants all` trains them anyway.
            By default what is declared for the edition.
        memory: GiB that one run may take; by default what is free.
        force: train also what is committed.
        release: have the runs published; they must be the set declared for the edition.
    """
    data = writable_data_dir(data_dir)
    tag_run(edition, data)
    wanted = plan(
        edition=edition,
        variants=variants,
        epochs=epochs,
        chains=chains,
        device=device,
        seed=seed,
        protocol=protocol,
        split_seed=split_seed,
        splits=splits,
        as_of=as_of,
        minutes=minutes,
        memory=memory,
    )
    lake = find_manifest(data, edition, fingerprint)
    if release and wanted.as_of is None:
        refuse(of_plan(wanted, edition, lake.item_key), edition)
    trained = stages.train(lake, data, wanted, force)
    if release:
        announce_runs(lake, trained, data)
    return trained.runs
