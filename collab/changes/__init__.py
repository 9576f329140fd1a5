"""What differs: between two runs of a publication, and between two publications of an edition.

runs          two runs side by side, with the interval of their difference
publications  what changed from one publication to another
parts         the queries behind that, and what tables and columns each needs
"""

from collab.changes.publications import Change, Changes, publication_changes
from collab.changes.runs import Measure, compare_runs

__all__ = ["Change", "Changes", "Measure", "compare_runs", "publication_changes"]
