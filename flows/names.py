"""What the flows' runs are called."""

from prefect.runtime import flow_run


def run_name() -> str:
    """Edition, variants and seed of the run that begins, as far as its flow has them.

    Such as `ml-100k, all variants, seed 42`.
    """
    given = flow_run.get_parameters()
    parts = [str(given["edition"])]
    if "variants" in given:
        parts.append(" ".join(given["variants"] or ["all variants"]))
    if "seed" in given:
        parts.append(f"seed {given['seed']}")
    if "every" in given:
        parts.append(f"every {given['every']}")
    return ", ".join(parts)
