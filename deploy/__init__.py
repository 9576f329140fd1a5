"""Operations: what starts, ends and watches the deployments."""

import flows as _before_prefect  # noqa: F401  it sets what must be set before that is imported
