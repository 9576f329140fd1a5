"""Which failures of a task are tried again."""

import pytest
from prefect.states import Completed, Failed

from collab.base.errors import CollabError, TransientError
from collab.movielens.download import SourceError, UnreachableError
from tasks.policy import may_retry


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (TransientError("the connection broke"), True),
        (UnreachableError("it answered 503"), True),
        (RuntimeError("the training process ended with signal 9"), True),
        (OSError(28, "No space left on device"), True),
        (CollabError("Unknown edition 'ml-2m'."), False),
        (SourceError("it answered 404"), False),
    ],
)
def test_what_the_user_has_to_mend_is_not_tried_again(error: Exception, again: bool) -> None:
    assert may_retry(None, None, Failed(data=error)) is again


def test_what_succeeded_is_not_tried_again() -> None:
    assert not may_retry(None, None, Completed(data=1))
