"""What the flows' runs are called, and what they are found by."""

from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.runtime import flow_run

from collab.base.paths import DataDir
from flows.declared import declared


def run_name() -> str:
    """Edition, variants and seed of the run that begins, as far as its flow has them.

    Such as `ml-100k, all variants, seed 42`.
    """
    given = flow_run.get_parameters()
    parts = [str(given["edition"])]
    if "variants" in given:
        parts.append(" ".join(given["variants"] or ["all variants"]))
    if "seed" in given:
        seed = given["seed"]
        parts.append(f"seed {declared(given['edition']).seed if seed is None else seed}")
    if "every" in given:
        parts.append(f"every {given['every']}")
    return ", ".join(parts)


def tag_run(edition: str, data: DataDir) -> None:
    """Tag the run that begins with its edition and its data folder.

    One deployment serves several of both.
    """
    if flow_run.get_id() is None:  # called as a function
        return
    known = flow_run.get_tags()
    tags = list(dict.fromkeys([*known, "collab", edition, str(data.root)]))
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(flow_run.get_id()), tags=tags)
